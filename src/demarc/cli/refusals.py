"""Errors as a line for people, and the exit code that goes with it."""

from typing import Final

REFUSED: Final = 1
"""What was asked cannot be done; nothing was changed."""

USAGE: Final = 2
"""The command line or a setting cannot be taken."""


def explain(error: Exception) -> tuple[int, str]:
    """Give the exit code and the line for an error."""
    import psycopg
    import psycopg_pool

    from demarc.app.backup.errors import BackupProblem
    from demarc.apply.parse import Mistaken
    from demarc.domains.errors import DomainError
    from demarc.platform.migrations import ChangedMigration, MigrationFailed
    from demarc.platform.postgres import ServerProblem
    from demarc.platform.processes import ChildFailed
    from demarc.platform.secrets import KeyFileError, Overloaded, Undecipherable
    from demarc.platform.settings import SettingError
    from demarc.platform.tls import TlsProblem

    text = " ".join(str(error).split())
    if isinstance(error, SettingError):
        return USAGE, text
    if isinstance(error, Mistaken):
        return REFUSED, _listed(error)
    if isinstance(
        error,
        DomainError
        | BackupProblem
        | KeyFileError
        | Undecipherable
        | Overloaded
        | ChangedMigration
        | MigrationFailed
        | ServerProblem
        | ChildFailed
        | TlsProblem,
    ):
        return REFUSED, text
    if isinstance(error, psycopg_pool.PoolTimeout | psycopg.OperationalError):
        return REFUSED, f"the database cannot be reached: {text}"
    if isinstance(error, psycopg.errors.UndefinedTable):
        return REFUSED, "the database lacks migrations; run: demarc migrate"
    if isinstance(error, psycopg.Error):
        return REFUSED, f"the database refuses: {text}"
    if isinstance(error, OSError):
        return (
            REFUSED,
            f"{error.filename}: {error.strerror}" if error.filename else error.strerror or text,
        )
    kind = type(error).__name__
    return REFUSED, f"this should not happen: {kind}: {text} (--traceback shows where)"


def _listed(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if len(lines) == 1 else "\n  ".join(["nothing was changed:", *lines])


__all__ = ["REFUSED", "USAGE", "explain"]
