import pytest

from demarc.platform.telemetry.repeats import Repeats


class Watch:
    at = 100.0

    def __call__(self):
        return self.at


@pytest.fixture
def watch():
    return Watch()


def test_the_first_is_said_then_one_a_minute_with_what_was_kept_back(watch):
    repeats = Repeats(60, clock=watch)
    assert repeats.due("unknown", "192.0.2.1") == 0
    for _ in range(59):
        watch.at += 1
        assert repeats.due("unknown", "192.0.2.1") is None
    watch.at += 1
    assert repeats.due("unknown", "192.0.2.1") == 59
    assert repeats.due("unknown", "192.0.2.1") is None


def test_other_things_are_said_at_once(watch):
    repeats = Repeats(clock=watch)
    assert repeats.due("unknown", "192.0.2.1") == 0
    assert repeats.due("unknown", "192.0.2.2") == 0
    assert repeats.due("malformed", "192.0.2.1") == 0


def test_memory_is_bounded(watch):
    repeats = Repeats(size=2, clock=watch)
    for number in range(3):
        repeats.due(number)
    assert len(repeats._said) == 2
    assert repeats.due(2) is None
    assert repeats.due(0) == 0
