"""The machine: keys, ports, buffers, disk, the programs of PostgreSQL."""

import errno
import http.client
import os
import shutil
import socket
import ssl
import stat
from pathlib import Path

from demarc.app.listening import LISTENING, PARENT
from demarc.cli.examine.finding import Finding, problem, warning, well
from demarc.platform.postgres import ServerProblem, locate
from demarc.platform.processes import udp
from demarc.platform.processes.sockets import UDP_BUFFER
from demarc.platform.secrets import KeyFileError, KeyRing
from demarc.platform.settings import Settings, flag_of

_PATIENCE = 2.0
_LITTLE_ROOM = 1 << 30
_TIGHT = 0.10
_OK = 200

_NAMES = {
    "https": "HTTPS",
    "cwmp": "CWMP",
    "cwmps": "CWMP over TLS",
    "auth": "RADIUS authentication",
    "acct": "RADIUS accounting",
    "radsec": "RADIUS over TLS",
    "metrics": "metrics",
}


def examine(settings: Settings, *, empty: bool) -> list[Finding]:
    """Look at everything outside the database.

    Args:
        settings: what the machine is to serve.
        empty: nothing is stored yet, so that no key is needed yet.
    """
    answers = None
    if "web" in settings.roles:
        secure = settings.tls_cert is not None and settings.https_port is None
        answers = _answers(settings.http_host, settings.http_port, secure=secure)
    found = [keys(settings.key_file, needed=not empty)]
    if settings.database_url is None:
        found.append(_programs(settings))
    if "web" in settings.roles:
        found.append(_http(settings, answers=answers))
    taken_by_us = answers or _runs_here(settings)
    for each in LISTENING:
        port = getattr(settings, each.port)
        if each.name == "http" or port is None or each.role not in (*settings.roles, PARENT):
            continue
        host = getattr(settings, each.host)
        kind = socket.SOCK_DGRAM if each.make is udp else socket.SOCK_STREAM
        what = _NAMES.get(each.name, each.name)
        found.append(_port(what, host, port, kind, flag_of(each.port), ours=taken_by_us))
    if "radius" in settings.roles:
        found.append(buffers())
    found.append(disk(settings.data))
    return found


def keys(path: Path, *, needed: bool) -> Finding:
    """Look at the key file: there where it is needed, and its owner's alone."""
    if not path.exists():
        if not needed:
            return well("key file", f"{path} will be made with the database")
        return problem(
            "key file",
            f"{path} is missing: no stored secret can be read",
            "put back the copy you keep, or say where it is: --key-file",
        )
    try:
        ring = KeyRing.open(path, create=False)
    except KeyFileError as wrong:
        return problem("key file", str(wrong), f"give it back its content and its rights: {path}")
    status = path.stat()
    if status.st_uid != os.geteuid() and os.geteuid() != 0:
        return warning("key file", f"{path} belongs to another user", f"chown it: {path}")
    if stat.S_IMODE(path.parent.stat().st_mode) & 0o002:
        return warning(
            "key file", f"anybody may replace files in {path.parent}", f"chmod o-w {path.parent}"
        )
    return well("key file", f"{path}, {len(ring.created)} key(s), current {ring.current}")


def _programs(settings: Settings) -> Finding:
    try:
        binaries = locate(settings.pg_bin)
    except ServerProblem as missing:
        return problem("PostgreSQL's programs", str(missing), "name them with --pg-bin")
    return well("PostgreSQL's programs", str(binaries.bin_dir))


def _answers(host: str, port: int, *, secure: bool = False) -> bool | None:
    """Tell whether Demarc answers there: None where nobody does."""
    if port == 0:
        return None
    connection: http.client.HTTPConnection
    if secure:
        # who it is does not matter here, and its certificate is for another name
        anybody = ssl._create_unverified_context()  # noqa: S323, SLF001
        connection = http.client.HTTPSConnection(
            _reachable(host), port, timeout=_PATIENCE, context=anybody
        )
    else:
        connection = http.client.HTTPConnection(_reachable(host), port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return response.status == _OK and b'"status"' in response.read(1000)
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _http(settings: Settings, *, answers: bool | None) -> Finding:
    host, port = settings.http_host, settings.http_port
    if answers:
        return well("HTTP", f"Demarc answers on {host}:{port}")
    if answers is False:
        return problem(
            "HTTP",
            f"something that is not Demarc holds {host}:{port}",
            "end it, or choose another port: --http-port",
        )
    return _free("HTTP", host, port, socket.SOCK_STREAM, "--http-port")


def _port(
    what: str, host: str, port: int, kind: socket.SocketKind, flag: str, *, ours: bool | None
) -> Finding:
    found = _free(what, host, port, kind, flag)
    if found.state == "problem" and ours and "taken" in found.says:
        return well(what, f"{host}:{port} is taken while Demarc runs here")
    return found


def _runs_here(settings: Settings) -> bool:
    """Tell whether metrics are answered, which they are on a machine without the web, too."""
    if settings.metrics_port in (None, 0):
        return False
    connection = http.client.HTTPConnection(
        _reachable(settings.metrics_host), settings.metrics_port, timeout=_PATIENCE
    )
    try:
        connection.request("GET", "/")
        return b"metrics are at" in connection.getresponse().read(1000)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free(what: str, host: str, port: int, kind: socket.SocketKind, flag: str) -> Finding:
    if port == 0:
        return well(what, "takes a free port when it starts")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, kind) as trial:
            if kind == socket.SOCK_STREAM:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as wrong:
        if wrong.errno == errno.EADDRINUSE:
            return problem(
                what,
                f"{host}:{port} is taken by another program",
                f"end it, or choose another port: {flag}",
            )
        if wrong.errno == errno.EACCES:
            return problem(
                what,
                f"{host}:{port} may not be listened on by this user",
                f"choose a port from 1024 on: {flag}",
            )
        return problem(
            what, f"{host}:{port} cannot be listened on: {wrong.strerror}", "choose another address"
        )
    return well(what, f"{host}:{port} is free")


def buffers() -> Finding:
    """Look at how much a UDP socket may hold while its process is busy."""
    with udp("127.0.0.1", 0) as trial:
        size = trial.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    # Linux tells twice of what was asked for, its own records included
    had = size // 2 if Path("/proc/sys/net/core/rmem_max").exists() else size
    if had >= UDP_BUFFER:
        return well("UDP buffers", f"{had >> 10} KiB")
    return warning(
        "UDP buffers",
        f"{had >> 10} KiB of {UDP_BUFFER >> 10} KiB: bursts of RADIUS packets will be lost",
        f"sysctl -w net.core.rmem_max={UDP_BUFFER} (and keep it in /etc/sysctl.d)",
    )


def disk(folder: Path) -> Finding:
    """Look at the room where the data are, or will be."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    says = f"{usage.free / (1 << 30):.1f} GiB free of {usage.total / (1 << 30):.1f} at {place}"
    if usage.free < _LITTLE_ROOM:
        return problem("disk", says, "make room: PostgreSQL stops when the disk is full")
    if usage.free < usage.total * _TIGHT:
        return warning("disk", says, "make room in time")
    return well("disk", says)


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - replaced


__all__ = ["buffers", "disk", "examine", "keys"]
