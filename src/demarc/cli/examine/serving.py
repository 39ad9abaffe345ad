"""What serving needs of the machine: ports, a certificate, a clock that is set, room for files."""

import ctypes
import ctypes.util
import ipaddress
import platform
import resource
import stat
import sys
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from demarc.cli.examine.finding import Finding, problem, warning, well
from demarc.platform.clock import now
from demarc.platform.settings import Settings
from demarc.platform.tls import ServerCertificate, TlsProblem

_RENEW_WITHIN = timedelta(days=14)
_FILES = 4096
# adjtimex(2): nobody keeps the clock on time
_UNSYNCHRONISED = 0x0040
_TIMEX_OCTETS = 512


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that serving with these settings takes, but the ports."""
    found = [programs(settings), synchronised(), files()]
    if "web" in settings.roles:
        found += [certificate(settings), exposure(settings)]
    if "radius" in settings.roles:
        found += of_radius(settings)
    return found


def programs(settings: Settings) -> Finding:
    """Tell what would run here."""
    says = f"Demarc {version('demarc')}, Python {platform.python_version()}"
    return well("version", f"{says}; roles {', '.join(settings.roles)}")


def certificate(settings: Settings) -> Finding:
    """Look at the certificate for HTTPS."""
    cert, key = settings.tls_cert, settings.tls_key
    if cert is not None and key is not None:
        return _pair("certificate", cert, key)
    if settings.https_port is not None:
        return problem("certificate", "none, and there is to be HTTPS", "--tls-cert and --tls-key")
    return well("certificate", "none; HTTP is not encrypted")


def of_radius(settings: Settings) -> list[Finding]:
    """Look at the certificates for RADIUS over TLS and for EAP, and at the accounting on disk."""
    found = []
    for what, cert, key in (
        ("RADIUS over TLS: certificate", settings.radsec_cert, settings.radsec_key),
        ("EAP: certificate", settings.eap_cert, settings.eap_key),
    ):
        if cert is not None and key is not None:
            found.append(_pair(what, cert, key))
    found.append(spool(settings))
    return found


def spool(settings: Settings) -> Finding:
    """Look whether accounting waits on disk for the database."""
    what, folder = "accounting spool", settings.accounting_spool
    size = 0
    if folder.exists():
        size = sum(file.stat().st_size for file in folder.glob("accounting*"))
    if size:
        return warning(
            what,
            f"{size >> 10} KiB of accounting wait in {folder} to be stored",
            "see that the database answers, and that the radius role runs on this machine",
        )
    return well(what, f"nothing waits in {folder}")


def _pair(what: str, cert: Path, key: Path) -> Finding:
    """Look at a certificate: usable, its key nobody else's, not about to expire."""
    try:
        expires = ServerCertificate(cert, key).expires
    except TlsProblem as wrong:
        return problem(what, str(wrong), "name the files of a certificate and of its key")
    left = expires - now()
    if left < timedelta(0):
        return problem(what, f"{cert} expired on {expires:%Y-%m-%d}", "renew it")
    if stat.S_IMODE(key.stat().st_mode) & 0o007:
        return warning(what, f"anybody may read the key {key}", f"chmod o= {key}")
    if left < _RENEW_WITHIN:
        return warning(
            what,
            f"{cert} expires on {expires:%Y-%m-%d}",
            "renew it; Demarc takes the new files over by itself",
        )
    return well(what, f"{cert} is valid until {expires:%Y-%m-%d}")


def exposure(settings: Settings) -> Finding:
    """Look whether tokens and passwords would cross a network in the clear."""
    what = "encryption"
    secure = settings.tls_cert is not None and settings.https_port is None
    if secure or _stays_here(settings.http_host):
        return well(what, "calls are encrypted, or do not leave this machine")
    if settings.trusted_proxies:
        return well(what, "left to the proxies in front")
    return warning(
        what,
        f"tokens and passwords cross the network in the clear to {settings.http_host}:"
        f"{settings.http_port}",
        "--tls-cert and --tls-key, or a proxy in front (--trusted-proxies)",
    )


def synchronised() -> Finding:
    """Ask the kernel whether somebody keeps the clock on time."""
    state = _clock_state()
    if state is None:
        return well("time service", "unknown here")
    if state & _UNSYNCHRONISED:
        return warning(
            "time service",
            "nobody keeps this machine's clock on time",
            "install chrony or enable systemd-timesyncd",
        )
    return well("time service", "keeps the clock on time")


def files() -> Finding:
    """Look how many files and sockets a process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        return warning(
            "open files",
            f"a process may have {soft} open: connections of clients count",
            f"ulimit -n {_FILES} or more (systemd: LimitNOFILE=65536)",
        )
    return well("open files", f"a process may have {soft if soft >= 0 else 'any number of'} open")


def _clock_state() -> int | None:
    """Give the kernel's status of its clock (STA_ of adjtimex(2)); None where it cannot be asked."""
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6")
        # struct timex begins with modes (int), then four longs, then status (int)
        timex = ctypes.create_string_buffer(_TIMEX_OCTETS)
        if library.adjtimex(timex) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return ctypes.c_int.from_buffer(timex, 5 * ctypes.sizeof(ctypes.c_long)).value


def _stays_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


__all__ = [
    "certificate",
    "examine",
    "exposure",
    "files",
    "of_radius",
    "programs",
    "spool",
    "synchronised",
]
