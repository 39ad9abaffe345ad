"""FreeRADIUS as a neighbour on the way: a proxy before Demarc, or an ISP's own AAA behind it.

It runs on loopback, in a folder of the test's own, with a configuration of a page.
"""

import asyncio
import contextlib
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from demarc.southbound.radius.tls import TlsFiles
from support.eventually import eventually

PROGRAM = next(
    (
        path
        for name in ("freeradius", "radiusd")
        if (path := shutil.which(name, path="/usr/sbin:/usr/bin"))
    ),
    None,
)
MISSING = PROGRAM is None
WHY = "FreeRADIUS is not installed (Debian: freeradius)"

_LIBRARIES = ("/usr/lib/freeradius", "/usr/lib64/freeradius", "/usr/local/lib")

_HEAD = """
name = radiusd
logdir = {folder}
run_dir = {folder}
libdir = {library}
pidfile = {folder}/radiusd.pid
max_request_time = 10
cleanup_delay = 2
max_requests = 4096
hostname_lookups = no
log {{
    destination = stdout
}}
security {{
    reject_delay = 0
    status_server = yes
    allow_vulnerable_openssl = yes
}}
thread pool {{
    start_servers = 2
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 2
    max_requests_per_server = 0
}}
modules {{
    pap {{
    }}
    chap {{
    }}
    files {{
        usersfile = {folder}/users
    }}
    always ok {{
        rcode = ok
    }}
    linelog {{
        filename = {folder}/accounting
        format = "%{{Acct-Status-Type}} %{{User-Name}} %{{Acct-Session-Id}}"
    }}
}}
client loopback {{
    ipaddr = 127.0.0.1
    secret = {secret}
}}
clients radsec {{
    client loopback {{
        ipaddr = 127.0.0.1
        proto = tls
        secret = radsec
    }}
}}
"""

_LISTEN = """
listen {{
    type = {kind}
    ipaddr = 127.0.0.1
    port = {port}
    virtual_server = default
}}
"""

_LISTEN_TLS = """
listen {{
    type = auth+acct
    ipaddr = 127.0.0.1
    port = {port}
    proto = tcp
    virtual_server = default
    clients = radsec
    limit {{
        max_connections = 16
        lifetime = 0
        idle_timeout = 60
    }}
    tls {{
        private_key_file = {key}
        certificate_file = {cert}
        ca_file = {ca}
        require_client_cert = yes
        tls_min_version = "1.2"
        tls_max_version = "1.3"
        ecdh_curve = "prime256v1"
    }}
}}
"""

_ANSWERING = """
server default {
    authorize {
        files
        chap
        pap
    }
    authenticate {
        Auth-Type PAP {
            pap
        }
        Auth-Type CHAP {
            chap
        }
    }
    preacct {
        ok
    }
    accounting {
        linelog
    }
}
"""

_PROXYING = """
server default {
    authorize {
        update control {
            Proxy-To-Realm := "onwards"
        }
    }
    preacct {
        update control {
            Proxy-To-Realm := "onwards"
        }
    }
    accounting {
        ok
    }
}
realm onwards {
    auth_pool = auth
    acct_pool = acct
    nostrip
}
"""

_HOME = """
home_server {name} {{
    type = {kind}
    ipaddr = 127.0.0.1
    port = {port}
    secret = {secret}
    {more}
    response_window = 5
    zombie_period = 10
    status_check = status-server
}}
home_server_pool {pool} {{
    type = fail-over
    home_server = {name}
}}
"""

_TLS = """proto = tcp
    tls {{
        private_key_file = {key}
        certificate_file = {cert}
        ca_file = {ca}
        tls_min_version = "1.2"
        tls_max_version = "1.3"
        ecdh_curve = "prime256v1"
    }}"""


class FreeRadius(msgspec.Struct):
    """A server that runs; ``auth`` and ``acct`` are where it is asked over UDP, ``tls`` over TLS."""

    folder: Path
    auth: tuple[str, int]
    acct: tuple[str, int]
    tls: tuple[str, int]

    def accounted(self) -> list[str]:
        """Give what was told of sessions, a line for each packet."""
        path = self.folder / "accounting"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def proxy_to(
    auth: tuple[str, int], acct: tuple[str, int], secret: str, tls: TlsFiles | None = None
) -> str:
    """Give the configuration that sends all on, over UDP or, with a certificate, over TLS."""
    if tls is None:
        return (
            _PROXYING
            + _HOME.format(name="a", pool="auth", kind="auth", port=auth[1], secret=secret, more="")
            + _HOME.format(name="b", pool="acct", kind="acct", port=acct[1], secret=secret, more="")
        )
    more = _TLS.format(key=tls.key, cert=tls.cert, ca=tls.ca)
    both = _HOME.format(
        name="both", pool="auth", kind="auth+acct", port=auth[1], secret="radsec", more=more
    )
    also = "home_server_pool acct {\n    type = fail-over\n    home_server = both\n}\n"
    return _PROXYING + both + also


@contextlib.asynccontextmanager
async def running(
    folder: Path,
    secret: str,
    *,
    proxying: str | None = None,
    users: str = "",
    tls: TlsFiles | None = None,
    auth: int | None = None,
) -> AsyncIterator[FreeRadius]:
    """Run it for as long as the block lasts.

    Args:
        folder: for its files; must be empty or new.
        secret: shared with who asks from loopback.
        proxying: as ``proxy_to`` gave it; left out, it answers by ``users``.
        users: FreeRADIUS's file of that name.
        tls: its certificate; with it it takes TLS, too.
        auth: the port it is asked to authenticate at, where it must be a certain one.
    """
    folder.mkdir(exist_ok=True)
    ports = _free_ports()
    ports[0] = auth or ports[0]
    library = next((path for path in _LIBRARIES if Path(path).is_dir()), _LIBRARIES[0])
    parts = [_HEAD.format(folder=folder, library=library, secret=secret)]
    parts += [
        _LISTEN.format(kind=kind, port=port)
        for kind, port in zip(("auth", "acct"), ports, strict=False)
    ]
    if tls is not None:
        parts.append(_LISTEN_TLS.format(port=ports[2], key=tls.key, cert=tls.cert, ca=tls.ca))
    parts.append(proxying or _ANSWERING)
    (folder / "radiusd.conf").write_text("".join(parts), encoding="utf-8")
    (folder / "users").write_text(users, encoding="utf-8")
    log = folder / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            PROGRAM or "freeradius", "-d", str(folder), "-n", "radiusd", "-fxx", "-l", "stdout",
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:

        def ready() -> bool:
            said = log.read_text(encoding="utf-8", errors="replace")
            if process.returncode is not None:
                raise AssertionError(f"FreeRADIUS did not start:\n{said[-4000:]}")
            return "Ready to process requests" in said

        await eventually(ready)
        yield FreeRadius(folder, *(("127.0.0.1", port) for port in ports))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


def _free_ports() -> list[int]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    sockets.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()
