"""Live sessions of the small house, and a NAS that answers as it is told."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from demarc.domains.aaa.accounting import Kind, Record, Subscriber
from demarc.domains.aaa.authorisation import Terms, terms_now
from demarc.domains.aaa.ledger import Entry, book
from demarc.domains.aaa.logins import AnsweredAttempt, logins_by_id, record_attempts
from demarc.domains.aaa.ports import NasAnswer
from demarc.domains.services.model import Service
from support.house import House

STATION = "AA-01"

ACK = NasAnswer("Disconnect-ACK", True, None, None, 1, 3.0)
CHANGED = NasAnswer("CoA-ACK", True, None, None, 1, 3.0)


def nak(code: str, cause: int, name: str) -> NasAnswer:
    """A refusal as a NAS gives it."""
    return NasAnswer(code, False, cause, name, 1, 2.0)


class Driver:
    """A NAS that answers as it is told, and remembers what it was asked."""

    def __init__(self, ended: Any = ACK, changed: Any = CHANGED) -> None:
        self.ended, self.changed = ended, changed
        self.asked: list[dict[str, Any]] = []

    async def disconnect(self, **asked: Any) -> NasAnswer:
        return self._answer(self.ended, {"what": "disconnect", **asked})

    async def change(self, **asked: Any) -> NasAnswer:
        return self._answer(self.changed, {"what": "change", **asked})

    def _answer(self, answer: Any, asked: dict[str, Any]) -> NasAnswer:
        self.asked.append(asked)
        if isinstance(answer, Exception):
            raise answer
        return msgspec.structs.replace(answer)

    @property
    def whats(self) -> list[str]:
        return [each["what"] for each in self.asked]


async def begin(
    house: House,
    service: Service,
    *,
    at: datetime | None = None,
    session: str = "s1",
    station: str | None = STATION,
    address: str | None = "100.64.0.1",
    noted: bool = True,
) -> None:
    """Have a session begin: its Accept is noted with what it was given, its Start is booked."""
    at = at or datetime.now(UTC)
    async with house.as_isp() as tx:
        credential = (await house.aaa.credentials_of(tx, service.id))[0]
    async with house.db.system() as tx:
        login = (await logins_by_id(tx, [credential.id]))[credential.id]
        given = terms_now(login, at)
        if noted and isinstance(given, Terms):
            await record_attempts(
                tx,
                [
                    AnsweredAttempt(
                        at=at,
                        tenant_id=house.isp.id,
                        owner_id=house.fno.id,
                        credential_id=credential.id,
                        nas_id=house.nas.id,
                        accepted=True,
                        reply="Access-Accept",
                        station=station,
                        terms=given.label,
                    )
                ],
            )
        record = Record(
            kind=Kind.START,
            nas_id=house.nas.id,
            nas_address="127.0.0.1",
            acct_session_id=session,
            username="u0001@acme",
            at=at,
            exact=True,
            framed_ipv4=address,
            station=station,
        )
        await book(
            tx,
            [
                Entry(
                    Subscriber(credential.id, house.isp.id, house.fno.id, service.id, "UTC"),
                    record,
                )
            ],
        )


async def given(house: House) -> list[str]:
    """What sessions were given, as it is noted."""
    async with house.db.system() as tx:
        found = await tx.conn.execute("SELECT terms FROM session_terms ORDER BY terms")
        return [terms for (terms,) in await found.fetchall()]
