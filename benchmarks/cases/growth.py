"""What an operation costs with few subscribers and with many: CPU and buffers, to be flat."""

from collections.abc import Callable
from typing import Any

import msgspec
import psycopg

from cases import aex, radius
from drive import drive
from figures import Figure
from ground import Ground, unsound
from load.phases import Phase
from server import Server

_SMALL = 1_000
_MILLION = 1_000_000
# A backend tells its counts at the end of a transaction a second after the last time.
_TOLD_AFTER = 1.2
_SETTLE = Phase("settle", seconds=1)
_TELL = Phase("tell", seconds=0.6, pause=_TOLD_AFTER)
_TELL_AGAIN = Phase("tell again", seconds=0.6, pause=_TOLD_AFTER)
_AGE = 3600


class Cost(msgspec.Struct, frozen=True):
    """Of one operation.

    Attributes:
        process_us: CPU of the process that answers, microseconds.
        postgres_us: CPU of the database.
        buffers: pages of the database looked at.
    """

    process_us: float
    postgres_us: float
    buffers: float
    rate: float
    wrong: int
    load: dict[str, float]


def run(ground: Ground) -> list[Figure]:
    """Measure each operation at each size; one figure an operation."""
    options = ground.options
    sizes = [_SMALL // 4 if options.quick else _SMALL, options.subscribers]
    if options.million:
        sizes.append(_MILLION)
    costs: dict[str, dict[int, Cost]] = {}
    for size in sizes:
        for name, cost in _costs(ground, size).items():
            costs.setdefault(name, {})[size] = cost
    return [_figure(name, by_size) for name, by_size in costs.items()]


def _costs(ground: Ground, size: int) -> dict[str, Cost]:
    seconds = ground.options.seconds / 2
    token = ground.population(size).token
    measure = Phase("measure", seconds=seconds)
    fill = Phase("fill", requests=size)
    phases = (_SETTLE, _TELL, measure, _TELL_AGAIN)
    total = sum(phase.seconds for phase in phases)
    found: dict[str, Cost] = {}
    kept = max(size, 1_000)
    with ground.server(size, credential_cache_size=kept, credential_cache_max_age=_AGE) as server:
        wanted = radius.auth_orders(server, size, fill, *phases)
        found["Access-Request, warm"] = _cost(server, "radius", wanted, "radius")
        wanted = radius.acct_orders(server, size, total, *phases)
        found["Accounting-Request"] = _cost(server, "radius", wanted, "radius")
        for kind, name in (("one", "GET /services/{id}"), ("page", "GET /services, page of 20")):
            wanted_reads = aex.orders(server, token, size, kind, *phases)
            found[name] = _cost(server, "web", wanted_reads, "web")
    with ground.server(size, credential_cache_size=1) as server:
        wanted = radius.auth_orders(server, size, *phases)
        found["Access-Request, not in memory"] = _cost(server, "radius", wanted, "radius")
    return found


def _cost(server: Server, program: str, orders: msgspec.Struct, role: str) -> Cost:
    phases = drive(program, orders, server.pid, _buffers(server))
    measured, told = phases["measure"], phases["tell again"]
    # what was counted between the two times at which all had told their counts
    buffers = _number(told.seen[1]) - _number(phases["tell"].seen[1])
    answered = measured.result.answered + told.result.answered
    return Cost(
        process_us=measured.cpu_us(role),
        postgres_us=measured.cpu_us("postgres"),
        buffers=round(buffers / max(1, answered), 2),
        rate=measured.result.rate,
        wrong=unsound(*phases.values()),
        load=measured.cores,
    )


def _buffers(server: Server) -> Callable[[], object]:
    from demarc.platform.postgres import conninfo_of

    conninfo = conninfo_of(server.settings.data / "postgres")

    def look() -> object:
        with psycopg.connect(conninfo, autocommit=True) as conn:
            row = conn.execute(
                "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = 'demarc'"
            ).fetchone()
        return row[0] if row else 0

    return look


def _number(seen: object) -> int:
    if not isinstance(seen, int):
        raise TypeError("the server's counts were not read")
    return seen


def _figure(name: str, by_size: dict[int, Cost]) -> Figure:
    small, large = min(by_size), max(by_size)
    few, many = by_size[small], by_size[large]
    beside: dict[str, Any] = {}
    for size, cost in by_size.items():
        beside[f"{size:,}"] = (
            f"{cost.process_us:g} + {cost.postgres_us:g} µs CPU, {cost.buffers:g} buffers"
        )
    before = few.process_us + few.postgres_us
    after = many.process_us + many.postgres_us
    beside["buffers"] = f"{many.buffers / few.buffers:.2f} times" if few.buffers else "none"
    return Figure(
        case="growth",
        what=f"growth of {name}: CPU an operation, {large:,} over {small:,} subscribers",
        value=round(after / before, 2) if before else 0.0,
        unit="times",
        goal="1 ± 0.2",
        beside=beside,
        conditions="CPU of the answering process + PostgreSQL, buffers hit or read; closed loop",
        load=many.load,
        wrong=sum(cost.wrong for cost in by_size.values()),
        detail={str(size): msgspec.to_builtins(cost) for size, cost in by_size.items()},
    )
