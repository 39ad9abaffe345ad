import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.eap.fragments import (
    MOST_OCTETS,
    Assembly,
    Fragment,
    decode_fragment,
    split,
)
from demarc.protocols.eap.packet import Malformed


@given(st.binary(max_size=9000), st.integers(16, 1500))
def test_a_message_comes_whole_through_fragments_of_any_size(message, size):
    assembly = Assembly()
    for fragment in split(message, size):
        octets = fragment.encode()
        assert len(octets) <= size
        assert decode_fragment(octets) == fragment
        whole = assembly.add(fragment)
        assert (whole is None) == fragment.more
    assert whole == message
    # and is ready for the next
    assert assembly.add(Fragment(b"next")) == b"next"


@given(st.binary(max_size=40))
def test_any_octets_are_a_fragment_or_malformed(data):
    try:
        fragment = decode_fragment(data)
    except Malformed:
        return
    assert decode_fragment(fragment.encode()) == fragment


@given(st.lists(st.binary(max_size=60), max_size=30))
def test_fragments_from_anywhere_make_a_message_or_are_malformed(packets):
    assembly = Assembly()
    for data in packets:
        try:
            whole = assembly.add(decode_fragment(data))
        except Malformed:
            return
        assert whole is None or len(whole) <= MOST_OCTETS


@pytest.mark.parametrize(
    "fragments",
    [
        [Fragment(b"abc", total=MOST_OCTETS + 1, more=True)],
        [Fragment(b"abc", total=2, more=True)],
        [Fragment(b"abc", total=5, more=True), Fragment(b"d")],
        [Fragment(b"abc", total=5, more=True), Fragment(b"d", total=6, more=True)],
        [Fragment(b"", more=True)],
        [Fragment(bytes(60_000), more=True), Fragment(bytes(60_000), more=True)],
    ],
)
def test_what_does_not_fit_together_is_malformed(fragments):
    assembly = Assembly()
    with pytest.raises(Malformed):
        for fragment in fragments:
            assembly.add(fragment)
