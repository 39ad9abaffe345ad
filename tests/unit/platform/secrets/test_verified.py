from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from demarc.platform.secrets import VerifiedMemory

ANA, BEN = UUID(int=1), UUID(int=2)


class Watch:
    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def memory(watch):
    return VerifiedMemory(max_age=300, size=3, clock=watch)


def remember(memory, name, account, password="pw"):
    memory.remember("krill", name, password, account, epoch=memory.epoch)


def test_a_verified_credential_is_known_and_no_other(memory):
    remember(memory, "ana", ANA)
    assert memory.find("krill", "ana", "pw") == ANA
    assert memory.find("krill", "ana", "PW") is None
    assert memory.find("krill", "Ana", "pw") is None
    assert memory.find("flashman", "ana", "pw") is None


def test_five_minutes_later_it_must_be_verified_again_however_often_used(memory, watch):
    remember(memory, "ana", ANA)
    for _ in range(299):
        watch.at += 1
        assert memory.find("krill", "ana", "pw") == ANA
    watch.at += 1
    assert memory.find("krill", "ana", "pw") is None
    assert len(memory) == 0


def test_more_than_five_minutes_cannot_be_asked_for():
    for seconds in (301, 0, -1):
        with pytest.raises(ValueError, match="at most 300 s"):
            VerifiedMemory(max_age=seconds)


def test_a_changed_account_is_forgotten_with_all_its_credentials(memory):
    remember(memory, "ana", ANA)
    remember(memory, "ana@example.net", ANA)
    remember(memory, "ben", BEN)
    memory.drop(ANA)
    assert memory.find("krill", "ana", "pw") is None
    assert memory.find("krill", "ana@example.net", "pw") is None
    assert memory.find("krill", "ben", "pw") == BEN


def test_an_old_password_verified_while_it_was_changed_is_not_remembered(memory):
    epoch = memory.epoch
    memory.drop(ANA)
    memory.remember("krill", "ana", "old", ANA, epoch=epoch)
    assert memory.find("krill", "ana", "old") is None


def test_nothing_is_remembered_across_a_clearing(memory):
    epoch = memory.epoch
    remember(memory, "ben", BEN)
    memory.clear()
    memory.remember("krill", "ana", "pw", ANA, epoch=epoch)
    assert len(memory) == 0


def test_the_oldest_is_forgotten_when_it_is_full(memory):
    for name in ("a", "b", "c", "d"):
        remember(memory, name, ANA)
    assert [memory.find("krill", name, "pw") for name in "abcd"] == [None, ANA, ANA, ANA]


def test_the_password_is_not_kept(memory):
    remember(memory, "ana", ANA, password="correct horse")
    assert b"horse" not in repr(vars(memory)).encode()


parts = st.tuples(*[st.text(max_size=3)] * 3)


@given(pair=st.lists(parts, min_size=2, max_size=2, unique=True))
def test_no_two_credentials_are_taken_for_one_another(pair):
    memory = VerifiedMemory()
    memory.remember(*pair[0], ANA, epoch=memory.epoch)
    assert memory.find(*pair[1]) is None
    assert memory.find(*pair[0]) == ANA


class Remembering(RuleBasedStateMachine):
    """Compared with a plain list of what was verified."""

    def __init__(self):
        super().__init__()
        self.watch = Watch()
        self.memory = VerifiedMemory(max_age=10, size=4, clock=self.watch)
        self.model = []  # (name, account, until), oldest first

    names = st.sampled_from(["a", "b", "c", "d", "e", "f"])

    @rule(name=names, account=st.sampled_from([ANA, BEN]))
    def remember(self, name, account):
        remember(self.memory, name, account)
        self.model = [known for known in self.model if known[0] != name]
        self.model.append((name, account, self.watch.at + 10))
        self.model = self.model[-4:]

    @rule(account=st.sampled_from([ANA, BEN]))
    def drop(self, account):
        self.memory.drop(account)
        self.model = [known for known in self.model if known[1] != account]

    @rule(seconds=st.integers(1, 11))
    def pass_time(self, seconds):
        self.watch.at += seconds

    @invariant()
    def only_what_was_verified_is_known(self):
        # looked at without `find`, which tidies, so that tidying late is tried too
        assert len(self.memory) <= 4
        assert set().union(*self.memory._by_account.values()) == set(self.memory._known)

    @rule(name=names)
    def find(self, name):
        until = {known[0]: known[1] for known in self.model if known[2] > self.watch.at}
        assert self.memory.find("krill", name, "pw") == until.get(name)
        self.model = [known for known in self.model if known[0] != name or name in until]


TestRemembering = Remembering.TestCase
