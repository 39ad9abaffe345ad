"""Packets out of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.stream import Frames


def packet(length):
    return bytes((1, 2)) + length.to_bytes(2, "big") + bytes(length - 4)


@given(st.lists(st.integers(20, 4096), max_size=8), st.data())
def test_packets_come_out_whole_however_the_stream_is_cut(lengths, data):
    packets = [packet(length) for length in lengths]
    stream = b"".join(packets)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    frames, found = Frames(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += frames.feed(stream[start:end])
    assert found == packets


@pytest.mark.parametrize("length", [0, 19, 4097, 65535])
def test_a_length_no_packet_has_ends_the_stream(length):
    with pytest.raises(Malformed):
        Frames().feed(bytes((1, 2)) + length.to_bytes(2, "big"))


@given(st.binary(max_size=200))
def test_any_octets_are_split_or_refused(octets):
    frames = Frames()
    try:
        found = frames.feed(octets)
    except Malformed:
        return
    assert octets.startswith(b"".join(found))
