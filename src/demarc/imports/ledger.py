"""What runs have done, and which things of other systems are which of ours. All SQL of imports."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from demarc.platform.database import Tx
from demarc.platform.statements import Scalar, Statement


class Item(msgspec.Struct, frozen=True, gc=False):
    """What a thing of another system has become.

    Attributes:
        place: in what was asked for.
        digest: a keyed hash of what was said of it last.
    """

    place: int
    entity_id: UUID
    digest: str


class Kept(msgspec.Struct, frozen=True, gc=False):
    """The same, to be kept.

    Attributes:
        made_by: the run, where it made the thing now; else what is known already stays.
    """

    kind: str
    ref: str
    entity_id: UUID
    digest: str
    made_by: UUID | None


class Run(msgspec.Struct, frozen=True):
    """A run as it stands.

    Attributes:
        state: running, done, stopped (by --strict or an error), interrupted or undone.
        counts: by kind of thing, what became of so many.
    """

    id: UUID
    source: str
    kind: str
    state: str
    files: list[str]
    lines: int
    counts: dict[str, Any]
    actor_name: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None


_RUN = """id, source, kind, state, files, lines, counts, actor_name, started_at, updated_at,
    ended_at"""

_FIND = Statement(
    "imports.find_items",
    """
    SELECT w.place::int8 AS place, i.entity_id, i.digest
    FROM unnest(%(kinds)s::text[], %(refs)s::text[]) WITH ORDINALITY AS w (kind, ref, place)
    JOIN import_item i ON i.tenant_id = %(tenant_id)s AND i.source = %(source)s
                      AND i.kind = w.kind AND i.ref = w.ref
    """,
    Item,
)

_KEEP = Statement(
    "imports.keep_items",
    """
    INSERT INTO import_item (tenant_id, source, kind, ref, entity_id, digest, made_by)
    SELECT %(tenant_id)s, %(source)s, kind, ref, entity_id, digest, made_by
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        kind text, ref text, entity_id uuid, digest text, made_by uuid)
    ON CONFLICT (tenant_id, source, kind, ref) DO UPDATE
        SET entity_id = excluded.entity_id, digest = excluded.digest,
            made_by = coalesce(excluded.made_by, import_item.made_by)
    """,
)

_BEGIN = Statement(
    "imports.begin_run",
    """
    INSERT INTO import_run (id, tenant_id, source, kind, files, actor_name)
    VALUES (%(id)s, %(tenant_id)s, %(source)s, %(kind)s, %(files)s::text[], %(actor_name)s)
    """,
)

_INTERRUPTED = Statement(
    "imports.interrupt_runs",
    """
    UPDATE import_run SET state = 'interrupted', ended_at = updated_at
    WHERE tenant_id = %(tenant_id)s AND state = 'running'
    """,
)

_PROGRESS = Statement(
    "imports.progress_run",
    """
    UPDATE import_run SET lines = %(lines)s, counts = %(counts)s::text::jsonb, updated_at = now()
    WHERE id = %(id)s
    """,
)

_END = Statement(
    "imports.end_run",
    """
    UPDATE import_run SET state = %(state)s, updated_at = now(), ended_at = now()
    WHERE id = %(id)s
    """,
)

_LIST = Statement(
    "imports.list_runs",
    f"""
    SELECT {_RUN} FROM import_run WHERE tenant_id = %(tenant_id)s
    ORDER BY started_at DESC, id LIMIT %(limit)s::integer
    """,
    Run,
)

_GET = Statement(
    "imports.get_run",
    f"SELECT {_RUN} FROM import_run WHERE tenant_id = %(tenant_id)s AND id = %(id)s",
    Run,
)


class Wire(msgspec.Struct, frozen=True, gc=False):
    """An id that an API's clients know one of our things by."""

    api: str
    kind: str
    value: str
    entity_id: UUID


class WireTaken(msgspec.Struct, frozen=True, gc=False):
    """Whose an id is already, by its place in what was asked for."""

    place: int
    entity_id: UUID


_FIND_WIRE = Statement(
    "imports.find_wire_ids",
    """
    SELECT w.place::int8 AS place, i.entity_id
    FROM unnest(%(apis)s::text[], %(kinds)s::text[], %(values)s::text[])
        WITH ORDINALITY AS w (api, kind, value, place)
    CROSS JOIN LATERAL (
        SELECT entity_id FROM wire_id i
        WHERE i.api = w.api AND i.tenant_id = %(tenant_id)s AND i.kind = w.kind
          AND i.value = w.value LIMIT 1) i
    """,
    WireTaken,
)

_PUT_WIRE = Statement(
    "imports.put_wire_ids",
    """
    INSERT INTO wire_id (api, tenant_id, kind, value, entity_id)
    SELECT api, %(tenant_id)s, kind, value, entity_id
    FROM json_to_recordset(%(rows)s::text::json) AS r (
        api text, kind text, value text, entity_id uuid)
    ON CONFLICT (api, tenant_id, kind, entity_id) DO UPDATE SET value = excluded.value
        WHERE wire_id.value <> excluded.value
    """,
)

_RAISE_SEQUENCE = Statement(
    "imports.raise_wire_sequence",
    """
    INSERT INTO wire_sequence (api, tenant_id, kind, last_value)
    VALUES (%(api)s, %(tenant_id)s, %(kind)s, %(at_least)s)
    ON CONFLICT (api, tenant_id, kind) DO UPDATE
        SET last_value = greatest(wire_sequence.last_value, excluded.last_value)
    """,
)

_NEXT = Statement(
    "imports.next_wire_number",
    """
    INSERT INTO wire_sequence AS w (api, tenant_id, kind, last_value)
    VALUES (%(api)s, %(tenant_id)s, %(kind)s, 1)
    ON CONFLICT (api, tenant_id, kind) DO UPDATE SET last_value = w.last_value + 1
    RETURNING last_value AS value
    """,
    Scalar,
)

_LOG = Statement(
    "imports.log_changes",
    """
    SELECT demarc_log_changes(%(kind)s::text, %(keys)s::uuid[], %(operation)s::text)::text AS value
    """,
    Scalar,
)

_IN_BULK = Statement(
    "imports.in_bulk",
    "SELECT set_config('demarc.in_bulk', %(wanted)s::text, true) AS value",
    Scalar,
)

_LARGEST_NUMBER = 18
_SETTLE = Statement("imports.settle", "SELECT demarc_analyze_imported()::text AS value", Scalar)


async def find(
    tx: Tx, source: str, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Item]:
    """Give what is known of things of a source, by kind and name."""
    wanted = list(keys)
    found = await _FIND.all(
        tx,
        tenant_id=tx.tenant,
        source=source,
        kinds=[kind for kind, _ in wanted],
        refs=[ref for _, ref in wanted],
    )
    return {wanted[one.place - 1]: one for one in found}


async def keep(tx: Tx, source: str, items: Sequence[Kept]) -> None:
    """Keep what things of a source have become."""
    if items:
        await _KEEP.run(
            tx, tenant_id=tx.tenant, source=source, rows=msgspec.json.encode(items).decode()
        )


async def begin(tx: Tx, run_id: UUID, *, source: str, kind: str, files: Sequence[str]) -> None:
    """Begin a run; those of the tenant that were killed are marked so.

    Who calls holds the tenant's lock, so that none of them is still at work.
    """
    await _INTERRUPTED.run(tx, tenant_id=tx.tenant)
    await _BEGIN.run(
        tx,
        id=run_id,
        tenant_id=tx.tenant,
        source=source,
        kind=kind,
        files=list(files),
        actor_name=tx.actor.name,
    )


async def progress(
    tx: Tx, run_id: UUID, *, lines: int, counts: Mapping[str, Mapping[str, int]]
) -> None:
    """Say how far a run is."""
    await _PROGRESS.run(tx, id=run_id, lines=lines, counts=msgspec.json.encode(counts).decode())


async def end(tx: Tx, run_id: UUID, state: str) -> None:
    """Say how a run ended."""
    await _END.run(tx, id=run_id, state=state)


async def runs(tx: Tx, limit: int = 50) -> list[Run]:
    """Give the tenant's runs, the newest first."""
    return await _LIST.all(tx, tenant_id=tx.tenant, limit=limit)


async def run(tx: Tx, run_id: UUID) -> Run | None:
    """Give a run of the tenant's."""
    return await _GET.one(tx, tenant_id=tx.tenant, id=run_id)


async def wire_ids_taken(
    tx: Tx, wanted: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], UUID]:
    """Tell whose ids these are already, by API, kind and value."""
    found = await _FIND_WIRE.all(
        tx,
        tenant_id=tx.tenant,
        apis=[one[0] for one in wanted],
        kinds=[one[1] for one in wanted],
        values=[one[2] for one in wanted],
    )
    return {wanted[one.place - 1]: one.entity_id for one in found}


async def put_wire_ids(tx: Tx, wires: Sequence[Wire]) -> None:
    """Let things be known by these ids; ids given later are above those that are numbers."""
    if not wires:
        return
    await _PUT_WIRE.run(tx, tenant_id=tx.tenant, rows=msgspec.json.encode(wires).decode())
    highest: dict[tuple[str, str], int] = {}
    for wire in wires:
        if wire.value.isascii() and wire.value.isdigit() and len(wire.value) <= _LARGEST_NUMBER:
            key = (wire.api, wire.kind)
            highest[key] = max(highest.get(key, 0), int(wire.value))
    for (api, kind), at_least in highest.items():
        await _RAISE_SEQUENCE.run(tx, api=api, tenant_id=tx.tenant, kind=kind, at_least=at_least)


async def next_number(tx: Tx, api: str, kind: str) -> int:
    """Take the next number by which an API shows a new thing; none is given twice."""
    taken = await _NEXT.one(tx, api=api, tenant_id=tx.tenant, kind=kind)
    if taken is None:
        raise RuntimeError("a statement that always gives a row gave none")
    return int(taken.value)


async def settle(tx: Tx) -> None:
    """Let the server look at how large the tables have become.

    By itself it does so each minute; a run would go through half its lines with plans that were
    made for empty tables. It takes the rows of this transaction into account.
    """
    await _SETTLE.one(tx)


async def in_bulk(tx: Tx, *, wanted: bool) -> None:
    """Say that the transaction logs its changes itself from here on, or no longer."""
    await _IN_BULK.one(tx, wanted="on" if wanted else "off")


async def log_changes(tx: Tx, kind: str, keys: Sequence[UUID], operation: str = "insert") -> None:
    """Write the changes of many things of a kind, and tell of them once."""
    if keys:
        await _LOG.one(tx, kind=kind, keys=list(keys), operation=operation)


__all__ = [
    "Item",
    "Kept",
    "Run",
    "Wire",
    "begin",
    "end",
    "find",
    "in_bulk",
    "keep",
    "log_changes",
    "next_number",
    "progress",
    "put_wire_ids",
    "run",
    "runs",
    "settle",
    "wire_ids_taken",
]
