"""Commands for live sessions: written by whoever wants one, carried out by ``live``."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.aaa import queries
from demarc.domains.aaa.terms_queries import Target
from demarc.domains.network import commands
from demarc.domains.network.model import Command
from demarc.platform.database import Tx

DISCONNECT = "radius.disconnect"
"""The kind of command that ends a session, and the task that carries it out."""

CHANGE = "radius.change"
"""The kind of command that gives a session what it should have now, and its task."""

_WITHIN = timedelta(minutes=2)


class Request(msgspec.Struct, frozen=True):
    """The request of such a command."""

    reason: str
    nas_id: UUID
    nas_address: str
    acct_session_id: str
    username: str
    framed_ipv4: str | None
    calling_station_id: str | None
    nas_port_id: str | None


async def command(tx: Tx, kind: str, targets: Sequence[Target], reason: str) -> list[Command]:
    """Write a command for each session, with its job in the queue of its NAS's reach.

    Args:
        tx: they exist if it commits.
        kind: ``CHANGE`` or ``DISCONNECT``.
        targets: the sessions.
        reason: why, kept with each command.
    """
    reaches: dict[UUID, str] = {}
    made = []
    for target in targets:
        if target.nas_id not in reaches:
            reach = await queries.NAS_REACH.one(tx, id=target.nas_id)
            reaches[target.nas_id] = "default" if reach is None else reach.value or "default"
        made.append(
            await commands.create(
                tx,
                tenant_id=target.tenant_id,
                owner_id=target.owner_id,
                service_id=target.service_id,
                kind=kind,
                target_kind="session",
                target_id=target.id,
                reach=reaches[target.nas_id],
                request=_request(target, reason),
                within=_WITHIN,
            )
        )
    return made


def _request(target: Target, reason: str) -> dict[str, Any]:
    wanted: dict[str, Any] = msgspec.to_builtins(
        Request(
            reason=reason,
            nas_id=target.nas_id,
            nas_address=target.nas_address,
            acct_session_id=target.acct_session_id,
            username=target.username,
            framed_ipv4=target.framed_ipv4,
            calling_station_id=target.calling_station_id,
            nas_port_id=target.nas_port_id,
        )
    )
    return wanted


__all__ = ["CHANGE", "DISCONNECT", "Request", "command"]
