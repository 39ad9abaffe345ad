"""Authentication and accounting by the real server over loopback, and what its process keeps."""

import asyncio
from typing import Any

import msgspec

import processes
from drive import Measured, drive
from figures import Figure
from ground import Ground, begin_sessions, unsound
from load import radius, subscriber
from load.packets import Life
from load.phases import Phase
from server import Server

AUTH_WINDOW = 2
ACCT_WINDOW = 8
_PREPARED_A_SECOND = 40_000
_COLD_CACHE = 100
_AGE = 30
_MIX = "PAP:CHAP 1:1, 5 % rejects, replies signed, attempts recorded"


def auth_orders(server: Server, subscribers: int, *phases: Phase) -> radius.Orders:
    """Give the generator's orders for Access-Requests."""
    return radius.Orders(
        kind="auth",
        host="127.0.0.1",
        port=server.radius_auth,
        subscribers=subscribers,
        window=AUTH_WINDOW,
        phases=list(phases),
    )


def acct_orders(server: Server, subscribers: int, seconds: float, *phases: Phase) -> radius.Orders:
    """Give the generator's orders for accounting; the sessions it begins within live then.

    Args:
        server: running; all its accounting is forgotten.
        subscribers: how many send.
        seconds: of all phases.
        phases: what to send when.
    """
    prepared = max(int(seconds * _PREPARED_A_SECOND), subscriber.PORTS)
    turns = prepared // subscribers + 1
    return radius.Orders(
        kind="acct",
        host="127.0.0.1",
        port=server.radius_acct,
        subscribers=subscribers,
        window=ACCT_WINDOW,
        phases=list(phases),
        prepared=prepared,
        began=begin_sessions(server, subscribers, turns),
        login_port=server.radius_auth,
    )


def auth(ground: Ground) -> list[Figure]:
    """Measure Access-Requests with all credentials in memory, and the memory they take."""
    options, subscribers = ground.options, ground.options.subscribers
    phases = [Phase("fill", requests=subscribers), Phase("warm", seconds=options.seconds)]
    if not options.quick:
        # every credential is read again once it is older than the age
        phases.append(Phase("steady", seconds=_AGE + options.seconds))
    with ground.server(subscribers, credential_cache_size=max(100_000, subscribers)) as server:
        pid = server.pid_of("radius")
        empty = processes.memory(pid)
        found = drive("radius", auth_orders(server, subscribers, *phases), server.pid)
        full = processes.memory(pid)
    under_way = AUTH_WINDOW * subscriber.PORTS
    loop = f"closed loop, 64 NAS ports, {under_way} under way, {subscribers:,} credentials, {_MIX}"
    figures = [
        _figure("auth", "RADIUS Access-Request, warm", found["warm"], loop, goal="≥ 16 k/s"),
        _figure(
            "auth",
            "RADIUS Access-Request, first log-in of each credential (read in batches)",
            found["fill"],
            loop,
        ),
    ]
    if "steady" in found:
        figures.append(
            _figure(
                "auth",
                f"RADIUS Access-Request, steady: each credential read again every {_AGE} s",
                found["steady"],
                loop,
            )
        )
    figures.append(
        Figure(
            case="auth",
            what=f"memory of the radius process, {subscribers:,} credentials used",
            value=full.rss,
            unit="MiB resident",
            goal="≤ 150 MB",
            beside={"before": empty.rss, "pss": full.pss, "pss before": empty.pss},
            conditions="after the load above: replies of the last 10 s are kept as well",
        )
    )
    return figures


def cold(ground: Ground) -> list[Figure]:
    """Measure Access-Requests whose credential is never in memory."""
    options, subscribers = ground.options, ground.options.subscribers
    phases = [Phase("settle", seconds=1), Phase("cold", seconds=options.seconds)]
    with ground.server(subscribers, credential_cache_size=_COLD_CACHE) as server:
        found = drive("radius", auth_orders(server, subscribers, *phases), server.pid)
    return [
        _figure(
            "cold",
            "RADIUS Access-Request, credential not in memory",
            found["cold"],
            f"closed loop, {AUTH_WINDOW * subscriber.PORTS} under way, {subscribers:,} credentials,"
            f" cache of {_COLD_CACHE}, {_MIX}",
        )
    ]


def acct(ground: Ground) -> list[Figure]:
    """Measure accounting that is acknowledged once it is durable, and audit the books."""
    options, subscribers = ground.options, ground.options.subscribers
    phases = [Phase("settle", seconds=1), Phase("acct", seconds=options.seconds)]
    with ground.server(subscribers, credential_cache_size=max(100_000, subscribers)) as server:
        orders = acct_orders(server, subscribers, options.seconds + 1, *phases)
        found = drive("radius", orders, server.pid)
        books = asyncio.run(_books(server))
    measured = found["acct"]
    expected = expected_books(measured.result.turns, subscribers)
    figure = _figure(
        "acct",
        "RADIUS Accounting, acknowledged after commit",
        measured,
        f"closed loop, 64 NAS ports, {ACCT_WINDOW * subscriber.PORTS} under way, {subscribers:,} "
        "subscribers; Start : interim : Stop 1:18:1, sessions, closed sessions and daily usage "
        "written, synchronous commit",
        goal="≥ 20 k/s, p99 < 50 ms",
    )
    lost = sum(each.result.lost for each in found.values())
    audit = {"books": books, "expected": expected, "unanswered": lost}
    detail = figure.detail | {"audit": audit}
    # what was not answered may be in the books or not
    wrong = figure.wrong if lost else figure.wrong + (books != expected)
    return [msgspec.structs.replace(figure, detail=detail, wrong=wrong)]


def expected_books(turns: list[int], subscribers: int) -> dict[str, int]:
    """Give what must be in the books once so many packets of each socket have been booked."""
    live = closed = down = 0
    _, step = Life.octets(1)
    for port, sent in enumerate(turns):
        mine = range(port, subscribers, subscriber.PORTS)
        whole, rest = divmod(sent, len(mine))
        for which, n in enumerate(mine):
            count = whole + (which < rest)
            session, place = Life.at(n, count)
            begun = Life.phase(n) > 0 or count > 0
            # the next packet to be sent is `place` of `session`: what was before it is booked
            closed += session
            live += bool(place) and begun
            # every packet but a Start raises the counters by a step
            starts = session + (place > 0) - (Life.phase(n) > 0)
            down += step * (count - starts)
    return {"live": live, "closed": closed, "down_octets": down}


async def _books(server: Server) -> dict[str, int]:
    async with server.parts() as parts, parts.db.system() as tx:
        row = await (
            await tx.conn.execute(
                "SELECT (SELECT count(*) FROM session_live),"
                " (SELECT count(*) FROM session_closed),"
                " (SELECT coalesce(sum(down_octets), 0)::bigint FROM usage_daily)"
            )
        ).fetchone()
    if row is None:
        raise RuntimeError("the books cannot be read")
    return dict(zip(("live", "closed", "down_octets"), row, strict=True))


def _figure(case: str, what: str, measured: Measured, conditions: str, goal: str = "") -> Figure:
    result = measured.result
    beside: dict[str, Any] = {
        "p50 ms": result.latency["p50"],
        "p99 ms": result.latency["p99"],
        "max ms": result.latency["max"],
        "lost": result.lost,
        "CPU µs each, radius": measured.cpu_us("radius"),
        "CPU µs each, PostgreSQL": measured.cpu_us("postgres"),
    }
    return Figure(
        case=case,
        what=what,
        value=result.rate,
        unit="packets/s",
        goal=goal,
        beside=beside,
        conditions=f"{conditions}; {result.seconds:.0f} s",
        load=measured.cores,
        wrong=unsound(measured),
        detail=msgspec.to_builtins(measured),
    )
