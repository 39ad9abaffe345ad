import subprocess
import sys

import pytest
import typer

from demarc.cli import flags
from demarc.cli.main import app
from demarc.platform.settings import describe

# what shows nothing: it runs until it is ended, or answers by its exit code alone
SILENT = {"demarc serve", "demarc demo"}


def commands(group, path):
    for name, command in group.commands.items():
        here = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from commands(command, here)
        else:
            yield here, command


EVERY = dict(commands(typer.main.get_command(app), "demarc"))


def test_what_the_project_promises_is_there():
    first = {path.split()[1] for path in EVERY}
    assert first == {
        *("serve", "demo", "migrate", "doctor", "apply", "user", "token", "tenant", "nas"),
        *("lookup", "pool", "profile", "olt", "product", "premise", "customer", "service"),
        *("backup", "restore", "keys", "client", "role", "retention", "audit", "import", "cpe"),
        "usage",
    }


@pytest.mark.parametrize("path", EVERY)
def test_every_command_explains_itself_with_an_example(bare, path):
    shown = bare(*path.split()[1:], "--help")
    assert shown.code == 0
    assert "Examples:" in shown.out
    example = shown.out.split("Examples:")[1].strip().splitlines()[0]
    assert path in example or path.removeprefix("demarc ") in example


@pytest.mark.parametrize("path", sorted(set(EVERY) - SILENT))
def test_what_shows_something_can_show_it_in_json(path):
    assert "--json" in {opt for param in EVERY[path].params for opt in param.opts}


@pytest.mark.parametrize("path", EVERY)
def test_every_option_says_what_it_is_for(path):
    silent = [
        opt
        for param in EVERY[path].params
        for opt in param.opts
        if opt.startswith("--") and not getattr(param, "help", None)
    ]
    assert silent == []


def test_every_setting_is_a_flag_that_says_the_same():
    assert {one.name: one.meaning for one in describe()} == dict(flags.SETTINGS)
    opts = {opt for param in EVERY["demarc demo"].params for opt in param.opts}
    assert {"--" + name.replace("_", "-") for name in flags.SETTINGS} <= opts


def test_help_is_shown_without_loading_the_platform():
    program = """
import sys
import demarc.cli.main
heavy = ("psycopg", "litestar", "structlog", "procrastinate", "cryptography", "argon2", "uvloop")
print(sorted(name for name in sys.modules if name.startswith(heavy) or name.startswith(
    ("demarc.platform", "demarc.domains", "demarc.app", "demarc.northbound"))))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_version_is_told(bare):
    assert bare("--version").out.strip()


def test_what_cannot_be_parsed_is_a_matter_of_usage(bare):
    refused = bare("tenant", "list", "--colour", "red")
    assert refused.code == 2
    assert "--colour" in refused.err


def test_an_unknown_setting_is_named(bare, monkeypatch):
    monkeypatch.setenv("DEMARC_HTPP_PORT", "80")
    refused = bare("tenant", "list")
    assert refused.code == 2
    assert refused.out == ""
    assert "DEMARC_HTPP_PORT" in refused.err
    assert "DEMARC_HTTP_PORT" in refused.err


def test_a_setting_that_cannot_be_is_named(bare):
    refused = bare("serve", "--http-port", "99999")
    assert refused.code == 2
    assert "--http-port" in refused.err


def test_a_database_that_does_not_answer_is_one_line(bare, monkeypatch, tmp_path):
    monkeypatch.setenv("DEMARC_DATABASE_URL", f"host={tmp_path} dbname=none connect_timeout=2")
    refused = bare("tenant", "list")
    assert refused.code == 1
    assert refused.out == ""
    assert refused.err.startswith("demarc: the database cannot be reached:")
    assert len(refused.err.splitlines()) == 1


def test_a_setting_may_stand_before_the_command(demarc, database_url, monkeypatch):
    monkeypatch.delenv("DEMARC_DATABASE_URL")
    assert demarc("--database-url", database_url, "tenant", "list").out == "none\n"
    assert demarc("tenant", "list", "--database-url", database_url).out == "none\n"


def test_a_reader_who_leaves_early_is_no_error(demarc, database_url, tmp_path):
    reader = subprocess.Popen(
        [sys.executable, "-m", "demarc.cli", "doctor", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    reader.stdout.close()
    assert b"Traceback" not in reader.stderr.read()
    reader.stderr.close()
    assert reader.wait() == 1
