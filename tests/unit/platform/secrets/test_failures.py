import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.platform.secrets import FailureLimiter, Limit

HOME = "192.0.2.7"


class Watch:
    def __init__(self):
        self.at = 5000.0

    def __call__(self):
        return self.at


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def limiter(watch):
    return FailureLimiter(
        per_account=Limit(3, 60.0), per_address=Limit(5, 60.0), size=8, clock=watch
    )


def test_the_account_waits_after_its_last_allowed_failure(limiter, watch):
    for _ in range(3):
        assert limiter.retry_after("ana", HOME) == 0
        limiter.failed("ana", HOME)
        watch.at += 10
    # the first of the three was 30 s ago and leaves the window of 60 s in 30 s
    assert limiter.retry_after("ana", HOME) == 30
    assert limiter.retry_after("ana", "198.51.100.1") == 30
    assert limiter.retry_after("ben", HOME) == 0
    watch.at += 29.5
    assert limiter.retry_after("ana", HOME) == 1
    watch.at += 0.5
    assert limiter.retry_after("ana", HOME) == 0


def test_the_window_slides_so_that_one_more_failure_waits_for_the_next_oldest(limiter, watch):
    for _ in range(3):
        limiter.failed("ana", HOME)
        watch.at += 10
    watch.at += 30
    limiter.failed("ana", HOME)
    assert limiter.retry_after("ana", HOME) == 10


def test_an_address_that_tries_many_accounts_waits(limiter):
    for name in "abcde":
        limiter.failed(name, HOME)
    assert limiter.retry_after("f", HOME) == 60
    assert limiter.retry_after("f", "192.0.2.8") == 0


def test_a_success_clears_the_account_but_not_the_address(limiter):
    for _ in range(2):
        limiter.failed("ana", HOME)
    limiter.succeeded("ana")
    for _ in range(2):
        limiter.failed("ana", HOME)
    assert limiter.retry_after("ana", HOME) == 0
    limiter.failed("ben", HOME)
    assert limiter.retry_after("ana", HOME) == 60


def test_case_and_width_of_letters_make_no_other_account(limiter):
    for name in ("ana@example.net", "ANA@EXAMPLE.NET ", "\uff41na@example.net"):
        limiter.failed(name, HOME)
    assert limiter.retry_after("Ana@example.net", "192.0.2.99") == 60


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("", "/run/socket", True),
    ],
)
def test_which_addresses_are_one(limiter, one, other, same):
    for name in "abcde":
        limiter.failed(name, one)
    assert (limiter.retry_after("f", other) > 0) is same


def test_memory_stays_bounded_and_forgets_who_failed_least_recently(limiter):
    for _ in range(3):
        limiter.failed("victim", HOME)
    for number in range(100):
        limiter.failed(f"guess{number}", f"2001:db8:{number:x}::1")
    assert len(limiter._accounts._times) == 8
    assert len(limiter._addresses._times) == 8
    assert limiter.retry_after("victim", "192.0.2.99") == 0


def test_what_has_left_the_window_takes_no_room(limiter, watch):
    limiter.failed("ana", HOME)
    watch.at += 60
    limiter.failed("ben", HOME)
    assert len(limiter._accounts._times) == 1


@given(gaps=st.lists(st.floats(0, 40), max_size=30))
def test_never_more_failures_in_a_window_than_allowed_by_one_who_obeys(gaps):
    watch = Watch()
    limiter = FailureLimiter(per_account=Limit(3, 60.0), clock=watch)
    times = []
    for gap in gaps:
        watch.at += gap
        wait = limiter.retry_after("ana", HOME)
        recent = [at for at in times if at > watch.at - 60]
        assert (wait > 0) == (len(recent) >= 3)
        if wait == 0:
            limiter.failed("ana", HOME)
            times.append(watch.at)
