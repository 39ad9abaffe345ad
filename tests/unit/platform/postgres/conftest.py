"""A place for servers, and the programs to run them."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from demarc.platform.postgres import Binaries, PrivateServer, locate
from support.postgres import BINARIES


@pytest.fixture
def place() -> Iterator[Path]:
    """A short folder that others may pass through, as pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="demarc-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    setting = os.environ.get(BINARIES)
    return locate(Path(setting) if setting else None)


@pytest.fixture
async def private(binaries, place) -> AsyncIterator:
    """Makes servers that end with the test."""
    async with AsyncExitStack() as stack:

        def make(folder=place / "server", programs=binaries, settings=None) -> PrivateServer:
            server = PrivateServer(
                folder,
                programs,
                settings={"fsync": "off", "shared_buffers": "16MB"} | (settings or {}),
                refuge=place / "refuge",
            )
            stack.push_async_callback(server.stop)
            return server

        yield make
