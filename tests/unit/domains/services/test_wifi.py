import pytest

from demarc.domains.errors import Invalid
from demarc.domains.services.wifi import check_passphrase, check_ssid


@pytest.mark.parametrize("ssid", ["", "x" * 33, "é" * 17, "a\x00b"])
def test_an_ssid_no_network_can_have_is_refused(ssid):
    with pytest.raises(Invalid, match="wifi_username"):
        check_ssid(ssid)


@pytest.mark.parametrize("passphrase", ["", "short12", "x" * 64, "pässword1", "tab\tinside"])
def test_a_passphrase_wpa_cannot_take_is_refused(passphrase):
    with pytest.raises(Invalid, match="wifi_password"):
        check_passphrase(passphrase)


def test_the_longest_and_shortest_are_taken():
    check_ssid("x" * 32)
    check_ssid("x")
    check_passphrase("x" * 8)
    check_passphrase("x" * 63)
