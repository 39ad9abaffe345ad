"""``/healthz`` and ``/readyz``, as a load balancer sees them."""

import json

import psycopg
import pytest

from demarc.app.health import Health
from demarc.app.web import _probes
from demarc.platform.database import Database


async def ask(health, path, method="GET"):
    sent = []

    async def send(message):
        sent.append(message)

    await health({"type": "http", "method": method, "path": path}, None, send)
    start, body = sent
    return start["status"], json.loads(body["body"] or b"null"), dict(start["headers"])


async def test_all_is_well(db):
    health = Health(_probes(db))
    assert (await ask(health, "/healthz"))[:2] == (200, {"status": "ok"})
    assert (await ask(health, "/readyz"))[:2] == (200, {"database": "ok", "schema": "ok"})
    status, body, headers = await ask(health, "/readyz", "HEAD")
    assert (status, body) == (200, None)
    assert int(headers[b"content-length"]) > 0
    assert (await ask(health, "/readyz", "POST"))[0] == 405


async def test_a_schema_that_is_not_complete_is_not_ready_until_it_is(db, database_url):
    health = Health(_probes(db))
    with psycopg.connect(database_url, autocommit=True) as conn:
        number, name, checksum = conn.execute(
            "DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)"
            " RETURNING number, name, checksum"
        ).fetchone()
        status, body, headers = await ask(health, "/readyz")
        assert (status, body) == (503, {"database": "ok", "schema": "migrations are pending"})
        assert int(headers[b"retry-after"]) > 0
        conn.execute(
            "INSERT INTO migration (number, name, checksum) VALUES (%s, %s, %s)",
            [number, name, checksum],
        )
    assert (await ask(health, "/readyz"))[0] == 200


async def test_without_its_database_it_lives_and_is_not_ready(database_url):
    database = await Database.open(database_url, tenant_pool=1, system_pool=1)
    health = Health(_probes(database))
    await database.close()
    assert (await ask(health, "/healthz"))[0] == 200
    status, body, _ = await ask(health, "/readyz")
    assert status == 503
    assert body["database"] == "not ready"


@pytest.mark.parametrize("words", ["secret words", ""])
async def test_what_goes_wrong_inside_is_not_told(words):
    async def fails():
        raise RuntimeError(words)

    status, body, _ = await ask(Health({"part": fails}), "/readyz")
    assert (status, body) == (503, {"part": "not ready"})
