"""What stands in the database and depends on something outside it: keys, rights, time zones."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from demarc.app import rotation
from demarc.cli.examine.finding import Finding, problem, warning, well
from demarc.platform.database import Database
from demarc.platform.secrets import KeyFileError, KeyRing

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

_SHOWN = 3

_LOGIN = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = session_user"
_ZONES = """
SELECT DISTINCT used.timezone, known.name IS NOT NULL
FROM (SELECT timezone FROM tenant UNION SELECT timezone FROM premise) used
LEFT JOIN pg_timezone_names known ON known.name = used.timezone
WHERE used.timezone IS NOT NULL
ORDER BY 1
"""


async def keys_in_use(conninfo: str, key_file: Path) -> Finding:
    """Look whether every stored secret is under a key of the file, and which are under old ones."""
    what = "keys in use"
    try:
        ring = KeyRing.open(key_file, create=False)
    except KeyFileError as wrong:
        return problem(what, f"unknown: {wrong}", "mend the key file first")
    db = await Database.open(conninfo, tenant_pool=1, system_pool=1, name="demarc/doctor")
    try:
        used = await rotation.uses(db)
    finally:
        await db.close()
    unknown = sorted(set(used) - set(ring.created))
    if unknown:
        lost = sum(sum(used[key].values()) for key in unknown)
        return problem(
            what,
            f"{lost} value(s) are under keys that are not in {key_file}: {_some(unknown)}",
            "put back the key file that has them; demarc keys list counts them by column",
        )
    old = sorted(set(used) - {ring.current})
    if old:
        behind = sum(sum(used[key].values()) for key in old)
        return warning(
            what,
            f"{behind} value(s) are still under older keys: {_some(old)}",
            "demarc keys rotate --resume",
        )
    return well(what, f"every stored secret is under {ring.current}")


async def login_role(conn: Connection) -> Finding:
    """Look what the role that a given server lets us in as may do beyond what is needed."""
    row = await (await conn.execute(_LOGIN)).fetchone()
    if row is None:
        raise RuntimeError("a role that is logged in is not among the roles")
    name, superuser, bypasses = row
    if superuser or bypasses:
        may = "is a superuser" if superuser else "passes row-level security by"
        return warning(
            "login role",
            f"{name} {may}, which Demarc does not need",
            f"ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS (as another superuser)",
        )
    return well("login role", f"{name} has no rights that are not needed")


async def zones(conn: Connection) -> Finding:
    """Look whether this machine and the database know the zones that days are counted in."""
    found = await (await conn.execute(_ZONES)).fetchall()
    lacking = [zone for zone, _ in found if not _known(zone)]
    if lacking:
        return problem(
            "time zones",
            f"this machine does not know {_some(lacking)}",
            "install the time zone data (Debian: tzdata), or the Python package tzdata",
        )
    lacking = [zone for zone, known in found if not known]
    if lacking:
        return problem(
            "time zones",
            f"the database does not know {_some(lacking)}",
            "install the time zone data where PostgreSQL runs (Debian: tzdata)",
        )
    return well("time zones", f"all known: {_some([zone for zone, _ in found]) or 'none used yet'}")


def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


__all__ = ["keys_in_use", "login_role", "zones"]
