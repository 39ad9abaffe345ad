"""Measures Demarc on this machine and writes the figures to ``benchmarks/results``.

The server is the real one with all its processes, on a data folder and ports of its own; the load
comes over loopback from a process beside it. Everything shares this machine's cores.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import figures
import report
from cases import aex, codec, freeradius, generator, growth, moving, radius, snmp
from demarc.platform.postgres import conninfo_of
from ground import Ground, Options

CASES: dict[str, Callable[[Ground], list[figures.Figure]]] = {
    "generator": generator.run,
    "codec": codec.run,
    "auth": radius.auth,
    "cold": radius.cold,
    "acct": radius.acct,
    "freeradius": freeradius.run,
    "aex": aex.run,
    "snmp": snmp.run,
    "growth": growth.run,
    "import": moving.run,
}

_QUICK_SUBSCRIBERS, _QUICK_SECONDS = 5_000, 2.0


def main() -> int:
    """Measure what was asked for.

    Returns:
        The process's exit code: 1 if a case failed, or some answer was lost or wrong.
    """
    arguments = _arguments()
    options = Options(
        subscribers=arguments.subscribers or (_QUICK_SUBSCRIBERS if arguments.quick else 100_000),
        seconds=arguments.seconds or (_QUICK_SECONDS if arguments.quick else 8.0),
        quick=arguments.quick,
        million=arguments.million,
    )
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="demarc-bench-", dir=arguments.folder))
    # the database may have to run as another user, who must be able to pass
    folder.chmod(0o711)
    try:
        ground = Ground(folder, options)
        print(f"{options.subscribers:,} subscribers are being entered ...", flush=True)
        entered = ground.population(options.subscribers)
        print(f"  {entered.seconds:g} s", flush=True)
        with ground.server(options.subscribers) as server:
            postgres = figures.postgres_version(conninfo_of(server.settings.data / "postgres"))
        machine = figures.machine(postgres)
        found: list[figures.Figure] = []
        failed: list[str] = []
        for name in arguments.only or CASES:
            print(f"{name} ...", flush=True)
            try:
                measured = CASES[name](ground)
            except Exception:  # noqa: BLE001 - the others are worth having
                failed.append(name)
                traceback.print_exc()
                continue
            found += measured
            for figure in measured:
                _show(figure)
    finally:
        if arguments.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if options.quick and not arguments.write:
        print("quick: nothing is written to benchmarks/results (--write has it written)")
    else:
        path = report.write(
            report.Report(
                machine,
                found,
                {
                    "subscribers": options.subscribers,
                    "seconds": options.seconds,
                    "quick": options.quick,
                },
            )
        )
        print(f"written: {os.path.relpath(path)}")
    print(f"{time.monotonic() - begun:.0f} s in all")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return int(bool(failed) or any(figure.wrong for figure in found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short and small: does all work?")
    parser.add_argument(
        "--only", action="append", choices=CASES, metavar="NAME", help=f"of {', '.join(CASES)}"
    )
    parser.add_argument("--subscribers", type=int, help="100,000 if not given")
    parser.add_argument("--seconds", type=float, help="each figure is measured so long; 8")
    parser.add_argument(
        "--million", action="store_true", help="growth up to 1,000,000 subscribers, too"
    )
    parser.add_argument("--folder", help="where the databases are made: the disk is measured, too")
    parser.add_argument("--keep", action="store_true", help="leave the databases there")
    parser.add_argument("--write", action="store_true", help="write the figures of a quick run")
    return parser.parse_args()


def _show(figure: figures.Figure) -> None:
    print(f"  {figure.what}: {figure.value:,} {figure.unit}")
    for name, value in figure.beside.items():
        print(f"      {name}: {value}")
    if figure.load:
        print("      cores: " + ", ".join(f"{role} {used}" for role, used in figure.load.items()))
    if figure.wrong:
        print(f"      NOT SOUND: {figure.wrong} answers were lost or wrong")


if __name__ == "__main__":
    sys.exit(main())
