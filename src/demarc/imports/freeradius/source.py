"""FreeRADIUS's tables as a source of lines: NASes, then users, then accounting."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import msgspec

from demarc.domains.aaa.macs import canonical
from demarc.domains.aaa.model import Vendor
from demarc.domains.aaa.sessions import UNTOLD
from demarc.imports import rows, values
from demarc.imports.entry import Bad, Note, Read, Refused, Source, Where
from demarc.imports.freeradius.items import Group, Item, Membership, User
from demarc.imports.freeradius.login import Wishes
from demarc.imports.freeradius.mapping import Mapper
from demarc.imports.freeradius.tables import ACCOUNTING, NAS, PEOPLE, USERS, TableRow, Tables
from demarc.imports.nases import NasEntry
from demarc.imports.sessions import SessionEntry

PARTS = ("nas", "users", "accounting")

_VENDORS: Mapping[str, Vendor] = {
    "mikrotik": "mikrotik",
    "routeros": "mikrotik",
    "huawei": "huawei",
    "cisco": "cisco",
    "juniper": "juniper",
    "erx": "juniper",
    "alcatel": "nokia",
    "nokia": "nokia",
    "zte": "zte",
    "accel-ppp": "accel-ppp",
    "accel": "accel-ppp",
    "wispr": "wispr",
}
_PLAIN_TYPES = frozenset({"", "other", "generic"})
_PERSON = {
    "firstname": "first_name",
    "lastname": "last_name",
    "email": "email",
    "mobilephone": "mobile_number",
    "address": "street",
    "city": "city",
    "state": "region",
    "zip": "postcode",
}
_MOST_OCTETS = 2**62


class Bring(msgspec.Struct, frozen=True):
    """What of the tables is brought.

    Attributes:
        parts: of ``PARTS``.
        since: sessions that ended before are left out.
    """

    parts: frozenset[str]
    since: datetime


class FreeRadius:
    """FreeRADIUS's tables.

    The users are held in memory while they are put together; accounting is not.

    Args:
        tables: where they are.
        wishes: what users need beside.
        bring: which parts.
    """

    def __init__(self, tables: Tables, wishes: Wishes, bring: Bring) -> None:
        self._tables = tables
        self._wishes = wishes
        self._bring = bring
        self._users: dict[str, User] = {}
        self._groups: dict[str, Group] = {}
        self._people: dict[str, dict[str, str]] = {}
        self._nases: list[TableRow] = []
        self._left_out = 0

    @property
    def where(self) -> Where:
        """How far they have been read this time."""
        return self._tables.where

    def read(self) -> Iterator[Read | NasEntry | SessionEntry]:
        """Give the lines."""
        parts = self._bring.parts
        wanted = {NAS} if parts == {"nas"} else {NAS, *USERS, PEOPLE}
        if parts != {"accounting"}:
            for row in self._tables.rows(wanted):
                if isinstance(row, Bad):
                    yield row
                    continue
                try:
                    self._take(row)
                except Refused as refused:
                    yield Bad(row.source, refused)
        if "nas" in parts:
            yield from self._read_nases()
        if "users" in parts:
            mapper = Mapper(self._groups, self._people, self._wishes)
            for user in self._users.values():
                yield from mapper.entries(user)
            self._users.clear()
        if "accounting" in parts:
            yield from self._read_accounting()

    def _take(self, row: TableRow) -> None:
        held = row.values
        if row.table == NAS:
            self._nases.append(row)
        elif row.table == PEOPLE:
            self._people[held.get("username", "")] = {
                ours: held[theirs].strip()
                for theirs, ours in _PERSON.items()
                if held.get(theirs, "").strip()
            }
        elif row.table in ("radusergroup", "usergroup"):
            priority = held.get("priority", "").strip()
            membership = Membership(
                row.source,
                held.get("groupname", ""),
                int(priority) if priority.lstrip("-").isdigit() else 1,
            )
            self._user(row).groups.append(membership)
        elif row.table in ("radgroupcheck", "radgroupreply"):
            name = held.get("groupname", "")
            group = self._groups.setdefault(name, Group(name))
            (group.check if row.table == "radgroupcheck" else group.reply).append(
                _item(row, group=name)
            )
        else:
            user = self._user(row)
            (user.check if row.table == "radcheck" else user.reply).append(_item(row))

    def _user(self, row: TableRow) -> User:
        name = row.values.get("username", "")
        if not name:
            raise Refused("username", f"of a row of {row.table} is empty")
        user = self._users.get(name)
        if user is None:
            user = self._users[name] = User(name, row.source)
        return user

    # NASes

    def _read_nases(self) -> Iterator[Read | NasEntry]:
        by_mac = any(canonical(name) is not None for name in self._users)
        for row in self._nases:
            held = row.values
            secret = held.get("secret", "")
            if not secret:
                yield Bad(row.source, Refused("secret", "of the NAS is empty"))
                continue
            make = held.get("type", "").strip().lower()
            vendor = _VENDORS.get(make, "generic")
            address = held.get("nasname", "").strip()
            if vendor == "generic" and make not in _PLAIN_TYPES:
                yield Note(
                    row.source,
                    "nas",
                    address,
                    f"the type {make} is no make that is known: it is taken for generic",
                    "set [[nas]] vendor in the network file, so that speeds reach it",
                )
            elif vendor == "generic":
                yield Note(
                    row.source,
                    "nas",
                    address,
                    "the table does not say what make the NAS is of: it is taken for generic",
                    "set [[nas]] vendor in the network file, so that speeds reach it",
                )
            if held.get("server", "").strip():
                yield Note(
                    row.source, "nas", address, "it is for one virtual server alone",
                    "there are none here; leave it out if it does not belong",
                )  # fmt: skip
            yield NasEntry(
                row.source, address, held.get("shortname", "").strip(), secret, vendor, by_mac
            )

    # accounting

    def _read_accounting(self) -> Iterator[Read | SessionEntry]:
        first: Source | None = None
        for row in self._tables.rows({ACCOUNTING}):
            if isinstance(row, Bad):
                yield row
                continue
            try:
                session = _session(row, self._wishes)
            except Refused as refused:
                yield Bad(row.source, refused)
                continue
            if session.updated_at < self._bring.since:
                self._left_out += 1
                first = first or row.source
                continue
            yield session
        if first is not None:
            yield Note(
                first,
                "session",
                f"{self._left_out:,} sessions",
                f"sessions that ended before {self._bring.since:%Y-%m-%d} are left out",
                "--history-since brings older ones; retention may drop them again",
            )


def _item(row: TableRow, group: str | None = None) -> Item:
    held = row.values
    attribute = held.get("attribute", "").strip()
    if not attribute:
        raise Refused("attribute", f"of a row of {row.table} is empty")
    # the stock schema's default
    op = held.get("op", "").strip() or "=="
    return Item(row.source, attribute, op, held.get("value", ""), group)


def _session(row: TableRow, wishes: Wishes) -> SessionEntry:
    held = row.values
    login = held.get("username", "")
    realm = held.get("realm", "").strip() or None
    if realm is not None and realm.lower() not in wishes.realms:
        realm = None
    if not login:
        raise Refused("username", "of the session is empty")
    username, realm = rows.split_realm(login, realm, wishes.realms)
    started = _moment(held, "acctstarttime", wishes)
    stopped = _moment(held, "acctstoptime", wishes)
    updated = _moment(held, "acctupdatetime", wishes)
    seconds = _number(held, "acctsessiontime")
    if started is None:
        if stopped is None:
            raise Refused("acctstarttime", "is missing, and so is its end")
        started = stopped - timedelta(seconds=seconds)
    last = stopped or updated or started + timedelta(seconds=seconds)
    if last < started:
        raise Refused("acctstoptime", "lies before the start")
    if last > datetime.now(UTC) + timedelta(days=1):
        raise Refused("acctstoptime", "lies in the future")
    session_id = held.get("acctsessionid", "")
    nas = _address(held, "nasipaddress")
    if nas is None:
        raise Refused("nasipaddress", "is missing")
    unique = held.get("acctuniqueid", "").strip()
    return SessionEntry(
        source=row.source,
        ref=unique or f"{session_id}|{login}|{nas}|{started.isoformat()}",
        username=username,
        realm=realm,
        login=login,
        nas_address=nas,
        acct_session_id=session_id,
        started_at=started,
        updated_at=last,
        ended=stopped is not None,
        seconds=seconds or int((last - started).total_seconds()),
        input_octets=_number(held, "acctinputoctets"),
        output_octets=_number(held, "acctoutputoctets"),
        terminate_cause=held.get("acctterminatecause", "").strip() or UNTOLD,
        framed_ipv4=_ipv4(held),
        framed_ipv6_prefix=_prefix(held, "framedipv6prefix"),
        delegated_ipv6_prefix=_prefix(held, "delegatedipv6prefix"),
        station=held.get("callingstationid") or None,
        nas_port_id=held.get("nasportid") or None,
    )


def _moment(held: Mapping[str, str], name: str, wishes: Wishes) -> datetime | None:
    text = held.get(name, "").strip()
    if not text or text.startswith("0000-00-00"):
        return None
    return values.moment(name, text, wishes.zone)


def _number(held: Mapping[str, str], name: str) -> int:
    text = held.get(name, "").strip()
    if not text:
        return 0
    if not text.lstrip("-").isdigit():
        raise Refused(name, f"{text!r} is no number")
    # counters that overflowed there are negative
    return min(max(0, int(text)), _MOST_OCTETS)


def _address(held: Mapping[str, str], name: str) -> str | None:
    text = held.get(name, "").strip().partition("/")[0]
    if not text:
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        raise Refused(name, f"{text!r} is no address") from None


def _ipv4(held: Mapping[str, str]) -> str | None:
    found = _address(held, "framedipaddress")
    return None if found is None or ":" in found or found == "0.0.0.0" else found  # noqa: S104


def _prefix(held: Mapping[str, str], name: str) -> str | None:
    text = held.get(name, "").strip()
    if not text:
        return None
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return None


__all__ = ["PARTS", "Bring", "FreeRadius"]
