from uuid import uuid4

from demarc.southbound.radius.failures import ALLOWED, Failures, Guess


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_enough_is_enough_for_a_minute():
    clock = Clock()
    failures, guess = Failures(clock), Guess(uuid4(), "AA-01", 1)
    for _ in range(ALLOWED):
        assert not failures.too_many(guess)
        failures.note(guess)
    assert failures.too_many(guess)
    assert not failures.too_many(guess._replace(station="AA-02"))
    assert not failures.too_many(guess._replace(secret=2))
    clock.now = 59.9
    assert failures.too_many(guess)
    clock.now = 60.0
    assert not failures.too_many(guess)
    failures.note(guess)
    assert not failures.too_many(guess)


def test_guesses_of_long_ago_do_not_count():
    clock = Clock()
    failures, guess = Failures(clock), Guess(uuid4(), "AA-01", 1)
    for _ in range(ALLOWED * 3):
        clock.now += 10
        failures.note(guess)
    assert not failures.too_many(guess)


def test_who_logs_in_begins_anew():
    failures, guess = Failures(Clock()), Guess(uuid4(), "AA-01", 1)
    for _ in range(ALLOWED):
        failures.note(guess)
    failures.forget(guess)
    assert not failures.too_many(guess)
    assert len(failures) == 0


def test_no_more_is_remembered_than_may_be():
    failures = Failures(Clock())
    credential = uuid4()
    for number in range(20_010):
        failures.note(Guess(credential, f"station {number}", 1))
    assert len(failures) == 20_000
