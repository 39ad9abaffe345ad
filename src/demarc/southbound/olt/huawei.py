"""Huawei MA56xx and MA58xx over SNMPv2c, by the tables of its XPON MIB."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal

import structlog

from demarc.domains.access.ports import (
    OltTarget,
    OltUnreachable,
    OltUnusable,
    OnuNotFound,
    OnuReading,
    UnconfiguredOnu,
)
from demarc.protocols.gpon import format_serial
from demarc.protocols.snmp.ber import MAX_ARC, Malformed, Oid
from demarc.protocols.snmp.mibs import huawei
from demarc.protocols.snmp.textual import decode_date_and_time
from demarc.protocols.snmp.values import Integer, Missing, OctetString, Value
from demarc.southbound.snmp.client import SnmpClient
from demarc.southbound.snmp.errors import BadAnswer, ErrorAnswer, NoAnswer, SnmpError

COLUMNS: Final[tuple[Oid, ...]] = (
    huawei.ONT_SN,
    huawei.ONT_DESCRIPTION,
    huawei.ONT_RUN_STATUS,
    huawei.ONT_DISTANCE,
    huawei.ONT_LAST_UP_TIME,
    huawei.ONT_LAST_DOWN_TIME,
    huawei.ONT_LAST_DOWN_CAUSE,
    huawei.ONT_TEMPERATURE,
    huawei.ONT_TX_POWER,
    huawei.ONT_RX_POWER,
    huawei.OLT_RX_POWER,
)
"""What makes a reading, as `_reading` takes it: eleven variables fit one GET."""

MAX_INTERFACES: Final = 4096
"""More interfaces with ONUs than any OLT of this family has PONs."""

MAX_FAULTS: Final = 8
"""After so many PONs that cannot be read an OLT is left alone until the next poll."""

_MAX_ONU_INDEX: Final = 255
_INDEX_ARCS: Final = 2
_AUTOFIND: Final = (huawei.AUTOFIND_SN, huawei.AUTOFIND_MODEL, huawei.AUTOFIND_TIME)

_NO_FIGURES: Final = (huawei.NO_VALUE,) * 5

_log = structlog.get_logger(__name__)


class HuaweiOlt:
    """The driver; see `OltDriver`.

    The OLT asks an ONU for its optics while it answers, so a question may take a second. Times
    come without a zone and are read as UTC: an OLT's clock is to run in UTC. A time that cannot
    be read is None; a row that lacks serial number or state is left out and logged.
    """

    async def read_onu(self, target: OltTarget, if_index: int, onu_index: int) -> OnuReading:
        """Read one ONU with one GET."""
        index = (if_index, onu_index)
        try:
            _check_index(index)
        except ValueError as wrong:
            raise OnuNotFound(str(wrong)) from wrong
        names = [(*column, *index) for column in COLUMNS]
        async with _agent_of(target) as agent:
            values = await agent.get(names)
        cells = [values[name] for name in names]
        if isinstance(cells[0], Missing):
            raise OnuNotFound(f"{_name(index)} is not configured on the OLT")
        try:
            return _reading(index, cells)
        except ValueError as wrong:
            raise OltUnusable(f"{_name(index)}: {wrong}") from wrong

    async def read_all(self, target: OltTarget) -> AsyncGenerator[list[OnuReading], None]:
        """Read every ONU, PON by PON."""
        faults: list[str] = []
        async with aclosing(_pons(target, faults)) as pons:
            async for batch in pons:
                if batch:
                    yield batch
        if faults:
            raise OltUnusable("; ".join(faults))

    async def discover(self, target: OltTarget) -> list[UnconfiguredOnu]:
        """Read the autofind table."""
        async with _agent_of(target) as agent:
            rows = await agent.table(_AUTOFIND)
        found: list[UnconfiguredOnu] = []
        for index, (serial, model, found_at) in rows.items():
            try:
                slot, port = _check_index(index)
                onu = UnconfiguredOnu(
                    if_index=index[0],
                    slot=slot,
                    port=port,
                    serial=_serial(serial),
                    model=_text(model),
                    found_at=_time(found_at),
                )
            except ValueError as wrong:
                _log.warning("an unconfigured ONU cannot be read", index=index, reason=str(wrong))
            else:
                found.append(onu)
        return found


@asynccontextmanager
async def _agent_of(target: OltTarget) -> AsyncIterator[SnmpClient]:
    try:
        async with SnmpClient(
            target.address, target.port, target.community, timeout_s=target.timeout_s
        ) as agent:
            yield agent
    except NoAnswer as wrong:
        raise OltUnreachable(str(wrong)) from wrong
    except SnmpError as wrong:
        raise OltUnusable(str(wrong)) from wrong


async def _pons(target: OltTarget, faults: list[str]) -> AsyncGenerator[list[OnuReading], None]:
    """Read PON by PON; what is wrong with one is added to the faults and the next one read."""
    after: Oid = huawei.ONT_SN
    async with _agent_of(target) as agent:
        for _ in range(MAX_INTERFACES):
            # The first ONU after the last PON read: empty PONs cost nothing.
            first = await agent.next(after)
            if first is None or first.oid[: len(huawei.ONT_SN)] != huawei.ONT_SN:
                return
            if_index = first.oid[len(huawei.ONT_SN)]
            try:
                batch = await _read_pon(agent, if_index)
            except (ErrorAnswer, BadAnswer, OltUnusable) as wrong:
                faults.append(f"PON {if_index}: {wrong}")
                if len(faults) == MAX_FAULTS:
                    return
            else:
                yield batch
            if if_index == MAX_ARC:
                return
            after = (*huawei.ONT_SN, if_index + 1)
    raise OltUnusable(f"the OLT has ONUs on more than {MAX_INTERFACES} interfaces")


async def _read_pon(agent: SnmpClient, if_index: int) -> list[OnuReading]:
    try:
        huawei.pon_of_if_index(if_index)
    except ValueError as wrong:
        _log.warning("ONUs on an unknown interface are left out", reason=str(wrong))
        return []
    rows = await agent.table(COLUMNS, (if_index,))
    batch: list[OnuReading] = []
    reason = "no ONU is there any more"
    unreadable = 0
    for index, cells in rows.items():
        try:
            batch.append(_reading(index, cells))
        except ValueError as wrong:
            unreadable += 1
            reason = f"{index}: {wrong}"
    if unreadable:
        _log.warning("ONUs cannot be read", if_index=if_index, count=unreadable, last=reason)
        if not batch:
            raise OltUnusable(f"no ONU can be read; {reason}")
    return batch


def _reading(index: Oid, cells: Sequence[Value | None]) -> OnuReading:
    """Turn a row of `COLUMNS` into a reading; ValueError says what is wrong with it."""
    slot, port = _check_index(index)
    if_index, onu_index = index
    serial, description, run_status, distance, up, down, cause, *optics = cells
    state = _state(run_status)
    # what is said of an offline ONU's light is old or nothing
    figures = map(_figure, (distance, *optics)) if state == "online" else _NO_FIGURES
    metres, temperature, tx, rx, olt_rx = figures
    return OnuReading(
        if_index=if_index,
        onu_index=onu_index,
        slot=slot,
        port=port,
        serial=_serial(serial),
        description=_text(description),
        state=state,
        last_down_cause=_cause(cause),
        distance_m=metres if 0 <= metres < huawei.NO_VALUE else None,
        tx_dbm=huawei.power_of_raw(tx),
        rx_dbm=huawei.power_of_raw(rx),
        olt_rx_dbm=huawei.olt_rx_of_raw(olt_rx),
        temperature_c=None if temperature == huawei.NO_VALUE else float(temperature),
        last_up_at=_time(up),
        last_down_at=_time(down),
    )


def _check_index(index: Oid) -> tuple[int, int]:
    """Give slot and port of an ONU's index; ValueError if it is none."""
    if len(index) != _INDEX_ARCS or not 0 <= index[1] <= _MAX_ONU_INDEX:
        raise ValueError(f"{index} is the index of no ONU")
    return huawei.pon_of_if_index(index[0])


def _name(index: Oid) -> str:
    slot, port = huawei.pon_of_if_index(index[0])
    return f"ONU {index[1]} of PON 0/{slot}/{port}"


def _number(value: Value | None) -> int | None:
    if value is None or isinstance(value, Missing):
        return None
    if not isinstance(value, Integer):
        raise ValueError(f"a {type(value).__name__} stands where an Integer should")  # noqa: TRY004
    return value.value


def _figure(value: Value | None) -> int:
    number = _number(value)
    return huawei.NO_VALUE if number is None else number


def _octets(value: Value | None) -> bytes | None:
    if value is None or isinstance(value, Missing):
        return None
    if not isinstance(value, OctetString):
        raise ValueError(f"a {type(value).__name__} stands where octets should")  # noqa: TRY004
    return value.value


def _state(value: Value | None) -> Literal["online", "offline"]:
    match _number(value):
        case huawei.RUN_UP:
            return "online"
        case huawei.RUN_DOWN:
            return "offline"
        case None:
            raise ValueError("the OLT gives no state")
        case other:
            raise ValueError(f"the OLT gives the state {other}, which is none")


def _serial(value: Value | None) -> str:
    octets = _octets(value)
    if octets is None:
        raise ValueError("the OLT gives no serial number")
    return format_serial(octets)


def _text(value: Value | None) -> str | None:
    text = (_octets(value) or b"").decode("utf-8", errors="replace")
    if not text.isprintable():
        text = "".join(letter for letter in text if letter.isprintable())
    return text.strip() or None


def _time(value: Value | None) -> datetime | None:
    return _moment(_octets(value) or b"")


@lru_cache(maxsize=8192)
def _moment(octets: bytes) -> datetime | None:
    # ONUs seldom go up or down: most times have been read before
    try:
        return decode_date_and_time(octets)
    except Malformed:
        return None


def _cause(value: Value | None) -> str | None:
    number = _number(value)
    if number is None or number < 0 or number == huawei.NO_VALUE:
        return None
    return huawei.DOWN_CAUSES.get(number, f"other:{number}")
