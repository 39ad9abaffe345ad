"""The data folder: made once by initdb, and only ever opened by its own major version."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

import structlog

from demarc.platform.postgres.account import Account
from demarc.platform.postgres.binaries import Binaries
from demarc.platform.postgres.configuration import SUPERUSER
from demarc.platform.postgres.errors import StartFailed, VersionMismatch
from demarc.platform.postgres.launch import launch
from demarc.platform.postgres.place import Home

_log = structlog.get_logger(__name__)

# From this version PostgreSQL brings the rules of letters itself, the same on every machine.
_OWN_LOCALES = 17


async def ensure(home: Home, binaries: Binaries, account: Account, *, sync: bool) -> None:
    """Make the data folder if there is none, and see that these programs may open it.

    Args:
        home: where it is.
        binaries: the programs.
        account: whose it will be.
        sync: wait until it is on the disk.

    Raises:
        VersionMismatch: another major version wrote it.
        StartFailed: initdb failed.
    """
    if home.cluster.exists():
        _check(home.cluster, binaries)
        return
    # Made beside and renamed when whole: an initdb that was interrupted leaves nothing to trust.
    work = home.root / "cluster.new"
    if work.exists():
        shutil.rmtree(work)
    work.mkdir(mode=0o700)
    account.own(work)
    _log.info("making the database", folder=str(home.root), version=binaries.version[0])
    with home.start_log.open("wb") as output:
        command = [str(binaries.bin_dir / "initdb"), *_options(binaries), "-D", str(work)]
        process = await launch([*command, *([] if sync else ["--no-sync"])], account, output)
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:  # told to end meanwhile; what there is is of no use
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
    if code != 0:
        raise StartFailed(f"initdb failed in {home.root}: {last_words(home.start_log)}")
    work.rename(home.cluster)


def _options(binaries: Binaries) -> list[str]:
    if binaries.version[0] >= _OWN_LOCALES:
        letters = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        letters = ["--locale=C", "--lc-ctype=C.UTF-8"]
    return [
        f"--username={SUPERUSER}",
        "--auth-local=peer",
        "--auth-host=reject",
        "--encoding=UTF8",
        *letters,
        "--text-search-config=pg_catalog.simple",
        "--data-checksums",
        "--no-instructions",
    ]


def _check(cluster: Path, binaries: Binaries) -> None:
    try:
        written = int((cluster / "PG_VERSION").read_text(encoding="ascii"))
    except (OSError, ValueError):
        raise StartFailed(f"{cluster} is there but is no data folder of PostgreSQL") from None
    if written != binaries.version[0]:
        raise VersionMismatch(
            f"the data in {cluster} are of PostgreSQL {written}, the programs in"
            f" {binaries.bin_dir} are {binaries.version[0]}: name programs of version {written} by"
            " DEMARC_PG_BIN, or convert the data (pg_upgrade, or dump and restore)"
        )


def last_words(log: Path, lines: int = 6) -> str:
    """Give the end of a log, for an error message."""
    try:
        text = log.read_bytes()[-4000:].decode(errors="replace")
    except OSError:
        return "it left no word"
    return " / ".join(text.strip().splitlines()[-lines:]) or "it said nothing"
