"""The lab's NAS, watched: what it told of each session, and what of it was acknowledged."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from demarc.lab.nas import Nas, Retry, Session
from demarc.lab.nas.client import Client
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import HEADER_SIZE, Packet, decode
from support.eventually import eventually
from support.house import NAS_SECRET
from support.running import Line, Running

RETRY = Retry(first=0.3, factor=1.5, longest=1.0, tries=20, repeats=2)


class Told(msgspec.Struct, frozen=True, order=True):
    """Counters of a session in one packet, octets."""

    up: int
    down: int


NOTHING = Told(0, 0)


class Witness(Client):
    """The accounting side of a NAS.

    Attributes:
        told: by Acct-Session-Id, the highest counters that were ever sent.
        acknowledged: likewise, the highest that were acknowledged.
        acknowledgements: how many packets were acknowledged.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.told: dict[str, Told] = {}
        self.acknowledged: dict[str, Told] = {}
        self.acknowledgements = 0

    async def deliver(self, code: int, attributes: Callable[[], bytes]) -> Packet:
        session, counters = _read(attributes())
        if session is not None:
            self.told[session] = max(self.told.get(session, NOTHING), counters)
        answer = await super().deliver(code, attributes)
        self.acknowledgements += 1
        if session is not None:
            known = self.acknowledged.get(session, NOTHING)
            self.acknowledged[session] = max(known, counters)
        return answer


class Crowd:
    """Subscribers on one NAS who use their lines.

    Attributes:
        nas: theirs.
        witness: the NAS's accounting.
        sessions: by service.
    """

    def __init__(self, running: Running, interim: float = 0.1, name: str = "bng") -> None:
        self._running = running
        secret = NAS_SECRET.encode()
        self.nas = Nas(
            name, secret, running.auth, running.acct, interim_seconds=interim, retry=RETRY
        )
        self.witness = Witness(running.acct, secret, retry=RETRY)
        self.nas.accounting = self.witness
        self.sessions: dict[str, Session] = {}

    async def log_in(self, lines: Iterable[Line]) -> None:
        """Let everybody log in, and wait until each was accounted for."""
        for line in lines:
            session = await self.nas.connect(line.username, line.password)
            assert isinstance(session, Session), f"{line.username}: {session}"
            self.sessions[line.service_id] = session
        await self.acknowledged(3)

    async def acknowledged(self, more: int, sessions: Iterable[Session] | None = None) -> None:
        """Wait until each session had so many more packets acknowledged."""
        wanted = {each: each.acknowledged + more for each in sessions or self.sessions.values()}

        async def behind() -> list[str]:
            return [each.id for each, number in wanted.items() if each.acknowledged < number]

        await eventually(behind, lambda found: not found, within=30)

    async def unanswered(self, sessions: Iterable[Session]) -> None:
        """Wait until each of the sessions waits for an acknowledgement."""

        async def answered() -> list[str]:
            told, known = self.witness.told, self.witness.acknowledged
            return [each.id for each in sessions if told.get(each.id) == known.get(each.id)]

        await eventually(answered, lambda found: not found)

    def fall_silent(self, sessions: Iterable[Session]) -> None:
        """Nothing more is told of the sessions, not again either."""
        for session in sessions:
            session.abandon()

    async def hang_up(self, sessions: Iterable[Session]) -> None:
        """End sessions, and wait until all of each was acknowledged."""
        for session in sessions:
            await session.disconnect()


class Book(msgspec.Struct, frozen=True):
    """What Demarc has written down, at one moment.

    Attributes:
        sessions: of each Acct-Session-Id, the counters of its rows, live or closed.
        live: how many live.
        used: by service, the sums of its days.
        booked: by service, the sums of its sessions.
    """

    sessions: dict[str, list[Told]]
    live: int
    used: dict[str, Told]
    booked: dict[str, Told]


_SESSIONS = """
    SELECT acct_session_id, service_id::text, input_octets, output_octets, true FROM session_live
    UNION ALL
    SELECT acct_session_id, service_id::text, input_octets, output_octets, false
    FROM session_closed
"""
_USAGE = """
    SELECT service_id::text, sum(up_octets)::bigint, sum(down_octets)::bigint FROM usage_daily
    GROUP BY service_id
"""


async def book(conninfo: str) -> Book:
    """Read the books."""
    sessions: dict[str, list[Told]] = {}
    booked: dict[str, Told] = {}
    live = 0
    async with await psycopg.AsyncConnection.connect(conninfo) as conn:
        await conn.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        rows = await (await conn.execute(_SESSIONS)).fetchall()
        days = await (await conn.execute(_USAGE)).fetchall()
    for session, service, up, down, lives in rows:
        sessions.setdefault(session, []).append(Told(up, down))
        before = booked.get(service, NOTHING)
        booked[service] = Told(before.up + up, before.down + down)
        live += lives
    used = {service: Told(up, down) for service, up, down in days}
    return Book(sessions, live, used, {name: told for name, told in booked.items() if told.down})


def spool(running: Running) -> Path:
    """Give the file where accounting is kept while the database is away."""
    return running.data / "spool" / "accounting"


async def all_booked(running: Running) -> None:
    """Wait until nothing is left in the spool, on disk and in the books.

    What is in it has been acknowledged, and is in the books a moment later.
    """
    await eventually(lambda: not spool(running).exists(), within=60)
    left = "SELECT count(*) FROM accounting_spool"
    await eventually(lambda: running.value(left), lambda number: number == 0)


async def check_book(conninfo: str, witness: Witness, whole: Iterable[Session] = ()) -> Book:
    """Hold what is written against what the NAS knows.

    Every session is there once, with at least what was acknowledged and at most what was told;
    those whose last word was acknowledged, ``whole``, with exactly that. And the days of a
    service add up to its sessions.
    """
    # the NAS may go on talking while the books are read
    known = dict(witness.acknowledged)
    written = await book(conninfo)
    for session, acknowledged in known.items():
        rows = written.sessions.get(session, [])
        assert len(rows) == 1, f"session {session} is there {len(rows)} times"
        told = witness.told[session]
        for side in ("up", "down"):
            least, counted, most = (getattr(each, side) for each in (acknowledged, rows[0], told))
            assert least <= counted, f"session {session} lost {least - counted} octets {side}"
            assert counted <= most, f"session {session} has {counted - most} too many {side}"
    for each in whole:
        counters = Told(each.counters.up_octets, each.counters.down_octets)
        assert written.sessions[each.id] == [counters], each.id
    assert written.used == written.booked
    return written


def _read(attributes: bytes) -> tuple[str | None, Told]:
    size = HEADER_SIZE + len(attributes)
    packet = decode(b"\x04\x00" + size.to_bytes(2, "big") + bytes(16) + attributes)
    return packet.text(DICTIONARY["Acct-Session-Id"]), Told(
        _octets(packet, "Input"), _octets(packet, "Output")
    )


def _octets(packet: Packet, side: str) -> int:
    low = packet.number(DICTIONARY[f"Acct-{side}-Octets"]) or 0
    high = packet.number(DICTIONARY[f"Acct-{side}-Gigawords"]) or 0
    return low + (high << 32)
