"""What a load generator is told and tells, a line of JSON each way at a time.

It answers its orders with "ready" once all is prepared. For each phase it says "begin" and waits
for a line, so that whoever measures the server begins at the same moment; then it gives a result.
"""

import sys
import time
from collections.abc import Callable, Sequence

import msgspec


class Phase(msgspec.Struct, frozen=True):
    """A part of a run: so many requests, or so many seconds, whichever comes first.

    Attributes:
        requests: 0 for as many as there are.
        seconds: 0 for as long as it takes.
        pause: seconds of silence before.
    """

    name: str
    requests: int = 0
    seconds: float = 0.0
    pause: float = 0.0


class Result(msgspec.Struct, frozen=True):
    """What a phase saw.

    Attributes:
        seconds: while requests were sent.
        rate: answers a second in that time.
        answers: by their code.
        lost: requests without an answer.
        wrong: answers of another code than expected, or that do not stand a closer look.
        stray: what answers nothing that was asked.
        verified: answers that were looked at closely.
        errors: sends and receives that the kernel refused.
        cpu_seconds: of the generator.
        ran_out: the prepared requests were used up before the time was.
        turns: requests of each socket in all phases so far.
        latency: milliseconds at the 50th, 90th and 99th percentile, and the longest.
        histogram: how many took less than so many ms, and at least half of it.
    """

    name: str
    seconds: float
    rate: float
    sent: int
    answered: int
    answers: dict[str, int]
    lost: int
    wrong: int
    stray: int
    verified: int
    errors: int
    cpu_seconds: float
    ran_out: bool
    turns: list[int]
    latency: dict[str, float]
    histogram: dict[str, int]


def carry_out(phases: Sequence[Phase], run: Callable[[Phase], Result]) -> None:
    """Go through the phases, hand in hand with who gave the orders."""
    print('"ready"', flush=True)
    for phase in phases:
        time.sleep(phase.pause)
        print('"begin"', flush=True)
        sys.stdin.readline()
        print(msgspec.json.encode(run(phase)).decode(), flush=True)


def percentiles(nanoseconds: list[int]) -> dict[str, float]:
    """Give percentiles in milliseconds; sorts the list in place."""
    nanoseconds.sort()
    last = len(nanoseconds) - 1
    names = (("p50", 50), ("p90", 90), ("p99", 99), ("max", 100))
    return {
        name: round(nanoseconds[last * share // 100] / 1e6, 3) if nanoseconds else 0.0
        for name, share in names
    }


def histogram(nanoseconds: list[int]) -> dict[str, int]:
    """Count latencies by powers of two of a microsecond, named by their upper bound in ms."""
    found: dict[int, int] = {}
    for each in nanoseconds:
        bits = (each // 1000).bit_length()
        found[bits] = found.get(bits, 0) + 1
    return {str((1 << bits) / 1000): found[bits] for bits in sorted(found)}
