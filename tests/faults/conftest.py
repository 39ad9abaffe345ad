"""A running Demarc for each test, copied from one that was prepared once."""

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from support.postgres import in_thread
from support.running import Estate, Running, prepare
from support.witness import Crowd

LINES = 44


def pytest_collection_modifyitems(items):
    linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)
        if "installed" in getattr(item, "fixturenames", ()):
            item.add_marker(linux)


@pytest.fixture(scope="session")
def prepared() -> Iterator[tuple[Path, Estate]]:
    """A data folder with subscribers in it, shut down; and what is in it."""
    # others may pass through, as PostgreSQL's user must
    folder = Path(tempfile.mkdtemp(prefix="demarc-faults-"))
    folder.chmod(0o711)
    made: list[Estate] = []
    try:
        in_thread(lambda: made.append(asyncio.run(prepare(folder / "first", LINES))))
        yield folder / "first", made[0]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def installed(prepared: tuple[Path, Estate]) -> AsyncIterator[Callable[..., Running]]:
    """Makes installations, not started yet, on copies of what was prepared."""
    first, estate = prepared
    made: list[Running] = []

    def install(**settings: object) -> Running:
        data = first.with_name(f"copy-{len(made)}")
        # as it is, with its owner
        subprocess.run(["cp", "-a", str(first), str(data)], check=True)
        chosen = {"credential_cache_max_age": 2} | settings
        made.append(Running(data, estate, **chosen))
        return made[-1]

    yield install
    for running in made:
        running.kill_all()
        if running.process is not None:
            await running.process.wait()
        await running.all_gone()
        # shown where the test failed
        sys.stdout.write(running.log_text()[-20_000:])
        shutil.rmtree(running.data)
        running.data.with_name(f"{running.data.name}.log").unlink(missing_ok=True)


@pytest.fixture
async def running(installed: Callable[..., Running]) -> AsyncIterator[Running]:
    """Demarc, which whatever happened to it ends in order after the test."""
    demarc = installed()
    await demarc.start()
    yield demarc
    if demarc.process is not None and demarc.process.returncode is None:
        assert await demarc.end() == 0, demarc.log_text()
        assert not demarc.processes()


@pytest.fixture
async def crowd() -> AsyncIterator[Callable[[Running], Awaitable[Crowd]]]:
    """Makes NASes with subscribers on them."""
    async with contextlib.AsyncExitStack() as stack:

        async def gather(running: Running, **more: float) -> Crowd:
            made = Crowd(running, **more)
            await made.nas.start()
            stack.push_async_callback(made.nas.stop)
            return made

        yield gather
