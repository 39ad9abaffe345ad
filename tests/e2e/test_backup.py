"""A backup of a living Demarc, restored into an empty place, served from there."""

import asyncio
import hashlib
import os
import shutil
import sys

import msgspec
import psycopg
import pytest

from demarc.app.backup import shelf
from demarc.app.backup.contents import counts
from demarc.app.parts import server
from demarc.platform.postgres import conninfo_of
from support import radclient
from support.eventually import eventually
from support.house import NAS_SECRET
from support.postgres import BINARIES
from support.running import Running, prepare, settings_of

pytestmark = [
    pytest.mark.peer("radclient"),
    pytest.mark.skipif(radclient.MISSING, reason=radclient.WHY),
]


async def demarc(*words, data):
    """Run a command as its user does; give its exit code and what it said."""
    programs = os.environ.get(BINARIES)
    more = ("--pg-bin", programs) if programs else ()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "demarc.cli", *map(str, words), "--data", str(data), *more),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def rows(data):
    async with await psycopg.AsyncConnection.connect(
        conninfo_of(data / "postgres"), autocommit=True
    ) as conn:
        return await counts(conn)


async def logs_in(running, line):
    host, port = running.auth
    answer = await radclient.ask(
        host,
        port,
        "auth",
        NAS_SECRET,
        {"User-Name": line.username, "User-Password": line.password},
    )
    return answer.code if answer else None


async def accounts(running, line, kind, seconds):
    host, port = running.acct
    answer = await radclient.ask(
        host,
        port,
        "acct",
        NAS_SECRET,
        {
            "User-Name": line.username,
            "Acct-Session-Id": "8000077",
            "NAS-IP-Address": "127.0.0.1",
            "Acct-Status-Type": kind,
            "Acct-Session-Time": seconds,
        },
    )
    assert answer.code == "Accounting-Response"


async def test_a_living_house_is_copied_and_lives_on_in_another_place(place):
    old, new, kept = place / "old", place / "new", place / "backups"
    estate = await prepare(old, 3)
    line = estate.lines[0]
    running = Running(old, estate)
    try:
        await running.start()
        assert await logs_in(running, line) == "Access-Accept"
        await accounts(running, line, "Start", 0)
        async with running.client(estate.isp_token) as isp:
            assert len((await isp.get("/services/snapshot")).json()) == 3
        # a job whose worker will be gone
        await running.rows(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
            " VALUES ('nobody', 'of.old', 'doing') RETURNING id"
        )
        code, said = await demarc("backup", kept, "--keep", 2, data=old)
        assert code == 0, said
        [made] = shelf.backups(kept)
        # who was served is served meanwhile and afterwards
        assert await logs_in(running, line) == "Access-Accept"
    finally:
        await running.end()
        running.kill_all()
    assert made.manifest.tenants == ["acme", "beta", "metro"]
    assert made.manifest.counts["service"] == 3
    assert b"secret = " not in (made.path / "manifest.json").read_bytes()
    assert not [path for path in made.path.rglob("*") if "keys" in path.name]

    new.mkdir(mode=0o711)
    # without its keys nothing is written
    code, said = await demarc("restore", made.path, data=new)
    assert (code, "there is no key file" in said) == (1, True)
    await demarc("tenant", "list", data=place / "another")
    shutil.copy(place / "another/keys.toml", new / "keys.toml")
    code, said = await demarc("restore", made.path, data=new)
    assert (code, "does not have: put the key file in place" in said) == (1, True)
    assert not (new / "postgres").exists()

    shutil.copy(old / "keys.toml", new / "keys.toml")
    code, said = await demarc("restore", made.path, data=new)
    assert code == 0, said
    code, said = await demarc("restore", made.path, data=new)
    assert (code, "is not empty" in said) == (1, True)

    running = Running(new, estate)
    try:
        await running.start()
        now = await rows(new)
        for table in ("tenant", "customer", "service", "credential", "nas", "session_live",
                      "usage_daily", "auth_attempt", "api_token"):  # fmt: skip
            assert now[table] == made.manifest.counts[table], table
        assert await logs_in(running, line) == "Access-Accept"
        # the session of the old place goes on
        await accounts(running, line, "Interim-Update", 600)
        assert await running.value("SELECT count(*) FROM session_live") == 1
        assert await running.value("SELECT session_seconds FROM session_live") == 600
        async with running.client(estate.isp_token) as isp:
            services = (await isp.get("/services")).json()
            assert services["total"] == 3
            status = (await isp.get(f"/services/{line.service_id}/radius/status")).json()
            assert status["password"] == line.password
            # the cursor of the old server meant nothing here: all is given once, then nothing
            assert len((await isp.get("/services/snapshot")).json()) == 3
        assert (
            await running.value(
                "SELECT status::text FROM procrastinate_jobs WHERE task_name = 'of.old'"
            )
            == "todo"
        )
        # caches follow changes here: a suspension is noticed at once
        async with running.client(estate.isp_token) as isp:
            await isp.post(f"/services/{line.service_id}/suspend")
        await eventually(
            lambda: logs_in(running, line), lambda code: code == "Access-Reject", within=5
        )
    finally:
        await running.end()
        running.kill_all()


async def test_restored_into_a_given_database_too(place, postgres):
    old, kept = place / "old", place / "backups"
    estate = await prepare(old, 1)
    code, said = await demarc("backup", kept, "--jobs", 2, data=old)
    assert code == 0, said
    [made] = shelf.backups(kept)
    with postgres.database("template1") as conninfo:
        code, said = await demarc(
            "restore", made.path, "--database-url", conninfo, "--jobs", 2, data=old
        )
        assert code == 0, said
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
            there = await counts(conn)
            guarded = await (
                await conn.execute("SELECT count(*) FROM pg_policies WHERE roles = '{demarc_app}'")
            ).fetchone()
        assert there["credential"] == len(estate.lines)
        assert guarded[0] > 50
        code, said = await demarc("restore", made.path, "--database-url", conninfo, data=old)
        assert (code, "is not empty" in said) == (1, True)


async def test_what_was_altered_or_cut_short_is_refused_before_anything_is_written(place):
    old, new, kept = place / "old", place / "new", place / "backups"
    await prepare(old, 1)
    assert (await demarc("backup", kept, data=old))[0] == 0
    [made] = shelf.backups(kept)
    new.mkdir(mode=0o711)
    shutil.copy(old / "keys.toml", new / "keys.toml")

    async def refused(saying):
        code, said = await demarc("restore", made.path, data=new)
        assert (code, saying in said) == (1, True), said
        assert not (new / "postgres").exists()
        code, said = await demarc("backup", kept, "--verify", data=old)
        assert (code, saying in said) == (1, True), said

    longest = max((made.path / "database").iterdir(), key=lambda path: path.stat().st_size)
    content = longest.read_bytes()
    longest.write_bytes(content[:-1])
    await refused("octets, not")
    longest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    await refused("its checksum is another one")
    longest.unlink()
    await refused("is missing")
    longest.write_bytes(content)
    (made.path / "database/more.dat").write_bytes(b"")
    await refused("a file that is not its own")
    (made.path / "database/more.dat").unlink()

    manifest = made.path / "manifest.json"
    sealed = msgspec.json.decode(manifest.read_bytes())
    manifest.write_bytes(msgspec.json.encode(sealed)[:-40])
    await refused("is damaged")
    sealed["manifest"]["counts"]["service"] = 7
    manifest.write_bytes(msgspec.json.encode(sealed))
    await refused("was altered")
    # with a checksum made anew, but without the keys there is no seal
    sealed["sha256"] = hashlib.sha256(msgspec.json.encode(sealed["manifest"])).hexdigest()
    manifest.write_bytes(msgspec.json.encode(sealed))
    await refused("does not carry the seal")


async def test_a_restore_that_was_cut_short_serves_nobody_and_can_begin_again(place):
    old, new, kept = place / "old", place / "new", place / "backups"
    await prepare(old, 1)
    assert (await demarc("backup", kept, data=old))[0] == 0
    [made] = shelf.backups(kept)
    new.mkdir(mode=0o711)
    shutil.copy(old / "keys.toml", new / "keys.toml")
    assert (await demarc("restore", made.path, data=new))[0] == 0
    # as it stands before its last transaction
    running = Running(new, None)
    async with (
        server(settings_of(new)) as owner,
        await psycopg.AsyncConnection.connect(owner, autocommit=True) as conn,
    ):
        await conn.execute("DELETE FROM migration")
    with pytest.raises(AssertionError, match="failed, and left nothing"):
        await running.start()
    code, said = await demarc("restore", made.path, data=new)
    assert code == 0, said
    code, said = await demarc("tenant", "list", data=new)
    assert (code, "acme" in said) == (0, True)
