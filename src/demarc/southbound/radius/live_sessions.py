"""The sessions that live in the database, taken over into memory: at the start, and from others."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from sys import intern
from uuid import UUID

from demarc.domains.aaa import ledger, nodes
from demarc.domains.aaa.prefixes import pack
from demarc.domains.aaa.session_queries import LiveUse
from demarc.domains.aaa.stations import Heard, SessionKey, Stations, Use
from demarc.platform.clock import Clock, Monotonic
from demarc.platform.database import Database

_PORTION = 2000

_Key = tuple[UUID, SessionKey, str | None]


class LiveSessions:
    """Reads sessions for the index of stations.

    Args:
        db: where they are.
        stations: the index.
        clock: the time.
        monotonic: seconds that never run backwards.
    """

    def __init__(
        self, db: Database, stations: Stations, clock: Clock, monotonic: Monotonic
    ) -> None:
        self._db = db
        self._stations = stations
        self._clock = clock
        self._monotonic = monotonic
        # ids that many sessions share are kept once
        self._shared: dict[UUID, UUID] = {}
        self._slices: list[list[UUID]] | None = None

    async def load(self) -> None:
        """Take over all of them: their addresses are in use."""
        async with self._db.system() as tx:
            uses = await ledger.live_uses(tx)
        for place, use in enumerate(uses):
            if place % _PORTION == _PORTION - 1:
                await asyncio.sleep(0)
            self._take(use)

    async def refresh(self, credentials: list[UUID]) -> None:
        """Read the sessions of credentials again: those that began elsewhere, or ended there."""
        known = self._known(credentials)
        async with self._db.system() as tx:
            await self._compare(known, nodes.sessions_of(tx, credentials))

    async def refresh_slice(self, slice_: int) -> None:
        """Read a 256th of all again, for what was told to nobody: interims, above all."""
        if self._slices is None or not slice_:
            self._slices = await self._sliced()
        known = self._known(self._slices[slice_])
        async with self._db.system() as tx:
            await self._compare(known, nodes.sessions_in(tx, slice_))

    async def _sliced(self) -> list[list[UUID]]:
        """Sort the credentials with sessions by their slices; those that come later are told of."""
        slices: list[list[UUID]] = [[] for _ in range(nodes.SLICES)]
        for place, credential_id in enumerate(self._stations.credentials()):
            if place % _PORTION == _PORTION - 1:
                await asyncio.sleep(0)
            slices[nodes.slice_of(credential_id)].append(credential_id)
        return slices

    def _known(self, credentials: Iterable[UUID]) -> dict[_Key, Use]:
        """Give the sessions in memory, which are in the database, too, unless they ended."""
        return {
            (use.credential_id, use.session, use.station): use
            for use in self._stations.sessions(credentials)
            if use.session is not None
        }

    async def _compare(self, known: dict[_Key, Use], pieces: AsyncGenerator[list[LiveUse]]) -> None:
        async for piece in pieces:
            for use in piece:
                known.pop((use.credential_id, self._session(use), use.calling_station_id), None)
                self._take(use)
            await asyncio.sleep(0)
        for (credential_id, session, station), mine in known.items():
            gone = Heard(
                network_id=mine.network_id,
                credential_id=credential_id,
                session=session,
                station=station,
                address=None,
                at=self._clock(),
                over=True,
            )
            self._stations.note(gone, self._monotonic(), 0.0)

    def _take(self, use: LiveUse) -> None:
        now = self._monotonic()
        session = self._session(use)
        # a NAS whose secret cannot be read has sessions all the same
        lasts = ledger.stale_after(use.interim_interval)
        left = lasts - (self._clock() - use.updated_at).total_seconds()
        if left <= 0:
            return
        for known in self._stations.sessions((use.credential_id,)):
            # by the NAS's clock it may seem to be older than it was when it was heard of here
            if known.session == session and known.session_until >= now + left:
                return
        heard = Heard(
            network_id=self._once(use.network_id),
            credential_id=use.credential_id,
            session=session,
            station=use.calling_station_id,
            address=use.framed_ipv4,
            at=use.updated_at,
            over=False,
            prefixes=pack(use.framed_ipv6_prefix, use.delegated_ipv6_prefix),
        )
        self._stations.note(heard, now, left)

    def _session(self, use: LiveUse) -> SessionKey:
        return self._once(use.nas_id), intern(use.nas_address), use.acct_session_id

    def _once(self, key: UUID) -> UUID:
        return self._shared.setdefault(key, key)


__all__ = ["LiveSessions"]
