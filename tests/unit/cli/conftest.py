"""The command line on a real database, in this process."""

import json
import logging
import sys
import threading

import msgspec
import pytest
import structlog
from typer.testing import CliRunner

from demarc.cli.main import app
from demarc.platform.secrets import KeyRing


class Outcome(msgspec.Struct):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def _logs_as_before():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Runs ``demarc`` with no settings but an empty data folder."""
    for name in [name for name in __import__("os").environ if name.startswith("DEMARC_")]:
        if not name.startswith("DEMARC_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEMARC_DATA", str(tmp_path / "data"))

    def run(*args, typed=""):
        done = CliRunner().invoke(app, list(args), input=typed)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Outcome(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def demarc(bare, monkeypatch, tmp_path, database_url):
    """Runs ``demarc`` on a database of the test's own, and expects it to go well."""
    KeyRing.open(tmp_path / "data" / "keys.toml")
    monkeypatch.setenv("DEMARC_DATABASE_URL", database_url)

    def run(*args, typed="", code=0):
        done = bare(*args, typed=typed)
        assert done.code == code, done
        return done

    return run


NETWORK = """
[[tenant]]
slug = "fibra"
name = "Fibra Norte"

[[tenant]]
slug = "veloz"
name = "Veloz"
login_pattern = "u{number:04d}"

[[tenant]]
slug = "calma"
name = "Calma"
login_pattern = "u{number:04d}"

[[network]]
slug = "norte"
name = "Norte"
owner = "fibra"
isps = ["veloz", "calma"]

[[realm]]
name = "veloz.example"
tenant = "veloz"

[[realm]]
name = "calma.example"
tenant = "calma"

[[area]]
slug = "centro"
name = "Centro"

[[product]]
code = "home-100"
name = "Home 100"
download = "100M"
upload = "50M"
areas = ["centro"]

[[product]]
code = "home-200"
name = "Home 200"
download = "200M"
upload = "100M"
areas = ["centro"]

[[pop]]
code = "CTR"
name = "Centro"

[[nas]]
name = "bng-1"
address = "192.0.2.1"
secret = "testing-secret"
vendor = "mikrotik"

[[pool]]
name = "homes"
prefix = "198.51.100.0/29"

[[premise]]
full_address = "Rua das Flores 10, Exemplo"
area = "centro"
predefined = true
"""


@pytest.fixture
def house(demarc, tmp_path):
    """Runs ``demarc`` where there is an owner, two ISPs, and things to sell."""
    file = tmp_path / "network.toml"
    file.write_text(NETWORK, encoding="utf-8")
    demarc("apply", str(file))
    return demarc


@pytest.fixture
def subscriber(house):
    """A service of veloz, as its creation showed it."""
    house(
        *("customer", "add", "--tenant", "veloz", "--first-name", "Nomsa"),
        *("--last-name", "Dlamini", "--email", "nomsa@example.net"),
    )
    return house(
        *("service", "create", "--tenant", "veloz", "--customer", "nomsa@example.net"),
        *("--product", "home-100", "--premise", "Rua das Flores 10, Exemplo"),
        *("--reference", "CONTRACT-7", "--json"),
    ).json
