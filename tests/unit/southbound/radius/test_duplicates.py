"""Requests that come again (RFC 5080, 2.2.2)."""

from demarc.southbound.radius.duplicates import Duplicates

NAS = ("192.0.2.1", 40000)


def test_a_request_is_recognised_by_source_identifier_and_authenticator():
    seen = Duplicates(10, 100)
    slot = seen.open((NAS, 1), b"a" * 16, 0)
    assert seen.find((NAS, 1), b"a" * 16, 5) is slot
    assert seen.find((NAS, 2), b"a" * 16, 5) is None
    assert seen.find((("192.0.2.1", 40001), 1), b"a" * 16, 5) is None
    # the Identifier is used anew
    assert seen.find((NAS, 1), b"b" * 16, 5) is None


def test_it_has_no_reply_while_it_is_under_way():
    seen = Duplicates(10, 100)
    slot = seen.open((NAS, 1), b"a" * 16, 0)
    assert slot.reply is None
    slot.reply = b"reply"
    assert seen.find((NAS, 1), b"a" * 16, 5).reply == b"reply"


def test_it_is_forgotten_after_a_while():
    seen = Duplicates(10, 100)
    seen.open((NAS, 1), b"a" * 16, 0)
    assert seen.find((NAS, 1), b"a" * 16, 10) is None
    seen.open((NAS, 2), b"b" * 16, 11)
    assert len(seen) == 1


def test_a_request_that_got_no_reply_may_be_tried_again():
    seen = Duplicates(10, 100)
    slot = seen.open((NAS, 1), b"a" * 16, 0)
    seen.discard((NAS, 1), slot)
    assert seen.find((NAS, 1), b"a" * 16, 1) is None


def test_the_end_of_an_old_request_does_not_touch_the_new_one_under_its_identifier():
    seen = Duplicates(10, 100)
    old = seen.open((NAS, 1), b"a" * 16, 0)
    new = seen.open((NAS, 1), b"b" * 16, 1)
    seen.discard((NAS, 1), old)
    assert seen.find((NAS, 1), b"b" * 16, 2) is new


def test_there_are_never_more_than_its_size():
    seen = Duplicates(10, 100)
    for number in range(1000):
        seen.open((("192.0.2.1", number), 1), b"a" * 16, 0)
    assert len(seen) == 100
    assert seen.find((("192.0.2.1", 999), 1), b"a" * 16, 1) is not None


def test_one_identifier_used_again_and_again_pushes_no_other_request_out():
    seen = Duplicates(10, 100)
    slot = seen.open((NAS, 2), b"a" * 16, 0)
    for number in range(1000):
        seen.open((NAS, 1), number.to_bytes(16, "big"), number / 1000)
    assert len(seen) == 2
    assert seen.find((NAS, 2), b"a" * 16, 1) is slot


def test_a_request_whose_identifier_is_used_anew_is_remembered_for_its_own_time():
    seen = Duplicates(10, 100)
    seen.open((NAS, 1), b"a" * 16, 0)
    seen.open((NAS, 2), b"b" * 16, 1)
    new = seen.open((NAS, 1), b"c" * 16, 5)
    # what is too old goes when the next one comes, and nothing else
    seen.open((NAS, 3), b"d" * 16, 12)
    assert len(seen) == 2
    assert seen.find((NAS, 1), b"c" * 16, 12) is new
