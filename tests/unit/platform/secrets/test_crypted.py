"""crypt(3) hashes, as FreeRADIUS and /etc/shadow hold them."""

import pytest

from demarc.platform.secrets import crypted
from demarc.platform.secrets.crypted import Unsupported, verify_crypt

# of "correct horse", as openssl passwd makes them
OF_OPENSSL = [
    "$1$saltsalt$NuzA7WTAelpl95xgBGWN60",
    (
        "$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv"
        "/uamSo5z0"
    ),
]


@pytest.mark.parametrize("stored", OF_OPENSSL)
def test_what_others_made_is_checked(stored):
    assert verify_crypt(stored, b"correct horse")
    assert not verify_crypt(stored, b"correct horsf")


def _made(setting: str) -> str:
    library = crypted._library()
    if library is None:
        pytest.skip("this system has no crypt(3)")
    made = library(b"correct horse", setting.encode())
    if made is None or made.startswith(b"*"):
        pytest.skip(f"crypt(3) here does not know {setting}")
    return made.decode()


@pytest.mark.parametrize(
    "setting",
    ["$6$saltsalt$", "$5$rounds=1000$saltsalt$", "$1$saltsalt$", "$2b$04$abcdefghijklmnopqrstuu"],
)
def test_the_password_is_told_from_others(setting):
    stored = _made(setting)
    assert verify_crypt(stored, b"correct horse")
    assert not verify_crypt(stored, b"correct horsf")
    assert not verify_crypt(stored, b"")
    assert not verify_crypt(stored, b"correct horse\0")
    assert not verify_crypt(stored, b"x" * 600)


@pytest.mark.parametrize("stored", ["$99$what$ever", "", "*", "$6$rounds=9999999$a$b", "$2b$31$a"])
def test_what_cannot_be_checked_is_said(stored):
    with pytest.raises(Unsupported):
        verify_crypt(stored, b"guess")
