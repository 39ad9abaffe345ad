"""Named SQL statements that give typed rows.

Every statement is a constant made once. All of them are kept in a registry, which a test
PREPAREs whole against the migrated schema, so that none can be wrong unseen.
"""

import re
from collections.abc import AsyncGenerator
from typing import Any, Generic

import msgspec
from psycopg import AsyncRawCursor
from typing_extensions import TypeVar

from demarc.platform.database import Tx

_PARAMETER = re.compile(r"%\((\w+)\)s")


class Nothing(msgspec.Struct, frozen=True):
    """The row of a statement that gives none."""


Row = TypeVar("Row", bound=msgspec.Struct, default=Nothing)


class Statement(Generic[Row]):
    """One SQL statement with named parameters, ``%(name)s``.

    Its columns have the names of the row's fields, in their order. Parameters that may be null
    are cast in the SQL (``%(status)s::text``), so that the server knows their type.

    Raises:
        ValueError: a statement of that name exists already.
    """

    registry: dict[str, "Statement[Any]"] = {}  # noqa: RUF012 - the registry is the point

    def __init__(self, name: str, sql: str, row: type[Row] = Nothing) -> None:  # type: ignore[assignment]
        if name in Statement.registry:
            raise ValueError(f"two statements are named {name}")
        self.name = name
        self.row = row
        self.parameters: tuple[str, ...] = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
        place = {parameter: f"${at}" for at, parameter in enumerate(self.parameters, 1)}
        self.sql = f"/* {name} */ " + _PARAMETER.sub(lambda hit: place[hit[1]], sql).strip()
        self._checked = False
        Statement.registry[name] = self

    async def _execute(self, tx: Tx, values: dict[str, Any]) -> AsyncRawCursor[tuple[Any, ...]]:
        cursor = AsyncRawCursor(tx.conn)
        await cursor.execute(
            self.sql.encode(), [values[name] for name in self.parameters], binary=True
        )
        if len(values) != len(self.parameters):
            unknown = sorted(set(values) - set(self.parameters))
            raise TypeError(f"{self.name} takes no {', '.join(unknown)}")
        if not self._checked and cursor.description is not None:
            columns = tuple(column.name for column in cursor.description)
            if columns != self.row.__struct_fields__:
                raise TypeError(
                    f"{self.name} gives {columns}, its row has {self.row.__struct_fields__}"
                )
            self._checked = True
        return cursor

    async def one(self, tx: Tx, /, **values: Any) -> Row | None:
        """Run it and give its first row, or None."""
        cursor = await self._execute(tx, values)
        found = await cursor.fetchone()
        return None if found is None else self.row(*found)

    async def all(self, tx: Tx, /, **values: Any) -> list[Row]:
        """Run it and give all its rows."""
        cursor = await self._execute(tx, values)
        make = self.row
        return [make(*found) for found in await cursor.fetchall()]

    async def in_pieces(self, tx: Tx, size: int, /, **values: Any) -> AsyncGenerator[list[Row]]:
        """Run it and give its rows in lists of at most so many.

        For answers so long that making their rows would hold up the event loop. They are in this
        process when the first piece is given, so that the transaction may go on with others.
        """
        cursor = await self._execute(tx, values)
        make = self.row
        while found := await cursor.fetchmany(size):
            yield [make(*row) for row in found]

    async def run(self, tx: Tx, /, **values: Any) -> int:
        """Run it and give the number of rows it touched."""
        cursor = AsyncRawCursor(tx.conn)
        await cursor.execute(
            self.sql.encode(), [values[name] for name in self.parameters], binary=True
        )
        return cursor.rowcount


class Scalar(msgspec.Struct, frozen=True):
    """The row of a statement with one column named ``value``."""

    value: Any


__all__ = ["Nothing", "Row", "Scalar", "Statement"]
