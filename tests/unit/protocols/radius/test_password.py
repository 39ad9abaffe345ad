import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Code, Packet, decode
from demarc.protocols.radius.password import (
    chap_response,
    decrypt_pap,
    decrypt_salted,
    encrypt_pap,
    encrypt_salted,
    verify_chap,
)
from demarc.protocols.radius.request import encode_request

SECRET = b"between-us"
AUTHENTICATOR = bytes(range(16))


@given(st.binary(max_size=128).filter(lambda password: not password.endswith(b"\0")))
def test_pap_over_all_blocks(password: bytes) -> None:
    hidden = encrypt_pap(password, SECRET, AUTHENTICATOR)
    assert len(hidden) % 16 == 0
    assert len(hidden) <= 128
    assert decrypt_pap(hidden, SECRET, AUTHENTICATOR) == password


def test_pap_of_another_secret_is_another_password() -> None:
    hidden = encrypt_pap(b"right horse battery", SECRET, AUTHENTICATOR)
    assert decrypt_pap(hidden, b"other", AUTHENTICATOR) != b"right horse battery"


@pytest.mark.parametrize("size", [0, 1, 15, 17, 127, 144])
def test_pap_of_a_wrong_length(size: int) -> None:
    with pytest.raises(Malformed):
        decrypt_pap(bytes(size), SECRET, AUTHENTICATOR)


def test_a_password_longer_than_the_attribute() -> None:
    with pytest.raises(ValueError, match="128"):
        encrypt_pap(bytes(129), SECRET, AUTHENTICATOR)


@given(st.binary(max_size=239))
def test_salted(value: bytes) -> None:
    hidden = encrypt_salted(value, SECRET, AUTHENTICATOR)
    assert hidden[0] & 0x80
    assert len(hidden) <= 242
    assert decrypt_salted(hidden, SECRET, AUTHENTICATOR) == value


def test_every_salt_hides_differently() -> None:
    assert len({encrypt_salted(b"key", SECRET, AUTHENTICATOR) for _ in range(20)}) > 1


def test_a_salted_value_longer_than_the_attribute() -> None:
    with pytest.raises(ValueError, match="239"):
        encrypt_salted(bytes(240), SECRET, AUTHENTICATOR)


@given(st.binary(max_size=60))
def test_salted_octets_of_whatever_kind_are_a_value_or_malformed(octets: bytes) -> None:
    try:
        value = decrypt_salted(octets, SECRET, AUTHENTICATOR)
    except Malformed:
        return
    assert len(value) < len(octets) - 2


def chap(value: bytes, challenge: bytes | None, authenticator: bytes = AUTHENTICATOR) -> Packet:
    pairs = [(DICTIONARY["CHAP-Password"], value)]
    if challenge is not None:
        pairs.append((DICTIONARY["CHAP-Challenge"], challenge))
    return decode(
        encode_request(Code.ACCESS_REQUEST, 1, pairs, SECRET, authenticator=authenticator)
    )


@given(st.integers(0, 255), st.binary(max_size=64), st.binary(min_size=1, max_size=200))
def test_chap_with_a_challenge(identifier: int, password: bytes, challenge: bytes) -> None:
    request = chap(chap_response(identifier, password, challenge), challenge)
    assert verify_chap(request, password)
    assert not verify_chap(request, password + b"x")


def test_chap_with_the_request_authenticator() -> None:
    request = chap(chap_response(9, b"pass", AUTHENTICATOR), None)
    assert verify_chap(request, b"pass")


def test_chap_for_another_challenge_is_refused() -> None:
    assert not verify_chap(chap(chap_response(9, b"pass", AUTHENTICATOR), b"another"), b"pass")


@pytest.mark.parametrize("size", [0, 16, 18])
def test_chap_of_a_wrong_length(size: int) -> None:
    with pytest.raises(Malformed):
        verify_chap(chap(bytes(size), None), b"pass")


def test_no_chap_at_all() -> None:
    with pytest.raises(Malformed):
        verify_chap(decode(encode_request(Code.ACCESS_REQUEST, 1, [], SECRET)), b"pass")
