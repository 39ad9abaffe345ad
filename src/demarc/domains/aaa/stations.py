"""Which stations are logged in with a credential now, and which address a further one gets.

A station is told by its Calling-Station-Id. Between the Accept and the first accounting packet
it holds a grant; from then on its session counts, until it ends or nobody tells of it any more.
No address is given to two stations; a station that comes back gets the one it had.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from demarc.domains.aaa.logins import Login
from demarc.domains.aaa.model import Lease
from demarc.domains.aaa.prefixes import share_any

GRANT_SECONDS = 60.0
"""How long a station that was accepted may take until its first accounting packet."""

SessionKey = tuple[UUID, str, str]
"""NAS, its address, Acct-Session-Id."""


class Granted(msgspec.Struct, frozen=True, gc=False):
    """The station may log in.

    Attributes:
        address: for it alone; None where the NAS gives addresses of its own.
        prefixes: IPv6, likewise, as ``prefixes.pack`` puts them.
    """

    address: str | None
    prefixes: bytes | None = None


class Refused(msgspec.Struct, frozen=True):
    """The station may not log in now, and why."""

    reason: str


class WantsAddress(msgspec.Struct, frozen=True):
    """The station may log in once the credential has one more address."""


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What accounting says of a session.

    Attributes:
        network_id: of the credential: addresses are its network's.
        at: the newest event of the session.
        over: whether it has ended.
        prefixes: the IPv6 prefixes it has, as ``prefixes.pack`` puts them.
        lasted: seconds from its beginning to ``at``; None where that is not told.
    """

    network_id: UUID
    credential_id: UUID
    session: SessionKey
    station: str | None
    address: str | None
    at: datetime
    over: bool
    prefixes: bytes | None = None
    lasted: float | None = None


class Use(msgspec.Struct, eq=False, gc=False):
    """A station logged in with a credential.

    Attributes:
        station: None for one that gave no Calling-Station-Id.
        granted_until: it was accepted and is to begin a session by then.
        session: what accounting tells of it; None before it has told anything.
        heard_at: the newest event of that session.
        session_until: the session counts as gone then, unless something is heard of it.
        prefixes: what it was granted; of a session that was not granted here, what it has.
        ended: its session before this one, whose Stop may be told again.
    """

    credential_id: UUID
    network_id: UUID
    station: str | None
    address: str | None
    granted_until: float = 0.0
    session: SessionKey | None = None
    heard_at: datetime | None = None
    session_until: float = 0.0
    prefixes: bytes | None = None
    ended: SessionKey | None = None

    def active(self, now: float) -> bool:
        """Tell whether the station still counts."""
        return self.granted_until > now or self.session_until > now


class Stations:
    """The stations of all credentials, in the memory of one RADIUS process."""

    def __init__(self) -> None:
        self._by_credential: dict[UUID, list[Use]] = {}
        self._by_address: dict[UUID, dict[str, Use]] = {}

    def decide(
        self, login: Login, station: str | None, now: float
    ) -> Granted | Refused | WantsAddress:
        """Tell whether a station may log in, and with which address.

        Args:
            login: the credential it logs in with.
            station: its Calling-Station-Id.
            now: monotonic seconds.
        """
        uses = self._active(login.id, now)
        mine = _of_station(uses, station)
        others = [use for use in uses if use is not mine]
        if len(others) >= login.max_sessions:
            return Refused("too many sessions")
        if not login.leases:
            return Granted(None)
        if not others and len(login.leases) == 1:
            # nearly all there is: one line, one address
            only = login.leases[0]
            if only.address is None or self._is_free(login, only.address, now):
                return Granted(only.address, only.prefixes)
        static = login.static
        leases = login.leases if static is None else [static]
        free = [
            lease
            for lease in leases
            if not any(_has(use, lease) for use in others)
            and (lease.address is None or self._is_free(login, lease.address, now))
        ]
        if not free:
            if static is None:
                return WantsAddress()
            return Refused("the static address is in use by another station")
        if mine is not None:
            for lease in free:
                if _has(mine, lease):
                    return Granted(lease.address, lease.prefixes)
        best = min(free, key=lambda lease: _strangeness(lease, station))
        return Granted(best.address, best.prefixes)

    def grant(
        self,
        login: Login,
        station: str | None,
        address: str | None,
        now: float,
        prefixes: bytes | None = None,
    ) -> None:
        """Note that a station was accepted and begins a session soon."""
        use = _of_station(self._active(login.id, now), station)
        if use is None:
            use = self._add(Use(login.id, login.network_id, _known(login, station), address))
        use.granted_until = now + GRANT_SECONDS
        use.prefixes = prefixes
        self._give(use, address)

    def note(self, heard: Heard, now: float, lasts: float) -> None:
        """Take over what accounting said of a session.

        Args:
            heard: the session as it is now.
            now: monotonic seconds.
            lasts: seconds of silence after which it counts as gone.
        """
        uses = self._by_credential.get(heard.credential_id, [])
        if heard.over:
            for use in uses:
                if use.session == heard.session and use.station == heard.station:
                    use.ended = heard.session
                    self._end(use, now)
                    return
            for use in uses:
                if _failed_at_once(use, heard, now):
                    self._drop(use)
                    return
            return
        found = _of_session(uses, heard)
        if found is None:
            found = self._add(
                Use(heard.credential_id, heard.network_id, heard.station, heard.address)
            )
        if found.session != heard.session:
            # the session that was granted has begun
            found.session, found.granted_until = heard.session, 0.0
        found.station = found.station or heard.station
        found.heard_at = heard.at
        found.session_until = now + lasts
        if found.prefixes is None:
            found.prefixes = heard.prefixes
        self._give(found, heard.address or found.address)

    def forget_nas(
        self, credentials: list[UUID], nas_id: UUID, nas_address: str, at: datetime, now: float
    ) -> None:
        """Drop the sessions of a NAS that restarted, but those heard of since.

        Args:
            credentials: among these, so that many are done in portions.
            nas_id: the NAS.
            nas_address: which one of its prefix.
            at: when it restarted.
            now: monotonic seconds.
        """
        for credential_id in credentials:
            for use in list(self._by_credential.get(credential_id, ())):
                if (
                    use.session is not None
                    and use.session[:2] == (nas_id, nas_address)
                    and use.heard_at is not None
                    and use.heard_at <= at
                ):
                    self._end(use, now)

    def sweep(self, credentials: list[UUID], now: float) -> None:
        """Drop what counts as gone among these credentials, to give memory back."""
        for credential_id in credentials:
            self._active(credential_id, now)

    def sessions(self, credentials: Iterable[UUID]) -> list[Use]:
        """Give the stations of these credentials that have a session."""
        return [
            use
            for credential_id in credentials
            for use in self._by_credential.get(credential_id, ())
            if use.session is not None
        ]

    def __len__(self) -> int:
        """How many credentials have stations."""
        return len(self._by_credential)

    def credentials(self) -> list[UUID]:
        """Give the credentials that have stations."""
        return list(self._by_credential)

    def _active(self, credential_id: UUID, now: float) -> list[Use]:
        uses = self._by_credential.get(credential_id)
        if not uses:
            return []
        for use in [use for use in uses if not use.active(now)]:
            self._drop(use)
        return list(uses)

    def _is_free(self, login: Login, address: str, now: float) -> bool:
        """Tell whether no other credential's session has an address still."""
        holder = self._by_address.get(login.network_id, {}).get(address)
        return holder is None or holder.credential_id == login.id or not holder.active(now)

    def _add(self, use: Use) -> Use:
        uses = self._by_credential.get(use.credential_id)
        if uses is None:
            # grown by appending it would have room for four
            self._by_credential[use.credential_id] = [use]
        else:
            uses.append(use)
        return use

    def _give(self, use: Use, address: str | None) -> None:
        if use.address != address:
            self._vacate(use)
            use.address = address
        if address is not None:
            self._by_address.setdefault(use.network_id, {})[address] = use

    def _end(self, use: Use, now: float) -> None:
        """End a use's session; it stays if the station was accepted anew meanwhile."""
        use.session, use.session_until = None, 0.0
        if not use.active(now):
            self._drop(use)

    def _drop(self, use: Use) -> None:
        self._vacate(use)
        uses = self._by_credential[use.credential_id]
        uses.remove(use)
        if not uses:
            del self._by_credential[use.credential_id]

    def _vacate(self, use: Use) -> None:
        if use.address is not None:
            addresses = self._by_address.get(use.network_id, {})
            if addresses.get(use.address) is use:
                del addresses[use.address]


def _of_station(uses: list[Use], station: str | None) -> Use | None:
    """Find the use of a station that logs in (again).

    Of those that do not say who they are, one that was accepted but has not begun its session
    is taken for the same that tries again; one with a session is another.
    """
    for use in uses:
        if use.station == station and (station is not None or use.session is None):
            return use
    return None


def _of_session(uses: list[Use], heard: Heard) -> Use | None:
    """Find the use a session belongs to: by itself, its station, its address, its grant."""
    for use in uses:
        if use.session == heard.session and use.station in {heard.station, None}:
            return use
    for use in uses:
        if heard.station is not None and use.station == heard.station:
            return use
    waiting = [use for use in uses if use.session is None and use.station in {heard.station, None}]
    for use in waiting:
        if heard.address is not None and use.address == heard.address:
            return use
    return waiting[0] if waiting and heard.address is None else None


def _failed_at_once(use: Use, heard: Heard, now: float) -> bool:
    """Tell whether a session ended of which nothing else was heard is what a grant came to.

    Some NASes tell of a log-in that failed after its Accept by a Stop alone. A Stop of an older
    session of the station, told late or again, is not meant: that one began before the grant.
    """
    return (
        use.session is None
        and use.granted_until > now
        and use.ended != heard.session
        and use.station == heard.station
        and heard.address in {use.address, None}
        and heard.lasted is not None
        and heard.lasted <= now - (use.granted_until - GRANT_SECONDS)
    )


def _has(use: Use, lease: Lease) -> bool:
    """Tell whether a station has a lease, or a part of it."""
    if lease.address is not None and use.address == lease.address:
        return True
    return share_any(use.prefixes, lease.prefixes)


def _known(login: Login, station: str | None) -> str | None:
    """Give a station as a lease of its log-in names it, so that the text is kept once."""
    for lease in login.leases:
        if lease.station == station:
            return lease.station
    return station


def _strangeness(lease: Lease, station: str | None) -> int:
    """Order addresses: a station's own of last time, one nobody had, another's."""
    if lease.station is None:
        return 1
    return 0 if lease.station == station else 2


__all__ = [
    "GRANT_SECONDS",
    "Granted",
    "Heard",
    "Refused",
    "SessionKey",
    "Stations",
    "Use",
    "WantsAddress",
]
