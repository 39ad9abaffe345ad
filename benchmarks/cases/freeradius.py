"""The same load on FreeRADIUS and on Demarc, in one run, on one PostgreSQL."""

import shutil
from typing import Any

import msgspec

import freeradius_peer
import processes
from cases.radius import ACCT_WINDOW, AUTH_WINDOW, acct_orders, auth_orders
from demarc.platform.postgres import conninfo_of
from drive import Measured, drive
from figures import Figure
from ground import Ground, unsound
from load import radius, subscriber
from load.phases import Phase
from server import Server

_THREADS = 16
_MIX = "PAP:CHAP 1:1, 5 % rejects, attempts recorded"


def run(ground: Ground) -> list[Figure]:
    """Measure FreeRADIUS with rlm_sql beside Demarc, then with a users file."""
    missing = freeradius_peer.install()
    if missing is not None:
        print(f"  {missing}: not compared")
        return []
    options, subscribers = ground.options, ground.options.subscribers
    folder = ground.folder / "freeradius"
    auth, acct = Phase("auth", seconds=options.seconds), Phase("acct", seconds=options.seconds)
    settle = Phase("settle", seconds=1)
    fill = Phase("fill", requests=subscribers)
    with ground.server(subscribers, credential_cache_size=max(100_000, subscribers)) as server:
        conninfo = conninfo_of(server.settings.data / "postgres")
        theirs = freeradius_peer.populate(conninfo, subscribers)
        ours_auth = drive("radius", auth_orders(server, subscribers, fill, auth), server.pid)
        peer = freeradius_peer.FreeRadius(folder, "sql", conninfo=theirs, threads=_THREADS)
        with peer:
            orders = _theirs(auth_orders(server, subscribers, settle, auth), peer.auth)
            peer_auth = _drive(orders, peer, server)
        shutil.rmtree(folder)
        seconds = options.seconds + 1
        orders = acct_orders(server, subscribers, seconds, settle, acct)
        ours_acct = drive("radius", orders, server.pid)
        freeradius_peer.begin_sessions(theirs, subscribers, orders.began)
        with freeradius_peer.FreeRadius(folder, "sql", conninfo=theirs, threads=_THREADS) as peer:
            peer_acct = _drive(_theirs(orders, peer.acct), peer, server)
        shutil.rmtree(folder)
        with freeradius_peer.FreeRadius(folder, "files", subscribers=subscribers) as peer:
            orders = _theirs(auth_orders(server, subscribers, settle, auth), peer.auth)
            files = _drive(orders, peer, server)
        shutil.rmtree(folder)
    return [
        _figure(
            "RADIUS Access-Request, warm: Demarc to FreeRADIUS + rlm_sql",
            ours_auth["auth"],
            peer_auth["auth"],
            f"closed loop, {AUTH_WINDOW * subscriber.PORTS} under way, {subscribers:,} credentials,"
            f" {_MIX}",
            goal="≥ 2",
            beside={"FreeRADIUS, users file, nothing recorded": files["auth"].result.rate},
        ),
        _figure(
            "RADIUS Accounting, stored: Demarc to FreeRADIUS + rlm_sql",
            ours_acct["acct"],
            peer_acct["acct"],
            f"closed loop, {ACCT_WINDOW * subscriber.PORTS} under way, {subscribers:,} subscribers;"
            " Start : interim : Stop 1:18:1, acknowledged after commit; Demarc adds daily usage",
            goal="≥ 6",
        ),
    ]


def _theirs(orders: radius.Orders, port: int) -> radius.Orders:
    """Give the same orders for FreeRADIUS, which signs no replies and gives no Class of ours."""
    return msgspec.structs.replace(orders, port=port, verify_every=0, login_port=0)


def _drive(
    orders: radius.Orders, peer: freeradius_peer.FreeRadius, server: Server
) -> dict[str, Measured]:
    found = drive("radius", orders, server.pid, look=lambda: processes.cpu(peer.pid)["parent"])
    return {
        name: msgspec.structs.replace(
            each, cpu=each.cpu | {"freeradius": float(each.seen[1]) - float(each.seen[0])}
        )
        for name, each in found.items()
    }


def _figure(
    what: str,
    ours: Measured,
    theirs: Measured,
    conditions: str,
    *,
    goal: str,
    beside: dict[str, Any] | None = None,
) -> Figure:
    compared: dict[str, Any] = {
        "Demarc, packets/s": ours.result.rate,
        "Demarc p99 ms": ours.result.latency["p99"],
        "Demarc CPU µs each": ours.cpu_us("radius", "postgres"),
        "FreeRADIUS, packets/s": theirs.result.rate,
        "FreeRADIUS p99 ms": theirs.result.latency["p99"],
        "FreeRADIUS lost": theirs.result.lost,
        "FreeRADIUS CPU µs each": theirs.cpu_us("freeradius", "postgres"),
        **(beside or {}),
    }
    return Figure(
        case="freeradius",
        what=what,
        value=round(ours.result.rate / max(1.0, theirs.result.rate), 2),
        unit="times as many packets/s",
        goal=goal,
        beside=compared,
        conditions=f"{conditions}; FreeRADIUS 3.2 with {_THREADS} threads, stock schema and"
        f" queries without groups; the same PostgreSQL; {ours.result.seconds:.0f} s each",
        load=ours.cores,
        wrong=unsound(ours),
        detail={"demarc": msgspec.to_builtins(ours), "freeradius": msgspec.to_builtins(theirs)},
    )


__all__ = ["run"]
