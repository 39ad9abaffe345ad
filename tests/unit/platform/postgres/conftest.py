"""The programs to run servers with, and servers that end with their test."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from demarc.platform.postgres import Binaries, PrivateServer, locate
from support.postgres import BINARIES


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
