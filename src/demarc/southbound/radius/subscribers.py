"""To whom accounting packets are booked: from memory, or else from the database."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from demarc.domains.aaa import logins
from demarc.domains.aaa.accounting import Record, Subscriber
from demarc.domains.aaa.logins import Booked, Login
from demarc.platform.database import Tx
from demarc.southbound.radius.credentials import Credentials, Name
from demarc.southbound.radius.exchange import Exchange
from demarc.southbound.radius.records import NasRestart


class Item(msgspec.Struct, eq=False, gc=False):
    """A packet on its way into the books.

    Attributes:
        told: what it says; None when it cannot be told.
        key: realm and username, where there is such a realm.
        credential_id: as our own Class in it says, which outlives a change of the username.
        reason: why it is put aside instead of booked.
    """

    exchange: Exchange
    told: Record | NasRestart | None
    key: Name | None = None
    credential_id: UUID | None = None
    reason: str | None = None


async def subscribers_of(
    tx: Tx, items: Sequence[Item], credentials: Credentials
) -> dict[int, Subscriber]:
    """Tell to whom each packet is booked.

    A NAS tells of log-ins on its own network alone.

    Returns:
        Subscribers by the ``id()`` of the item; those of unknown users are not there.
    """
    found: dict[int, Subscriber] = {}
    records = [item for item in items if isinstance(item.told, Record)]
    for item in records:
        _accept(found, item, _remembered(item, credentials))
    missing = _missing(records, found)
    ids = {item.credential_id for item in missing if item.credential_id is not None}
    if ids:
        by_id = await logins.subscribers_by_id(tx, list(ids))
        for item in missing:
            if item.credential_id is not None:
                _accept(found, item, by_id.get(item.credential_id))
        missing = _missing(missing, found)
    names = {item.key for item in missing if item.key is not None}
    if names:
        by_name = await logins.subscribers_by_name(tx, list(names))
        for item in missing:
            if item.key is not None:
                _accept(found, item, by_name.get(item.key))
    return found


def _remembered(item: Item, credentials: Credentials) -> Login | None:
    if item.credential_id is not None:
        return credentials.by_id(item.credential_id)
    return None if item.key is None else credentials.by_name(item.key)


def _accept(found: dict[int, Subscriber], item: Item, login: Login | Booked | None) -> None:
    if login is not None and login.network_id == item.exchange.client.nas.network_id:
        found[id(item)] = login.subscriber


def _missing(items: Iterable[Item], found: dict[int, Subscriber]) -> list[Item]:
    return [item for item in items if id(item) not in found]


__all__ = ["Item", "subscribers_of"]
