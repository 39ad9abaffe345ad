import pytest

from demarc.protocols.radius.attributes import encode_attributes, encode_hidden_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import decode
from demarc.protocols.radius.password import decrypt_pap, decrypt_salted
from demarc.protocols.radius.values import Tagged

SECRET = b"between-us"
AUTHENTICATOR = bytes(range(16))


@pytest.mark.parametrize(("name", "most"), [("Class", 253), ("Huawei-AVpair", 247)])
def test_the_longest_value(name: str, most: int) -> None:
    attribute = DICTIONARY[name]
    assert len(encode_attributes([(attribute, b"x" * most)])) == 255
    with pytest.raises(ValueError, match=f"{name} takes at most {most}"):
        encode_attributes([(attribute, b"x" * (most + 1))])


@pytest.mark.parametrize("name", ["User-Password", "Tunnel-Password", "MS-MPPE-Send-Key"])
def test_what_is_hidden_anew_in_each_packet_cannot_be_kept(name: str) -> None:
    with pytest.raises(ValueError, match="each packet anew"):
        encode_attributes([(DICTIONARY[name], b"0123456789abcdef")])


def test_hidden_values() -> None:
    octets = encode_hidden_attributes(
        [
            (DICTIONARY["User-Name"], "bob"),
            (DICTIONARY["User-Password"], "open sesame"),
            (DICTIONARY["Tunnel-Password"], Tagged(3, "tunnel secret")),
            (DICTIONARY["Tunnel-Password"], "without a tag"),
            (DICTIONARY["MS-MPPE-Recv-Key"], b"k" * 32),
        ],
        SECRET,
        AUTHENTICATOR,
    )
    assert b"sesame" not in octets
    assert b"tunnel" not in octets
    packet = decode(b"\1\0" + (20 + len(octets)).to_bytes(2, "big") + AUTHENTICATOR + octets)
    assert packet.text(DICTIONARY["User-Name"]) == "bob"
    password = packet.value(DICTIONARY["User-Password"])
    assert password is not None
    assert decrypt_pap(password, SECRET, AUTHENTICATOR) == b"open sesame"
    first, second = packet.tagged(DICTIONARY["Tunnel-Password"])
    assert (first.tag, second.tag) == (3, 0)
    assert isinstance(first.value, bytes)
    assert isinstance(second.value, bytes)
    assert decrypt_salted(first.value, SECRET, AUTHENTICATOR) == b"tunnel secret"
    assert decrypt_salted(second.value, SECRET, AUTHENTICATOR) == b"without a tag"
    key = packet.value(DICTIONARY["MS-MPPE-Recv-Key"])
    assert key is not None
    assert decrypt_salted(key, SECRET, AUTHENTICATOR) == b"k" * 32
