"""Rows of columns made entries: values held to the rules, things told apart."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec

from demarc.domains.aaa import bulk as credentials
from demarc.domains.errors import Invalid
from demarc.domains.services.states import State
from demarc.domains.services.wifi import check_passphrase, check_ssid
from demarc.domains.subscribers import bulk, rules
from demarc.domains.subscribers.model import Place
from demarc.imports import hashes, values
from demarc.imports.columns import COLUMNS
from demarc.imports.entry import (
    API_KINDS,
    APIS,
    Bad,
    CredentialEntry,
    CustomerEntry,
    Entry,
    PremiseEntry,
    ProductEntry,
    Refused,
    ServiceEntry,
    Source,
)

_PLACE = (
    *("full_address", "street", "number", "district", "city", "region", "postcode"),
    *("country", "latitude", "longitude"),
)
_CUSTOMER = (
    *("customer_kind", "name", "first_name", "last_name", "tax_id_kind", "tax_id", "email"),
    "mobile_number",
)
_STATES = frozenset(state.value for state in State)
_KINDS = frozenset({"pppoe", "mac", "circuit_id", "dot1x"})
_LONGEST_REF = 300
_LONGEST_USERNAME = 128
_WIRE = {kind: {api: f"{api}_{kind}_id" for api in APIS} for kind in API_KINDS}

Row = Mapping[str, str]


class Context(msgspec.Struct, frozen=True):
    """What rows are read against.

    Attributes:
        tenant: the slug of the ISP of the run.
        zone: its time zone; days and times without an offset are of it.
        realms: names of its realms.
    """

    tenant: str
    zone: ZoneInfo
    realms: frozenset[str]


def entry(source: Source, row: Row, context: Context) -> Entry | Bad:
    """Make an entry of a row.

    Args:
        source: where it stands.
        row: values by column, trimmed, none of them empty.
        context: what it is read against.
    """
    try:
        return _entry(source, row, context)
    except Refused as refused:
        return Bad(source, refused)
    except Invalid as wrong:
        column = {"kind": "customer_kind", "static_ipv4": "static_ip"}.get(wrong.field, wrong.field)
        return Bad(source, Refused(column if column in COLUMNS else None, _said(wrong, column)))


def _said(wrong: Invalid, column: str) -> str:
    return wrong.reason if column in COLUMNS else str(wrong)


def _entry(source: Source, row: Row, context: Context) -> Entry:
    if row.get("tenant", context.tenant) != context.tenant:
        raise Refused(
            "tenant",
            f"{row['tenant']} is not the ISP of this run, {context.tenant}",
            "run the import once for each ISP",
        )
    credential = _credential(row, context)
    service = _service(row, credential, context)
    product = _product(row)
    customer = _customer(row, service, context)
    premise = _premise(row)
    if service is None and customer is None and premise is None:
        if product is None:
            raise Refused(None, "says nothing of any customer, premise, product or service")
        if product.values is None:
            raise Refused("product", "stands alone", "a product needs its download and upload")
    return Entry(
        source=source,
        network=row.get("network"),
        customer=customer,
        premise=premise,
        product=product,
        service=service,
        credential=credential,
    )


def _wire(row: Row, kind: str) -> dict[str, str]:
    found = {}
    for api, column in _WIRE[kind].items():
        value = row.get(column)
        if value is not None:
            found[api] = rules.text(column, value, 200)
    return found


def _ref(row: Row, column: str) -> str | None:
    value = row.get(column)
    if value is not None and (len(value) > _LONGEST_REF or not value.isprintable()):
        raise Refused(column, f"has at most {_LONGEST_REF} printable characters")
    return value


def _customer(row: Row, service: ServiceEntry | None, context: Context) -> CustomerEntry | None:
    ref = _ref(row, "customer_ref")
    given: dict[str, Any] = {name: row[name] for name in _CUSTOMER if name in row}
    wire = _wire(row, "customer")
    if not given:
        if wire and ref is None:
            raise Refused("customer_ref", "is needed to tell whose ids these are")
        return None if ref is None else CustomerEntry(ref, wire=wire)
    given["kind"] = given.pop("customer_kind", "person")
    if given["kind"] not in ("person", "company"):
        raise Refused("customer_kind", "is person or company")
    checked = bulk.customer(
        uuid4(),
        given,
        created_at=_moment(row, "customer_since", context),
        fno_consent_at=_moment(row, "fno_consent_at", context),
        isp_consent_at=_moment(row, "isp_consent_at", context),
    )
    if ref is None:
        if checked.tax_id is not None:
            ref = f"{checked.tax_id_kind}:{checked.tax_id}"
        elif service is not None:
            ref = f"service:{service.ref}"
        else:
            raise Refused("customer_ref", "or tax_id is needed, to know the customer again")
    return CustomerEntry(ref, given, checked, wire)


def _premise(row: Row) -> PremiseEntry | None:
    ref = _ref(row, "premise_ref")
    given: dict[str, Any] = {name: row[name] for name in _PLACE if name in row}
    wire = _wire(row, "premise")
    if not given:
        return None if ref is None else PremiseEntry(ref, wire=wire)
    for name in ("latitude", "longitude"):
        if name in given:
            given[name] = values.degrees(name, given[name])
    checked = bulk.premise(
        Place(**given), unit=row.get("unit"), timezone=row.get("premise_timezone")
    )
    return PremiseEntry(ref, checked, row.get("area"), wire)


def _product(row: Row) -> ProductEntry | None:
    code = row.get("product")
    if code is None:
        return None
    wire = _wire(row, "product")
    if "download" not in row and "upload" not in row:
        return ProductEntry(code, wire=wire)
    for name in ("download", "upload"):
        if name not in row:
            raise Refused(name, "is needed beside the other speed")
    price = row.get("monthly_price")
    return ProductEntry(
        rules.text("product", code, 100),
        {
            "name": row.get("product_name", code),
            "description": row.get("product_description"),
            "technology": row.get("technology", "gpon"),
            "download_bps": values.speed("download", row["download"]),
            "upload_bps": values.speed("upload", row["upload"]),
            "monthly_price": None if price is None else values.decimal("monthly_price", price),
            "currency": row.get("currency"),
        },
        wire,
    )


def _service(row: Row, credential: CredentialEntry | None, context: Context) -> ServiceEntry | None:
    ref = _ref(row, "service_ref") or _ref(row, "isp_reference")
    if ref is None:
        if credential is None:
            if "state" in row:
                raise Refused("service_ref", "or username is needed, to know the service again")
            return None
        ref = f"login:{credential.login}"
    state = row.get("state")
    if state is not None and state not in _STATES:
        raise Refused("state", f"{state!r} is none", f"one of {', '.join(sorted(_STATES))}")
    if "wifi_username" in row:
        check_ssid(row["wifi_username"])
    if "wifi_password" in row:
        check_passphrase(row["wifi_password"])
    number = row.get("service_number")
    return ServiceEntry(
        ref,
        number=None if number is None else values.integer("service_number", number),
        state=state,
        reason=_text(row, "state_reason", 200),
        created_at=_moment(row, "service_since", context),
        provisioned_at=_moment(row, "provisioned_at", context),
        cancel_at=_moment(row, "cancel_at", context),
        sales_agent=_text(row, "sales_agent", 200),
        isp_reference=_text(row, "isp_reference", 200),
        wifi_username=row.get("wifi_username"),
        wifi_password=row.get("wifi_password"),
        wire=_wire(row, "service"),
    )


def _credential(row: Row, context: Context) -> CredentialEntry | None:
    name = row.get("username")
    if name is None:
        return None
    username, realm = split_realm(name, row.get("realm"), context.realms)
    kind = row.get("credential_kind", "pppoe")
    if kind not in _KINDS:
        raise Refused("credential_kind", f"{kind!r} is none", f"one of {', '.join(sorted(_KINDS))}")
    given = row.get("password")
    written = hashes.SCHEMES.get(row.get("password_kind", "cleartext").lower())
    if written is None:
        raise Refused("password_kind", f"{row['password_kind']!r} is none")
    if given is not None and "password_kind" in row and written != "cleartext":
        headed = hashes.with_header(given)
        if headed is not None:
            written, given = headed
    static = row.get("static_ip")
    sessions = row.get("max_sessions")
    return CredentialEntry(
        username=username_of(kind, username),
        realm=realm,
        kind=kind,
        secret=None if given is None else hashes.secret(written, given),
        secret_kind=written,
        secretless=kind in ("mac", "circuit_id") and given is None,
        static_ipv4=None if static is None else credentials.static_address(static),
        max_sessions=(
            None
            if sessions is None
            else credentials.max_sessions(values.integer("max_sessions", sessions))
        ),
        expires_at=_moment(row, "expires_at", context),
        station=_text(row, "station", 200),
        circuit_id=_text(row, "circuit_id", 200),
        framed_prefix=row.get("static_ipv6_prefix"),
        delegated_prefix=row.get("static_delegated_prefix"),
    )


def split_realm(name: str, given: str | None, realms: frozenset[str]) -> tuple[str, str | None]:
    """Part a log-in from its realm, as RADIUS does: only a realm that exists is one.

    Args:
        name: as its subscriber types it, or without the realm.
        given: the realm, where it is said apart.
        realms: names of the ISP's realms.

    Raises:
        Refused: the realm that is said apart is none of the ISP's.
    """
    username, at, behind = name.rpartition("@")
    if at and username and behind.lower() in realms:
        if given is not None and given.lower() != behind.lower():
            raise Refused("realm", f"{given} is not that of {name}")
        return username, behind.lower()
    if given is not None and given.lower() not in realms:
        raise Refused(
            "realm", f"{given} is no realm of the ISP", "add it to the network file: [[realm]]"
        )
    return name, None if given is None else given.lower()


def username_of(kind: str, name: str) -> str:
    """Give a username as log-ins of the kind are compared.

    Raises:
        Refused: it cannot be one.
    """
    if not 0 < len(name.encode()) <= _LONGEST_USERNAME or not name.isprintable():
        raise Refused("username", f"has 1 to {_LONGEST_USERNAME} octets, all of them printable")
    return values.mac("username", name) if kind == "mac" else name


def _text(row: Row, column: str, longest: int) -> str | None:
    value = row.get(column)
    return None if value is None else rules.text(column, value, longest)


def _moment(row: Row, column: str, context: Context) -> Any:
    value = row.get(column)
    return None if value is None else values.moment(column, value, context.zone)


__all__ = ["Context", "Row", "entry", "split_realm", "username_of"]
