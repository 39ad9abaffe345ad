"""What brings a service from one state to another."""

from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.services.states import ACCESS, Action, Refused, State, follow

STATES = st.sampled_from(State)
ACTIONS = st.sampled_from(Action)


def test_a_new_service_is_activated_suspended_resumed_and_cancelled():
    state = State.PENDING_INSTALLATION
    for action, expected in (
        (Action.ACTIVATE, State.ACTIVE),
        (Action.SUSPEND, State.SUSPENDED),
        (Action.RESUME, State.ACTIVE),
        (Action.CANCEL, State.CANCELLED),
    ):
        found = follow(state, action, provisioned=state is not State.PENDING_INSTALLATION)
        assert found is expected
        state = found


def test_a_service_suspended_before_it_ever_worked_returns_to_installation():
    assert follow(State.SUSPENDED, Action.RESUME, provisioned=False) is State.PENDING_INSTALLATION


def test_a_notice_can_be_taken_back():
    assert follow(State.ACTIVE, Action.GIVE_NOTICE, provisioned=True) is State.PENDING_CANCELLATION
    assert follow(State.PENDING_CANCELLATION, Action.RESUME, provisioned=True) is State.ACTIVE


@given(action=ACTIONS, provisioned=st.booleans())
def test_nothing_happens_to_a_cancelled_service(action, provisioned):
    found = follow(State.CANCELLED, action, provisioned=provisioned)
    assert isinstance(found, Refused)
    assert "cancelled" in found.reason


@given(steps=st.lists(st.tuples(ACTIONS, st.booleans()), max_size=30))
def test_only_what_is_suspended_or_cancelled_is_refused_log_ins_property(steps):
    state = State.PENDING_INSTALLATION
    worked = False
    for action, _ in steps:
        found = follow(state, action, provisioned=worked)
        if isinstance(found, Refused):
            continue
        assert found is not state or action is Action.RESUME
        state = found
        worked = worked or state is State.ACTIVE
        # what has worked never goes back to wait for its installation
        assert not (worked and state is State.PENDING_INSTALLATION)
        assert (ACCESS[state] == "allowed") == (state not in (State.SUSPENDED, State.CANCELLED))


@given(state=STATES, action=ACTIONS, provisioned=st.booleans())
def test_every_pair_is_decided_property(state, action, provisioned):
    found = follow(state, action, provisioned=provisioned)
    assert isinstance(found, State | Refused)
    if isinstance(found, Refused):
        assert found.reason
