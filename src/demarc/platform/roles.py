"""The roles of the database: under which Demarc works, and as which its processes log in.

``demarc_app`` and ``demarc_system`` are entered by SET ROLE (docs/adr/0011). Where the server is our
own, processes log in as ``demarc_login``: it is nobody's superuser, owns nothing, and has no right
but to enter those two.
"""

from psycopg import sql

from demarc.platform.database import Connection
from demarc.platform.postgres.configuration import LOGIN

APP = "demarc_app"
SYSTEM = "demarc_system"

# From this version on a member may be let in without inheriting, by the grant itself; before, it is
# the member's own attribute that says so.
_GRANTS_SAY_HOW = 160_000

# As in the first migration, for a database whose dump names the roles before any migration runs.
_ENSURE = f"""
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['{APP}', '{SYSTEM}'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
        IF NOT pg_has_role(current_user, wanted, CASE
               WHEN current_setting('server_version_num')::integer >= {_GRANTS_SAY_HOW} THEN 'SET'
               ELSE 'MEMBER' END) THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;
END
$$
"""

_RIGHTS = "LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


async def ensure_roles(conn: Connection) -> None:
    """Make the two roles that are entered, if they are missing, and see that they can be.

    Raises:
        psycopg.errors.InsufficientPrivilege: the login role may not.
    """
    await conn.execute(_ENSURE.encode())


async def ensure_login(conn: Connection) -> None:
    """Make the role that processes log in as, on a server of our own; as its superuser.

    Also where the role is there: it is brought to these rights.
    """
    await ensure_roles(conn)
    login = sql.Identifier(LOGIN)
    known = await (
        await conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [LOGIN])
    ).fetchone()
    verb = sql.SQL("CREATE ROLE" if known is None else "ALTER ROLE")
    await conn.execute(sql.SQL("{} {} ").format(verb, login) + sql.SQL(_RIGHTS))
    how = " WITH INHERIT FALSE, SET TRUE" if conn.info.server_version >= _GRANTS_SAY_HOW else ""
    await conn.execute(
        sql.SQL("GRANT {}, {} TO {}").format(sql.Identifier(APP), sql.Identifier(SYSTEM), login)
        + sql.SQL(how)
    )


__all__ = ["APP", "LOGIN", "SYSTEM", "ensure_login", "ensure_roles"]
