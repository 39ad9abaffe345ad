"""Requests that create, carried out once however often they are sent.

A client marks such a request with a key of its own making. The answer is kept in the transaction
that did the work; the same key later, or at the same time, gives that answer again.
"""

from collections.abc import Awaitable, Callable

import msgspec

from demarc.platform.database import Tx
from demarc.platform.statements import Nothing, Scalar, Statement


class Answer(msgspec.Struct, frozen=True):
    """What a request was answered.

    Attributes:
        status: of HTTP.
        location: the path of what was created.
        body: as sent.
    """

    status: int
    location: str | None
    body: bytes


class KeptAnswer(msgspec.Struct, frozen=True):
    """An answer and the digest of the request it was given to."""

    request: bytes
    status: int
    location: str | None
    body: bytes


class KeyReused(Exception):
    """The key was used before, for a request that was not the same."""


# Of two at once with one key the second waits for the first to commit.
LOCK = Statement(
    "idempotency.lock",
    """
    SELECT pg_advisory_xact_lock(hashtextextended(
        %(tenant_id)s::uuid::text || %(actor_id)s::uuid::text || %(key)s, 1))::text AS value
    """,
    Scalar,
)

FIND = Statement(
    "idempotency.find",
    """
    SELECT request, status, location, body FROM idempotency
    WHERE tenant_id = %(tenant_id)s AND actor_id = %(actor_id)s AND key = %(key)s
    """,
    KeptAnswer,
)

KEEP: Statement[Nothing] = Statement(
    "idempotency.keep",
    """
    INSERT INTO idempotency (tenant_id, actor_id, key, request, status, location, body)
    VALUES (%(tenant_id)s, %(actor_id)s, %(key)s, %(request)s, %(status)s, %(location)s::text,
            %(body)s)
    """,
)


async def once(
    tx: Tx, *, key: str, request: bytes, perform: Callable[[], Awaitable[Answer]]
) -> Answer:
    """Carry a request out, or give the answer it had.

    Args:
        tx: of the tenant and the actor whose key it is; the work is done in it.
        key: 1 to 200 characters.
        request: a digest of everything that makes it this request.
        perform: does the work. When it raises, nothing is kept.

    Raises:
        KeyReused: the key belongs to another request.
    """
    whose = {"tenant_id": tx.tenant, "actor_id": tx.actor.id, "key": key}
    await LOCK.one(tx, **whose)
    known = await FIND.one(tx, **whose)
    if known is not None:
        if known.request != request:
            raise KeyReused
        return Answer(known.status, known.location, known.body)
    answer = await perform()
    await KEEP.run(
        tx,
        **whose,
        request=request,
        status=answer.status,
        location=answer.location,
        body=answer.body,
    )
    return answer
