import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.attributes import Pair
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import BadAuthenticator
from demarc.protocols.radius.packet import Code, Malformed, decode
from demarc.protocols.radius.request import encode_request
from demarc.protocols.radius.verify import verify_request

SECRET = b"between-us"
BOB = [(DICTIONARY["User-Name"], "bob")]
DIGESTED = [Code.ACCOUNTING_REQUEST, Code.DISCONNECT_REQUEST, Code.COA_REQUEST]
REQUESTS = [Code.ACCESS_REQUEST, Code.STATUS_SERVER, *DIGESTED]


def request(code: int, *, sign: bool = True, secret: bytes = SECRET) -> bytes:
    return encode_request(code, 5, BOB, secret, message_authenticator=sign)


@pytest.mark.parametrize("code", REQUESTS)
def test_a_request_of_who_knows_the_secret(code: Code) -> None:
    verify_request(decode(request(code)), SECRET, require_message_authenticator=True)


@pytest.mark.parametrize("code", REQUESTS)
def test_a_request_with_another_secret(code: Code) -> None:
    with pytest.raises(BadAuthenticator, match="wrong"):
        verify_request(decode(request(code, secret=b"other")), SECRET)


@pytest.mark.parametrize("code", REQUESTS)
@given(data=st.data())
def test_no_octet_of_a_signed_request_can_be_changed(code: Code, data: st.DataObject) -> None:
    octets = bytearray(request(code))
    # code and length apart, whose change makes it another packet or none
    where = data.draw(st.sampled_from([1, *range(4, len(octets))]))
    octets[where] ^= data.draw(st.integers(1, 255))
    try:
        packet = decode(bytes(octets))
    except Malformed:
        return
    with pytest.raises(BadAuthenticator):
        verify_request(packet, SECRET, require_message_authenticator=True)


def test_an_unsigned_access_request_is_the_callers_choice() -> None:
    packet = decode(request(Code.ACCESS_REQUEST, sign=False))
    verify_request(packet, SECRET)
    with pytest.raises(BadAuthenticator, match="missing"):
        verify_request(packet, SECRET, require_message_authenticator=True)


@pytest.mark.parametrize("code", [Code.DISCONNECT_REQUEST, Code.COA_REQUEST])
def test_an_unsigned_dynamic_request_is_the_callers_choice(code: Code) -> None:
    packet = decode(request(code, sign=False))
    verify_request(packet, SECRET)
    with pytest.raises(BadAuthenticator, match="missing"):
        verify_request(packet, SECRET, require_message_authenticator=True)


def test_status_server_is_always_signed() -> None:
    with pytest.raises(BadAuthenticator, match="missing"):
        verify_request(decode(request(Code.STATUS_SERVER, sign=False)), SECRET)


def test_eap_is_always_signed() -> None:
    octets = encode_request(
        Code.ACCESS_REQUEST,
        1,
        [(DICTIONARY["EAP-Message"], b"")],
        SECRET,
        message_authenticator=False,
    )
    with pytest.raises(BadAuthenticator, match="EAP-Message"):
        verify_request(decode(octets), SECRET)


def test_unsigned_proxy_state_can_be_refused() -> None:
    proxied: list[Pair] = [*BOB, (DICTIONARY["Proxy-State"], b"x" * 40)]
    unsigned = decode(
        encode_request(Code.ACCESS_REQUEST, 1, proxied, SECRET, message_authenticator=False)
    )
    verify_request(unsigned, SECRET)
    with pytest.raises(BadAuthenticator, match="Proxy-State"):
        verify_request(unsigned, SECRET, limit_proxy_state=True)
    signed = decode(encode_request(Code.ACCESS_REQUEST, 1, proxied, SECRET))
    verify_request(signed, SECRET, limit_proxy_state=True)


def test_an_accounting_request_that_is_signed_wrongly() -> None:
    body = b"\x50\x12" + bytes(16)
    head = bytes((Code.ACCOUNTING_REQUEST, 1, 0, 20 + len(body)))
    digest = hashlib.md5(head + bytes(16) + body + SECRET, usedforsecurity=False).digest()
    with pytest.raises(BadAuthenticator, match="Message-Authenticator is wrong"):
        verify_request(decode(head + digest + body), SECRET)


@pytest.mark.parametrize("code", [0, 2, 3, 5, 11, 13, 41, 44, 255])
def test_what_is_no_request(code: int) -> None:
    packet = decode(bytes((code, 0, 0, 20)) + bytes(16))
    with pytest.raises(BadAuthenticator, match="not a request"):
        verify_request(packet, SECRET)
