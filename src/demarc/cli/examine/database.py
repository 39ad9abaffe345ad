"""The database: reachable, of this version, guarded, and with partitions ahead."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from demarc.app.parts import server
from demarc.app.upkeep import PARTITIONED
from demarc.cli.examine import stored
from demarc.cli.examine.finding import Finding, problem, warning, well
from demarc.platform import clock
from demarc.platform.migrations import ChangedMigration, pending
from demarc.platform.migrations.runner import migrations
from demarc.platform.postgres import ServerProblem
from demarc.platform.secrets import KeyFileError, KeyRing, Undecipherable, row_binding
from demarc.platform.settings import Settings

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

_OLDEST = 15
_DRIFT, _MUCH_DRIFT = 1.0, 10.0
_DAYS_AHEAD = 7
_CONNECT_WITHIN = 5

_ROLES = """
SELECT r.rolname, r.rolsuper OR r.rolbypassrls, pg_has_role(current_user, r.oid,
    CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)
FROM pg_roles r WHERE r.rolname IN ('demarc_app', 'demarc_system')
"""
_UNGUARDED = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT c.relrowsecurity AND c.relname <> 'migration' AND c.relname NOT LIKE 'procrastinate%'
ORDER BY c.relname
"""
_PARTITION = """
SELECT to_regclass(quote_ident(%(parent)s || to_char(current_date + %(ahead)s::integer,
       CASE %(unit)s WHEN 'day' THEN '_YYYYMMDD' ELSE '_YYYYMM' END))) IS NOT NULL
"""
_WAITING = "SELECT count(*), min(received_at)::text FROM accounting_quarantine"
_A_SECRET = "SELECT id, secret FROM nas ORDER BY created_at DESC LIMIT 1"  # noqa: S105 - SQL


class Examined(msgspec.Struct, frozen=True):
    """What was found of the database.

    Attributes:
        empty: there is nothing in it yet, or it is not there yet.
    """

    findings: list[Finding]
    empty: bool = False


async def examine(settings: Settings) -> Examined:
    """Look at the database; a private server is started for it if none runs."""
    if settings.database_url is None and not (settings.data / "postgres").exists():
        says = f"none in {settings.data} yet; demarc serve makes it"
        return Examined([well("database", says)], empty=True)
    try:
        async with server(settings) as conninfo:
            try:
                conn: Connection = await psycopg.AsyncConnection.connect(
                    conninfo, autocommit=True, connect_timeout=_CONNECT_WITHIN
                )
            except psycopg.OperationalError as wrong:
                says = f"cannot be reached: {' '.join(str(wrong).split())}"
                mend = "see that it runs, and DEMARC_DATABASE_URL"
                if settings.database_url is None and "Peer authentication" in says:
                    mend = "run this as the user who started demarc serve (sudo -u ...)"
                return Examined([problem("database", says, mend)])
            async with conn:
                return await _looked_at(conn, conninfo, settings)
    except ServerProblem as wrong:
        return Examined([problem("database", str(wrong), "see the logs in the data folder")])


async def _looked_at(conn: Connection, conninfo: str, settings: Settings) -> Examined:
    found = [_version(conn), await drift(conn)]
    try:
        missing = await pending(conninfo)
    except ChangedMigration as changed:
        mend = "use the version that migrated it"
        return Examined([*found, problem("migrations", str(changed), mend)])
    if missing:
        # what follows stands on the schema
        names = ", ".join(f"{step.number:04d}_{step.name}" for step in missing)
        says = f"{len(missing)} missing: {names}"
        found.append(problem("migrations", says, "demarc migrate"))
        return Examined(found, empty=len(missing) == len(migrations()))
    found.append(well("migrations", "all applied"))
    looks: list[Callable[[Connection], Awaitable[Finding]]] = [
        roles,
        row_security,
        partitions,
        quarantine,
    ]
    for look in looks:
        found.append(await look(conn))
    found.append(await readable(conn, settings))
    if all(finding.what != "roles" or finding.state == "ok" for finding in found):
        found.append(await stored.keys_in_use(conninfo, settings.key_file))
    found.append(await stored.zones(conn))
    if settings.database_url is not None:
        found.append(await stored.login_role(conn))
    return Examined(found)


def _version(conn: Connection) -> Finding:
    number = conn.info.server_version
    major, minor = divmod(number, 10_000)
    if major < _OLDEST:
        return problem("database", f"PostgreSQL {major}.{minor}", f"use {_OLDEST} or newer")
    return well("database", f"PostgreSQL {major}.{minor}")


async def drift(conn: Connection) -> Finding:
    """Compare the clocks of this machine and of the database."""
    before = clock.now()
    row = await (await conn.execute("SELECT clock_timestamp()")).fetchone()
    after = clock.now()
    if row is None:
        raise RuntimeError("a statement that always gives a row gave none")
    seconds = abs((row[0] - (before + (after - before) / 2)).total_seconds())
    says = f"{seconds:.3f} s from the database's"
    mend = "keep both machines on time (chrony, systemd-timesyncd)"
    if seconds > _MUCH_DRIFT:
        return problem("clock", says, mend)
    return warning("clock", says, mend) if seconds > _DRIFT else well("clock", says)


async def roles(conn: Connection) -> Finding:
    """Look at the two roles under which everything runs."""
    known = {name: rest for name, *rest in await (await conn.execute(_ROLES)).fetchall()}
    for role in ("demarc_app", "demarc_system"):
        if role not in known:
            return problem("roles", f"{role} is missing", f"CREATE ROLE {role} NOLOGIN")
        unbound, member = known[role]
        if unbound:
            return problem(
                "roles",
                f"{role} passes row-level security by",
                f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS",
            )
        if not member:
            return problem(
                "roles",
                f"{conn.info.user} may not enter {role}",
                f"GRANT {role} TO {conn.info.user}",
            )
    return well("roles", "demarc_app and demarc_system can be entered")


async def row_security(conn: Connection) -> Finding:
    """Look for tables that every tenant could read."""
    bare = [name for (name,) in await (await conn.execute(_UNGUARDED)).fetchall()]
    if bare:
        return problem(
            "row-level security",
            f"is off on {', '.join(bare)}",
            f"ALTER TABLE {bare[0]} ENABLE ROW LEVEL SECURITY",
        )
    return well("row-level security", "on for every table")


async def partitions(conn: Connection) -> Finding:
    """Look whether the partitions of the coming days are there."""
    for ahead in (0, _DAYS_AHEAD):
        missing = []
        for parent, unit in PARTITIONED.items():
            values = {"parent": parent, "unit": unit, "ahead": ahead}
            row = await (await conn.execute(_PARTITION, values)).fetchone()
            if row is None or not row[0]:
                missing.append(parent)
        if missing:
            names = ", ".join(missing)
            mend = "see that a worker runs (demarc serve): it makes them every hour"
            if ahead == 0:
                return problem("partitions", f"today's is missing of {names}", mend)
            return warning("partitions", f"none in {ahead} days of {names}", mend)
    return well("partitions", f"there for {_DAYS_AHEAD} days and more")


async def quarantine(conn: Connection) -> Finding:
    """Look for accounting that could not be applied."""
    row = await (await conn.execute(_WAITING)).fetchone()
    if row is None or not row[0]:
        return well("accounting", "none in quarantine")
    return warning(
        "accounting",
        f"{row[0]} packet(s) in quarantine, the oldest since {row[1]}",
        "read the reasons in accounting_quarantine",
    )


async def readable(conn: Connection, settings: Settings) -> Finding:
    """Try whether the keys are those the secrets were encrypted with."""
    row = await (await conn.execute(_A_SECRET)).fetchone()
    if row is None:
        return well("secrets", "none stored yet")
    key: UUID = row[0]
    try:
        ring = KeyRing.open(settings.key_file, create=False)
        ring.decrypt(bytes(row[1]), row=row_binding("nas", "secret", key))
    except (KeyFileError, Undecipherable) as wrong:
        return problem(
            "secrets",
            f"the stored ones cannot be read: {wrong}",
            "put back the key file that belongs to this database",
        )
    return well("secrets", "can be read with these keys")


__all__ = [
    "Examined",
    "drift",
    "examine",
    "partitions",
    "quarantine",
    "readable",
    "roles",
    "row_security",
]
