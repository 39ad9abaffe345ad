"""For how long what is kept: every rule there is, and who may set it to what.

A rule of the installation may be as short as the law's floor allows. A tenant's own may only be
longer than that: what others let go of, it keeps.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec

from demarc.domains.errors import Invalid
from demarc.domains.identity import audit
from demarc.platform.database import Tx
from demarc.platform.statements import Statement

MONTHS_13 = 396
YEARS_5 = 1827
LONGEST = 36_525

# audit entries are found by an id; a rule of the installation has its kind alone
_KINDS = UUID("5f0b57e2-6b0c-4a39-8c4a-2f0b1c1f7a11")


class Kind(msgspec.Struct, frozen=True):
    """A kind of what is kept.

    Attributes:
        what: as people know it.
        days: for so long if nobody says otherwise; None for good.
        floor: no rule may be shorter.
        ceiling: none may be longer; None where it may be for good.
        of_tenants: a tenant may keep its own for longer.
    """

    name: str
    what: str
    days: int | None
    floor: int
    ceiling: int | None = None
    of_tenants: bool = False


KINDS: dict[str, Kind] = {
    one.name: one
    for one in (
        Kind("auth_attempt", "log-in attempts", 90, 1, of_tenants=True),
        # who had which address when: asked for by courts, kept by law in many countries
        Kind("session_closed", "closed sessions", 400, MONTHS_13, of_tenants=True),
        # counted from when a block was given, and a session may last
        Kind("nat_block", "port blocks of sessions (CGNAT)", 430, MONTHS_13, of_tenants=True),
        Kind("usage_daily", "usage by day", None, MONTHS_13, of_tenants=True),
        Kind("onu_metric", "series of ONUs", 400, 1, of_tenants=True),
        Kind("audit", "the audit log", YEARS_5, 365, of_tenants=True),
        Kind("command", "commands to devices, and their answers", 400, 30, of_tenants=True),
        Kind("accounting_quarantine", "accounting that could not be placed", 90, 7),
        Kind("idempotency", "answers kept for repeated requests", 2, 1, 30),
        Kind("change", "the log of changes", 2, 1, 30),
        Kind("job", "finished jobs", 1, 1, 30),
        Kind("job_failed", "jobs that failed for good", 90, 1, 400),
        Kind(
            "customer",
            "customers after their last service ended, who are then erased",
            None,
            30,
            of_tenants=True,
        ),
        Kind(
            "tax_identity",
            "name and tax number of an erased customer, after their last service ended",
            YEARS_5,
            365,
            of_tenants=True,
        ),
    )
}


class Rule(msgspec.Struct, frozen=True):
    """A rule that somebody set; None days is for good."""

    id: UUID
    kind: str
    tenant_id: UUID | None
    days: int | None
    set_at: datetime


class Applied(msgspec.Struct, frozen=True):
    """What was let go of a kind: when last, how much then, and how much ever."""

    kind: str
    applied_at: datetime
    removed: int
    in_all: int


class InForce(msgspec.Struct, frozen=True):
    """How long a kind is kept: by the installation, and for longer by some tenants."""

    days: int | None
    tenants: dict[UUID, int | None]


_RULE = "id, kind, tenant_id, days, set_at"

RULES = Statement(
    "identity.retention_rules",
    f"SELECT {_RULE} FROM retention_rule ORDER BY kind, tenant_id NULLS FIRST",
    Rule,
)

PUT_RULE = Statement(
    "identity.put_retention_rule",
    f"""
    INSERT INTO retention_rule (kind, tenant_id, days)
    VALUES (%(kind)s, %(tenant_id)s::uuid, %(days)s::integer)
    ON CONFLICT (kind, tenant_id) DO UPDATE SET days = excluded.days, set_at = now()
    RETURNING {_RULE}
    """,
    Rule,
)

DROP_RULE = Statement(
    "identity.drop_retention_rule",
    """
    DELETE FROM retention_rule
    WHERE kind = %(kind)s AND tenant_id IS NOT DISTINCT FROM %(tenant_id)s::uuid
    """,
)

APPLIED = Statement(
    "identity.retention_applied",
    "SELECT kind, applied_at, removed, in_all FROM retention_applied ORDER BY kind",
    Applied,
)

NOTE_APPLIED = Statement(
    "identity.note_retention_applied",
    """
    INSERT INTO retention_applied AS a (kind, applied_at, removed, in_all)
    VALUES (%(kind)s, now(), %(removed)s::bigint, %(removed)s::bigint)
    ON CONFLICT (kind) DO UPDATE SET applied_at = excluded.applied_at, removed = excluded.removed,
        in_all = a.in_all + excluded.removed
    """,
)


async def in_force(tx: Tx) -> dict[str, InForce]:
    """Give how long each kind is kept now.

    A tenant's rule that is no longer than the installation's, since that was set anew, is none.
    """
    days = {name: kind.days for name, kind in KINDS.items()}
    rules = [rule for rule in await RULES.all(tx) if rule.kind in KINDS]
    days |= {rule.kind: rule.days for rule in rules if rule.tenant_id is None}
    found = {name: InForce(kept, {}) for name, kept in days.items()}
    for rule in rules:
        if rule.tenant_id is not None and _longer(rule.days, days[rule.kind]):
            found[rule.kind].tenants[rule.tenant_id] = rule.days
    return found


async def put(tx: Tx, kind: str, days: int | None, *, tenant_id: UUID | None = None) -> None:
    """Set for how long a kind is kept: None for good.

    Args:
        tx: of the system.
        kind: one of KINDS.
        days: for so long.
        tenant_id: only this tenant's, and for longer than all others'.

    Raises:
        Invalid: no such kind, too short, too long, or not for a tenant to say.
    """
    rule = _known(kind)
    if days is not None and not rule.floor <= days <= (rule.ceiling or LONGEST):
        raise Invalid("days", f"must be {rule.floor} to {rule.ceiling or LONGEST} for {rule.what}")
    if days is None and rule.ceiling is not None:
        raise Invalid("days", f"must be {rule.floor} to {rule.ceiling} for {rule.what}")
    force = (await in_force(tx))[kind]
    if tenant_id is not None:
        if not rule.of_tenants:
            raise Invalid("kind", f"{rule.what} are kept alike for all tenants")
        if not _longer(days, force.days):
            raise Invalid("days", f"a tenant may only keep for longer than all ({force.days} days)")
    before = await _set(tx, kind, tenant_id)
    after = await PUT_RULE.one(tx, kind=kind, tenant_id=tenant_id, days=days)
    given = None if after is None else after.days
    await _recorded(tx, "set_retention", kind, tenant_id, before=before, after=given)


async def drop(tx: Tx, kind: str, *, tenant_id: UUID | None = None) -> None:
    """Go back to what comes with Demarc, or for a tenant to what holds for all.

    Raises:
        Invalid: no such kind.
    """
    _known(kind)
    before = await _set(tx, kind, tenant_id)
    if await DROP_RULE.run(tx, kind=kind, tenant_id=tenant_id):
        await _recorded(tx, "drop_retention", kind, tenant_id, before=before, after=None)


async def applied(tx: Tx) -> dict[str, Applied]:
    """Give what was let go, by kind."""
    return {one.kind: one for one in await APPLIED.all(tx)}


async def note(tx: Tx, kind: str, removed: int) -> None:
    """Note that a rule was applied, and how much went."""
    await NOTE_APPLIED.run(tx, kind=kind, removed=removed)


async def _set(tx: Tx, kind: str, tenant_id: UUID | None) -> int | None:
    for rule in await RULES.all(tx):
        if (rule.kind, rule.tenant_id) == (kind, tenant_id):
            return rule.days
    return None


async def _recorded(
    tx: Tx,
    action: str,
    kind: str,
    tenant_id: UUID | None,
    *,
    before: int | None,
    after: int | None,
) -> None:
    told: dict[str, Any] = {"rule": kind}
    await audit.write(
        tx,
        action=action,
        kind="retention",
        key=uuid5(_KINDS, kind),
        tenant_id=tenant_id,
        before=told | {"days": before},
        after=told | {"days": after},
    )


def _known(kind: str) -> Kind:
    if kind not in KINDS:
        raise Invalid("kind", f"must be one of {', '.join(KINDS)}")
    return KINDS[kind]


def _longer(days: int | None, than: int | None) -> bool:
    if than is None:
        return False
    return days is None or days > than


__all__ = [
    "KINDS",
    "Applied",
    "InForce",
    "Kind",
    "Rule",
    "applied",
    "drop",
    "in_force",
    "note",
    "put",
]
