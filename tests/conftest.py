"""What every test may ask for."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from demarc.platform.database import Database
from support import postgres as support_postgres

# A machine that is busy is no failure, so that examples have no deadline.
settings.register_profile("default", deadline=None)
settings.register_profile(
    "fuzz", deadline=None, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    # workers have servers of their own: what one has under way would hold back another's cursors
    if support_postgres.FOLDER in os.environ and "PYTEST_XDIST_WORKER" not in os.environ:
        return
    stack = contextlib.ExitStack()
    stack.enter_context(support_postgres.run_folder())
    config.add_cleanup(stack.close)


@pytest.fixture(scope="session")
def postgres() -> support_postgres.Server:
    """A private server for the run, started when first asked for."""
    return support_postgres.server()


@pytest.fixture(scope="session")
def template(postgres: support_postgres.Server) -> str:
    """The name of a database with this version's schema, to copy from."""
    postgres.template()
    return support_postgres.TEMPLATE


@pytest.fixture
def database_url(postgres: support_postgres.Server, template: str) -> Iterator[str]:
    """A database of the test's own, with this version's schema and nothing in it."""
    with postgres.database(template) as conninfo:
        yield conninfo


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The same, opened as the platform opens it."""
    database = await Database.open(database_url)
    yield database
    await database.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short path that any user may pass through.

    Pytest's own are root's alone where root runs the tests, so that a private server would have to
    put its data elsewhere.
    """
    folder = Path(tempfile.mkdtemp(prefix="demarc-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
