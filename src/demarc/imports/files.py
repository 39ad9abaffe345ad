"""Files of rows: CSV with any usual delimiter, JSON, JSON Lines; compressed with gzip or not."""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

import msgspec

from demarc.domains.errors import Invalid
from demarc.imports.columns import COLUMNS
from demarc.imports.entry import Bad, Refused, Source, Where

DELIMITERS = ",;\t|"
ENCODINGS = ("utf-8", "latin-1", "cp1252")
_LONGEST_LINE = 1 << 20

csv.field_size_limit(_LONGEST_LINE)

Row = tuple[Source, Mapping[str, str]]


class Table:
    """One file, read once from its beginning.

    Args:
        path: ``.json``, ``.jsonl`` or ``.ndjson``, else CSV; all of them may end in ``.gz``.
        encoding: of CSV; a byte order mark is passed over.
        delimiter: of CSV; None to find out.
        names: other names for columns: as the file has them, and as they are called here; an
            empty one leaves the column out.
        known: the columns there are; None takes any.
    """

    def __init__(
        self,
        path: Path,
        *,
        encoding: str = "utf-8",
        delimiter: str | None = None,
        names: Mapping[str, str] | None = None,
        known: Mapping[str, object] | None = COLUMNS,
    ) -> None:
        self.path = path
        self._encoding = "utf-8-sig" if encoding == "utf-8" else encoding
        self._delimiter = delimiter
        self._names = {" ".join(old.split()).lower(): new for old, new in (names or {}).items()}
        self._known = known
        self._raw: IO[bytes] | None = None
        self._size = 0
        self._kind = path.name.removesuffix(".gz").rpartition(".")[2].lower()

    @property
    def where(self) -> Where:
        """How far it has been read."""
        if self._raw is None:
            return Where(0, self.size)
        return Where(self.size if self._raw.closed else self._raw.tell(), self.size)

    @property
    def size(self) -> int:
        """Its octets, as it lies there."""
        if not self._size:
            self._size = self.path.stat().st_size
        return self._size

    def rows(self) -> Iterator[Row | Bad]:
        """Give its rows, values by column; empty cells are left out.

        Raises:
            Invalid: the file as a whole cannot be read: its encoding, its header, its form.
            OSError: it cannot be opened.
        """
        with self.path.open("rb") as self._raw:
            plain: IO[bytes] = self._raw
            if self.path.name.endswith(".gz"):
                plain = gzip.GzipFile(fileobj=self._raw)  # type: ignore[assignment]
            try:
                if self._kind in ("jsonl", "ndjson"):
                    yield from self._json_lines(plain)
                elif self._kind == "json":
                    yield from self._json(plain)
                else:
                    yield from self._csv(plain)
            except UnicodeDecodeError:
                raise Invalid(
                    str(self.path), f"is not {self._encoding.removesuffix('-sig')} text; "
                    "--encoding latin-1 reads what older systems write"
                ) from None  # fmt: skip
            except (EOFError, gzip.BadGzipFile) as broken:
                raise Invalid(str(self.path), f"is no whole gzip file: {broken}") from None

    def _csv(self, plain: IO[bytes]) -> Iterator[Row | Bad]:
        with io.TextIOWrapper(plain, self._encoding, newline="") as text:
            lines = self._lines(text)
            first = next(lines, "")
            reader = csv.reader(
                self._chain(first, lines), delimiter=self._delimiter or _sniff(first), strict=True
            )
            try:
                header = self._header(next(reader, []))
                while True:
                    at = reader.line_num + 1
                    row = next(reader, None)
                    if row is None:
                        return
                    source = Source(self.path.name, at)
                    if not any(row):
                        continue
                    if len(row) != len(header):
                        yield Bad(
                            source,
                            Refused(None, f"has {len(row)} cells, the header {len(header)}"),
                        )
                        continue
                    yield (
                        source,
                        {
                            name: value
                            for name, cell in zip(header, row, strict=True)
                            if name and (value := cell.strip())
                        },
                    )
            except csv.Error as broken:
                raise Invalid(
                    str(self.path), f"is broken at line {reader.line_num}: {broken}"
                ) from None

    @staticmethod
    def _chain(first: str, lines: Iterator[str]) -> Iterator[str]:
        yield first
        yield from lines

    def _lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        while line := text.readline(_LONGEST_LINE):
            # csv has no notion of zero characters
            yield line.replace("\0", "")

    def _json(self, plain: IO[bytes]) -> Iterator[Row | Bad]:
        try:
            found = msgspec.json.decode(plain.read())
        except (msgspec.DecodeError, UnicodeDecodeError) as broken:
            raise Invalid(str(self.path), f"is no JSON: {broken}") from None
        if not isinstance(found, list):
            raise Invalid(str(self.path), "is to be a list of objects, or one object a line")
        for number, one in enumerate(found, 1):
            yield self._object(Source(self.path.name, number), one)

    def _json_lines(self, plain: IO[bytes]) -> Iterator[Row | Bad]:
        for number, line in enumerate(plain, 1):
            if not line.strip():
                continue
            source = Source(self.path.name, number)
            try:
                one = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as broken:
                yield Bad(source, Refused(None, f"is no JSON: {broken}"))
                continue
            yield self._object(source, one)

    def _object(self, source: Source, one: Any) -> Row | Bad:
        if not isinstance(one, dict):
            return Bad(source, Refused(None, "is no object"))
        row = {}
        for key, value in _flat(one):
            try:
                name = self._column(key)
            except Invalid as unknown:
                return Bad(source, Refused(None, str(unknown)))
            if isinstance(value, list):
                return Bad(source, Refused(key, "is a list"))
            if value is None or not name:
                continue
            if text := (str(value).lower() if isinstance(value, bool) else str(value)).strip():
                row[name] = text
        return source, row

    def _header(self, cells: list[str]) -> list[str]:
        header = [self._column(cell) for cell in cells]
        twice = {name for name in header if name and header.count(name) > 1}
        if twice:
            raise Invalid(str(self.path), f"has the column {min(twice)} twice")
        if not any(header):
            raise Invalid(str(self.path), "has no header with columns that are known")
        return header

    def _column(self, name: str) -> str:
        plain = " ".join(name.split()).lower()
        if plain in self._names:
            plain = self._names[plain]
        if plain and self._known is not None and plain not in self._known:
            near = get_close_matches(plain.replace(" ", "_"), self._known, 1)
            meant = f" (is it {near[0]}?)" if near else ""
            raise Invalid(
                str(self.path),
                f"has a column {name!r} that is not known{meant}; "
                f"--map '{name}=COLUMN' names it, --map '{name}=' leaves it out",
            )
        return plain


def _flat(one: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Give what is in an object, what is in objects in it by ``outer.inner``."""
    for key, value in one.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def _sniff(header: str) -> str:
    """Give the delimiter of a header: what stands most often in it, outside of quotes."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


__all__ = ["DELIMITERS", "ENCODINGS", "Row", "Table"]
