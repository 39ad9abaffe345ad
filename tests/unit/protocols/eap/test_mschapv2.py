import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.eap.mschapv2 import (
    Answer,
    Op,
    decode_answer,
    encode_challenge,
    encode_response,
    encode_verdict,
)
from demarc.protocols.eap.packet import Malformed
from demarc.protocols.radius.mschap import Response2


@given(
    st.integers(0, 255),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=24, max_size=24),
    st.binary(max_size=100),
)
def test_a_response_is_read_as_it_was_written(identifier, challenge, answer, name):
    response = Response2(identifier, challenge, answer)
    octets = encode_response(identifier, response, name)
    assert decode_answer(octets) == Answer(Op.RESPONSE, response, name)
    assert decode_answer(octets + b"padding") == Answer(Op.RESPONSE, response, name)


@pytest.mark.parametrize("op", [Op.SUCCESS, Op.FAILURE])
def test_the_peer_agrees_in_one_octet(op):
    assert decode_answer(bytes((op,))) == Answer(op)


@given(st.binary(max_size=120))
def test_any_octets_are_an_answer_or_malformed(data):
    try:
        answer = decode_answer(data)
    except Malformed:
        return
    assert (answer.response is None) == (answer.op is not Op.RESPONSE)


def test_what_the_server_says():
    assert encode_challenge(1, b"c" * 16, b"us") == b"\x01\x01\x00\x17\x10" + b"c" * 16 + b"us"
    assert encode_verdict(Op.SUCCESS, 1, b"S=00") == b"\x03\x01\x00\x08S=00"
