"""FreeRADIUS as a peer: Debian's package, its stock PostgreSQL schema and queries, our subscribers.

It runs on the same PostgreSQL as Demarc in that run, on loopback, with a configuration written
here. What is chosen is chosen in its favour where there is a choice: no group queries, no
delayed rejects, no log of each request.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Literal, Self

import psycopg

from load import subscriber
from load.packets import Life

PROGRAM = "/usr/sbin/freeradius"
_STOCK = Path("/etc/freeradius/3.0")
_SCHEMA = _STOCK / "mods-config/sql/main/postgresql/schema.sql"
_PACKAGES = ("freeradius", "freeradius-postgresql")
_READY_WITHIN = 60.0
_END_WITHIN = 20.0
DATABASE = "freeradius"

Store = Literal["sql", "files"]

_CONFIGURATION = """
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {folder}
confdir = {folder}
modconfdir = {stock}/mods-config
logdir = {folder}
run_dir = {folder}
name = freeradius
pidfile = {folder}/freeradius.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 262144
hostname_lookups = no
proxy_requests = no
log {{
    destination = files
    file = {folder}/radius.log
    auth = no
}}
security {{
    max_attributes = 200
    reject_delay = 0
    status_server = yes
}}
thread pool {{
    start_servers = {threads}
    max_servers = {threads}
    min_spare_servers = {threads}
    max_spare_servers = {threads}
    max_requests_per_server = 0
    max_queue_size = 65536
    auto_limit_acct = no
}}
modules {{
    pap {{ }}
    chap {{ }}
    expr {{ }}
    always ok {{ rcode = ok }}
{store}
}}
policy {{
    $INCLUDE {stock}/policy.d/accounting
}}
client benchmark {{
    ipaddr = 127.0.64.0/24
    secret = {secret}
    require_message_authenticator = no
}}
server benchmark {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {auth}
    }}
    listen {{
        type = acct
        ipaddr = 127.0.0.1
        port = {acct}
    }}
    authorize {{
        chap
        {module}
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
        Auth-Type CHAP {{
            chap
        }}
    }}
    preacct {{
        acct_unique
    }}
    accounting {{
        {accounting}
    }}
    post-auth {{
        {recorded}
        Post-Auth-Type REJECT {{
            {recorded}
        }}
    }}
}}
"""

_SQL = """
    sql {{
        driver = "rlm_sql_postgresql"
        dialect = "postgresql"
        radius_db = "{conninfo}"
        acct_table1 = "radacct"
        acct_table2 = "radacct"
        postauth_table = "radpostauth"
        authcheck_table = "radcheck"
        groupcheck_table = "radgroupcheck"
        authreply_table = "radreply"
        groupreply_table = "radgroupreply"
        usergroup_table = "radusergroup"
        client_table = "nas"
        group_attribute = "SQL-Group"
        read_groups = no
        read_profiles = no
        read_clients = no
        delete_stale_sessions = yes
        pool {{
            start = {threads}
            min = {threads}
            max = {threads}
            spare = {threads}
            uses = 0
            lifetime = 0
            idle_timeout = 0
        }}
        $INCLUDE ${{modconfdir}}/sql/main/postgresql/queries.conf
    }}
"""

_FILES = """
    files {{
        usersfile = {folder}/users
    }}
"""


def install() -> str | None:
    """Install it where it is not, as root on Debian.

    Returns:
        Why it is not there; None where it is.
    """
    if not (Path(PROGRAM).exists() and _SCHEMA.exists()):
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            return "FreeRADIUS is not installed (Debian: freeradius, freeradius-postgresql)"
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *_PACKAGES],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return f"FreeRADIUS cannot be installed: {done.stderr.strip()[-200:]}"
    return None


def populate(conninfo: str, subscribers: int) -> str:
    """Make its database beside Demarc's, with the same log-ins; give how to connect.

    Args:
        conninfo: a database on the server to use, as its superuser.
        subscribers: how many.
    """
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        conn.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
    own = psycopg.conninfo.make_conninfo(conninfo, dbname=DATABASE)
    with psycopg.connect(own, autocommit=True) as conn:
        conn.execute(_SCHEMA.read_bytes())
        _copy(
            conn,
            "radcheck (username, attribute, op, value)",
            (
                (subscriber.login(n).decode(), "Cleartext-Password", ":=", subscriber.password(n))
                for n in range(subscribers)
            ),
        )
        _copy(
            conn,
            "radreply (username, attribute, op, value)",
            (
                (subscriber.login(n).decode(), attribute, ":=", value)
                for n in range(subscribers)
                for attribute, value in _given(n)
            ),
        )
        conn.execute("VACUUM (ANALYZE)")
        conn.execute("CHECKPOINT")
    return own


def _given(n: int) -> list[tuple[str, str]]:
    """Give what an Accept holds: the same as Demarc's to a router of that make."""
    return [
        ("Framed-IP-Address", str(subscriber.address(n))),
        ("Service-Type", "Framed-User"),
        ("Framed-Protocol", "PPP"),
        ("Acct-Interim-Interval", "86400"),
        ("Mikrotik-Rate-Limit", "100000000/200000000"),
    ]


def begin_sessions(conninfo: str, subscribers: int, began: int) -> None:
    """Forget all accounting, and let those sessions live that the load generator begins within.

    Args:
        conninfo: of its database.
        subscribers: how many there are.
        began: when the sessions began, seconds since 1970.
    """
    start = datetime.fromtimestamp(began, UTC)
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute("TRUNCATE radacct, radpostauth")
        _copy(
            conn,
            "radacct (acctsessionid, acctuniqueid, username, nasipaddress, nasportid,"
            " acctstarttime, acctupdatetime, acctsessiontime, acctinputoctets, acctoutputoctets,"
            " callingstationid, framedipaddress)",
            (_session(n, start) for n in range(subscribers) if Life.phase(n)),
        )
        conn.execute("VACUUM (ANALYZE)")
        conn.execute("CHECKPOINT")


def _session(n: int, start: datetime) -> tuple[Any, ...]:
    nas = subscriber.nas_of_port(n % subscriber.PORTS)
    address, session = subscriber.nas_address(nas), subscriber.session_id(n, 0).decode()
    login = subscriber.login(n).decode()
    port = f"ge-0/0/{nas}:{n & 4095}"
    # as its policy acct_unique makes it of what the packets hold
    names = f"{login},{session},{address},bng-{nas}.bench.example,{port},{n & 0xFFFFFF}"
    unique = hashlib.md5(names.encode(), usedforsecurity=False).hexdigest()
    received, sent = Life.octets(Life.phase(n) - 1)
    return (
        *(session, unique, login, IPv4Address(address), port, start, start),
        *((Life.phase(n) - 1) * subscriber.INTERIM, received, sent),
        *(subscriber.station(n).decode(), subscriber.address(n)),
    )


def _copy(conn: psycopg.Connection[Any], into: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with conn.cursor().copy(f"COPY {into} FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row([each.decode() if isinstance(each, bytes) else each for each in row])


class FreeRadius:
    """A running FreeRADIUS.

    Args:
        folder: an empty one, for its configuration and its log.
        store: "sql" keeps log-ins and accounting in PostgreSQL; "files" reads log-ins from a
            text file at its start and stores no accounting.
        conninfo: of its database, for "sql".
        subscribers: how many stand in the file, for "files".
        threads: that work at a time, each with a connection to the database.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        *,
        conninfo: str = "",
        subscribers: int = 0,
        threads: int = 16,
    ) -> None:
        self._folder = folder
        self._store = store
        self._conninfo = conninfo
        self._subscribers = subscribers
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self.auth, self.acct = _free_port(), _free_port()

    def __enter__(self) -> Self:
        """Start, and wait until it listens.

        Raises:
            RuntimeError: it ends instead; its words are told.
        """
        self._folder.mkdir()
        if self._store == "files":
            self._write_users()
        part = _SQL if self._store == "sql" else _FILES
        (self._folder / "radiusd.conf").write_text(
            _CONFIGURATION.format(
                folder=self._folder,
                stock=_STOCK,
                threads=self._threads,
                secret=subscriber.NAS_SECRET.decode(),
                auth=self.auth,
                acct=self.acct,
                store=part.format(
                    folder=self._folder, conninfo=self._conninfo, threads=self._threads
                ),
                module="sql" if self._store == "sql" else "files",
                accounting="sql" if self._store == "sql" else "ok",
                recorded="sql" if self._store == "sql" else "",
            ),
            encoding="utf-8",
        )
        with (self._folder / "out.log").open("wb") as output:
            self._process = subprocess.Popen(
                [PROGRAM, "-f", "-d", str(self._folder), "-n", "radiusd"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(lambda: "Ready to process requests" in self._words())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise RuntimeError("FreeRADIUS was not started")
        return self._process.pid

    def _write_users(self) -> None:
        with (self._folder / "users").open("w", encoding="utf-8") as users:
            for n in range(self._subscribers):
                password = subscriber.password(n).decode()
                users.write(f'{subscriber.login(n).decode()} Cleartext-Password := "{password}"\n')
                replies = (f'{name} = "{value}"' for name, value in _given(n))
                users.write("\t" + ",\n\t".join(replies) + "\n")

    def _wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + _READY_WITHIN
        while not done():
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"FreeRADIUS did not start:\n{self._words()[-2000:]}")
            if time.monotonic() > until:
                raise RuntimeError(f"FreeRADIUS does not listen:\n{self._words()[-2000:]}")
            time.sleep(0.05)

    def _words(self) -> str:
        logs = (self._folder / "out.log", self._folder / "radius.log")
        return "".join(each.read_text(errors="replace") for each in logs if each.exists())

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_END_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


__all__ = ["FreeRadius", "begin_sessions", "install", "populate"]
