"""The private server's configuration files, as text."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

SUPERUSER = "demarc"
"""The role that owns everything on the private server; migrations, backups and repairs run as it."""

LOGIN = "demarc_login"
"""The role that processes log in as (`demarc.platform.roles`)."""

PORT = 5432
"""Not a port, only a part of the socket's name."""

_MIB = 1024 * 1024
_NAME = re.compile(r"[a-z_][a-z0-9_.]*")
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class Files(msgspec.Struct, frozen=True):
    """Where the server finds its configuration."""

    main: Path
    access: Path
    names: Path


def memory() -> int:
    """Give the memory this machine, or the container around us, may use; in octets."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in _CGROUP_LIMITS:
        try:
            text = Path(limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal():
            found = min(found, int(text))
    return found


def access() -> str:
    """Give pg_hba.conf: who the kernel says they are, on the socket; nobody from a network."""
    return "local all all peer map=demarc\nhost all all all reject\n"


def names(users: list[str]) -> str:
    """Give pg_ident.conf: these users of the operating system are our roles."""
    return "".join(
        f"demarc {_name(user)} {role}\n"
        for user in dict.fromkeys(users)
        for role in (SUPERUSER, LOGIN)
    )


def main(files: Files, sockets: Path, logs: Path, settings: Mapping[str, str]) -> str:
    """Give postgresql.conf.

    Args:
        files: where the other files are.
        sockets: the folder of the socket.
        logs: the folder of the server's own log.
        settings: what differs from our choice.

    Raises:
        ValueError: a setting's name is no name.
    """
    total = memory()
    chosen = {
        "hba_file": str(files.access),
        "ident_file": str(files.names),
        "listen_addresses": "",
        "unix_socket_directories": _name(str(sockets)),
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "cluster_name": "demarc",
        "max_connections": "100",
        "shared_buffers": _size(total // 8, 64, 1024),
        "effective_cache_size": _size(total // 2, 128, 65536),
        "maintenance_work_mem": _size(total // 64, 32, 256),
        "work_mem": "8MB",
        "synchronous_commit": "on",
        "wal_compression": "on",
        "min_wal_size": "80MB",
        "max_wal_size": "1GB",
        # Statements are short, and compiling one takes longer than running it.
        "jit": "off",
        "random_page_cost": "1.1",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        # A week of log, a file a day.
        "logging_collector": "on",
        "log_directory": str(logs),
        "log_filename": "postgresql-%a.log",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_truncate_on_rotation": "on",
        "log_file_mode": "0600",
        "log_line_prefix": "%m [%p] %a %d ",
        "log_lock_waits": "on",
        "log_min_duration_statement": "1s",
        # Parameters are people's data and secrets.
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    } | dict(settings)
    for name in chosen:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a setting of PostgreSQL")
    return "".join(f"{name} = {_value(value)}\n" for name, value in chosen.items())


def _size(octets: int, least: int, most: int) -> str:
    return f"{min(max(octets // _MIB, least), most)}MB"


def _value(text: str) -> str:
    return "'" + _printable(text).replace("\\", "\\\\").replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + _printable(text).replace('"', '""') + '"'


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a value with control characters cannot be written to a configuration")
    return text
