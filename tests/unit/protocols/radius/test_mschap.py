"""MS-CHAP against the RFCs' own vectors, and against octets from anywhere."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.md4 import md4
from demarc.protocols.radius.mschap import (
    Response1,
    Response2,
    authenticator_response,
    challenge_hash,
    challenge_response,
    encode_response1,
    encode_response2,
    error_message,
    mppe_keys,
    mppe_keys1,
    nt_hash,
    nt_response2,
    read_response1,
    read_response2,
    verify1,
    verify2,
)

# RFC 2759, 9.2
CHALLENGE = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
PEER_CHALLENGE = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
HASH = bytes.fromhex("44EBBA8D5312B8D611474411F56989AE")
NT_RESPONSE = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        # RFC 1320, A.5
        ("", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        ("a", "bde52cb31de33e46245e05fbdbd6fb24"),
        ("abc", "a448017aaf21d8525fc10ae87aa6729d"),
        ("message digest", "d9130a8164549fe818874806e1c7014b"),
        ("abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"),
        ("1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4(text, digest):
    assert md4(text.encode()).hex() == digest


@given(st.binary(max_size=300))
def test_md4_agrees_with_openssl_where_that_still_has_it(octets):
    try:
        known = hashlib.new("md4", octets, usedforsecurity=False).digest()
    except ValueError:
        known = md4(octets)
    assert md4(octets) == known
    assert len(known) == 16


def test_version_2_as_in_the_rfc():
    assert nt_hash(b"clientPass") == HASH
    assert challenge_hash(PEER_CHALLENGE, CHALLENGE, b"User").hex() == "d02e4386bce91226"
    assert nt_response2(PEER_CHALLENGE, CHALLENGE, b"User", HASH) == NT_RESPONSE
    response = Response2(0, PEER_CHALLENGE, NT_RESPONSE)
    assert authenticator_response(CHALLENGE, response, b"User", HASH) == (
        b"S=407A5589115FD0D6209F510FE9C04566932CDA56"
    )


def test_keys_as_in_rfc_3079():
    send, receive = mppe_keys(HASH, NT_RESPONSE)
    assert send.hex().upper() == "8B7CDC149B993A1BA118CB153F56DCCB"
    assert receive != send
    assert len(receive) == 16
    assert mppe_keys1(HASH)[8:].hex().upper() == "41C00C584BD2D91C4017A2A12FA59F3F"


def test_version_1_as_in_the_rfc():
    # RFC 2433, B.2
    challenge = bytes.fromhex("102DB5DF085D3041")
    assert nt_hash(b"MyPw").hex().upper() == "FC156AF7EDCD6C0EDDE3337D427F4EAC"
    answer = challenge_response(challenge, nt_hash(b"MyPw"))
    assert answer.hex().upper() == "4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61"
    assert verify1(challenge, Response1(0, answer), nt_hash(b"MyPw"))
    assert not verify1(challenge, Response1(0, answer), nt_hash(b"MyPx"))
    assert not verify1(challenge, Response1(0, None), nt_hash(b"MyPw"))


@pytest.mark.parametrize("sent", [b"User", b"DOMAIN\\User", b"User@isp.example"])
def test_the_name_that_was_typed_is_found(sent):
    response = Response2(0, PEER_CHALLENGE, NT_RESPONSE)
    assert verify2(CHALLENGE, response, sent, HASH) == b"User"
    assert verify2(CHALLENGE, response, b"Other", HASH) is None


@given(st.binary(max_size=64), st.text(max_size=64), st.text(max_size=64))
def test_only_the_same_password_is_right(name, password, other):
    response = Response2(
        1, PEER_CHALLENGE, nt_response2(PEER_CHALLENGE, CHALLENGE, name, nt_hash(password.encode()))
    )
    assert verify2(CHALLENGE, response, name, nt_hash(password.encode())) == name
    assert (verify2(CHALLENGE, response, name, nt_hash(other.encode())) is None) == (
        other != password
    )


@given(
    st.integers(0, 255), st.binary(min_size=16, max_size=16), st.binary(min_size=24, max_size=24)
)
def test_responses_are_read_as_they_were_written(identifier, challenge, answer):
    assert read_response1(encode_response1(identifier, answer)) == Response1(identifier, answer)
    assert read_response2(encode_response2(identifier, challenge, answer)) == Response2(
        identifier, challenge, answer
    )


@given(st.binary(max_size=60))
def test_any_octets_are_a_response_or_malformed(octets):
    for read in (read_response1, read_response2):
        if len(octets) == 50:
            read(octets)
        else:
            with pytest.raises(Malformed):
                read(octets)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_challenge_of_a_wrong_size_is_malformed(challenge, password):
    if len(challenge) != 8:
        with pytest.raises(Malformed):
            verify1(challenge, Response1(0, bytes(24)), nt_hash(password))
    if len(challenge) != 16:
        with pytest.raises(Malformed):
            verify2(challenge, Response2(0, bytes(16), bytes(24)), b"", nt_hash(password))


def test_a_failure_has_the_form_peers_read():
    assert error_message(691, bytes(16), 3, "no") == b"E=691 R=0 C=" + b"0" * 32 + b" V=3 M=no"
