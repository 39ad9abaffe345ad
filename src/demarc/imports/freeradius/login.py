"""The log-in that the items of a user come to, and what of them has no place."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from demarc.domains.aaa import attributes
from demarc.domains.aaa import bulk as credentials
from demarc.domains.aaa.macs import canonical
from demarc.domains.aaa.profiles import Settings
from demarc.domains.aaa.profiles import check as check_settings
from demarc.domains.errors import Invalid
from demarc.imports import rows, values
from demarc.imports.entry import CredentialEntry, Note, Refused, Source
from demarc.imports.freeradius import rates, secrets
from demarc.imports.freeradius.items import DISABLED, Effective, Item, User, rejects
from demarc.imports.freeradius.login_time import hours_of

_ANY_ADDRESS = frozenset({"255.255.255.254", "255.255.255.255", "0.0.0.0"})  # noqa: S104
_DATES = ("%d %b %Y", "%b %d %Y", "%d %B %Y", "%B %d %Y")
_CLOCKS = ("", " %H:%M:%S", " %H:%M")

# what the server gives by itself, or what has no meaning beside it
_NEEDLESS = frozenset(
    {
        *("framed-protocol", "service-type", "framed-compression", "framed-routing"),
        *("framed-ip-netmask", "port-limit", "login-service", "fall-through"),
    }
)
_HINTS: Mapping[str, str] = {
    "pool-name": "make a pool: [[pool]] in the network file",
    "framed-pool": "name the NASes' pool: [[pool]] nas_pool in the network file",
    "framed-ipv6-pool": "name the NASes' pool: [[pool]] nas_pool in the network file",
    "delegated-ipv6-prefix-pool": "name the NASes' pool: [[pool]] nas_pool in the network file",
    "acct-interim-interval": "it is told by NAS: [[nas]] interim_interval in the network file",
    "max-daily-session": "sessions are not limited by time; see quotas in docs/radius.md",
    "max-monthly-session": "sessions are not limited by time; see quotas in docs/radius.md",
    "max-all-session": "sessions are not limited by time; see quotas in docs/radius.md",
    "mikrotik-total-limit": "make it a quota of the RADIUS profile",
    "mikrotik-recv-limit": "make it a quota of the RADIUS profile",
    "mikrotik-xmit-limit": "make it a quota of the RADIUS profile",
    "reply-message": "replies say why a log-in is refused, and nothing else",
    "framed-route": "routes to subscribers are not given; give a prefix of its own",
    "nas-ip-address": "a log-in is good at every NAS of its network",
    "nas-identifier": "a log-in is good at every NAS of its network",
    "nas-port-type": "log-ins are not told apart by the kind of port",
    "huntgroup-name": "a log-in is good at every NAS of its network",
    "called-station-id": "log-ins are not bound to what they call",
}
_ELSEWHERE = frozenset(
    {
        *("auth-type", "simultaneous-use", "calling-station-id", "expiration", "login-time"),
        *("framed-ip-address", "framed-ipv6-prefix", "delegated-ipv6-prefix", "session-timeout"),
        *("idle-timeout", "nas-port-id", "agent-circuit-id", "adsl-agent-circuit-id", "filter-id"),
    }
)

_NO_ATTRIBUTES = frozenset({*_NEEDLESS, *_HINTS, *_ELSEWHERE})


class Wishes(msgspec.Struct, frozen=True):
    """What is said of users that the tables say nothing of.

    Attributes:
        zone: of times without an offset.
        realms: names of the ISP's realms.
        address: the address of premises nobody has told yet.
        download_bps: of users without a speed; None refuses them.
        upload_bps: likewise.
        prefix: before the codes of products that are made.
    """

    zone: ZoneInfo
    realms: frozenset[str]
    address: str = "Address not known yet"
    download_bps: int | None = None
    upload_bps: int | None = None
    prefix: str = ""


class Login:
    """What the items of a user come to."""

    def __init__(self, user: User, held: Effective, wishes: Wishes, notes: list[Note]) -> None:
        self._user = user
        self._check = held.check
        self._reply = held.reply
        self._wishes = wishes
        self._notes = notes
        self._taken: set[int] = set()
        self.suspended = self._suspended(held)

    def note(self, source: Source, reason: str, hint: str = "") -> None:
        """Note what has no place."""
        self._notes.append(Note(source, "user", self._user.name, reason, hint))

    def _suspended(self, held: Effective) -> str:
        """Give why the user may not log in; empty if it may."""
        for item in self._check:
            if rejects(item):
                return "rejected in FreeRADIUS" if item.group is None else f"group {item.group}"
        for group in held.groups:
            if DISABLED.fullmatch(group):
                return f"group {group}"
        return ""

    def credential(self) -> CredentialEntry:
        """Give the log-in.

        Raises:
            Refused: it can be none.
        """
        secret = secrets.secret_of(self._check)
        for item in secret.others if secret is not None else ():
            if item.name != "lm-password":
                self.note(
                    item.source, f"{item.attribute} stands beside a password that allows more"
                )
        username, realm = rows.split_realm(self._user.name, None, self._wishes.realms)
        if "@" in username and realm is None:
            self.note(
                self._user.source,
                f"the realm {username.rpartition('@')[2]} is none of the ISP's, and stays a part"
                " of the name",
                "add [[realm]] to the network file before the import, if it is one",
            )
        mac = canonical(username)
        accepts = any(
            item.name == "auth-type" and item.value.strip().lower() == "accept"
            for item in self._check
        )
        itself = (
            secret is not None
            and secret.kind == "cleartext"
            and canonical(secret.octets.decode()) == mac
        )
        by_mac = mac is not None and (itself or accepts)
        if secret is None and not by_mac and not self.suspended:
            raise Refused(
                None,
                "lets anybody in without a password"
                if accepts
                else "has no password that is known",
                "give this log-in a Cleartext-Password, or leave it out",
            )
        return CredentialEntry(
            username=rows.username_of("mac" if by_mac else "pppoe", username),
            realm=realm,
            kind="mac" if by_mac else "pppoe",
            secret=None if by_mac or secret is None else secret.octets,
            secret_kind="cleartext" if by_mac or secret is None else secret.kind,
            secretless=by_mac,
            static_ipv4=self._address(),
            max_sessions=self._sessions(),
            expires_at=self._expiration(),
            station=self._bound("calling-station-id"),
            circuit_id=self._bound("nas-port-id", "agent-circuit-id", "adsl-agent-circuit-id"),
            framed_prefix=self._reply_value("framed-ipv6-prefix"),
            delegated_prefix=self._reply_value("delegated-ipv6-prefix"),
        )

    def _address(self) -> str | None:
        found = [item for item in self._reply if item.name == "framed-ip-address"]
        fixed = [item for item in found if item.value.strip() not in _ANY_ADDRESS]
        if not fixed:
            return None
        for item in fixed[1:]:
            self.note(item.source, "a second Framed-IP-Address", "a log-in has one of its own")
        return credentials.static_address(fixed[0].value)

    def _sessions(self) -> int | None:
        item = self._setting("simultaneous-use")
        if item is None:
            return None
        count = values.integer(item.attribute, item.value.strip())
        if count == 0:
            self.suspended = self.suspended or "Simultaneous-Use of 0"
            return 1
        return credentials.max_sessions(count)

    def _expiration(self) -> datetime | None:
        item = self._setting("expiration")
        return None if item is None else _time(item, self._wishes.zone)

    def _setting(self, name: str) -> Item | None:
        """Give the last check item that sets this; a user's own comes before a group's."""
        found = [item for item in self._check if item.name == name]
        for item in found:
            if item.op not in (":=", "=", "==", "+="):
                raise Refused(item.attribute, f"has the operator {item.op}, which sets nothing")
        own = [item for item in found if item.group is None]
        return (own or found)[-1] if found else None

    def _bound(self, *names: str) -> str | None:
        found = [item for item in self._check if item.name in names]
        equal = [item for item in found if item.op in ("==", ":=", "=")]
        for item in found:
            if item not in equal or item is not equal[0]:
                self.note(
                    item.source,
                    f"{item.attribute} {item.op} cannot be asked for"
                    if item not in equal
                    else f"a second {item.attribute}",
                    "a log-in is bound to one station and one line, by equality",
                )
        return equal[0].value.strip() or None if equal else None

    def _reply_value(self, name: str) -> str | None:
        for item in self._reply:
            if item.name == name:
                return item.value.strip()
        return None

    def speeds(self) -> tuple[int, int]:
        """Give the speeds, download and upload.

        Raises:
            Refused: there is none, and none is wished for those without.
        """
        download = upload = None
        for place, item in enumerate(self._reply):
            rate = rates.rate(item.attribute, item.value)
            if rate is None:
                continue
            self._taken.add(place)
            download = download or rate.download_bps
            upload = upload or rate.upload_bps
            if rate.remark:
                self.note(item.source, rate.remark, "speeds alone are taken over")
        if download is None and upload is None:
            download, upload = self._wishes.download_bps, self._wishes.upload_bps
            if download is None:
                raise Refused(
                    None,
                    "has no speed, in its own replies or in those of its groups",
                    "--default-speed 100M/50M gives one to all that have none",
                )
        # where one way alone is limited
        return download or upload or 0, upload or download or 0

    def settings(self) -> Settings:
        """Give what the profile of its product is to say."""
        said: dict[str, Any] = {}
        lines: list[str] = []
        for place, item in enumerate(self._reply):
            if place in self._taken:
                continue
            if item.name in ("session-timeout", "idle-timeout"):
                field = item.name.replace("-", "_")
                said[field] = values.integer(item.attribute, item.value.strip())
            elif item.name == "filter-id":
                said["filter"] = item.value
            elif (line := _line(item)) is not None:
                lines.append(line)
            else:
                continue
            self._taken.add(place)
        if hours := self._hours():
            said["hours"] = hours
        if lines:
            said["attributes"] = tuple(lines)
        try:
            return check_settings(Settings(**said)) if said else Settings()
        except Invalid as wrong:
            self.note(self._user.source, f"{wrong}", "set it in a RADIUS profile by hand")
            return Settings()

    def _hours(self) -> tuple[str, ...]:
        item = self._setting("login-time")
        if item is None:
            return ()
        found = hours_of(item.value)
        if found is None:
            self.note(item.source, "a Login-Time that cannot be read", "set hours in a profile")
        return found or ()

    def rest(self) -> None:
        """Note what has no place."""
        for place, item in enumerate(self._reply):
            if place in self._taken or item.name in _ELSEWHERE or item.name in rates.NAMES:
                continue
            if item.name in _NEEDLESS:
                self.note(item.source, f"{item.attribute} is not needed", "the server gives it")
            else:
                self._unknown(item, "reply")
        for item in self._check:
            if item.name in secrets.NAMES or item.name in _ELSEWHERE or item.name in _NEEDLESS:
                continue
            self._unknown(item, "check")

    def _unknown(self, item: Item, table: str) -> None:
        hint = _HINTS.get(item.name, "")
        whose = "" if item.group is None else f" of the group {item.group}"
        self.note(item.source, f"the {table} item {item.attribute}{whose} has no place here", hint)


def _time(item: Item, zone: ZoneInfo) -> datetime:
    """Take an Expiration: "12 Sep 2026", "September 12 2026 12:00:00", ISO 8601 or a number."""
    text = " ".join(item.value.replace(",", " ").split())
    if text.isascii() and text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    for day in _DATES:
        for clock in _CLOCKS:
            try:
                return datetime.strptime(text, day + clock).replace(tzinfo=zone).astimezone(UTC)
            except ValueError:
                continue
    return values.moment(item.attribute, text, zone)


def _line(item: Item) -> str | None:
    """Give a reply item as profiles write further attributes; None if it is none for them."""
    if item.name in _NO_ATTRIBUTES:
        return None
    line = f"{item.attribute} = {item.value}"
    try:
        attributes.read_line(line)
    except Invalid:
        return None
    return line


__all__ = ["Login", "Wishes"]
