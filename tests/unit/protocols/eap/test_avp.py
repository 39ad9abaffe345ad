import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.eap.avp import MOST, Avp, decode_avps, encode_avps
from demarc.protocols.eap.packet import Malformed

NUMBER = st.integers(0, 2**32 - 1)
AVP = st.builds(Avp, NUMBER, NUMBER, st.binary(max_size=300), mandatory=st.booleans())


@given(st.lists(AVP, max_size=MOST))
def test_attributes_are_read_as_they_were_written(avps):
    octets = encode_avps(avps)
    assert len(octets) % 4 == 0
    assert decode_avps(octets) == avps


@given(st.lists(AVP, min_size=1, max_size=4))
def test_the_last_need_not_be_padded(avps):
    octets = encode_avps(avps)
    padding = -len(avps[-1].data) % 4
    assert decode_avps(octets[: len(octets) - padding]) == avps


@given(st.binary(max_size=200))
def test_any_octets_are_attributes_or_malformed(octets):
    try:
        found = decode_avps(octets)
    except Malformed:
        return
    assert sum(len(avp.data) for avp in found) <= len(octets)


def test_as_in_the_rfc():
    # RFC 5281, 10.1: code, flags, length, data
    assert encode_avps([Avp(1, 0, b"ana")]) == b"\0\0\0\x01\x40\0\0\x0bana\0"


def test_no_more_than_is_sane():
    with pytest.raises(Malformed):
        decode_avps(encode_avps([Avp(1, 0, b"")] * (MOST + 1)))
