"""From the domains to the wire and back; pure."""

from datetime import UTC, datetime
from typing import Any

from demarc.domains.aaa.model import RadiusStatus, Session, UsageDay
from demarc.domains.access.model import DeviceStatus
from demarc.domains.services.model import ServiceChange, Transition
from demarc.domains.services.states import State
from demarc.domains.subscribers.model import Customer, Premise
from demarc.northbound.aex import wire
from demarc.views.customers import CustomerRow
from demarc.views.premises import NearRow, PremiseRow
from demarc.views.products import ProductRow
from demarc.views.services import ServiceDetail, ServiceRow

# Only the first is attested by the document; the others follow its spelling.
STATUS: dict[State, wire.Status] = {
    State.PENDING_INSTALLATION: "Pending installation",
    State.PENDING_ACTIVATION: "Pending activation",
    State.ACTIVE: "Active",
    State.SUSPENDED: "Suspended",
    State.PENDING_CANCELLATION: "Pending cancellation",
    State.CANCELLED: "Cancelled",
}

_STATES: dict[str, State] = {shown.casefold(): state for state, shown in STATUS.items()}

_MEGABIT = 1_000_000


def status(state: str) -> wire.Status:
    """Give a state as the API calls it."""
    return STATUS[State(state)]


def state(shown: str) -> State | None:
    """Give the state that the API calls so, whatever its case; None when there is none."""
    return _STATES.get(" ".join(shown.casefold().split()))


def offset_time(moment: datetime) -> str:
    """Write a time as services have it: ``2021-04-16T10:55:53.62+00:00``.

    Milliseconds without their last zeros, and none at all when they are zero.
    """
    whole = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    seconds, _, fraction = whole.partition(".")
    fraction = fraction.rstrip("0")
    return f"{seconds}.{fraction}+00:00" if fraction else f"{seconds}+00:00"


def zulu_time(moment: datetime) -> str:
    """Write a time as everything else has it: ``2024-12-17T09:06:42.779Z``."""
    whole = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"{whole}Z"


def _zulu_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else zulu_time(moment)


def service(row: ServiceRow) -> wire.Service:
    """Write a service of a list."""
    return wire.Service(
        id=row.id,
        customer_id=row.customer_id,
        product_id=row.product_id,
        premise_id=row.premise_id,
        provider_id=str(row.provider_id),
        **_of_service(row),
    )


def service_details(row: ServiceDetail, wifi_password: str | None) -> wire.ServiceDetails:
    """Write a service whole, for its ISP."""
    return wire.ServiceDetails(
        **_shown(row),
        **_of_service(row),
        isp_reference=row.isp_reference,
        wifi_username=row.wifi_username,
        wifi_password=wifi_password,
    )


def owner_service(row: ServiceDetail) -> wire.OwnerService:
    """Write a service for the owner of its network."""
    return wire.OwnerService(
        **_shown(row),
        **_of_service(row),
        status_reason=row.reason,
        isp_reference=row.isp_reference,
    )


def _shown(row: ServiceDetail) -> dict[str, Any]:
    return {
        "id": row.shown_id,
        "customer_id": row.shown_customer_id,
        "product_id": row.shown_product_id,
        "premise_id": row.shown_premise_id,
        "provider_id": str(row.tenant_id),
    }


def _of_service(row: ServiceRow | ServiceDetail) -> dict[str, Any]:
    return {
        "provisioned_date": None if row.provisioned_at is None else offset_time(row.provisioned_at),
        "sales_agent": row.sales_agent,
        "created_at": offset_time(row.created_at),
        "updated_at": offset_time(row.updated_at),
        "created_by_id": None if row.created_by is None else str(row.created_by),
        "status": status(row.state),
    }


def change(row: ServiceChange, shown_id: str) -> wire.Change:
    """Write an entry of the snapshot."""
    return wire.Change(
        service_id=shown_id,
        customer_name=row.customer_name,
        full_address=row.full_address,
        status=status(row.state),
        product=row.product,
        last_updated_date=zulu_time(row.updated_at),
    )


def transition(row: Transition) -> wire.Transition:
    """Write a step in the life of a service."""
    return wire.Transition(
        date=zulu_time(row.at),
        from_status=None if row.from_state is None else status(row.from_state),
        to_status=status(row.to_state),
        reason=row.reason,
        actor=row.actor_name,
    )


def device_status(device: DeviceStatus, shown_id: str) -> wire.DeviceStatus:
    """Write the status of a service's ONU.

    An ONU on a PON has no SFP of its own and hangs on no switch, and the OLT does not tell which
    of its Ethernet ports are in use: those fields are null.
    """
    place = None
    if device.olt is not None and device.port is not None:
        place = f"ONU {device.onu_index} on {device.olt} {device.port}"
    return wire.DeviceStatus(
        network=device.network,
        pop=device.pop_code,
        serial_number=device.serial,
        gpon_status=device.state,
        cpe=place,
        model=device.model,
        last_updated=_zulu_or_none(device.read_at),
        service=shown_id,
        pop_name=device.pop_name,
        alerts=device.alerts,
        alarms=device.alarms,
        populated_ports=None,
        olt_port=device.port,
        distance=device.distance_m,
        rx_status=device.rx_status,
        rx_power=device.rx_dbm,
        sfp_status=None,
        sfp_power=None,
        sfp_rx_status=None,
        sfp_rx_power=None,
        tx_power=device.tx_dbm,
        tx_status=device.tx_status,
        switch=None,
        sfp_sync_speed=None,
        switch_port=None,
    )


def radius_status(known: RadiusStatus) -> wire.RadiusStatus:
    """Write what RADIUS knows of a service."""
    return wire.RadiusStatus(
        username=known.username,
        password=known.password,
        authentication_attempts=[
            wire.Attempt(date=zulu_time(attempt.at), reply=attempt.reply)
            for attempt in known.attempts
        ],
        accounting=[_accounting(session) for session in known.sessions],
    )


def _accounting(session: Session) -> wire.Accounting:
    return wire.Accounting(
        session_id=session.acct_session_id,
        username=session.username,
        ipaddress=session.framed_ipv4,
        acct_start_time=zulu_time(session.started_at),
        acct_stop_time=_zulu_or_none(session.ended_at),
        session_time=session.session_seconds,
        # the NAS counts both together and IPv6 besides
        input_octets=max(0, session.input_octets - session.ipv6_input_octets),
        output_octets=max(0, session.output_octets - session.ipv6_output_octets),
        ipv6_input_octets=session.ipv6_input_octets,
        ipv6_output_octets=session.ipv6_output_octets,
        terminate_cause=session.terminate_cause,
        update_time=zulu_time(session.updated_at),
    )


def usage_day(used: UsageDay) -> wire.UsageDay:
    """Write the usage of a day; ours counts IPv6 within the total."""
    return wire.UsageDay(
        date=used.day.isoformat(),
        bytes_downloaded=max(0, used.down_octets - used.ipv6_down_octets),
        bytes_uploaded=max(0, used.up_octets - used.ipv6_up_octets),
        i_pv6_bytes_downloaded=used.ipv6_down_octets,
        i_pv6_bytes_uploaded=used.ipv6_up_octets,
        total_bytes_downloaded=used.down_octets,
        total_bytes_uploaded=used.up_octets,
    )


def customer(known: Customer | CustomerRow, shown_id: str) -> wire.Customer:
    """Write a customer; one known by the whole name alone has it as the first name."""
    in_parts = known.first_name is not None or known.last_name is not None
    return wire.Customer(
        id=shown_id,
        first_name=(known.first_name or "") if in_parts else known.name,
        last_name=known.last_name or "",
        email=known.email,
        mobile_number=known.mobile_number,
        fno_opt_in=_zulu_or_none(known.fno_consent_at),
        isp_opt_in=_zulu_or_none(known.isp_consent_at),
    )


def product(row: ProductRow) -> wire.Product:
    """Write a product."""
    return wire.Product(
        id=row.id,
        code=row.code,
        name=row.name,
        description=row.description,
        technology=row.technology,
        download_speed=row.download_bps / _MEGABIT,
        upload_speed=row.upload_bps / _MEGABIT,
        monthly_price=None if row.monthly_price is None else f"{row.monthly_price.normalize():f}",
        currency=row.currency,
        area_ids=row.areas,
        active=row.active,
    )


def premise(known: Premise | PremiseRow, shown_id: str, shown_area_id: str | None) -> wire.Premise:
    """Write a premise."""
    return wire.Premise(
        id=shown_id,
        full_address=known.full_address,
        street=known.street,
        number=known.number,
        unit=known.unit,
        district=known.district,
        city=known.city,
        region=known.region,
        postcode=known.postcode,
        country=known.country,
        latitude=known.latitude,
        longitude=known.longitude,
        area_id=shown_area_id,
        predefined=known.predefined,
        created_at=zulu_time(known.created_at),
        updated_at=zulu_time(known.updated_at),
    )


def location(row: NearRow) -> wire.Location:
    """Write a premise near a point."""
    return wire.Location(
        id=row.id,
        type="predefined_premise" if row.predefined else "premise",
        full_address=row.full_address,
        latitude=row.latitude,
        longitude=row.longitude,
        distance=round(row.distance_m, 1),
        area_id=row.area_id,
    )
