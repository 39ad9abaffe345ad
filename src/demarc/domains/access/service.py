"""Use cases of fibre access: OLTs, whose ONU is where, and how its light is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from demarc.domains.access import queries
from demarc.domains.access.model import (
    DeviceRow,
    DeviceStatus,
    Olt,
    OnuPlace,
    OnuRow,
    OnusOnline,
)
from demarc.domains.access.places import credible, once_each
from demarc.domains.access.ports import OltTarget, OnuReading
from demarc.domains.access.thresholds import assess
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.platform.database import Tx
from demarc.platform.events import emit
from demarc.platform.secrets import KeyRing
from demarc.protocols.gpon import format_serial, parse_serial

VENDORS = ("huawei",)
# an OLT asks the ONU itself for its light, which takes it a second or two
SNMP_TIMEOUT = 4.0


class Access:
    """OLTs and ONUs. Methods never commit."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def put_olt(
        self,
        tx: Tx,
        *,
        owner_id: UUID,
        network_id: UUID,
        name: str,
        vendor: str,
        address: str,
        community: str,
        snmp_port: int = 161,
        pop_id: UUID | None = None,
        model: str | None = None,
        reach: str = "default",
        poll_interval: int | None = None,
    ) -> Olt:
        """Create an OLT, or bring the network's one of that name to these values.

        It is polled at once after either.

        Raises:
            Invalid: an unknown vendor, or an empty name or community.
        """
        if vendor not in VENDORS:
            raise Invalid("vendor", f"must be one of {', '.join(VENDORS)}")
        if not name.strip():
            raise Invalid("name", "must not be empty")
        if not community:
            raise Invalid("community", "must not be empty")
        known = await queries.FIND_OLT.one(tx, network_id=network_id, name=name)
        olt_id = known.id if known else uuid4()
        olt = await queries.PUT_OLT.one(
            tx,
            id=olt_id,
            owner_id=owner_id,
            network_id=network_id,
            pop_id=pop_id,
            name=name,
            vendor=vendor,
            model=model,
            address=address,
            snmp_port=snmp_port,
            community=self._keys.encrypt(community.encode(), row=_community_row(olt_id)),
            reach=reach,
            poll_interval=poll_interval,
        )
        if olt is None:
            raise RuntimeError("INSERT .. RETURNING gave no row")
        await audit.write(
            tx,
            action="update" if known else "create",
            kind="olt",
            key=olt.id,
            tenant_id=owner_id,
            after={"name": name, "address": address, "snmp_port": snmp_port, "vendor": vendor},
        )
        return olt

    async def olts(self, tx: Tx, network_id: UUID) -> list[Olt]:
        """Give the OLTs of a network."""
        return await queries.OLTS.all(tx, network_id=network_id)

    async def olt(self, tx: Tx, olt_id: UUID) -> Olt:
        """Give an OLT.

        Raises:
            NotFound: there is none.
        """
        found = await queries.GET_OLT.one(tx, id=olt_id)
        if found is None:
            raise NotFound("olt", olt_id)
        return found

    async def onus(self, tx: Tx, olt_id: UUID, *, limit: int, offset: int = 0) -> list[OnuRow]:
        """Give the ONUs of an OLT by port, with their last reading and their service."""
        return await queries.ONUS_OF_OLT.all(tx, olt_id=olt_id, limit=limit, offset=offset)

    async def target(self, tx: Tx, olt_id: UUID) -> tuple[str, OltTarget]:
        """Give an OLT's vendor and how to ask it.

        Raises:
            NotFound: there is none.
            Undecipherable: the key of its community is not here.
        """
        found = await queries.OLT_SECRETS.one(tx, id=olt_id)
        if found is None:
            raise NotFound("olt", olt_id)
        community = self._keys.decrypt(found.community, row=_community_row(found.id)).decode()
        return found.vendor, OltTarget(
            address=found.address,
            port=found.snmp_port,
            community=community,
            timeout_s=SNMP_TIMEOUT,
        )

    async def community(self, tx: Tx, olt_id: UUID) -> str:
        """Give an OLT's community in clear, to compare it with a wanted one."""
        _, target = await self.target(tx, olt_id)
        return target.community

    # whose ONU

    async def assign(
        self,
        tx: Tx,
        *,
        service_id: UUID,
        tenant_id: UUID,
        owner_id: UUID,
        network_id: UUID,
        serial: str,
        model: str | None = None,
    ) -> str:
        """Say which ONU serves a service from now on; give its serial number in one form.

        Raises:
            Invalid: that is no serial number.
            Conflict: the ONU serves another service.
        """
        try:
            serial = format_serial(parse_serial(serial))
        except ValueError as wrong:
            raise Invalid(
                "serial_number", "must be like HWTC12345678, or 16 hexadecimal digits"
            ) from wrong
        onu = await queries.PUT_ONU.one(
            tx, owner_id=owner_id, network_id=network_id, serial=serial, model=model
        )
        if onu is None:
            raise RuntimeError("INSERT .. RETURNING gave no row")
        holder = await queries.HOLDER_OF_ONU.one(tx, onu_id=onu.id)
        if holder is not None and holder.id == service_id:
            return serial
        if holder is not None:
            raise Conflict(f"ONU {serial} serves another service; release it there first")
        await queries.END_SERVICE_OF_ONU.run(tx, service_id=service_id)
        given = await queries.ASSIGN.run(
            tx, owner_id=owner_id, tenant_id=tenant_id, onu_id=onu.id, service_id=service_id
        )
        if not given:
            raise Conflict("the service has just been given another ONU")
        online = await queries.IS_ONLINE.one(tx, onu_id=onu.id)
        if online is not None and online.value:
            await emit(tx, OnusOnline([service_id]))
        return serial

    async def release(self, tx: Tx, service_id: UUID) -> bool:
        """End the assignment of a service's ONU; False if it had none."""
        return bool(await queries.END_SERVICE_OF_ONU.run(tx, service_id=service_id))

    async def place(self, tx: Tx, service_id: UUID) -> OnuPlace:
        """Give where a service's ONU hangs.

        Raises:
            NotFound: the service has none.
        """
        found = await queries.PLACE_OF_SERVICE.one(tx, service_id=service_id)
        if found is None:
            raise NotFound("device", service_id)
        return found

    # how it is

    async def device(self, tx: Tx, service_id: UUID) -> DeviceStatus:
        """Give the status of a service's ONU as the last poll found it.

        Raises:
            NotFound: the service has no ONU.
        """
        return _status(await self._device(tx, service_id))

    async def device_as_read(
        self, tx: Tx, service_id: UUID, reading: OnuReading, read_at: datetime
    ) -> DeviceStatus:
        """Give the status of a service's ONU with a reading just made, which is not kept.

        Raises:
            NotFound: the service has no ONU.
            Conflict: the reading is of another ONU; the service's was exchanged meanwhile.
        """
        row = await self._device(tx, service_id)
        if reading.serial != row.serial:
            raise Conflict("the device was exchanged while it was asked")
        return _status(
            msgspec.structs.replace(
                row,
                read_at=read_at,
                state=reading.state,
                last_down_cause=reading.last_down_cause,
                distance_m=reading.distance_m,
                tx_dbm=reading.tx_dbm,
                rx_dbm=reading.rx_dbm,
                olt_rx_dbm=reading.olt_rx_dbm,
                temperature_c=reading.temperature_c,
            )
        )

    async def _device(self, tx: Tx, service_id: UUID) -> DeviceRow:
        row = await queries.DEVICE_OF_SERVICE.one(tx, service_id=service_id)
        if row is None:
            raise NotFound("device", service_id)
        return row

    async def store(
        self,
        tx: Tx,
        olt_id: UUID,
        readings: Sequence[OnuReading],
        read_at: datetime,
        *,
        since: datetime | None = None,
    ) -> list[str]:
        """Keep what an OLT said of its ONUs, and tell whose came online.

        Args:
            tx: of the system.
            olt_id: who said it.
            readings: of one PON or several; ONUs never seen before are taken in.
            read_at: when it was said.
            since: when the poll began that these readings are of; None: with them.

        Returns:
            Serial numbers that are online elsewhere, too; what was said of them here is not kept.
        """
        readings = once_each(readings)
        serials = [reading.serial for reading in readings]
        await queries.PUT_ONUS.run(tx, olt_id=olt_id, serials=serials)
        await queries.LOCK_ONUS.all(tx, olt_id=olt_id, serials=serials)
        standing = await queries.STANDING.all(tx, olt_id=olt_id, serials=serials)
        readings, doubles = credible(
            olt_id, readings, standing, since=since or read_at, read_at=read_at
        )
        if readings:
            await self._keep(tx, olt_id, readings, read_at)
        return [reading.serial for reading in doubles]

    async def _keep(
        self, tx: Tx, olt_id: UUID, readings: Sequence[OnuReading], read_at: datetime
    ) -> None:
        ports = {(r.slot, r.port, r.if_index) for r in readings}
        places: dict[str, Any] = {
            "olt_id": olt_id,
            "serials": [r.serial for r in readings],
            "if_indexes": [r.if_index for r in readings],
            "onu_indexes": [r.onu_index for r in readings],
        }
        await queries.PUT_PONS.run(
            tx,
            olt_id=olt_id,
            slots=[slot for slot, _, _ in ports],
            ports=[port for _, port, _ in ports],
            if_indexes=[if_index for _, _, if_index in ports],
        )
        await queries.LEAVE_PORTS.run(tx, **places)
        await queries.TAKE_PORTS.run(tx, **places)
        came = await queries.PUT_READINGS.all(
            tx,
            olt_id=olt_id,
            read_at=read_at,
            serials=places["serials"],
            states=[r.state for r in readings],
            causes=[r.last_down_cause for r in readings],
            distances=[r.distance_m for r in readings],
            tx=[r.tx_dbm for r in readings],
            rx=[r.rx_dbm for r in readings],
            olt_rx=[r.olt_rx_dbm for r in readings],
            temperatures=[r.temperature_c for r in readings],
            ups=[r.last_up_at for r in readings],
            downs=[r.last_down_at for r in readings],
        )
        if came:
            await emit(tx, OnusOnline([row.id for row in came]))

    async def polled(
        self, tx: Tx, olt_id: UUID, *, answered: bool, fault: str | None = None, again: bool = False
    ) -> None:
        """Note how a poll ended.

        Args:
            tx: of the system.
            olt_id: which OLT was polled.
            answered: whether anything was read of it, even if not everything.
            fault: what went wrong, if anything did.
            again: whether another poll was asked for meanwhile, which is due now.
        """
        await queries.POLLED.run(tx, id=olt_id, answered=answered, fault=fault, again=again)


def _status(row: DeviceRow) -> DeviceStatus:
    verdict = assess(
        state=row.state,
        last_down_cause=row.last_down_cause,
        rx_dbm=row.rx_dbm,
        tx_dbm=row.tx_dbm,
        olt_rx_dbm=row.olt_rx_dbm,
    )
    port = None if row.slot is None else f"{row.frame}/{row.slot}/{row.port}"
    return DeviceStatus(
        serial=row.serial,
        model=row.model,
        network=row.network,
        olt=row.olt,
        pop_code=row.pop_code,
        pop_name=row.pop_name,
        port=port,
        onu_index=row.onu_index,
        read_at=row.read_at,
        state=row.state,
        last_down_cause=row.last_down_cause,
        distance_m=row.distance_m,
        tx_dbm=row.tx_dbm,
        rx_dbm=row.rx_dbm,
        olt_rx_dbm=row.olt_rx_dbm,
        temperature_c=row.temperature_c,
        rx_status=verdict.rx_status,
        tx_status=verdict.tx_status,
        alerts=list(verdict.alerts),
        alarms=list(verdict.alarms),
    )


def _community_row(olt_id: UUID) -> bytes:
    return b"olt:community:" + olt_id.bytes
