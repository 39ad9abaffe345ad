"""Starts PostgreSQL's programs as children: unprivileged, in their own session, watched."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from demarc.platform.postgres.account import Account

_BECOME = Path(__file__).with_name("become.py")


async def launch(
    command: list[str], account: Account, output: BinaryIO
) -> asyncio.subprocess.Process:
    """Start a program as the server's user.

    It has a session of its own, so that an interrupt from a terminal reaches its starter alone,
    which then ends things in the right order. Where the starter ends without that, the program is
    sent SIGINT (a fast shutdown). This is bound to the calling thread, which must therefore live
    as long as the program should.

    Args:
        command: the program's absolute path, and its arguments.
        account: as whom.
        output: what it prints goes here.
    """
    uid, gid = ("-", "-") if account.is_current else (str(account.uid), str(account.gid))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        str(_BECOME),
        str(os.getpid()),
        uid,
        gid,
        str(int(signal.SIGINT)),
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        # Nothing of ours: neither its settings (PG*, locale) nor any secret.
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
    )
