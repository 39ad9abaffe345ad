"""Running a load generator and measuring the server meanwhile."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

import processes
from load.phases import Result

_HERE = Path(__file__).parent
Seen = TypeVar("Seen")


class Measured(msgspec.Struct, frozen=True):
    """A phase as generator and operating system saw it.

    Attributes:
        cpu: seconds of CPU by kind of process of the server.
        cores: the same by second, the generator's too, and those of all others on the machine:
            1.0 is a whole core.
        seen: what ``look`` gave, before and after.
    """

    result: Result
    cpu: dict[str, float]
    cores: dict[str, float]
    seen: tuple[object, object] = (None, None)

    def cpu_us(self, *roles: str) -> float:
        """Give microseconds of CPU an answer took of these kinds of processes."""
        used = sum(self.cpu.get(role, 0.0) for role in roles)
        return round(used * 1e6 / max(1, self.result.answered), 1)


def drive(
    program: str,
    orders: msgspec.Struct,
    server: int | None,
    look: Callable[[], object] = lambda: None,
) -> dict[str, Measured]:
    """Run a generator through its phases.

    Args:
        program: "radius" or "web".
        orders: as the generator takes them.
        server: the process id of the server's parent.
        look: called before and after each phase.

    Returns:
        The phases by name.

    Raises:
        RuntimeError: the generator ended; its words are on standard error.
    """
    generator = subprocess.Popen(
        [sys.executable, "-m", f"load.{program}"],
        env=os.environ | {"PYTHONPATH": str(_HERE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    found: dict[str, Measured] = {}
    try:
        _tell(generator, msgspec.json.encode(orders))
        _hear(generator, str)
        for _ in orders.phases:  # type: ignore[attr-defined]
            _hear(generator, str)
            before, cpu = look(), _cpu(server)
            busy, begun = processes.busy(), time.monotonic()
            _tell(generator, b"")
            result = _hear(generator, Result)
            seconds = time.monotonic() - begun
            used = processes.difference(cpu, _cpu(server))
            others = processes.busy() - busy - sum(used.values()) - result.cpu_seconds
            everybody = used | {"generator": result.cpu_seconds, "others": max(0.0, others)}
            found[result.name] = Measured(
                result,
                used,
                {role: round(each / seconds, 2) for role, each in everybody.items()},
                (before, look()),
            )
        generator.wait(10)
    finally:
        if generator.poll() is None:
            generator.kill()
            generator.wait()
    return found


def _cpu(server: int | None) -> Mapping[str, float]:
    return {} if server is None else processes.cpu(server)


def _tell(generator: "subprocess.Popen[bytes]", line: bytes) -> None:
    if generator.stdin is None:
        raise RuntimeError("the generator was started without a way to tell it anything")
    generator.stdin.write(line + b"\n")
    generator.stdin.flush()


def _hear(generator: "subprocess.Popen[bytes]", kind: type[Seen]) -> Seen:
    line = generator.stdout.readline() if generator.stdout is not None else b""
    if not line:
        raise RuntimeError(f"the load generator ended with code {generator.wait()}")
    return msgspec.json.decode(line, type=kind)
