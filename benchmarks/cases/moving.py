"""Moving in: subscribers from a file into an empty database, and the same file once more."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import Figure
from ground import Ground

_GOAL = 1_667  # 100,000 in 60 s
_HEADER = (
    "customer_ref,first_name,last_name,email,mobile_number,full_address,latitude,longitude,product,"
    "download,upload,service_ref,state,username,password,aex_service_id,hubsoft_customer_id,"
    "hubsoft_service_id\n"
)
_FIRST = ("Nomsa", "Thabo", "Ana", "João", "Sipho", "Maria", "Pieter", "Zanele", "Lucas", "Ayanda")
_LAST = ("Dlamini", "Silva", "Nkosi", "Souza", "Botha", "Mokoena", "Pereira", "Naidoo", "Lima")
_STREET = ("Long", "Loop", "Kloof", "Station", "Albert", "Main", "Church", "Market", "Harbour")
_NETWORK = """
[[tenant]]
slug = "bench"
name = "Bench"
[[network]]
slug = "bench"
name = "Bench"
owner = "bench"
isps = ["bench"]
[[realm]]
name = "bench.example"
tenant = "bench"
"""
_PER_POOL = 65_534


def run(ground: Ground) -> list[Figure]:
    """Measure a small file and a large one: a line is to cost the same in both."""
    options = ground.options
    large = options.subscribers
    found = {
        size: _measure(ground.folder / f"import-{size}", size) for size in (large // 10, large)
    }
    small, first, again, radius = found[large // 10][0], *found[large]
    growth = (first["seconds"] / large) / (small["seconds"] / (large // 10))
    wrong = sum(len(one["refused"]) for one in (small, first, again, radius))
    wrong += int(again["counts"]["service"] != {"unchanged": large})
    return [
        Figure(
            case="import",
            what=f"subscribers brought from CSV into an empty database, {large:,}",
            value=round(large / first["seconds"]),
            unit="lines/s",
            goal=f"≥ {_GOAL:,} (100,000 in 60 s)",
            beside={
                "seconds": first["seconds"],
                "the same file once more, nothing changed": f"{large / again['seconds']:,.0f} lines/s",
                "the same users from a dump of FreeRADIUS": f"{large / radius['seconds']:,.0f} users/s",
                "cost of a line, over a tenth as many": f"{growth:.2f} times",
            },
            conditions="customer, premise, service, log-in, lease and three ids each; private"
            " server; one process of Python, one connection",
            wrong=wrong,
        )
    ]


def _measure(folder: Path, size: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Bring so many into an empty database, again, and from FreeRADIUS into another one."""
    folder.mkdir()
    (folder / "network.toml").write_text(_NETWORK + _pools(size), encoding="utf-8")
    with (folder / "crm.csv").open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        file.writelines(_lines(size))
    with (folder / "radius.sql").open("w", encoding="utf-8") as file:
        file.writelines(_dump(size))
    found = []
    for data, jobs in (
        ("crm", [("subscribers", "crm.csv")] * 2),
        ("radius", [("freeradius", "radius.sql")]),
    ):
        _demarc(folder, data, "apply", "network.toml")
        found += [json.loads(_demarc(folder, data, "import", *job, "--json")) for job in jobs]
        shutil.rmtree(folder / data)
    return found[0], found[1], found[2]


def _demarc(folder: Path, data: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "demarc", *arguments],
        cwd=folder,
        env={**os.environ, "DEMARC_DATA": str(folder / data)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
    return done.stdout


def _pools(size: int) -> str:
    return "".join(
        f'[[pool]]\nname = "pool-{n}"\nprefix = "10.{n}.0.0/16"\n'
        for n in range(-(-size // _PER_POOL))
    )


def _lines(size: int) -> Iterator[str]:
    for n in range(size):
        first, last = _FIRST[n % len(_FIRST)], _LAST[n // 7 % len(_LAST)]
        mega = (n % 3 + 1) * 100
        yield (
            f"C{n},{first},{last},{first.lower()}{n}@example.net,+27 82 5{n:06d},"
            f'"{n} {_STREET[n % len(_STREET)]} Street, Exampleton {n % 97}",'
            f"{-33 - n % 1000 / 1000:.4f},{18 + n % 997 / 1000:.4f},home-{mega},{mega}M,{mega // 2}M,"
            f"S{n},{'suspended' if n % 50 == 0 else 'active'},u{n:06d}@bench.example,pw{n:08x},"
            f"svc-{n},{1000 + n},{5000 + n}\n"
        )


def _dump(size: int) -> Iterator[str]:
    yield "-- PostgreSQL database dump\n"
    yield "COPY public.radcheck (id, username, attribute, op, value) FROM stdin;\n"
    for n in range(size):
        yield f"{n}\tu{n:06d}@bench.example\tCleartext-Password\t:=\tpw{n:08x}\n"
    yield "\\.\nCOPY public.radgroupreply (id, groupname, attribute, op, value) FROM stdin;\n"
    for n in range(3):
        yield f"{n}\tgold-{n}\tMikrotik-Rate-Limit\t:=\t{50 * (n + 1)}M/{100 * (n + 1)}M\n"
    yield "\\.\nCOPY public.radusergroup (id, username, groupname, priority) FROM stdin;\n"
    for n in range(size):
        yield f"{n}\tu{n:06d}@bench.example\tgold-{n % 3}\t0\n"
    yield "\\.\n"
