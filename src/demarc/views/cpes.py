"""Devices in subscribers' homes as people look for them, and what they answered over time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from demarc.platform.database import Tx
from demarc.platform.statements import Scalar, Statement

# by realm and name, as the index has it; the realms of a tenant are few
BY_LOGIN = Statement(
    "views.cpe_by_login",
    """
    SELECT d.id AS value
    FROM realm r
    JOIN credential c ON c.realm_id = r.id AND c.kind = 'pppoe'
        AND c.username = ANY(%(names)s::text[])
    JOIN cpe_service s ON s.service_id = c.service_id AND s.until IS NULL
    JOIN cpe d ON d.id = s.cpe_id
    WHERE (c.username = %(whole)s OR r.name = %(realm)s) AND c.access <> 'closed'
    ORDER BY c.username <> %(whole)s, s.since, d.id LIMIT 1
    """,
    Scalar,
)

BY_REFERENCE = Statement(
    "views.cpe_by_reference",
    """
    SELECT d.id AS value
    FROM service v
    JOIN cpe_service s ON s.service_id = v.id AND s.until IS NULL
    JOIN cpe d ON d.id = s.cpe_id
    LEFT JOIN customer c ON c.id = v.customer_id
    WHERE v.isp_reference = %(reference)s OR c.tax_id = %(reference)s
    ORDER BY v.isp_reference IS DISTINCT FROM %(reference)s, s.since, d.id LIMIT 1
    """,
    Scalar,
)


class Answer(msgspec.Struct, frozen=True):
    """What a device answered when it was asked for values, and when; secret ones are not in it."""

    at: datetime
    values: dict[str, Any]


ANSWERS = Statement(
    "views.cpe_answers",
    """
    SELECT finished_at AS at, coalesce(answer -> 'values', '{}') AS values
    FROM command
    WHERE target_kind = 'cpe' AND target_id = %(cpe_id)s AND kind = 'cpe.get' AND state = 'done'
      AND request -> 'needs' @> to_jsonb(%(need)s::text)
    ORDER BY created_at DESC LIMIT %(limit)s
    """,
    Answer,
)


async def by_login(tx: Tx, name: str) -> UUID | None:
    """Give the device that serves the service with this PPPoE user name, with or without realm."""
    user, _, realm = name.rpartition("@")
    found = await BY_LOGIN.one(tx, names=[name, user], whole=name, realm=realm.lower())
    return None if found is None else found.value


async def by_reference(tx: Tx, reference: str) -> UUID | None:
    """Give the device of the service with this reference, or of the customer with this tax id."""
    found = await BY_REFERENCE.one(tx, reference=reference)
    return None if found is None else found.value


async def answers(tx: Tx, cpe_id: UUID, need: str, limit: int) -> Sequence[Answer]:
    """Give what a device answered when it was asked for a kind of things, newest first."""
    return await ANSWERS.all(tx, cpe_id=cpe_id, need=need, limit=limit)


__all__ = ["Answer", "answers", "by_login", "by_reference"]
