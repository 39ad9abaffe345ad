"""FreeRADIUS's SQL tables, wherever they are read from: a dump, CSV files, a database."""

import gzip
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

import msgspec
import psycopg
from psycopg import sql

from demarc.domains.errors import Invalid
from demarc.imports.entry import Bad, Refused, Source, Where
from demarc.imports.files import Table
from demarc.imports.freeradius import dump

USERS = frozenset(
    {"radcheck", "radreply", "radusergroup", "usergroup", "radgroupcheck", "radgroupreply"}
)
NAS = "nas"
PEOPLE = "userinfo"
"""Of daloRADIUS: who is behind a log-in."""
ACCOUNTING = "radacct"

KNOWN = USERS | {NAS, PEOPLE, ACCOUNTING}
_AT_ONCE = 2000


class TableRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a table, values by column; empty text where it is null."""

    table: str
    source: Source
    values: Mapping[str, str]


class Tables(Protocol):
    """Where the tables are."""

    def rows(self, wanted: Collection[str]) -> Iterator[TableRow | Bad]:
        """Give the rows of those of the wanted tables that are there."""

    @property
    def where(self) -> Where:
        """How far they have been read this time."""


class Dump:
    """A dump of pg_dump or mysqldump, as text, perhaps compressed with gzip.

    Args:
        path: the file.
        encoding: of its text.
    """

    def __init__(self, path: Path, encoding: str = "utf-8") -> None:
        self._path = path
        self._encoding = encoding
        self._raw: IO[bytes] | None = None
        self._size = path.stat().st_size

    def rows(self, wanted: Collection[str]) -> Iterator[TableRow | Bad]:
        """Give the rows of those of the wanted tables that are there.

        Raises:
            Invalid: it is no text of that encoding.
        """
        with self._path.open("rb") as self._raw:
            plain: IO[bytes] = self._raw
            if self._path.name.endswith(".gz"):
                plain = gzip.GzipFile(fileobj=self._raw)  # type: ignore[assignment]
            text = io.TextIOWrapper(plain, self._encoding, newline="")
            try:
                for row in dump.rows(text, wanted):
                    source = Source(self._path.name, row.line)
                    if isinstance(row, dump.Broken):
                        yield Bad(source, Refused(None, row.reason))
                    else:
                        values = {name: value or "" for name, value in row.values.items()}
                        yield TableRow(row.table, source, values)
            except UnicodeDecodeError:
                raise Invalid(
                    str(self._path),
                    f"is not {self._encoding} text; pg_dump's custom format is none"
                    " (pg_restore -f - makes text of it), --encoding latin-1 reads older text",
                ) from None

    @property
    def where(self) -> Where:
        """How far it has been read this time."""
        if self._raw is None:
            return Where(0, self._size)
        return Where(self._size if self._raw.closed else self._raw.tell(), self._size)


class Csv:
    """CSV files named after their tables, with a header: ``radcheck.csv``.

    Args:
        paths: the files.
        encoding: of their text.
    """

    def __init__(self, paths: Sequence[Path], encoding: str = "utf-8") -> None:
        self._tables = {
            path.name.partition(".")[0].lower(): Table(path, encoding=encoding, known=None)
            for path in paths
        }
        self._now: list[Table] = []

    def rows(self, wanted: Collection[str]) -> Iterator[TableRow | Bad]:
        """Give the rows of those of the wanted tables that are there."""
        self._now = [table for name, table in self._tables.items() if name in wanted]
        for name, table in self._tables.items():
            if name not in wanted:
                continue
            for row in table.rows():
                yield row if isinstance(row, Bad) else TableRow(name, row[0], row[1])

    @property
    def where(self) -> Where:
        """How far they have been read this time."""
        return Where(
            sum(one.where.done for one in self._now), sum(one.where.total for one in self._now)
        )


class Live:
    """The database FreeRADIUS works on, PostgreSQL, read as it is at one moment.

    Args:
        conninfo: how to connect.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._done = self._total = 0

    def rows(self, wanted: Collection[str]) -> Iterator[TableRow | Bad]:
        """Give the rows of those of the wanted tables that are there."""
        with psycopg.connect(self._conninfo, application_name="demarc import") as conn:
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for table in sorted(wanted):
                there = conn.execute(
                    "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [table]
                ).fetchone()
                if there is None:
                    continue
                self._done, self._total = 0, max(0, there[0])
                with conn.cursor(name="demarc_import") as cursor:
                    cursor.itersize = _AT_ONCE
                    cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
                    names: list[str] = []
                    for values in cursor:
                        if not names:
                            names = [column.name.lower() for column in cursor.description or ()]
                        self._done += 1
                        texts = ("" if value is None else str(value) for value in values)
                        yield TableRow(
                            table,
                            Source(table, self._done),
                            dict(zip(names, texts, strict=True)),
                        )

    @property
    def where(self) -> Where:
        """How far the table at hand has been read, in rows."""
        return Where(min(self._done, self._total), self._total)


class Several:
    """Several of them, one after the other."""

    def __init__(self, parts: Sequence[Tables]) -> None:
        self._parts = parts

    def rows(self, wanted: Collection[str]) -> Iterator[TableRow | Bad]:
        """Give the rows of those of the wanted tables that are there."""
        for part in self._parts:
            yield from part.rows(wanted)

    @property
    def where(self) -> Where:
        """How far they have been read this time."""
        found = [part.where for part in self._parts]
        return Where(sum(one.done for one in found), sum(one.total for one in found))


__all__ = [
    "ACCOUNTING",
    "KNOWN",
    "NAS",
    "PEOPLE",
    "USERS",
    "Csv",
    "Dump",
    "Live",
    "Several",
    "TableRow",
    "Tables",
]
