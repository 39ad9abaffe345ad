import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from demarc.lab.olt import Olt
from demarc.protocols.snmp.ber import Oid
from demarc.protocols.snmp.message import (
    Binding,
    Message,
    Pdu,
    PduType,
    Version,
    decode,
    encode,
)
from demarc.protocols.snmp.mibs import huawei, standard
from demarc.protocols.snmp.textual import decode_date_and_time
from demarc.protocols.snmp.values import NULL, Integer, Missing, OctetString, TimeTicks, Value

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ONE = "HWTC0A0B0C01"
PON = 4194312192  # 0/1/0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def olt(clock: Clock) -> Olt:
    olt = Olt("olt-1", "public", ports=2, seed=7, clock=clock)
    olt.add_onu(1, 0, ONE, "EG8145V5", 2300, description="Rua das Flores 12")
    return olt


def ask(olt: Olt, pdu: Pdu) -> Pdu:
    octets = olt.agent.respond(encode(Message(Version.V2C, b"public", pdu)))
    assert octets is not None
    answer = decode(octets).pdu
    assert isinstance(answer, Pdu)
    return answer


def get(olt: Olt, column: Oid, *index: int) -> Value:
    pdu = Pdu(PduType.GET, 1, (Binding((*column, *index), NULL),))
    return ask(olt, pdu).bindings[0].value


def column(olt: Olt, of: Oid) -> list[tuple[Oid, Value]]:
    rows: list[tuple[Oid, Value]] = []
    oid = of
    while True:
        binding = ask(olt, Pdu(PduType.GET_NEXT, 1, (Binding(oid, NULL),))).bindings[0]
        oid = binding.oid
        if oid[: len(of)] != of or binding.value is Missing.END_OF_MIB_VIEW:
            return rows
        rows.append((oid[len(of) :], binding.value))


def raw(olt: Olt, of: Oid, number: int = 0) -> int:
    value = get(olt, of, PON, number)
    assert isinstance(value, Integer)
    return value.value


def moment(olt: Olt, of: Oid, number: int = 0) -> datetime | None:
    value = get(olt, of, PON, number)
    assert isinstance(value, OctetString)
    assert len(value.value) == 8
    return decode_date_and_time(value.value)


def test_the_system_group_says_who_it_is(olt: Olt, clock: Clock) -> None:
    clock.now += timedelta(seconds=12.5)
    assert get(olt, standard.SYS_NAME) == OctetString(b"olt-1")
    assert get(olt, standard.SYS_UP_TIME) == TimeTicks(1250)
    description = get(olt, standard.SYS_DESCR)
    assert isinstance(description, OctetString)
    assert b"Huawei" in description.value
    assert get(olt, standard.IF_NUMBER) == Integer(2)


def test_each_pon_is_an_interface(olt: Olt) -> None:
    assert column(olt, standard.IF_DESCR) == [
        ((PON,), OctetString(b"GPON 0/1/0")),
        ((PON + 256,), OctetString(b"GPON 0/1/1")),
    ]
    assert [value for _, value in column(olt, standard.IF_TYPE)] == [Integer(250)] * 2


def test_a_configured_onu_is_in_the_three_tables(olt: Olt) -> None:
    assert column(olt, huawei.ONT_SN) == [((PON, 0), OctetString(b"HWTC\x0a\x0b\x0c\x01"))]
    assert get(olt, huawei.ONT_DESCRIPTION, PON, 0) == OctetString(b"Rua das Flores 12")
    assert raw(olt, huawei.ONT_RUN_STATUS) == 1
    assert raw(olt, huawei.ONT_DISTANCE) == 2300
    assert raw(olt, huawei.ONT_LAST_DOWN_CAUSE) == -1
    assert moment(olt, huawei.ONT_LAST_UP_TIME) == START
    assert moment(olt, huawei.ONT_LAST_DOWN_TIME) is None
    light = olt.onu(ONE).light
    assert raw(olt, huawei.ONT_TX_POWER) == round(light.onu_tx_dbm * 100)
    assert raw(olt, huawei.ONT_RX_POWER) == round(light.onu_rx_dbm * 100)
    assert raw(olt, huawei.OLT_RX_POWER) == round(light.olt_rx_dbm * 100) + 10000
    assert raw(olt, huawei.ONT_CATV_RX_POWER) == 2147483647
    assert 25 < raw(olt, huawei.ONT_TEMPERATURE) < 70
    assert column(olt, huawei.AUTOFIND_SN) == []


@pytest.mark.parametrize(("failure", "cause"), [("los", 1), ("dying-gasp", 13)])
def test_a_failed_onu_is_dark_and_says_why(
    olt: Olt, clock: Clock, failure: str, cause: int
) -> None:
    clock.now += timedelta(hours=1)
    olt.fail(ONE, failure)  # type: ignore[arg-type]
    assert raw(olt, huawei.ONT_RUN_STATUS) == 2
    assert raw(olt, huawei.ONT_LAST_DOWN_CAUSE) == cause
    assert moment(olt, huawei.ONT_LAST_DOWN_TIME) == START + timedelta(hours=1)
    assert raw(olt, huawei.ONT_DISTANCE) == -1
    for optics in (
        huawei.ONT_TX_POWER,
        huawei.ONT_RX_POWER,
        huawei.OLT_RX_POWER,
        huawei.ONT_TEMPERATURE,
    ):
        assert raw(olt, optics) == 2147483647
    olt.tick(3600)
    assert raw(olt, huawei.ONT_RUN_STATUS) == 2

    clock.now += timedelta(hours=2)
    olt.restore(ONE)
    assert raw(olt, huawei.ONT_RUN_STATUS) == 1
    assert moment(olt, huawei.ONT_LAST_UP_TIME) == START + timedelta(hours=3)
    assert raw(olt, huawei.ONT_LAST_DOWN_CAUSE) == cause
    assert raw(olt, huawei.ONT_RX_POWER) < 0


def test_light_drifts_with_time_and_bends_when_bent(olt: Olt) -> None:
    before = raw(olt, huawei.ONT_RX_POWER)
    olt.tick(600)
    drifted = raw(olt, huawei.ONT_RX_POWER)
    assert drifted != before
    assert abs(drifted - before) < 200
    olt.attenuate(ONE, 8)
    assert raw(olt, huawei.ONT_RX_POWER) == pytest.approx(drifted - 800, abs=1)
    olt.attenuate(ONE, 0)
    assert raw(olt, huawei.ONT_RX_POWER) == pytest.approx(drifted, abs=1)


def test_the_same_seed_gives_the_same_readings(clock: Clock) -> None:
    def readings(seed: int) -> list[int]:
        olt = Olt("x", "public", seed=seed, clock=clock)
        olt.add_onu(1, 0, ONE, "EG8145V5", 900)
        olt.tick(50)
        return [raw(olt, huawei.ONT_RX_POWER), raw(olt, huawei.OLT_RX_POWER)]

    assert readings(1) == readings(1) != readings(2)


def test_reset_takes_the_onu_down_for_a_boot(olt: Olt, clock: Clock) -> None:
    oid = (*huawei.ONT_RESET, PON, 0)
    answer = ask(olt, Pdu(PduType.SET, 1, (Binding(oid, Integer(1)),)))
    assert answer.error_status == 0
    assert raw(olt, huawei.ONT_RUN_STATUS) == 2
    again = ask(olt, Pdu(PduType.SET, 1, (Binding(oid, Integer(1)),)))
    assert again.error_status == 12
    olt.tick(10)
    assert raw(olt, huawei.ONT_RUN_STATUS) == 2
    clock.now += timedelta(seconds=30)
    olt.tick(20)
    assert raw(olt, huawei.ONT_RUN_STATUS) == 1
    assert moment(olt, huawei.ONT_LAST_UP_TIME) == START + timedelta(seconds=30)


@pytest.mark.parametrize(("value", "status"), [(Integer(2), 10), (OctetString(b"1"), 7)])
def test_reset_takes_nothing_but_one(olt: Olt, value: Value, status: int) -> None:
    binding = Binding((*huawei.ONT_RESET, PON, 0), value)
    assert ask(olt, Pdu(PduType.SET, 1, (binding,))).error_status == status
    assert raw(olt, huawei.ONT_RUN_STATUS) == 1


def test_a_fibre_cut_during_a_boot_keeps_the_onu_down(olt: Olt) -> None:
    binding = Binding((*huawei.ONT_RESET, PON, 0), Integer(1))
    ask(olt, Pdu(PduType.SET, 1, (binding,)))
    olt.fail(ONE, "los")
    olt.tick(3600)
    assert raw(olt, huawei.ONT_RUN_STATUS) == 2


def test_an_unknown_onu_waits_in_autofind_until_it_is_authorised(olt: Olt, clock: Clock) -> None:
    clock.now += timedelta(minutes=5)
    olt.add_onu(1, 0, "HWTC0A0B0C02", "HG8245H", 500, configured=False)
    assert column(olt, huawei.AUTOFIND_SN) == [((PON, 0), OctetString(b"HWTC\x0a\x0b\x0c\x02"))]
    assert get(olt, huawei.AUTOFIND_MODEL, PON, 0) == OctetString(b"HG8245H")
    assert moment(olt, huawei.AUTOFIND_TIME) == clock.now
    assert len(column(olt, huawei.ONT_SN)) == 1

    olt.fail("HWTC0A0B0C02", "dying-gasp")
    assert column(olt, huawei.AUTOFIND_SN) == []
    olt.restore("HWTC0A0B0C02")

    clock.now += timedelta(minutes=5)
    assert olt.authorise("HWTC0A0B0C02").index == (PON, 1)
    assert column(olt, huawei.AUTOFIND_SN) == []
    assert raw(olt, huawei.ONT_RUN_STATUS, 1) == 1
    assert moment(olt, huawei.ONT_LAST_UP_TIME, 1) == clock.now
    with pytest.raises(ValueError, match="configured already"):
        olt.authorise("HWTC0A0B0C02")

    olt.remove("HWTC0A0B0C02")
    assert len(column(olt, huawei.ONT_SN)) == 1
    assert len(column(olt, huawei.AUTOFIND_SN)) == 1


def test_numbers_are_given_per_pon_and_given_again(olt: Olt) -> None:
    assert olt.add_onu(1, 0, "HWTC00000002", "m", 1).index == (PON, 1)
    assert olt.add_onu(1, 1, "HWTC00000003", "m", 1).index == (PON + 256, 0)
    olt.remove(ONE)
    assert olt.add_onu(1, 0, "HWTC00000004", "m", 1).index == (PON, 0)


def test_a_pon_takes_128_onus(clock: Clock) -> None:
    olt = Olt("x", "public", ports=1, clock=clock)
    for number in range(128):
        olt.add_onu(1, 0, f"HWTC{number:08X}", "m", 10)
    with pytest.raises(ValueError, match="full"):
        olt.add_onu(1, 0, "HWTCFFFFFFFF", "m", 10)


@pytest.mark.parametrize(
    ("pon", "serial", "distance", "reason"),
    [
        ((2, 0), "HWTC00000009", 10, "no PON"),
        ((1, 2), "HWTC00000009", 10, "no PON"),
        ((1, 0), "HWTC-0A0B0C01", 10, "connected already"),
        ((1, 0), "router", 10, "serial"),
        ((1, 0), "HWTC00000009", 60_001, "away"),
    ],
)
def test_an_onu_that_cannot_be_is_refused(
    olt: Olt, pon: tuple[int, int], serial: str, distance: int, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        olt.add_onu(*pon, serial, "m", distance)
    assert len(olt.onus()) == 1


def test_an_onu_that_is_not_there_is_a_key_error(olt: Olt) -> None:
    with pytest.raises(KeyError, match="HWTC00000009"):
        olt.fail("HWTC00000009", "los")


def test_left_alone_onus_fail_and_are_mended(clock: Clock) -> None:
    olt = Olt("x", "public", seed=3, failures_per_day=50, clock=clock)
    for number in range(40):
        olt.add_onu(1, number % 16, f"HWTC{number:08X}", "m", 10)
    down: set[str] = set()
    causes: set[int] = set()
    back: set[str] = set()
    for _ in range(400):
        olt.tick(10)
        for onu in olt.onus():
            if not onu.running:
                down.add(onu.serial)
                causes.add(onu.down_cause)
            elif onu.serial in down:
                back.add(onu.serial)
    assert causes == {1, 13}
    assert back


def test_without_a_rate_nothing_fails_of_itself(olt: Olt) -> None:
    for _ in range(100):
        olt.tick(3600)
    assert olt.onu(ONE).running


@pytest.fixture
async def running(olt: Olt) -> AsyncIterator[tuple[Olt, socket.socket]]:
    address = await olt.start("127.0.0.1", 0)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.setblocking(False)
    client.connect(address)
    yield olt, client
    client.close()
    await olt.stop()


REQUEST = encode(
    Message(Version.V2C, b"public", Pdu(PduType.GET, 9, (Binding(standard.SYS_NAME, NULL),)))
)


async def answer_of(client: socket.socket) -> Pdu:
    octets = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 2000), 5)
    pdu = decode(octets).pdu
    assert isinstance(pdu, Pdu)
    return pdu


async def test_it_answers_on_its_udp_port(running: tuple[Olt, socket.socket]) -> None:
    _, client = running
    await asyncio.get_running_loop().sock_sendall(client, REQUEST)
    answer = await answer_of(client)
    assert answer.request_id == 9
    assert answer.bindings[0].value == OctetString(b"olt-1")


async def test_noise_does_not_stop_it(running: tuple[Olt, socket.socket]) -> None:
    _, client = running
    loop = asyncio.get_running_loop()
    for noise in (b"", b"\x30", b"\xff" * 1400, REQUEST[:-1]):
        await loop.sock_sendall(client, noise)
    await loop.sock_sendall(client, REQUEST)
    assert (await answer_of(client)).request_id == 9


async def test_unreachable_it_hears_nothing(olt: Olt) -> None:
    olt.unreachable(True)
    assert olt._receive(REQUEST) is None
    assert olt.agent.counters.received == 0
    olt.unreachable(False)
    olt.lose(1)
    assert olt._receive(REQUEST) is None
    assert olt._receive(REQUEST) is not None


async def test_once_started_its_light_drifts_by_itself(clock: Clock) -> None:
    olt = Olt("x", "public", drift_every=0.001, clock=clock)
    onu = olt.add_onu(1, 0, ONE, "m", 10)
    before = onu.light.onu_rx_dbm
    drifted = asyncio.Event()
    advance = onu.light.advance

    def observe(seconds: float) -> None:
        advance(seconds)
        drifted.set()

    onu.light.advance = observe  # type: ignore[method-assign]
    await olt.start("127.0.0.1", 0)
    await asyncio.wait_for(drifted.wait(), 5)
    await olt.stop()
    assert onu.light.onu_rx_dbm != before


async def test_it_can_be_stopped_and_started_again(olt: Olt) -> None:
    first = await olt.start("127.0.0.1", 0)
    with pytest.raises(RuntimeError, match="started already"):
        await olt.start("127.0.0.1", 0)
    await olt.stop()
    await olt.stop()
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(first)
    await olt.start("127.0.0.1", 0)
    await olt.stop()
