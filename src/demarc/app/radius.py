"""The radius process: authentication and accounting, and nothing else on its loop."""

import asyncio
import gc
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from demarc.app.parts import Parts
from demarc.platform.settings import Settings
from demarc.platform.telemetry import metrics
from demarc.platform.tls import first_of
from demarc.southbound.radius.eap.tls import Files as EapFiles
from demarc.southbound.radius.limits import Limits
from demarc.southbound.radius.server import RadiusServer, Status
from demarc.southbound.radius.spool import Spool
from demarc.southbound.radius.tls import TlsFiles

_log = structlog.get_logger(__name__)


async def radius(
    parts: Parts,
    sockets: Callable[[str], Sequence[socket.socket]],
    stop: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    """Serve RADIUS on the sockets until told to stop; what was received is then accounted for.

    Args:
        parts: the domains.
        sockets: gives by name: "auth", UDP, for Access-Request; "acct", UDP, for
            Accounting-Request; "radsec", listening TCP, for both over TLS.
        stop: set to end.
        ready: called once packets are answered.
    """
    spool = _spool(parts.settings)
    server = RadiusServer(
        parts.db,
        parts.keys,
        Limits(
            credentials=parts.settings.credential_cache_size,
            max_age=parts.settings.credential_cache_max_age,
        ),
        tls=tls_files(parts.settings),
        spool=spool,
        node=parts.settings.node,
        eap=eap_files(parts.settings),
    )
    await server.serve(sockets("auth"), sockets("acct"), sockets("radsec"))
    _tell(server, spool, parts.settings)
    _collect_seldom()
    ready()
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(server.broken())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            # the parent starts another, which begins with what is in the database
            raise RuntimeError("a part of the RADIUS process failed")
    finally:
        for task in waiting:
            task.cancel()
        await server.stop()


def _spool(settings: Settings) -> Spool | None:
    if not settings.accounting_spool_size:
        return None
    try:
        return Spool(settings.accounting_spool, settings.accounting_spool_size << 20)
    except OSError as error:
        # NASes repeat what is not acknowledged, and they do so for a while
        _log.error("there is no spool: accounting waits for the database", reason=str(error))
        return None


def tls_files(settings: Settings) -> TlsFiles | None:
    """Give where the certificate for RADIUS over TLS is; None where there is none."""
    cert, key, ca = settings.radsec_cert, settings.radsec_key, settings.radsec_ca
    return None if cert is None or key is None or ca is None else TlsFiles(cert, key, ca)


def eap_files(settings: Settings) -> EapFiles | None:
    """Give where the certificate for EAP is; None where there is none."""
    cert, key = settings.eap_cert, settings.eap_key
    return None if cert is None or key is None else EapFiles(cert, key)


def _tell(server: RadiusServer, spool: Spool | None, settings: Settings) -> None:
    """Tell how the server stands, whatever it counts as that."""

    def of(field: str) -> Callable[[], float]:
        return lambda: float(getattr(server.status(), field))

    for field in msgspec.structs.fields(Status):
        metrics.ask(f"radius_{field.name}", of(field.name))
    metrics.ask("radius_spool_bytes", lambda: float(spool.size) if spool and spool.exists else 0.0)

    def expiry(cert: Path) -> Callable[[], float]:
        def ask() -> float:
            return first_of(cert).not_valid_after_utc.timestamp()

        return ask

    for use, file in (("radsec", settings.radsec_cert), ("eap", settings.eap_cert)):
        if file is not None:
            metrics.ask("tls_certificate_expiry_timestamp_seconds", expiry(file), use=use)


def _collect_seldom() -> None:
    """Have the garbage collector look at what is new, and seldom at what is kept.

    A full collection with 100,000 log-ins in memory takes a third of a second, in which packets
    wait; what is kept forms no cycles, so that it frees nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
