"""What the simulated OLT serves: the system group, its interfaces, and Huawei's ONU tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from demarc.lab.olt.mib import Instance, MibObject, Prepare
from demarc.lab.olt.onu import Onu
from demarc.protocols.snmp.ber import Oid
from demarc.protocols.snmp.mibs import huawei, standard
from demarc.protocols.snmp.textual import encode_date_and_time
from demarc.protocols.snmp.values import (
    Gauge32,
    Integer,
    ObjectIdentifier,
    OctetString,
    TimeTicks,
    Value,
)

DESCRIPTION: Final = b"Huawei Integrated Access Software, MA5800-X7 (simulated)"
_HUAWEI: Final[Oid] = (1, 3, 6, 1, 4, 1, 2011)
_GPON_BIT_PER_SECOND: Final = 2_488_320_000
_LINE_PROFILE: Final = b"line-profile_10"
_SERVICE_PROFILE: Final = b"srv-profile_10"


def system(name: str, uptime_ticks: Callable[[], int], interfaces: int) -> list[MibObject]:
    """Build the system group and ifNumber."""

    def scalar(oid: Oid, read: Callable[[], Value]) -> MibObject:
        return MibObject(oid[:-1], (Instance(oid[-1:], read),))

    texts = {
        standard.SYS_DESCR: DESCRIPTION,
        standard.SYS_CONTACT: b"",
        standard.SYS_NAME: name.encode(),
        standard.SYS_LOCATION: b"",
    }
    return [
        *(scalar(oid, partial(OctetString, text)) for oid, text in texts.items()),
        scalar(standard.SYS_OBJECT_ID, partial(ObjectIdentifier, _HUAWEI)),
        scalar(standard.SYS_UP_TIME, lambda: TimeTicks(uptime_ticks())),
        scalar(standard.IF_NUMBER, partial(Integer, interfaces)),
    ]


def interfaces(pons: Sequence[tuple[int, int]]) -> list[MibObject]:
    """Build ifTable and ifName for the PONs, given as slot and port."""
    columns: dict[Oid, Callable[[int, int], Value]] = {
        standard.IF_INDEX: lambda slot, port: Integer(_signed(huawei.pon_if_index(slot, port))),
        standard.IF_DESCR: _pon_name,
        standard.IF_TYPE: lambda _slot, _port: Integer(standard.IF_TYPE_GPON),
        standard.IF_SPEED: lambda _slot, _port: Gauge32(_GPON_BIT_PER_SECOND),
        standard.IF_ADMIN_STATUS: lambda _slot, _port: Integer(standard.UP),
        standard.IF_OPER_STATUS: lambda _slot, _port: Integer(standard.UP),
        standard.IF_NAME: _pon_name,
    }
    return [
        MibObject(
            column,
            tuple(
                Instance((huawei.pon_if_index(slot, port),), partial(read, slot, port))
                for slot, port in pons
            ),
        )
        for column, read in columns.items()
    ]


def configured(onus: Iterable[Onu], prepare_reset: Callable[[Onu], Prepare]) -> list[MibObject]:
    """Build the tables of configured ONUs: configuration, state, optics."""
    rows = list(onus)
    columns: dict[Oid, Callable[[Onu], Value]] = {
        huawei.ONT_SN: lambda onu: OctetString(onu.octets),
        huawei.ONT_LINE_PROFILE: lambda _onu: OctetString(_LINE_PROFILE),
        huawei.ONT_SERVICE_PROFILE: lambda _onu: OctetString(_SERVICE_PROFILE),
        huawei.ONT_DESCRIPTION: lambda onu: OctetString(onu.description.encode()),
        huawei.ONT_ROW_STATUS: lambda _onu: Integer(huawei.ROW_ACTIVE),
        huawei.ONT_RUN_STATUS: lambda onu: Integer(
            huawei.RUN_UP if onu.running else huawei.RUN_DOWN
        ),
        huawei.ONT_DISTANCE: lambda onu: Integer(
            onu.distance_m if onu.running else huawei.NO_DISTANCE
        ),
        huawei.ONT_LAST_UP_TIME: lambda onu: OctetString(encode_date_and_time(onu.last_up_at)),
        huawei.ONT_LAST_DOWN_TIME: lambda onu: OctetString(encode_date_and_time(onu.last_down_at)),
        huawei.ONT_LAST_DOWN_CAUSE: lambda onu: Integer(onu.down_cause),
        huawei.ONT_TEMPERATURE: _optics(lambda onu: round(onu.light.temperature_c)),
        huawei.ONT_TX_POWER: _optics(lambda onu: huawei.raw_of_power(onu.light.onu_tx_dbm)),
        huawei.ONT_RX_POWER: _optics(lambda onu: huawei.raw_of_power(onu.light.onu_rx_dbm)),
        huawei.OLT_RX_POWER: _optics(lambda onu: huawei.raw_of_olt_rx(onu.light.olt_rx_dbm)),
        # None of the simulated models has a CATV receiver.
        huawei.ONT_CATV_RX_POWER: lambda _onu: Integer(huawei.NO_VALUE),
    }
    reset = MibObject(
        huawei.ONT_RESET,
        tuple(
            Instance(onu.index, partial(Integer, huawei.RUN_UNKNOWN), prepare_reset(onu))
            for onu in rows
        ),
    )
    return [reset, *_columns(rows, columns)]


def autofind(onus: Iterable[Onu]) -> list[MibObject]:
    """Build the table of ONUs that are heard and not configured."""
    columns: dict[Oid, Callable[[Onu], Value]] = {
        huawei.AUTOFIND_SN: lambda onu: OctetString(onu.octets),
        huawei.AUTOFIND_MODEL: lambda onu: OctetString(onu.model.encode()),
        huawei.AUTOFIND_TIME: lambda onu: OctetString(encode_date_and_time(onu.found_at)),
    }
    return _columns(list(onus), columns)


def _columns(rows: Sequence[Onu], columns: dict[Oid, Callable[[Onu], Value]]) -> list[MibObject]:
    return [
        MibObject(column, tuple(Instance(onu.index, partial(read, onu)) for onu in rows))
        for column, read in columns.items()
    ]


def _optics(raw: Callable[[Onu], int]) -> Callable[[Onu], Value]:
    return lambda onu: Integer(raw(onu) if onu.running else huawei.NO_VALUE)


def _pon_name(slot: int, port: int) -> OctetString:
    return OctetString(f"GPON 0/{slot}/{port}".encode())


def _signed(if_index: int) -> int:
    # ifIndex is an Integer32; Huawei's are beyond it and devices let them wrap.
    return if_index - 2**32
