import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from uuid import UUID

import pytest
import structlog

from demarc.platform.settings import Settings
from demarc.platform.telemetry import configure_logs, counters, logs
from demarc.platform.telemetry.logs import configure, context, get_logger

TENANT = UUID(int=9)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _as_before():
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
def stream():
    return io.StringIO()


@pytest.fixture
def lines(stream):
    """Logs as JSON, and gives what was written."""
    configure("json", role="web", node="bng-1", stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_that_says_where_it_is_from(lines, stream):
    get_logger("demarc.test").info("session ended", session=UUID(int=1), seconds=42)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert isinstance(line.pop("pid"), int)
    assert line == {
        "level": "info",
        "event": "session ended",
        "logger": "demarc.test",
        "process": "web",
        "node": "bng-1",
        "session": "00000000-0000-0000-0000-000000000001",
        "seconds": 42,
    }
    assert stream.getvalue().startswith('{"timestamp":"')


def test_libraries_that_use_logging_write_the_same_lines(lines):
    logging.getLogger("some.library").warning("cannot reach %s", "postgresql://a:hunter2@db/x")
    (line,) = lines()
    assert line["event"] == "cannot reach postgresql://***@db/x"
    assert line["level"] == "warning"
    assert line["logger"] == "some.library"
    assert line["process"] == "web"


def test_warnings_are_lines_too(lines):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("password=hunter2 is short", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    (line,) = lines()
    assert "password=*** is short" in line["event"]


def test_secrets_are_masked_wherever_they_stand(lines, stream):
    log = get_logger("demarc.test")
    log.info("x", nested={"a": [{"wifi_password": "hunter2"}]}, header="Bearer hunter2")
    log.info("token dmk_hunter2", url="https://u:hunter2@example.net")
    log.info("%s", {"password": "hunter2"})
    assert len(lines()) == 3
    assert "hunter2" not in stream.getvalue()


def test_a_traceback_is_there_without_its_secrets(lines, stream):
    try:
        try:
            int("postgresql://demarc:hunter2@db/demarc")
        except ValueError as error:
            raise RuntimeError("Authorization: Basic hunter2") from error
    except RuntimeError:
        get_logger("demarc.test").exception("failed")
        logging.getLogger("some.library").exception("failed there")
    ours, theirs = lines()
    assert "hunter2" not in stream.getvalue()
    for line in (ours, theirs):
        assert "ValueError: invalid literal" in line["exception"]
        assert "RuntimeError: Authorization: ***" in line["exception"]
        assert "test_logs.py" in line["exception"]


async def test_context_is_in_every_line_within_and_in_no_other(lines):
    log = get_logger("demarc.test")

    async def serve(number):
        with context(tenant=TENANT, request_id=f"r{number}", token="dmk_hunter2"):
            log.info("begins")
            await asyncio.sleep(0)
            logging.getLogger("some.library").info("goes on")

    await asyncio.gather(serve(1), serve(2))
    log.info("after")
    *within, after = lines()
    assert [line["request_id"] for line in within] == ["r1", "r2", "r1", "r2"]
    assert {line["tenant"] for line in within} == {str(TENANT)}
    assert {line["token"] for line in within} == {"***"}
    assert "request_id" not in after
    assert "tenant" not in after


def test_what_is_below_the_level_is_not_written(stream):
    configure("json", "warning", role="web", stream=stream)
    get_logger("demarc.test").info("quiet")
    logging.getLogger("some.library").info("quiet")
    assert stream.getvalue() == ""


def test_libraries_known_to_chatter_are_heard_from_warnings_on(lines):
    logging.getLogger("httpx").info("HTTP Request: GET https://example.net/?key=hunter2")
    logging.getLogger("httpx").warning("slow")
    assert [line["event"] for line in lines()] == ["slow"]


def test_configuring_again_writes_each_line_once(lines, stream):
    other = io.StringIO()
    configure("json", role="worker", stream=other)
    get_logger("demarc.test").info("once")
    assert lines() == []
    assert json.loads(other.getvalue())["process"] == "worker"


def test_the_settings_decide(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    settings = Settings.load({"DEMARC_LOG_LEVEL": "error", "DEMARC_NODE": "bng-2"})
    configure_logs(settings, "radius")
    get_logger("demarc.test").warning("quiet")
    get_logger("demarc.test").error("heard")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["process"], line["node"]) == ("heard", "radius", "bng-2")


def test_the_console_is_for_people(stream):
    configure("console", role="demo", stream=stream)
    log = get_logger("demarc.test")
    log.info("listening", address="127.0.0.1:8080", secret="hunter2")
    shown = stream.getvalue()
    assert "listening" in shown
    assert "address=127.0.0.1:8080" in shown
    assert "hunter2" not in shown
    assert "pid" not in shown
    assert "\x1b" not in shown


def test_on_the_console_a_value_cannot_forge_a_line(stream):
    configure("console", role="demo", stream=stream)
    log = get_logger("demarc.test")
    log.info("refused", username="ana\n2025-01-01 [info] accepted\x1b[2K")
    log.info("two\nlines")
    assert len(stream.getvalue().splitlines()) == 2
    assert "\x1b" not in stream.getvalue()


def test_the_console_shows_tracebacks_without_local_variables(stream):
    configure("console", role="demo", stream=stream)

    def fails():
        innocent = "hunter" + str(2)
        raise ValueError(f"bad {len(innocent)}")

    try:
        fails()
    except ValueError:
        get_logger("demarc.test").exception("failed")
    shown = stream.getvalue()
    assert "ValueError: bad 7" in shown
    assert "\n    fails()\n" in shown
    assert "hunter2" not in shown


def test_auto_is_a_console_on_a_terminal_and_json_elsewhere():
    terminal, pipe = Terminal(), io.StringIO()
    configure("auto", role="x", stream=terminal)
    get_logger("demarc.test").info("shown")
    configure("auto", role="x", stream=pipe)
    get_logger("demarc.test").info("shown")
    assert not terminal.getvalue().startswith("{")
    assert "\x1b[" in terminal.getvalue()
    assert json.loads(pipe.getvalue())["event"] == "shown"


def test_a_line_that_cannot_be_formatted_is_lost_and_counted_not_printed(lines, capsys):
    # pytest's own handlers would raise
    root = logging.getLogger()
    root.handlers[:] = [known for known in root.handlers if isinstance(known, logs._Lines)]
    before = counters.COUNTERS.value("log_lines_lost", logger="some.library")
    logging.getLogger("some.library").info("%d hunter2", "hunter2")
    assert lines() == []
    assert capsys.readouterr().err == ""
    assert counters.COUNTERS.value("log_lines_lost", logger="some.library") == before + 1


UNCAUGHT = """
import gc, sys, threading
from demarc.platform.telemetry.logs import configure
configure("json", role="web")

class Bad:
    def __del__(self):
        raise ValueError("token=" + "hunter" + "2")

def fail():
    raise ValueError("password=" + "hunter" + "2")

bad = Bad()
del bad
gc.collect()
thread = threading.Thread(target=fail, name="t1")
thread.start()
thread.join()
fail()
"""


def test_what_nobody_caught_is_a_line_without_secrets():
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, check=False)
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "exception that could not be raised",
        "uncaught exception in a thread",
        "uncaught exception",
    ]
    assert lines[1]["thread"] == "t1"
    assert "ValueError: token=***" in lines[0]["exception"]
    assert "ValueError: password=***" in lines[2]["exception"]
    assert b"hunter2" not in done.stderr + done.stdout
