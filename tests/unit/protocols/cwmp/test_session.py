"""The course of a session, as it goes well and as it does not."""

import msgspec
import pytest

from demarc.protocols.cwmp import events, messages
from demarc.protocols.cwmp.envelope import Envelope, decode, encode
from demarc.protocols.cwmp.errors import Malformed
from demarc.protocols.cwmp.messages import Message
from demarc.protocols.cwmp.session import Answered, Asked, OutOfTurn, Ready, Session, State

INFORM = messages.Inform(
    messages.DeviceId("Example", "00AABB", "HG-1", "EX1"), (messages.Event(events.PERIODIC),)
)
DONE = messages.TransferComplete("key")
ASK = messages.GetParameterValues(("Device.DeviceInfo.",))
REPLY = messages.GetParameterValuesResponse(())


def octets(message: Message, name: str = "cpe-1") -> bytes:
    return encode(Envelope(message, id=name, version="1-2"))


def begun() -> Session:
    session = Session()
    session.receive(octets(INFORM))
    session.answer(messages.InformResponse())
    return session


def test_a_session_from_inform_to_end() -> None:
    session = Session()

    assert session.receive(octets(INFORM, "42")) == Asked(INFORM)
    answered = decode(session.answer(messages.InformResponse()))
    assert answered == Envelope(messages.InformResponse(), id="42", version="1-2")

    assert session.receive(octets(DONE)) == Asked(DONE)
    session.answer(messages.TransferCompleteResponse())

    assert session.receive(b"") == Ready()
    assert decode(session.ask(ASK)) == Envelope(ASK, id="acs-1", version="1-2")
    assert session.receive(octets(REPLY, "acs-1")) == Answered(ASK, REPLY)

    again = messages.Reboot("later")
    assert decode(session.ask(again)).id == "acs-2"
    fault = messages.Fault(9001, "Request denied")
    assert session.receive(octets(fault)) == Answered(again, fault)
    assert session.end() == b""


def test_a_session_is_taken_up_by_another_process() -> None:
    session = begun()
    session.receive(b"\r\n")
    session.ask(ASK)

    kept = msgspec.msgpack.encode(session.state)
    other = Session(msgspec.msgpack.decode(kept, type=State))

    assert other.receive(octets(REPLY)) == Answered(ASK, REPLY)


def test_a_request_of_the_cpe_in_the_middle_leaves_the_answer_owed() -> None:
    session = begun()
    session.receive(b"")
    session.ask(ASK)

    assert session.receive(octets(DONE)) == Asked(DONE)
    session.answer(messages.TransferCompleteResponse())
    assert session.receive(octets(REPLY)) == Answered(ASK, REPLY)


def test_a_cpe_that_gives_no_answer() -> None:
    session = begun()
    session.receive(b"")
    session.ask(ASK)

    received = session.receive(b"")

    assert isinstance(received, Answered)
    assert received.request == ASK
    assert isinstance(received.response, messages.Fault)
    session.ask(ASK)


@pytest.mark.parametrize("first", [b"", octets(DONE), octets(REPLY)])
def test_nothing_comes_before_the_inform(first: bytes) -> None:
    session = Session()

    with pytest.raises(OutOfTurn):
        session.receive(first)
    with pytest.raises(OutOfTurn):
        session.receive(octets(INFORM))


def test_a_second_inform_ends_the_session() -> None:
    session = begun()

    with pytest.raises(OutOfTurn, match="once"):
        session.receive(octets(INFORM))


def test_an_answer_to_nothing_ends_the_session() -> None:
    with pytest.raises(OutOfTurn, match="answers nothing"):
        begun().receive(octets(REPLY))


def test_an_answer_of_another_kind_ends_the_session() -> None:
    session = begun()
    session.receive(b"")
    session.ask(ASK)

    with pytest.raises(OutOfTurn, match="does not answer"):
        session.receive(octets(messages.RebootResponse()))


def test_damaged_octets_leave_the_session_as_it_is() -> None:
    session = begun()
    session.receive(b"")
    session.ask(ASK)

    with pytest.raises(Malformed):
        session.receive(b"<oops")
    assert session.receive(octets(REPLY)) == Answered(ASK, REPLY)


def test_the_acs_speaks_in_turn() -> None:
    session = Session()
    with pytest.raises(OutOfTurn):
        session.ask(ASK)
    with pytest.raises(OutOfTurn):
        session.answer(messages.InformResponse())
