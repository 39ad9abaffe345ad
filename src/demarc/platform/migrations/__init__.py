"""The schema, as numbered SQL files applied in order under an advisory lock.

A file is one transaction and is never edited once released: its checksum is kept and compared.
Changes follow expand/contract, so that the previous version's code runs on the next schema.
"""

from demarc.platform.migrations.runner import (
    ChangedMigration,
    Migration,
    MigrationFailed,
    migrate,
    migrations,
    pending,
)

__all__ = ["ChangedMigration", "Migration", "MigrationFailed", "migrate", "migrations", "pending"]
