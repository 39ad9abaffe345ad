"""A page of a list that is numbered from 1."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import msgspec

from demarc.views.totals import Totals

Item = TypeVar("Item")

# Beyond this no list reaches; larger numbers would not fit the server's.
_FURTHEST = 2**40


class PageOf(msgspec.Struct, Generic[Item], frozen=True):
    """Some rows of a list, which page that is, and how many rows there are in all."""

    items: list[Item]
    page: int
    total: int


async def paged(
    *,
    page: int,
    size: int,
    rows: Callable[[int, int], Awaitable[list[Item]]],
    count: Callable[[], Awaitable[int]],
    totals: Totals,
    key: Hashable,
) -> PageOf[Item]:
    """Give a page; one beyond the end is empty.

    The total is counted only when the page itself does not tell it.

    Args:
        page: from 1.
        size: rows a page, at most.
        rows: gives the rows of a limit and an offset.
        count: counts all rows.
        totals: remembers the counts of long lists.
        key: the list's name there, with everything that filters it.
    """
    offset = min((page - 1) * size, _FURTHEST)
    items = await rows(size, offset)
    if items and len(items) < size:
        return PageOf(items, page, offset + len(items))
    if not items and page == 1:
        return PageOf(items, page, 0)
    return PageOf(
        items, page, max(await totals.get(key, count), offset + len(items) if items else 0)
    )
