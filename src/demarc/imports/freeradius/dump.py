"""Dumps of databases as text, read row by row: those of pg_dump and of mysqldump.

Not SQL as a whole: ``COPY .. FROM stdin`` blocks, ``INSERT`` (and ``REPLACE``) with values written
out, and the columns of ``CREATE TABLE``. Every other statement is passed over. What is held in
memory is a piece of the file and one row.
"""

import re
from collections.abc import Collection, Iterator
from typing import TextIO

import msgspec

_PIECE = 1 << 18
# What is no match with so much text at hand is none with more, unless a string is open.
_CERTAIN = 1 << 16
_LONGEST_VALUE = 1 << 24
_ORDER = re.MULTILINE | re.IGNORECASE | re.DOTALL

_BLANK = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|#[^\n]*(?:\n|\Z)|/\*.*?\*/|;)*", re.DOTALL)
_NAME = r"""(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|[\w$]+)"""
_TABLE = rf"({_NAME}(?:\s*\.\s*{_NAME})*)"
_COLUMNS = rf"\(\s*({_NAME}(?:\s*,\s*{_NAME})*)\s*\)"
_COPY = re.compile(rf"COPY\s+{_TABLE}\s*(?:{_COLUMNS})?\s+FROM\s+stdin[^;]*;[^\n]*\n", _ORDER)
_INSERT = re.compile(
    r"(?:INSERT|REPLACE)\s+(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE)\s+)*INTO\s+"
    rf"(?:ONLY\s+)?{_TABLE}\s*(?:{_COLUMNS})?\s*(?:OVERRIDING\s+\w+\s+VALUE\s*)?VALUES?\s*",
    _ORDER,
)
_CREATE = re.compile(
    rf"CREATE\s+(?:UNLOGGED\s+|TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_TABLE}\s*\(", _ORDER
)
_VERB = re.compile(r"COPY\b|INSERT\b|REPLACE\b|CREATE\b", re.IGNORECASE)
_IDENTIFIER = re.compile(_NAME)
_NO_COLUMNS = frozenset(
    [
        "primary",
        "key",
        "unique",
        "constraint",
        "index",
        "fulltext",
        "spatial",
        "check",
        "foreign",
        "exclude",
        "like",
    ]
)

_OWN_QUOTE = r"'(?:[^']|'')*'"
_WITH_BACKSLASH = r"'(?:[^'\\]|''|\\.)*'"
_PLAIN = r"[^\s'\"`(),;][^'\"`(),;]*"


class _Dialect(msgspec.Struct, frozen=True):
    """How a server writes values.

    Attributes:
        backslash: it escapes in any string, not only in those that begin with E.
        value: one value, its strings in groups.
        passed: a piece of a statement that is passed over.
    """

    backslash: bool
    value: "re.Pattern[str]"
    passed: "re.Pattern[str]"


def _dialect(*, backslash: bool) -> _Dialect:
    string = _WITH_BACKSLASH if backslash else _OWN_QUOTE
    if backslash:
        string = rf"{string}|\"(?:[^\"\\]|\"\"|\\.)*\""
    value = re.compile(
        rf"""\s*(?:
            (?P<null>NULL\b)
          | (?:_\w+\s*)?(?P<hex>[xX]'[0-9a-fA-F]*'|0x[0-9a-fA-F]+)
          | [eE](?P<escaped>{_WITH_BACKSLASH})
          | (?:_\w+\s*|[nN])?(?P<string>{string})
          | (?P<call>\w+\([^()']*\))
          | (?P<plain>{_PLAIN})
        )(?:\s*::\s*[\w\s."\[\]]+?(?:\(\d+\))?)?\s*(?P<end>[,)])""",
        re.VERBOSE | re.IGNORECASE | re.DOTALL,
    )
    passed = re.compile(
        rf"""(?:[eE]{_WITH_BACKSLASH}|{string}|`[^`]*`|"[^"]*"|--[^\n]*\n|/\*.*?\*/
            |(\$\w*\$).*?\1
            |(?:[^'"`;/$\-eE]|[eE](?!'))+|[eE/$-])""",
        re.VERBOSE | re.DOTALL,
    )
    return _Dialect(backslash, value, passed)


_POSTGRESQL, _MYSQL = _dialect(backslash=False), _dialect(backslash=True)
_OF_MYSQL = re.compile(r"MySQL dump|MariaDB dump|ENGINE=|`")

_ESCAPES = {"b": "\b", "n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_ESCAPES_OF_MYSQL = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_BACKSLASH = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)


class DumpRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a table.

    Attributes:
        line: where it begins, from 1.
        values: by column, in lower case; None is null.
    """

    table: str
    line: int
    values: dict[str, str | None]


class Broken(msgspec.Struct, frozen=True, gc=False):
    """A statement that cannot be read."""

    line: int
    reason: str


def rows(text: TextIO, tables: Collection[str] | None = None) -> Iterator[DumpRow | Broken]:
    """Give the rows of a dump, in its order.

    Args:
        text: the dump, opened without translation of line ends.
        tables: names without schema, in lower case; None for all.
    """
    return _Reader(text, tables).rows()


class _Reader:
    def __init__(self, text: TextIO, tables: Collection[str] | None) -> None:
        self._text = text
        self._tables = None if tables is None else frozenset(tables)
        self._held = text.read(_PIECE)
        self._at = 0
        self._line = 1
        self._over = not self._held
        self._columns: dict[str, list[str]] = {}
        self._dialect = _MYSQL if _OF_MYSQL.search(self._held[:16_384]) else _POSTGRESQL

    def rows(self) -> Iterator[DumpRow | Broken]:
        while True:
            self._skip_blank()
            if self._at >= len(self._held) and not self._more():
                return
            if self._held.startswith("\\", self._at):  # a command of psql, as \restrict
                self._read_line()
                continue
            if self._match(_VERB) is not None:
                yield from self._statement()
            else:
                self._pass_over()

    def _statement(self) -> Iterator[DumpRow | Broken]:
        if (found := self._match(_COPY)) is not None:
            self._move(found.end())
            yield from self._copied(_name(found[1]), found[2])
        elif (found := self._match(_INSERT)) is not None:
            self._move(found.end())
            yield from self._inserted(_name(found[1]), found[2])
        elif (found := self._match(_CREATE)) is not None:
            self._move(found.end())
            self._columns[_name(found[1])] = self._defined()
            self._pass_over()
        else:
            self._pass_over()

    # COPY: a line a row, tabs between values (PostgreSQL's text format)

    def _copied(self, table: str, listed: str | None) -> Iterator[DumpRow | Broken]:
        columns = _names(listed) if listed else self._columns.get(table, [])
        wanted = self._tables is None or table in self._tables
        while True:
            at = self._line
            line = self._read_line()
            if line is None or line == "\\.":
                return
            if not wanted:
                continue
            cells = line.split("\t")
            if len(cells) != len(columns):
                yield Broken(at, f"has {len(cells)} values for {len(columns)} columns of {table}")
                continue
            yield DumpRow(table, at, dict(zip(columns, map(_copied, cells), strict=True)))

    # INSERT: values in brackets

    def _inserted(self, table: str, listed: str | None) -> Iterator[DumpRow | Broken]:
        columns = _names(listed) if listed else self._columns.get(table)
        if self._tables is not None and table not in self._tables:
            self._pass_over()
            return
        while True:
            self._skip_blank(semicolons=False)
            at = self._line
            if not self._takes("("):
                break
            values = self._values()
            if values is None:
                yield Broken(at, f"has values of {table} that cannot be read")
                break
            if columns is None:
                yield Broken(at, f"says nothing of the columns of {table}")
                break
            if len(values) != len(columns):
                yield Broken(at, f"has {len(values)} values for {len(columns)} columns of {table}")
            else:
                yield DumpRow(table, at, dict(zip(columns, values, strict=True)))
            self._skip_blank(semicolons=False)
            if not self._takes(","):
                break
        self._pass_over()

    def _values(self) -> list[str | None] | None:
        values: list[str | None] = []
        while True:
            found = self._match(self._dialect.value)
            if found is None:
                return None
            values.append(self._value(found))
            self._move(found.end())
            if found["end"] == ")":
                return values

    def _value(self, found: "re.Match[str]") -> str | None:
        if found["null"] is not None:
            return None
        if found["string"] is not None:
            return _unquoted(found["string"], mysql=self._dialect.backslash)
        if found["escaped"] is not None:
            return _with_escapes(found["escaped"])
        if found["hex"] is not None:
            digits = re.sub(r"[xX]'|'|0x", "", found["hex"])
            return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits).decode("latin-1")
        return (found["call"] or found["plain"]).strip()

    # CREATE TABLE: the first word of each part of the bracket

    def _defined(self) -> list[str]:
        columns: list[str] = []
        while True:
            self._skip_blank(semicolons=False)
            found = self._match(_IDENTIFIER)
            if found is None:
                return columns
            name = _unquoted_name(found[0])
            if found[0][0] in '"`' or name not in _NO_COLUMNS:
                columns.append(name)
            self._move(found.end())
            if not self._to_next_part():
                return columns

    def _to_next_part(self) -> bool:
        """Go behind the next comma of this bracket; tell whether there is one."""
        depth = 0
        while True:
            if self._at >= len(self._held) and not self._more():
                return False
            letter = self._held[self._at]
            if letter in "'\"`":
                found = self._match(self._dialect.passed)
                if found is None:
                    return False
                self._move(found.end())
                continue
            if letter == ";" or (letter == ")" and depth == 0):
                return False
            depth += {"(": 1, ")": -1}.get(letter, 0)
            self._move(self._at + 1)
            if letter == "," and depth == 0:
                return True

    # the text

    def _pass_over(self) -> None:
        """Go to the end of the statement."""
        while True:
            if self._at >= len(self._held) and not self._more():
                return
            if self._held[self._at] == ";":
                self._move(self._at + 1)
                return
            found = self._match(self._dialect.passed)
            # a quotation mark that is never closed: go on behind it
            self._move(found.end() if found is not None else self._at + 1)

    def _skip_blank(self, *, semicolons: bool = True) -> None:
        while True:
            # a comment that goes on behind what is held is no blank yet
            while (
                len(self._held) - self._at < len("--")
                or (self._held.startswith("/*", self._at) and "*/" not in self._held[self._at :])
            ) and self._more():
                pass
            found = self._match(_BLANK)
            end = self._at if found is None else found.end()
            if not semicolons and ";" in (part := self._held[self._at : end]):
                end = self._at + part.index(";")
                self._move(end)
                return
            if end == self._at:
                return
            self._move(end)

    def _takes(self, letter: str) -> bool:
        if self._at >= len(self._held) and not self._more():
            return False
        if self._held[self._at] != letter:
            return False
        self._move(self._at + 1)
        return True

    def _match(self, pattern: "re.Pattern[str]") -> "re.Match[str] | None":
        """Match here; what reaches the end of what is held may go on behind it."""
        while True:
            found = pattern.match(self._held, self._at)
            short = found is None or found.end() >= len(self._held)
            if not short or len(self._held) - self._at > _LONGEST_VALUE:
                return found
            ahead = len(self._held) - self._at
            if found is None and ahead > _CERTAIN and not self._open_string():
                return None
            if not self._more():
                return found

    def _open_string(self) -> bool:
        return "'" in self._held[self._at : self._at + 64]

    def _more(self) -> bool:
        """Hold more of the text; what lies behind is let go."""
        if self._over:
            return False
        piece = self._text.read(max(_PIECE, len(self._held) - self._at))
        self._held = self._held[self._at :] + piece
        self._at = 0
        self._over = not piece
        return bool(piece)

    def _move(self, to: int) -> None:
        self._line += self._held.count("\n", self._at, to)
        self._at = to

    def _read_line(self) -> str | None:
        while (end := self._held.find("\n", self._at)) < 0:
            if not self._more():
                rest = self._held[self._at :]
                self._move(len(self._held))
                return rest.rstrip("\r") or None
        line = self._held[self._at : end]
        self._at = end + 1
        self._line += 1
        return line.removesuffix("\r")


def _copied(cell: str) -> str | None:
    if cell == "\\N":
        return None
    return _BACKSLASH.sub(_character, cell) if "\\" in cell else cell


def _character(found: "re.Match[str]") -> str:
    what = found[1]
    if what[0] == "x" and len(what) > 1:
        return chr(int(what[1:], 16))
    if what[0] in "01234567":
        return chr(int(what, 8))
    return _ESCAPES.get(what, what)


def _unquoted(text: str, *, mysql: bool) -> str:
    """Give what stands in quotation marks, where backslashes escape in them only as MySQL has it."""
    quote, inside = text[0], text[1:-1]
    if mysql and "\\" in inside:
        return _IN_MYSQL.sub(lambda hit: _of_mysql(hit, quote), inside)
    return inside.replace(quote * 2, quote) if quote in inside else inside


_IN_MYSQL = re.compile(r"\\(.)|''|\"\"", re.DOTALL)


def _of_mysql(found: "re.Match[str]", quote: str) -> str:
    if found[1] is None:
        return quote if found[0] == quote * 2 else found[0]
    # a backslash before a wildcard stays: it is for LIKE
    return found[0] if found[1] in "%_" else _ESCAPES_OF_MYSQL.get(found[1], found[1])


def _with_escapes(text: str) -> str:
    """Give what stands in PostgreSQL's E'...'."""
    return re.sub(
        r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)|''",
        lambda hit: "'" if hit[1] is None else _character(hit),
        text[1:-1],
        flags=re.DOTALL,
    )


def _name(text: str) -> str:
    """Give a table's name without its schema, in lower case."""
    return _names(text.replace(".", ","))[-1]


def _names(text: str) -> list[str]:
    return [_unquoted_name(found[0]) for found in _IDENTIFIER.finditer(text)]


def _unquoted_name(text: str) -> str:
    return text.strip('"`').lower()


__all__ = ["Broken", "DumpRow", "rows"]
