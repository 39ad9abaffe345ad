"""Files of subscribers as a source of lines."""

from collections.abc import Iterator, Sequence

from demarc.imports import rows
from demarc.imports.entry import Bad, Read, Where
from demarc.imports.files import Table
from demarc.imports.rows import Context


class SubscriberFiles:
    """Files of subscribers, one after the other.

    Args:
        tables: the files.
        context: what their rows are read against.
    """

    def __init__(self, tables: Sequence[Table], context: Context) -> None:
        self._tables = tables
        self._context = context

    def read(self) -> Iterator[Read]:
        """Give their lines."""
        for table in self._tables:
            for row in table.rows():
                if isinstance(row, Bad):
                    yield row
                else:
                    yield rows.entry(*row, self._context)

    @property
    def where(self) -> Where:
        """How far they have been read."""
        done = sum(table.where.done for table in self._tables)
        return Where(done, sum(table.size for table in self._tables))


__all__ = ["SubscriberFiles"]
