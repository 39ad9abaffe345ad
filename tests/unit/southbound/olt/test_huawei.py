import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demarc.domains.access.ports import (
    OltDriver,
    OltTarget,
    OltUnreachable,
    OltUnusable,
    OnuNotFound,
    OnuReading,
    UnconfiguredOnu,
)
from demarc.lab.olt import Agent, Olt
from demarc.lab.olt.mib import Instance, MibObject, MibView
from demarc.protocols.snmp.ber import Oid, parse_oid
from demarc.protocols.snmp.message import Message, encode
from demarc.protocols.snmp.values import Gauge32, Integer, OctetString, Value
from demarc.southbound.olt import huawei as driver
from demarc.southbound.olt.drivers import DRIVERS
from demarc.southbound.olt.huawei import HuaweiOlt
from support.scripted_agent import Script, answer, scripted_agent

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PON = 4194312192  # 0/1/0
XPON = "1.3.6.1.4.1.2011.6.128.1.1.2"
SILENCE = 0.4


def huawei() -> OltDriver:
    return DRIVERS["huawei"]


async def read_all(target: OltTarget) -> list[list[OnuReading]]:
    return [batch async for batch in huawei().read_all(target)]


@pytest.fixture
async def lab() -> AsyncIterator[tuple[Olt, OltTarget]]:
    olt = Olt("olt-1", "s3cret", slots=(1, 2), ports=4, seed=7, clock=lambda: START)
    olt.add_onu(1, 0, "HWTC0A0B0C01", "EG8145V5", 2300, description="Rua das Flores 12")
    olt.add_onu(1, 0, "HWTC0A0B0C02", "EG8145V5", 800)
    olt.add_onu(2, 3, "ZTEG0A0B0C03", "F670L", 4100)
    address, port = await olt.start("127.0.0.1", 0)
    yield olt, OltTarget(address, port, "s3cret", 10)
    await olt.stop()


async def test_an_onu_is_read_as_the_olt_says_it(lab: tuple[Olt, OltTarget]) -> None:
    olt, target = lab
    light = olt.onu("HWTC0A0B0C01").light
    assert await huawei().read_onu(target, PON, 0) == OnuReading(
        if_index=PON,
        onu_index=0,
        slot=1,
        port=0,
        serial="HWTC0A0B0C01",
        description="Rua das Flores 12",
        state="online",
        last_down_cause=None,
        distance_m=2300,
        tx_dbm=round(light.onu_tx_dbm, 2),
        rx_dbm=round(light.onu_rx_dbm, 2),
        olt_rx_dbm=round(light.olt_rx_dbm, 2),
        temperature_c=round(light.temperature_c),
        last_up_at=START,
        last_down_at=None,
    )
    assert olt.agent.counters.received == 1


@pytest.mark.parametrize(
    ("failure", "cause"), [("los", "los"), ("dying-gasp", "dying_gasp"), ("reset", "other:9")]
)
async def test_an_offline_onu_has_a_cause_and_no_light(
    lab: tuple[Olt, OltTarget], failure: str, cause: str
) -> None:
    olt, target = lab
    if failure == "reset":
        olt.onu("HWTC0A0B0C01").reset(START, 25)
    else:
        olt.fail("HWTC0A0B0C01", failure)  # type: ignore[arg-type]
    reading = await huawei().read_onu(target, PON, 0)
    assert (reading.state, reading.last_down_cause) == ("offline", cause)
    assert reading.last_down_at == START
    light = (reading.tx_dbm, reading.rx_dbm, reading.olt_rx_dbm, reading.temperature_c)
    assert light == (None, None, None, None)
    assert reading.distance_m is None

    olt.restore("HWTC0A0B0C01")
    reading = await huawei().read_onu(target, PON, 0)
    assert (reading.state, reading.last_down_cause) == ("online", cause)
    assert reading.rx_dbm is not None


@pytest.mark.parametrize(
    ("if_index", "onu_index"), [(PON, 7), (PON + 256, 0), (PON, 256), (PON, -1), (17, 0)]
)
async def test_an_onu_that_is_not_there_is_not_found(
    lab: tuple[Olt, OltTarget], if_index: int, onu_index: int
) -> None:
    with pytest.raises(OnuNotFound):
        await huawei().read_onu(lab[1], if_index, onu_index)


async def test_the_whole_olt_is_read_pon_by_pon(lab: tuple[Olt, OltTarget]) -> None:
    olt, target = lab
    olt.fail("HWTC0A0B0C02", "los")
    batches = await read_all(target)
    assert [[(r.slot, r.port, r.onu_index, r.serial) for r in batch] for batch in batches] == [
        [(1, 0, 0, "HWTC0A0B0C01"), (1, 0, 1, "HWTC0A0B0C02")],
        [(2, 3, 0, "ZTEG0A0B0C03")],
    ]
    for reading in (reading for batch in batches for reading in batch):
        assert reading == await huawei().read_onu(target, reading.if_index, reading.onu_index)


async def test_a_full_olt_is_read_whole_in_few_questions() -> None:
    olt = Olt("olt-1", "s3cret", slots=(0, 1), ports=4)
    serials = [f"HWTC{number:08X}" for number in range(1024)]
    for number, serial in enumerate(serials):
        olt.add_onu(number % 2, number // 2 % 4, serial, "EG8145V5", 100, description="Bloco 4")
    address, port = await olt.start("127.0.0.1", 0)
    batches = await read_all(OltTarget(address, port, "s3cret", 10))
    await olt.stop()
    assert [len(batch) for batch in batches] == [128] * 8
    assert {reading.serial for batch in batches for reading in batch} == set(serials)
    assert olt.agent.counters.received <= 1024 * 11 / 30


async def test_an_olt_without_onus_gives_nothing() -> None:
    olt = Olt("olt-1", "s3cret")
    address, port = await olt.start("127.0.0.1", 0)
    target = OltTarget(address, port, "s3cret", 10)
    assert await read_all(target) == []
    assert await huawei().discover(target) == []
    await olt.stop()


async def test_what_waits_in_autofind_is_discovered(lab: tuple[Olt, OltTarget]) -> None:
    olt, target = lab
    olt.add_onu(1, 2, "HWTC0A0B0C09", "HG8245H", 50, configured=False)
    assert await huawei().discover(target) == [
        UnconfiguredOnu(
            if_index=PON + 512,
            slot=1,
            port=2,
            serial="HWTC0A0B0C09",
            model="HG8245H",
            found_at=START,
        )
    ]
    assert len(await read_all(target)) == 2
    olt.authorise("HWTC0A0B0C09")
    assert await huawei().discover(target) == []
    assert len(await read_all(target)) == 3


async def test_a_silent_olt_is_unreachable(lab: tuple[Olt, OltTarget]) -> None:
    olt, target = lab
    olt.unreachable(True)
    target = OltTarget(target.address, target.port, target.community, SILENCE)
    with pytest.raises(OltUnreachable, match="did not answer"):
        await huawei().read_onu(target, PON, 0)
    with pytest.raises(OltUnreachable, match="did not answer"):
        await read_all(target)
    with pytest.raises(OltUnreachable, match="did not answer"):
        await huawei().discover(target)


async def test_a_wrong_community_is_unreachable(lab: tuple[Olt, OltTarget]) -> None:
    target = OltTarget(lab[1].address, lab[1].port, "wrong", SILENCE)
    with pytest.raises(OltUnreachable) as caught:
        await huawei().read_onu(target, PON, 0)
    assert not isinstance(caught.value, OltUnusable)
    assert "wrong" not in str(caught.value)


async def test_an_olt_that_falls_silent_half_way_gave_whole_pons_before(
    lab: tuple[Olt, OltTarget],
) -> None:
    olt, target = lab
    target = OltTarget(target.address, target.port, target.community, SILENCE)
    read: list[list[OnuReading]] = []
    with pytest.raises(OltUnreachable):
        async for batch in huawei().read_all(target):
            read.append(batch)
            olt.unreachable(True)
    assert [len(batch) for batch in read] == [2]


async def test_lost_datagrams_are_asked_again(lab: tuple[Olt, OltTarget]) -> None:
    olt, target = lab
    target = OltTarget(target.address, target.port, target.community, 2)
    olt.lose(1)
    assert (await huawei().read_onu(target, PON, 0)).serial == "HWTC0A0B0C01"


async def test_a_host_that_is_down_is_unreachable() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(OltUnreachable):
        await huawei().read_onu(OltTarget("127.0.0.1", port, "s3cret", 600), PON, 0)


# -- OLTs that answer oddly ------------------------------------------------------------------

GOOD: dict[str, Value] = {
    "43.1.3": OctetString(b"HWTC\x0a\x0b\x0c\x01"),
    "43.1.9": OctetString(b"Rua"),
    "46.1.15": Integer(1),
    "46.1.20": Integer(900),
    "46.1.22": OctetString(bytes.fromhex("07ea03010c000000")),
    "46.1.23": OctetString(bytes(8)),
    "46.1.24": Integer(-1),
    "51.1.1": Integer(44),
    "51.1.3": Integer(231),
    "51.1.4": Integer(-1917),
    "51.1.6": Integer(7900),
}


@asynccontextmanager
async def odd_olt(
    rows: dict[tuple[int, int], dict[str, Value | None]],
) -> AsyncIterator[OltTarget]:
    """An honest agent whose tables hold, for each index, GOOD with some cells exchanged."""
    columns: dict[Oid, list[Instance]] = {}
    for index, odd in rows.items():
        for column, value in {**GOOD, **odd}.items():
            if value is not None:
                columns.setdefault(parse_oid(f"{XPON}.{column}"), []).append(
                    Instance(index, lambda value=value: value)
                )
    view = MibView(MibObject(oid, tuple(cells)) for oid, cells in columns.items())
    agent = Agent("s3cret", lambda: view)

    def script(request: Message) -> Iterable[bytes]:
        octets = agent.respond(encode(request))
        return [] if octets is None else [octets]

    async with scripted(script) as target:
        yield target


@asynccontextmanager
async def scripted(script: Script, timeout_s: float = 10) -> AsyncIterator[OltTarget]:
    async with scripted_agent(script) as agent:
        yield OltTarget("127.0.0.1", agent.port, "s3cret", timeout_s)


async def test_raw_figures_become_units() -> None:
    async with odd_olt({(PON, 0): {}}) as target:
        reading = await huawei().read_onu(target, PON, 0)
    assert (reading.tx_dbm, reading.rx_dbm, reading.olt_rx_dbm) == (2.31, -19.17, -21.0)
    assert (reading.temperature_c, reading.distance_m) == (44.0, 900)
    assert reading.last_up_at == START
    assert reading.last_down_at is None


@pytest.mark.parametrize("column", ["51.1.1", "51.1.3", "51.1.4", "51.1.6", "46.1.20"])
@pytest.mark.parametrize("value", [Integer(2147483647), None])
async def test_a_figure_that_is_no_value_is_none(column: str, value: Value | None) -> None:
    async with odd_olt({(PON, 0): {column: value}}) as target:
        reading = await huawei().read_onu(target, PON, 0)
    figures = {
        "51.1.1": reading.temperature_c,
        "51.1.3": reading.tx_dbm,
        "51.1.4": reading.rx_dbm,
        "51.1.6": reading.olt_rx_dbm,
        "46.1.20": reading.distance_m,
    }
    assert [name for name, figure in figures.items() if figure is None] == [column]


async def test_stale_light_of_an_offline_onu_is_not_shown() -> None:
    async with odd_olt({(PON, 0): {"46.1.15": Integer(2)}}) as target:
        reading = await huawei().read_onu(target, PON, 0)
    assert (reading.state, reading.rx_dbm, reading.distance_m) == ("offline", None, None)


@pytest.mark.parametrize(
    ("number", "cause"),
    [(1, "los"), (2, "losi"), (3, "lofi"), (4, "sfi"), (13, "dying_gasp"), (31, "other:31")],
)
async def test_down_causes_have_names(number: int, cause: str) -> None:
    async with odd_olt({(PON, 0): {"46.1.24": Integer(number)}}) as target:
        assert (await huawei().read_onu(target, PON, 0)).last_down_cause == cause


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", None),
        (b"  ", None),
        (b"Rua\x00 A\r\n", "Rua A"),
        ("São João".encode(), "São João"),
        ("São João".encode("latin-1"), "S\ufffdo Jo\ufffdo"),
    ],
)
async def test_descriptions_are_text_that_can_be_kept(octets: bytes, text: str | None) -> None:
    async with odd_olt({(PON, 0): {"43.1.9": OctetString(octets)}}) as target:
        assert (await huawei().read_onu(target, PON, 0)).description == text


async def test_a_time_that_cannot_be_read_is_none() -> None:
    async with odd_olt({(PON, 0): {"46.1.22": OctetString(b"yesterday")}}) as target:
        assert (await huawei().read_onu(target, PON, 0)).last_up_at is None


UNREADABLE: list[tuple[str, Value | None, str]] = [
    ("43.1.3", OctetString(b"HWTC"), "8 octets"),
    ("43.1.3", Integer(1), "Integer stands where octets"),
    ("46.1.15", Integer(-1), "state -1"),
    ("46.1.15", None, "no state"),
    ("46.1.15", OctetString(b"1"), "OctetString stands"),
    ("51.1.4", Gauge32(1), "Gauge32 stands"),
]


@pytest.mark.parametrize(("column", "value", "reason"), UNREADABLE)
async def test_an_answer_of_the_wrong_kind_is_unusable(
    column: str, value: Value | None, reason: str
) -> None:
    async with odd_olt({(PON, 0): {column: value}}) as target:
        with pytest.raises(OltUnusable, match=f"ONU 0 of PON 0/1/0: .*{reason}"):
            await huawei().read_onu(target, PON, 0)


@pytest.mark.parametrize(("column", "value", "reason"), UNREADABLE)
async def test_one_unreadable_onu_does_not_hide_its_neighbours(
    column: str, value: Value | None, reason: str
) -> None:
    async with odd_olt({(PON, 0): {column: value}, (PON, 1): {}}) as target:
        ((reading,),) = await read_all(target)
    assert reading.onu_index == 1


async def test_a_pon_that_is_all_unreadable_is_an_error() -> None:
    async with odd_olt({(PON, 0): {"46.1.15": Integer(-1)}}) as target:
        with pytest.raises(OltUnusable, match="PON 4194312192: no ONU can be read"):
            await read_all(target)


async def test_a_pon_that_cannot_be_read_does_not_hide_those_after_it() -> None:
    rows: dict[tuple[int, int], dict[str, Value | None]] = {
        (PON, 0): {},
        (PON + 256, 0): {"46.1.15": Integer(-1)},
        (PON + 512, 0): {},
    }
    read: list[OnuReading] = []
    async with odd_olt(rows) as target:
        with pytest.raises(OltUnusable, match=f"^PON {PON + 256}: no ONU can be read"):
            async for batch in huawei().read_all(target):
                read += batch
    assert [reading.port for reading in read] == [0, 2]


async def test_an_olt_on_which_nothing_can_be_read_is_left_alone() -> None:
    rows: dict[tuple[int, int], dict[str, Value | None]] = {
        (PON + 256 * port, 0): {"46.1.15": Integer(-1)} for port in range(12)
    }
    async with odd_olt(rows) as target:
        with pytest.raises(OltUnusable) as caught:
            await read_all(target)
    assert str(caught.value).count("no ONU can be read") == driver.MAX_FAULTS


async def test_onus_on_unknown_interfaces_are_left_out() -> None:
    rows: dict[tuple[int, int], dict[str, Value | None]] = {
        (17, 0): {},
        (PON, 0): {},
        (PON + 1, 0): {},
        (2**32 - 1, 0): {},
    }
    async with odd_olt(rows) as target:
        ((reading,),) = await read_all(target)
    assert reading.if_index == PON


async def test_interfaces_without_end_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "MAX_INTERFACES", 50)

    def script(request: Message) -> Iterable[bytes]:
        oid = request.pdu.bindings[0].oid
        serials = parse_oid(f"{XPON}.43.1.3")
        if_index = oid[len(serials)] + 1 if len(oid) > len(serials) else 1
        return [answer(request, [((*serials, if_index, 0), OctetString(b"HWTC1234"))])]

    async with scripted(script) as target:
        with pytest.raises(OltUnusable, match="more than 50 interfaces"):
            await read_all(target)


async def test_an_error_of_the_olt_is_not_taken_for_an_absent_onu() -> None:
    async with scripted(lambda request: [answer(request, [], status=5)]) as target:
        with pytest.raises(OltUnusable, match="gen_err"):
            await huawei().read_onu(target, PON, 0)
        with pytest.raises(OltUnusable, match="gen_err"):
            await read_all(target)
        with pytest.raises(OltUnusable, match="gen_err"):
            await huawei().discover(target)


async def test_noise_is_unusable() -> None:
    async with scripted(lambda _: [b"\x30\x84\xff\xff\xff\xff"], SILENCE) as target:
        with pytest.raises(OltUnusable, match="noise"):
            await huawei().read_onu(target, PON, 0)


values = st.one_of(
    st.none(),
    st.integers(-(2**31), 2**31 - 1).map(Integer),
    st.binary(max_size=20).map(OctetString),
    st.integers(0, 2**32 - 1).map(Gauge32),
)


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(sorted(GOOD)), values, min_size=1))
async def test_whatever_an_olt_holds_it_is_read_or_refused(odd: dict[str, Value | None]) -> None:
    async with odd_olt({(PON, 0): odd, (PON, 1): {}}) as target:
        ((*_, good),) = await read_all(target)
        assert good.onu_index == 1
        try:
            reading = await huawei().read_onu(target, PON, 0)
        except (OltUnusable, OnuNotFound):
            return
    assert reading.state in {"online", "offline"}
    assert reading.serial == reading.serial.upper()


def test_the_registry_knows_its_vendors() -> None:
    assert set(DRIVERS) == {"huawei"}
    assert isinstance(DRIVERS["huawei"], HuaweiOlt)
