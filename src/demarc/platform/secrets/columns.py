"""Every column that holds what the key ring has encrypted: one list for rotation and backup.

A test holds it to the schema: a new column of octets must be listed here, or said to be no secret.
"""

from collections.abc import Callable
from uuid import UUID

import msgspec

from demarc.platform.secrets.keys import row_binding


class EncryptedColumn(msgspec.Struct, frozen=True):
    """A column of encrypted values.

    Attributes:
        table: its table, whose primary key is ``id``.
        column: the column; a null in it is no secret.
        binding: gives the associated data of a value by its table, column and row.
    """

    table: str
    column: str
    binding: Callable[[str, str, UUID], bytes] = row_binding

    def row(self, key: UUID) -> bytes:
        """Give the associated data of the value in this row."""
        return self.binding(self.table, self.column, key)

    @property
    def name(self) -> str:
        """As people read it."""
        return f"{self.table}.{self.column}"


def _by_octets(table: str, column: str, key: UUID) -> bytes:
    # as the first of these columns were bound; a value is decrypted as it was encrypted
    return f"{table}:{column}:".encode() + key.bytes


ENCRYPTED: tuple[EncryptedColumn, ...] = (
    EncryptedColumn("nas", "secret"),
    EncryptedColumn("olt", "community", _by_octets),
    EncryptedColumn("credential", "secret"),
    EncryptedColumn("service", "wifi_password", _by_octets),
    EncryptedColumn("home_server", "secret"),
    EncryptedColumn("cpe", "acs_secret"),
    EncryptedColumn("cpe", "acs_next_secret"),
    EncryptedColumn("cpe", "request_secret"),
    EncryptedColumn("cpe_secret", "secret"),
    EncryptedColumn("cpe_bootstrap", "secret"),
    EncryptedColumn("cpe_wanted", "secret"),
)

NOT_ENCRYPTED: frozenset[tuple[str, str]] = frozenset(
    {
        # digests, which nobody reads back
        ("api_token", "digest"),
        ("idempotency", "request"),
        ("import_item", "digest"),
        ("cpe_session", "token"),
        # as clients were answered
        ("idempotency", "body"),
        # as NASes sent them; passwords are not in accounting
        ("accounting_quarantine", "packet"),
    }
)
"""Columns of octets that are no secrets of the key ring."""

__all__ = ["ENCRYPTED", "NOT_ENCRYPTED", "EncryptedColumn"]
