"""Reads through the AEx API over HTTP by the real server."""

from typing import Any

import msgspec

from drive import Measured, drive
from figures import Figure
from ground import Ground, unsound
from load import web
from load.phases import Phase
from server import Server

_CONNECTIONS = 16
_KINDS = {
    "one": ("AEx GET /services/{id}", "≥ 5,000 rps a process, p99 < 20 ms"),
    "page": ("AEx GET /services, one of the first pages of 20", ""),
    "deep": ("AEx GET /services, a page of 20 anywhere in the list", ""),
}


def orders(server: Server, token: str, subscribers: int, kind: str, *phases: Phase) -> web.Orders:
    """Give the generator's orders."""
    return msgspec.convert(
        {
            "kind": kind,
            "host": "127.0.0.1",
            "port": server.http,
            "token": token,
            "subscribers": subscribers,
            "connections": _CONNECTIONS,
            "phases": phases,
        },
        web.Orders,
    )


def run(ground: Ground) -> list[Figure]:
    """Measure one service, a page, and a page far down the list."""
    options, subscribers = ground.options, ground.options.subscribers
    token = ground.population(subscribers).token
    figures = []
    phases = [Phase("settle", seconds=1), Phase("measure", seconds=options.seconds / 2)]
    with ground.server(subscribers) as server:
        for kind, (what, goal) in _KINDS.items():
            wanted = orders(server, token, subscribers, kind, *phases)
            found = drive("web", wanted, server.pid)
            figures.append(_figure(what, goal, found["measure"], subscribers))
    return figures


def _figure(what: str, goal: str, measured: Measured, subscribers: int) -> Figure:
    result = measured.result
    beside: dict[str, Any] = {
        "p50 ms": result.latency["p50"],
        "p99 ms": result.latency["p99"],
        "max ms": result.latency["max"],
        "CPU µs each, web": measured.cpu_us("web"),
        "CPU µs each, PostgreSQL": measured.cpu_us("postgres"),
    }
    return Figure(
        case="aex",
        what=what,
        value=result.rate,
        unit="requests/s",
        goal=goal,
        beside=beside,
        conditions=f"closed loop, {_CONNECTIONS} connections kept open, one web process, "
        f"{subscribers:,} subscribers, row-level security on; {result.seconds:.0f} s",
        load=measured.cores,
        wrong=unsound(measured),
        detail=msgspec.to_builtins(measured),
    )
