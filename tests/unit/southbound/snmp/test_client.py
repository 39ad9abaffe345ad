import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demarc.lab.olt.agent import Agent
from demarc.lab.olt.mib import Instance, MibObject, MibView
from demarc.protocols.snmp.ber import Oid
from demarc.protocols.snmp.message import (
    Binding,
    BulkRequest,
    ErrorStatus,
    Message,
    Version,
    encode,
)
from demarc.protocols.snmp.values import NULL, Integer, Missing, OctetString, Value
from demarc.southbound.snmp import client
from demarc.southbound.snmp.client import SnmpClient
from demarc.southbound.snmp.errors import BadAnswer, ErrorAnswer, NoAnswer, SnmpError
from support.scripted_agent import Script, ScriptedAgent, answer, scripted_agent

NAME: Oid = (1, 3, 6, 1, 0)
OTHER: Oid = (1, 3, 6, 2, 0)
COLUMN: Oid = (1, 3, 7, 1)
LONG = 10.0
SHORT = 0.4  # long enough for a loopback answer on a busy machine


@asynccontextmanager
async def asking(
    script: Script, timeout_s: float = LONG
) -> AsyncIterator[tuple[SnmpClient, ScriptedAgent]]:
    async with (
        scripted_agent(script) as agent,
        SnmpClient("127.0.0.1", agent.port, "s3cret", timeout_s=timeout_s) as snmp,
    ):
        yield snmp, agent


def always(*bindings: tuple[Oid, Value], status: int = 0, index: int = 0) -> Script:
    return lambda request: [answer(request, bindings, status=status, index=index)]


def real(columns: dict[Oid, dict[Oid, Value]], **options: int) -> Script:
    """An honest agent over these columns."""
    view = MibView(
        MibObject(
            oid, tuple(Instance(index, lambda value=value: value) for index, value in rows.items())
        )
        for oid, rows in columns.items()
    )
    agent = Agent("s3cret", lambda: view, **options)

    def script(request: Message) -> Iterable[bytes]:
        octets = agent.respond(encode(request))
        return [] if octets is None else [octets]

    return script


async def test_get_gives_values_and_what_is_missing() -> None:
    async with asking(always((NAME, Integer(5)), (OTHER, Missing.NO_SUCH_OBJECT))) as (snmp, agent):
        assert await snmp.get([NAME, OTHER]) == {NAME: Integer(5), OTHER: Missing.NO_SUCH_OBJECT}
    (request,) = agent.requests
    assert request.version is Version.V2C
    assert request.community == b"s3cret"
    assert request.pdu.bindings == (Binding(NAME, NULL), Binding(OTHER, NULL))


async def test_an_error_says_which_and_where() -> None:
    async with asking(always((NAME, NULL), (OTHER, NULL), status=5, index=2)) as (snmp, _):
        with pytest.raises(ErrorAnswer, match=r"gen_err at 1\.3\.6\.2\.0") as caught:
            await snmp.get([NAME, OTHER])
    assert (caught.value.status, caught.value.oid) == (ErrorStatus.GEN_ERR, OTHER)


async def test_what_is_too_big_is_asked_in_halves() -> None:
    def script(request: Message) -> Iterable[bytes]:
        asked = [binding.oid for binding in request.pdu.bindings]
        if len(asked) > 2:
            return [answer(request, [], status=1)]
        return [answer(request, [(oid, Integer(oid[-1])) for oid in asked])]

    names = [(1, 3, number) for number in range(7)]
    async with asking(script) as (snmp, _):
        assert await snmp.get(names) == {oid: Integer(oid[-1]) for oid in names}


async def test_what_is_too_big_alone_is_an_error() -> None:
    async with asking(always(status=1)) as (snmp, _):
        with pytest.raises(ErrorAnswer, match="too_big"):
            await snmp.get([NAME])


async def test_silence_is_no_answer_and_the_question_was_sent_twice() -> None:
    async with asking(lambda _: [], SHORT) as (snmp, agent):
        with pytest.raises(NoAnswer, match=r"did not answer within 0\.4 s"):
            await snmp.get([NAME])
        assert len(agent.requests) == 2
        assert agent.requests[0] == agent.requests[1]


async def test_a_lost_datagram_is_asked_again() -> None:
    seen: list[Message] = []

    def script(request: Message) -> Iterable[bytes]:
        seen.append(request)
        return [answer(request, [(NAME, Integer(1))])] if len(seen) == 2 else []

    async with asking(script, 2) as (snmp, _):
        assert await snmp.get([NAME]) == {NAME: Integer(1)}


async def test_a_closed_port_is_known_at_once() -> None:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    async with SnmpClient("127.0.0.1", port, "public", timeout_s=600) as snmp:
        with pytest.raises(NoAnswer, match="refused"):
            await asyncio.wait_for(snmp.get([NAME]), 10)


async def test_a_name_that_is_not_known_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # asked of the loop, not of a resolver beyond this machine
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(NoAnswer, match=r"olt\.example:161 cannot be reached: .*not known"):
        async with SnmpClient("olt.example", 161, "public", timeout_s=1):
            pass


async def test_a_name_no_host_can_have_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match="cannot be reached"):
        async with SnmpClient("x" * 64, 161, "public", timeout_s=1):
            pass


def dropped(request: Message) -> list[bytes]:
    good = [(NAME, Integer(666))]
    return [
        b"noise",
        answer(request, good)[:-1],
        answer(request, good, request_id=request.pdu.request_id ^ 1),
        answer(request, good, community=b"other"),
        answer(request, good, version=Version.V1),
        encode(request),
    ]


async def test_what_does_not_belong_is_dropped() -> None:
    script: Script = lambda request: [*dropped(request), answer(request, [(NAME, Integer(1))])]  # noqa: E731
    async with asking(script) as (snmp, _):
        assert await snmp.get([NAME]) == {NAME: Integer(1)}


async def test_noise_alone_is_named() -> None:
    async with asking(lambda _: [b"noise"], SHORT) as (snmp, _):
        with pytest.raises(BadAnswer, match="nothing but noise: an element is longer"):
            await snmp.get([NAME])


async def test_noise_of_yesterday_is_not_blamed_for_silence() -> None:
    answers = [[b"noise"], [b"noise"]]
    async with asking(lambda _: answers.pop() if answers else [], SHORT) as (snmp, _):
        with pytest.raises(BadAnswer):
            await snmp.get([NAME])
        with pytest.raises(NoAnswer):
            await snmp.get([NAME])


@pytest.mark.parametrize(
    "bindings",
    [
        [],
        [(OTHER, Integer(1))],
        [(NAME, Integer(1)), (OTHER, Integer(1))],
        [(NAME, Integer(1)), (NAME, Integer(1))],
    ],
)
async def test_other_variables_than_asked_for_are_a_bad_answer(
    bindings: list[tuple[Oid, Value]],
) -> None:
    async with asking(always(*bindings)) as (snmp, _):
        with pytest.raises(BadAnswer, match="other variables"):
            await snmp.get([NAME])


async def test_no_error_names_the_community() -> None:
    scripts: list[Callable[[Message], Iterable[bytes]]] = [
        lambda _: [],
        lambda _: [b"noise"],
        always(status=5),
        always((OTHER, NULL)),
    ]
    for script in scripts:
        async with asking(script, SHORT) as (snmp, _):
            with pytest.raises(SnmpError) as caught:
                await snmp.get([NAME])
            assert "s3cret" not in f"{caught.value!r} {snmp!r}"


async def test_questions_may_be_open_at_once() -> None:
    held: list[bytes] = []

    def script(request: Message) -> Iterable[bytes]:
        held.append(answer(request, [(request.pdu.bindings[0].oid, Integer(len(held)))]))
        return reversed(held) if len(held) == 3 else []

    names = [(1, 3, number) for number in range(3)]
    async with asking(script) as (snmp, _):
        answers = await asyncio.gather(*(snmp.get([name]) for name in names))
    assert [list(each) for each in answers] == [[name] for name in names]


async def test_a_cancelled_question_leaves_nothing_behind() -> None:
    async with asking(lambda _: []) as (snmp, agent):
        task = asyncio.create_task(snmp.get([NAME]))
        async with asyncio.timeout(10):
            while not agent.requests:  # noqa: ASYNC110 - the agent has no event for it
                await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert snmp._endpoint is not None
        assert snmp._endpoint._waiting == {}


async def test_next_gives_the_successor_and_the_end() -> None:
    async with asking(real({COLUMN: {(1,): Integer(10)}})) as (snmp, _):
        assert await snmp.next((1, 3)) == Binding((*COLUMN, 1), Integer(10))
        assert await snmp.next((*COLUMN, 1)) is None


@pytest.mark.parametrize(
    "bindings",
    [
        [],
        [(NAME, Integer(1)), (OTHER, Integer(1))],
        [(NAME, Integer(1))],
        [((1, 3), Integer(1))],
        [((*NAME, 1), Missing.NO_SUCH_INSTANCE)],
    ],
)
async def test_a_successor_that_is_none_is_a_bad_answer(
    bindings: list[tuple[Oid, Value]],
) -> None:
    async with asking(always(*bindings)) as (snmp, _):
        with pytest.raises(BadAnswer):
            await snmp.next(NAME)


tables = st.dictionaries(
    st.sampled_from([(1, 3, 7, 1), (1, 3, 7, 3), (1, 3, 7, 4), (1, 3, 8)]),
    st.dictionaries(
        st.tuples(st.integers(1, 3), st.integers(0, 40)),
        st.integers(0, 300).map(lambda size: OctetString(b"v" * size)),
        max_size=60,
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(tables, st.sampled_from([(), (1,), (2,), (9,)]), st.integers(400, 3000))
async def test_a_table_is_read_whole_however_it_is_cut(
    columns: dict[Oid, dict[Oid, Value]], index: Oid, max_message: int
) -> None:
    wanted = [(1, 3, 7, 1), (1, 3, 7, 3), (1, 3, 7, 4)]
    expected: dict[Oid, list[Value | None]] = {
        row: [columns.get(each, {}).get(row) for each in wanted]
        for column in wanted
        for row in columns.get(column, {})
        if row[: len(index)] == index
    }
    async with asking(real(columns, max_message=max_message)) as (snmp, _):
        table = await snmp.table(wanted, index)
    assert table == expected
    assert list(table) == sorted(expected)


async def test_a_table_asks_no_more_than_it_must() -> None:
    columns: dict[Oid, dict[Oid, Value]] = {
        (1, 3, column): {(row,): Integer(row) for row in range(40)} for column in range(10)
    }
    async with asking(real(columns)) as (snmp, agent):
        await snmp.table(list(columns))
    cells = 400
    assert len(agent.requests) <= cells / 30
    assert all(isinstance(request.pdu, BulkRequest) for request in agent.requests)


async def test_a_bulk_that_is_too_big_is_asked_smaller() -> None:
    honest = real({COLUMN: {(row,): Integer(row) for row in range(60)}})

    def script(request: Message) -> Iterable[bytes]:
        assert isinstance(request.pdu, BulkRequest)
        if request.pdu.max_repetitions > 5:
            return [answer(request, [], status=1)]
        return honest(request)

    async with asking(script) as (snmp, _):
        assert len(await snmp.table([COLUMN])) == 60


@pytest.mark.parametrize(
    ("bindings", "reason"),
    [
        ([], "0 variables"),
        ([((*COLUMN, 1), Integer(1))] * 2, "does not advance"),
        ([((*COLUMN, 2), Integer(1)), ((*COLUMN, 1), Integer(1))], "does not advance"),
        ([((1, 3), Integer(1))], "does not advance"),
        ([((*COLUMN, 1), Missing.NO_SUCH_INSTANCE)], "without a value"),
        ([((*COLUMN, row), Integer(1)) for row in range(49)], "49 variables"),
    ],
)
async def test_a_walk_that_goes_wrong_is_a_bad_answer(
    bindings: list[tuple[Oid, Value]], reason: str
) -> None:
    async with asking(always(*bindings)) as (snmp, _):
        with pytest.raises(BadAnswer, match=reason):
            await snmp.table([COLUMN])


async def test_a_walk_advances_by_names_not_by_their_octets() -> None:
    # 127, 128, 16383, 16384: each longer or with smaller octets than the one before
    rows = [126, 127, 128, 129, 255, 256, 16383, 16384, 2097151, 2097152, 2**32 - 1]
    async with asking(real({COLUMN: {(row,): Integer(1) for row in rows}})) as (snmp, _):
        assert list(await snmp.table([COLUMN])) == [(row,) for row in rows]
    async with asking(always(*(((*COLUMN, row), Integer(1)) for row in (16384, 16383)))) as (
        snmp,
        _,
    ):
        with pytest.raises(BadAnswer, match=r"does not advance: 1\.3\.7\.1\.16383 came again"):
            await snmp.table([COLUMN])


def renamed(request: Message, name: bytes) -> bytes:
    """Give an answer about one variable whose name is these octets."""
    honest = answer(request, [((*COLUMN, 8191), Integer(1))])
    return honest.replace(bytes.fromhex("0605 2b0701bf7f"), b"\x06\x05" + name)


@pytest.mark.parametrize("name", ["2b0701807f", "2b0701bfff", "2b07018001", "ffffffffff"])
async def test_a_name_that_is_none_is_a_bad_answer(name: str) -> None:
    async with asking(lambda request: [renamed(request, bytes.fromhex(name))]) as (snmp, _):
        for question in (snmp.table([COLUMN]), snmp.next(COLUMN), snmp.get([(*COLUMN, 8191)])):
            with pytest.raises(BadAnswer, match=r"identifier|variables"):
                await question


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4), st.data())
async def test_damaged_answers_end_in_an_answer_or_a_clear_error(
    damage: list[tuple[int, int]], data: st.DataObject
) -> None:
    honest = real({(1, 3, 7, n): {(row,): Integer(row) for row in range(20)} for n in (1, 2)})
    damaged = data.draw(st.integers(0, 2))

    def script(request: Message) -> Iterable[bytes]:
        for octets in honest(request):
            broken = bytearray(octets)
            for at, octet in damage if len(agent.requests) > damaged else ():
                broken[at % len(broken)] = octet
            yield bytes(broken)

    async with asking(script, 0.05) as (snmp, agent), asyncio.timeout(30):
        for _ in range(2):
            with contextlib.suppress(SnmpError):
                for cells in (await snmp.table([(1, 3, 7, 1), (1, 3, 7, 2)])).values():
                    assert len(cells) == 2


async def test_the_same_answer_for_ever_is_a_bad_answer() -> None:
    async with asking(always(((*COLUMN, 1), Integer(1)))) as (snmp, agent):
        with pytest.raises(BadAnswer, match="does not advance"):
            await snmp.table([COLUMN])
    assert len(agent.requests) == 2


async def test_a_table_without_end_is_a_bad_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_CELLS", 1000)

    def script(request: Message) -> Iterable[bytes]:
        oid = request.pdu.bindings[0].oid
        start = oid[-1] if len(oid) > len(COLUMN) else 0
        return [answer(request, [((*COLUMN, start + n), Integer(1)) for n in range(1, 49)])]

    async with asking(script) as (snmp, agent):
        with pytest.raises(BadAnswer, match="more than 1000 cells"):
            await snmp.table([COLUMN])
    assert len(agent.requests) < 25


async def test_an_error_in_the_middle_of_a_walk_is_no_end_of_it() -> None:
    honest = real({COLUMN: {(row,): Integer(row) for row in range(100)}})
    asked: list[Message] = []

    def script(request: Message) -> Iterable[bytes]:
        asked.append(request)
        return honest(request) if len(asked) == 1 else [answer(request, [], status=5)]

    async with asking(script) as (snmp, _):
        with pytest.raises(ErrorAnswer, match="gen_err"):
            await snmp.table([COLUMN])
