"""Applying a network file: all of it in one transaction, or nothing."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import psycopg

from demarc.apply import addressing, offer, organisations, plant, policies
from demarc.apply.absent import absent
from demarc.apply.document import TABLES, Document, Table
from demarc.apply.parse import Mistake, Mistaken, about
from demarc.apply.plan import Absent, Change, Plan
from demarc.apply.work import Domains, Follows, Work
from demarc.domains.errors import DomainError, Invalid
from demarc.platform.database import Tx

Step = Callable[[Work, Any], Awaitable[Change]]

_STEPS: Mapping[str, Step] = {
    "tenant": organisations.tenant,
    "network": organisations.network,
    "realm": organisations.realm,
    "profile": policies.profile,
    "area": offer.area,
    "product": offer.product,
    "pop": plant.pop,
    "nas": plant.nas,
    "pool": addressing.pool,
    "nat_pool": addressing.nat_pool,
    "olt": plant.olt,
    "premise": offer.premise,
    "user": organisations.user,
    "client": organisations.client,
}

# where a domain's word for a value is not the file's key
_KEYS = {
    "download_bps": "download",
    "upload_bps": "upload",
    "monthly_price": "price",
    "snmp_port": "port",
    "area_id": "area",
}


async def apply(
    tx: Tx,
    domains: Domains,
    document: Document,
    *,
    dry_run: bool = False,
    tell_absent: bool = False,
) -> Plan:
    """Bring the database to what a file describes.

    What the file does not describe stays: nothing is ever deleted. A dry run does the same work
    and takes it back, so that it says no wherever the real run would.

    Args:
        tx: of the system; nothing remains in it if this raises.
        domains: the use cases it goes through.
        document: the file.
        dry_run: take everything back at the end.
        tell_absent: also name what the database has and the file does not.

    Raises:
        Mistaken: with everything that the domains refuse.
    """
    work = Work(tx, domains)
    changes: list[Change] = []
    mistakes: list[Mistake] = []
    left: list[Absent] = []
    async with tx.conn.transaction(force_rollback=dry_run):
        for section in TABLES:
            for table in getattr(document, section):
                change = await _attempt(work, table, mistakes)
                if change is not None:
                    changes.append(change)
        if mistakes:
            raise Mistaken(mistakes)
        if tell_absent:
            left = await absent(work, document)
    return Plan(carried_out=not dry_run, changes=changes, absent=left)


async def _attempt(work: Work, table: Table, mistakes: list[Mistake]) -> Change | None:
    """Take one step; what it did is undone if it is refused, so that the next can be tried."""
    try:
        async with work.tx.conn.transaction():
            return await _STEPS[table.section](work, table)
    except Follows:
        pass
    except Invalid as wrong:
        key = _KEYS.get(wrong.field, wrong.field)
        known = key in table.__struct_fields__
        mistakes.append(about(table, key if known else None, wrong.reason if known else str(wrong)))
    except DomainError as refused:
        mistakes.append(about(table, None, str(refused)))
    except (psycopg.IntegrityError, psycopg.DataError) as refused:
        what = refused.diag.constraint_name or refused.diag.message_primary or "its values"
        mistakes.append(about(table, None, f"is refused by the database ({what})"))
    work.refuse(table)
    return None


__all__ = ["Domains", "apply"]
