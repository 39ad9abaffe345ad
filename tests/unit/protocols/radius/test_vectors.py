"""What the standards and the vendors' tables say, octet by octet."""

from pathlib import Path

import pytest

from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Packet, decode
from demarc.protocols.radius.password import decrypt_pap, encrypt_pap, verify_chap
from demarc.protocols.radius.request import verify_response
from demarc.protocols.radius.values import Tagged, decode_value
from demarc.protocols.radius.verify import verify_request
from support.radius_vectors import exchanges, lines, pair

VECTORS = Path(__file__).parent / "vectors"
SECRET = b"xyzzy5461"
EXCHANGES = exchanges(VECTORS / "exchanges.txt")


def packet_of(octets: bytes) -> Packet:
    return decode(bytes((1, 0)) + (20 + len(octets)).to_bytes(2, "big") + bytes(16) + octets)


@pytest.mark.parametrize("line", lines(VECTORS / "values.txt"))
def test_value(line: str) -> None:
    written, _, hexed = line.rpartition(" : ")
    attribute, value = pair(written)
    octets = bytes.fromhex(hexed)
    assert encode_attributes([(attribute, value)]) == octets
    packet = packet_of(octets)
    if isinstance(value, Tagged):
        assert packet.tagged(attribute) == [value]
        value = value.value
    assert packet.get(attribute) == value
    assert packet.all(attribute) == [value]


@pytest.mark.parametrize("line", lines(VECTORS / "misread.txt"))
def test_misread_value(line: str) -> None:
    name, hexed, reason = line.split(":", 2)
    with pytest.raises(Malformed) as refused:
        decode_value(DICTIONARY[name.strip()], bytes.fromhex(hexed))
    assert refused.value.reason == reason.strip()


@pytest.mark.parametrize("line", lines(VECTORS / "malformed.txt"))
def test_malformed_packet(line: str) -> None:
    hexed, _, reason = line.partition(":")
    with pytest.raises(Malformed) as refused:
        decode(bytes.fromhex(hexed))
    assert refused.value.reason == reason.strip()


@pytest.mark.parametrize("title", EXCHANGES)
def test_exchange(title: str) -> None:
    block = EXCHANGES[title]
    octets = {word: bytes.fromhex(text) for word, text in block if word in {"request", "reply"}}
    request, reply = decode(octets["request"]), decode(octets["reply"])
    verify_request(request, SECRET)
    verify_response(reply, octets["request"], SECRET)
    for word, text in block:
        match word:
            case "reads" | "says":
                attribute, value = pair(text)
                assert (request if word == "reads" else reply).get(attribute) == value
            case "password":
                hidden = request.value(DICTIONARY["User-Password"])
                assert hidden is not None
                assert decrypt_pap(hidden, SECRET, request.authenticator) == text.encode()
                assert encrypt_pap(text.encode(), SECRET, request.authenticator) == hidden
            case "chap":
                assert verify_chap(request, text.encode())
                assert not verify_chap(request, text.encode() + b"x")
