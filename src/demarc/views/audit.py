"""Searching the audit log: who changed what, and when."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.errors import Invalid
from demarc.platform.clock import now
from demarc.platform.database import Tx
from demarc.platform.statements import Statement

# Texts are looked for in what was written, entry by entry: within a time, so that it ends.
TEXT_WITHIN = timedelta(days=90)
LARGEST_PAGE = 1000


class Entry(msgspec.Struct, frozen=True):
    """An entry; secrets were masked when it was written."""

    id: int
    at: datetime
    tenant: str | None
    actor: str
    action: str
    kind: str
    key: UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Found(msgspec.Struct, frozen=True):
    """A page of entries, the newest first.

    Attributes:
        following: where the next page begins; None after the last.
    """

    entries: list[Entry]
    following: str | None


# Conditions that are not asked for are null and fall away when the statement is planned for its
# values; the text is compared last.
SEARCH = Statement(
    "views.audit",
    """
    SELECT a.id, a.at, t.slug AS tenant, a.actor_name AS actor, a.action, a.kind, a.key,
           a.before, a.after
    FROM audit a LEFT JOIN tenant t ON t.id = a.tenant_id
    WHERE (%(tenant_id)s::uuid IS NULL OR a.tenant_id = %(tenant_id)s::uuid)
      AND (%(actor)s::text IS NULL OR a.actor_name = %(actor)s::text)
      AND (%(kind)s::text IS NULL OR a.kind = %(kind)s::text)
      AND (%(action)s::text IS NULL OR a.action = %(action)s::text)
      AND (%(key)s::uuid IS NULL OR a.key = %(key)s::uuid)
      AND a.at >= %(since)s::timestamptz AND a.at <= %(until)s::timestamptz
      AND (a.at, a.id) < (%(last_at)s::timestamptz, %(last_id)s::bigint)
      AND (%(text)s::text IS NULL OR concat_ws(' ', a.actor_name, a.before, a.after)
           ILIKE %(text)s::text)
    ORDER BY a.at DESC, a.id DESC LIMIT %(limit)s::integer
    """,
    Entry,
)

_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_LAST_ID = 2**63 - 1


async def search(
    tx: Tx,
    *,
    tenant_id: UUID | None = None,
    actor: str | None = None,
    kind: str | None = None,
    action: str | None = None,
    key: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str | None = None,
    limit: int = 50,
    following: str | None = None,
) -> Found:
    """Give the newest entries that fit everything asked for.

    Args:
        tx: a tenant's sees its own log; the system's sees all.
        tenant_id: whose log.
        actor: as the log names them: ``person:ana@example.net``, ``client:crm``, ``cli:root``.
        kind: of thing that was changed: ``service``, ``nas`` ...
        action: ``create``, ``update``, ``suspend`` ...
        key: of the thing.
        since: not older; 90 days back where a text is looked for and nothing else is said.
        until: not newer.
        text: contained in the actor's name or in what was written, whatever its case.
        limit: entries at most.
        following: of the page before.

    Raises:
        Invalid: ``following`` is none that was given.
    """
    last_at, last_id = _place(following) if following else (until or now(), _LAST_ID)
    if since is None:
        since = (until or now()) - TEXT_WITHIN if text else _BEGINNING
    size = min(limit, LARGEST_PAGE)
    found = await SEARCH.all(
        tx,
        tenant_id=tenant_id,
        actor=actor,
        kind=kind,
        action=action,
        key=key,
        since=since,
        until=until or now(),
        last_at=last_at,
        last_id=last_id,
        text=None if text is None else f"%{_literal(text)}%",
        limit=size + 1,
    )
    more = found[:size]
    return Found(more, _named(more[-1]) if len(found) > size else None)


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _named(entry: Entry) -> str:
    return base64.urlsafe_b64encode(f"{entry.at.isoformat()}/{entry.id}".encode()).decode()


def _place(following: str) -> tuple[datetime, int]:
    try:
        at, _, number = base64.urlsafe_b64decode(following).decode().partition("/")
        return datetime.fromisoformat(at).astimezone(UTC), int(number)
    except (ValueError, binascii.Error):
        raise Invalid("following", "is none that a page before gave") from None


__all__ = ["LARGEST_PAGE", "TEXT_WITHIN", "Entry", "Found", "search"]
