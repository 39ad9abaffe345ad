"""pg_dump and pg_restore, run on a server without its password in sight."""

import asyncio
import contextlib
import os
import re
from collections import deque
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from demarc.app.backup.errors import BackupProblem
from demarc.app.backup.manifest import Progress
from demarc.platform.telemetry.redaction import is_secret_name

# what both programs say, told to do so, when they come to the rows of a table
_AT_TABLE = re.compile(rb"(?:dumping contents of|processing data for) table ")
_LAST_WORDS = 5


async def run(
    program: Path,
    conninfo: str,
    arguments: list[str],
    *,
    what: str,
    tables: int,
    progress: Progress,
) -> None:
    """Run one of the two, and wait for its end.

    Args:
        program: its path.
        conninfo: the database.
        arguments: further ones.
        what: is done, for the progress.
        tables: it is going to tell of.
        progress: is told.

    Raises:
        BackupProblem: it failed; with its last words.
    """
    process = await asyncio.create_subprocess_exec(
        program,
        "--verbose",
        "--no-password",
        *_whereto(conninfo),
        *arguments,
        env=_environment(conninfo),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    if process.stderr is None:
        raise RuntimeError("there is no pipe where one was asked for")
    last: deque[bytes] = deque(maxlen=_LAST_WORDS)
    done = 0
    progress(what, 0, tables)
    try:
        async for line in process.stderr:
            if _AT_TABLE.search(line):
                done += 1
                progress(what, min(done, tables), tables)
            elif b"error:" in line or last:
                last.append(line.strip())
        code = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
    if code != 0:
        words = b" / ".join(last).decode(errors="replace") or "it said nothing"
        raise BackupProblem(f"{program.name} failed: {words}")


def _whereto(conninfo: str) -> list[str]:
    parts = conninfo_to_dict(conninfo)
    shown = {name: part for name, part in parts.items() if not is_secret_name(name)}
    return [f"--dbname={make_conninfo('', **shown)}"]


def _environment(conninfo: str) -> dict[str, str]:
    # other users can read the arguments of a process, but not its environment
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    env |= {"LC_ALL": "C", "PGAPPNAME": "demarc/backup"}
    password = conninfo_to_dict(conninfo).get("password")
    return env if password is None else env | {"PGPASSWORD": str(password)}


__all__ = ["run"]
