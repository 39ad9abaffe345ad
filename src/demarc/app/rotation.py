"""Keys changed while everything runs: every stored secret encrypted anew under the current one.

In batches, each a transaction; a row that somebody changed meanwhile is left to them, since they
encrypt with the current key themselves. What is done is seen in the rows, so that a rotation that
was cut short is taken up where it stands.
"""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

import msgspec

from demarc.domains.errors import Conflict
from demarc.domains.identity import audit
from demarc.platform.database import Actor, Database, Tx
from demarc.platform.secrets import KeyRing
from demarc.platform.secrets.columns import ENCRYPTED, EncryptedColumn
from demarc.platform.statements import Scalar, Statement

BATCH = 500

# audit entries are found by the id of what they are on, and keys have ids of another kind
_KEYS = UUID("6b1f6f7e-2b0e-4c53-9b3a-0f3f4d0f6a10")

Progress = Callable[[str, int, int], None]


class _Stored(msgspec.Struct, frozen=True):
    id: UUID
    value: bytes


class _Use(msgspec.Struct, frozen=True):
    key: str
    number: int


class Rotated(msgspec.Struct, frozen=True):
    """What a rotation did.

    Attributes:
        current: the key that encrypts now.
        reencrypted: values by column.
        unreadable: values that are under keys which are not in the file, by column.
    """

    current: str
    reencrypted: dict[str, int]
    unreadable: dict[str, int]


_USES: dict[EncryptedColumn, Statement[_Use]] = {}
_STALE: dict[EncryptedColumn, Statement[_Stored]] = {}
_PUT: dict[EncryptedColumn, Statement[Any]] = {}
for _each in ENCRYPTED:
    _USES[_each] = Statement(
        f"keys.uses.{_each.name}",
        f"""
        SELECT encode(substring({_each.column} FROM 2 FOR 4), 'hex') AS key, count(*) AS number
        FROM {_each.table} WHERE {_each.column} IS NOT NULL GROUP BY 1 ORDER BY 1
        """,
        _Use,
    )
    _STALE[_each] = Statement(
        f"keys.stale.{_each.name}",
        f"""
        SELECT id, {_each.column} AS value FROM {_each.table}
        WHERE {_each.column} IS NOT NULL AND id > %(after)s::uuid
          AND encode(substring({_each.column} FROM 2 FOR 4), 'hex') <> %(current)s
        ORDER BY id LIMIT %(limit)s::integer
        """,
        _Stored,
    )
    _PUT[_each] = Statement(
        f"keys.put.{_each.name}",
        f"""
        UPDATE {_each.table} AS t SET {_each.column} = n.new
        FROM unnest(%(ids)s::uuid[], %(olds)s::bytea[], %(news)s::bytea[]) AS n (id, old, new)
        WHERE t.id = n.id AND t.{_each.column} = n.old
        """,
    )

# nothing has changed for anybody: no service is given as changed, and no cache drops anything
_REENCRYPTS = b"SET LOCAL demarc.reencrypts = 'on'; SET LOCAL demarc.in_bulk = 'on'"

# One rotation at a time; others' encrypting is not held up.
_LOCK = Statement(
    "keys.lock",
    "SELECT pg_try_advisory_xact_lock(hashtextextended('demarc.keys', 0)) AS value",
    Scalar,
)


async def uses(db: Database) -> dict[str, dict[str, int]]:
    """Count the values under each key, by column."""
    found: dict[str, dict[str, int]] = {}
    for column in ENCRYPTED:
        async with db.system() as tx:
            for use in await _USES[column].all(tx):
                found.setdefault(use.key, {})[column.name] = use.number
    return found


async def begin(db: Database, keys: KeyRing, actor: Actor) -> str:
    """Make a new key the current one, and write down who did; give its id."""
    before = keys.current
    current = keys.rotate()
    async with db.system(actor) as tx:
        await _recorded(tx, "rotate_key", current, before={"current": before})
    return current


async def add(db: Database, keys: KeyRing, actor: Actor) -> str:
    """Add a key without using it yet, and write down who did; give its id."""
    made = keys.add_key()
    async with db.system(actor) as tx:
        await _recorded(tx, "add_key", made)
    return made


async def use(db: Database, keys: KeyRing, key_id: str, actor: Actor) -> None:
    """Make a key of the file the current one, and write down who did.

    Raises:
        KeyFileError: there is no such key.
    """
    before = keys.current
    keys.make_current(key_id)
    async with db.system(actor) as tx:
        await _recorded(tx, "use_key", key_id, before={"current": before})


async def reencrypt(
    db: Database, keys: KeyRing, actor: Actor, progress: Progress, batch: int = BATCH
) -> Rotated:
    """Encrypt under the current key whatever is under another; all goes on meanwhile.

    Args:
        db: where the secrets are.
        keys: must have the keys they are under.
        actor: for the audit log.
        progress: is told of values done, of so many.
        batch: values a transaction.

    Raises:
        Conflict: another rotation is under way.
    """
    current = keys.current
    waiting = {
        column.name: sum(
            number.get(column.name, 0) for key, number in (await uses(db)).items() if key != current
        )
        for column in ENCRYPTED
    }
    done: dict[str, int] = {}
    unreadable: dict[str, int] = {}
    for column in ENCRYPTED:
        after = UUID(int=0)
        while True:
            async with db.system(actor) as tx:
                got = await _LOCK.one(tx)
                if got is None or not got.value:
                    raise Conflict("another rotation of keys is under way")
                stale = await _STALE[column].all(tx, after=after, current=current, limit=batch)
                if not stale:
                    break
                number, lost = await _anew(tx, keys, column, stale)
            after = stale[-1].id
            done[column.name] = done.get(column.name, 0) + number
            if lost:
                unreadable[column.name] = unreadable.get(column.name, 0) + lost
            progress("secrets encrypted anew", sum(done.values()), sum(waiting.values()))
    async with db.system(actor) as tx:
        await _recorded(tx, "reencrypt", current, after={"values": done, "unreadable": unreadable})
    return Rotated(current, done, unreadable)


async def _anew(
    tx: Tx, keys: KeyRing, column: EncryptedColumn, stale: list[_Stored]
) -> tuple[int, int]:
    known = set(keys.created)
    readable = [one for one in stale if one.value[1:5].hex() in known]
    fresh = [
        keys.encrypt(keys.decrypt(one.value, row=column.row(one.id)), row=column.row(one.id))
        for one in readable
    ]
    await tx.conn.execute(_REENCRYPTS, prepare=False)
    number = await _PUT[column].run(
        tx,
        ids=[one.id for one in readable],
        olds=[one.value for one in readable],
        news=fresh,
    )
    return number, len(stale) - len(readable)


async def retire(
    db: Database, keys: KeyRing, key_id: str, actor: Actor, *, quiet_for: float, changed_at: float
) -> None:
    """Take a key out of the key file that nothing is encrypted with any more.

    Args:
        db: where the secrets are.
        keys: the keys.
        key_id: which.
        actor: for the audit log.
        quiet_for: seconds that processes may go on using what they have read.
        changed_at: when the key file was replaced last, in seconds since 1970.

    Raises:
        Conflict: something is encrypted with it, or may still be used so.
        KeyFileError: there is no such key, or it is the current one.
    """
    if used := (await uses(db)).get(key_id):
        held = ", ".join(f"{number} in {column}" for column, number in used.items())
        raise Conflict(f"key {key_id} is still needed: {held}; run: demarc keys rotate --resume")
    waits = changed_at + quiet_for - time.time()
    if waits > 0 and key_id != keys.current:
        raise Conflict(
            f"the keys were changed just now, and processes may remember values under {key_id}:"
            f" try again in {int(waits) + 1} s"
        )
    async with db.system(actor) as tx:
        # not without being written down: what raises here leaves the key where it is
        await _recorded(tx, "retire_key", key_id)
        keys.retire(key_id)


async def _recorded(
    tx: Tx,
    action: str,
    key_id: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await audit.write(
        tx,
        action=action,
        kind="key",
        key=uuid5(_KEYS, key_id),
        before=before,
        after={"key": key_id, **(after or {})},
    )


__all__ = ["BATCH", "Rotated", "add", "begin", "reencrypt", "retire", "use", "uses"]
