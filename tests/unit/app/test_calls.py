"""What every HTTP call gets: an id, a line when it fails, the end of its connection."""

import json
import logging

import pytest
import structlog

from demarc.app.calls import Calls


async def call(app, path="/services", headers=()):
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": list(headers)}
    await Calls.__call__(app, scope, None, send)
    return dict(sent[0]["headers"])


def answering(status=200, seen=None):
    async def app(_scope, _receive, send):
        if seen is not None:
            seen.update(structlog.contextvars.get_contextvars())
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return Calls(app)


@pytest.fixture(autouse=True)
def _unbound():
    structlog.contextvars.clear_contextvars()
    yield
    structlog.contextvars.clear_contextvars()


async def test_the_callers_id_is_in_the_answer_and_bound_to_what_is_logged():
    seen = {}
    headers = await call(answering(seen=seen), headers=[(b"x-request-id", b"crm-42")])
    assert headers[b"x-request-id"] == b"crm-42"
    assert seen["request_id"] == "crm-42"


@pytest.mark.parametrize("given", [None, b"", b"two words", b"line\nbreak", b"x" * 101, b"\xff"])
async def test_a_call_without_a_harmless_id_gets_one(given):
    headers = [] if given is None else [(b"x-request-id", given)]
    first = (await call(answering(), headers=headers))[b"x-request-id"]
    second = (await call(answering(), headers=headers))[b"x-request-id"]
    assert given != first != second
    assert len(first) == 32


@pytest.mark.parametrize(
    ("path", "status", "lines"),
    [("/services", 404, 0), ("/services", 500, 1), ("/services", 504, 1), ("/readyz", 503, 0)],
)
async def test_only_errors_of_ours_are_logged(path, status, lines, caplog):
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    try:
        with caplog.at_level(logging.INFO, logger="demarc.app.calls"):
            await call(answering(status), path)
    finally:
        structlog.reset_defaults()
    found = [json.loads(record.message) for record in caplog.records]
    assert len(found) == lines
    assert all(line["status"] == status and line["path"] == path for line in found)


async def test_once_closing_every_answer_is_the_last_on_its_connection():
    app = answering()
    assert b"connection" not in await call(app)
    app.closing = True
    assert (await call(app))[b"connection"] == b"close"
