"""What an earlier server left: ended if it is ours, never touched if it is not."""

import asyncio
import os
import subprocess

import pytest

from demarc.platform.postgres import leftovers
from support.eventually import eventually
from support.postgres import ask


def as_owner(folder):
    """The arguments that run a process as who owns a folder."""
    if os.geteuid() != 0:
        return {}
    there = folder.stat()
    return {"user": there.st_uid, "group": there.st_gid, "extra_groups": []}


@pytest.fixture
async def crashed(private, place):
    """The folder of a server that was killed with everything it had running."""
    server = private()
    await server.start()
    cluster = place / "server/cluster"
    text = (cluster / "postmaster.pid").read_text()
    await server.stop()
    (cluster / "postmaster.pid").write_text(text)
    os.chown(cluster / "postmaster.pid", cluster.stat().st_uid, cluster.stat().st_gid)
    return cluster


def take_over(cluster, pid):
    """Have the lock file name a process, as if the number had come round."""
    lines = (cluster / "postmaster.pid").read_text().split("\n")
    (cluster / "postmaster.pid").write_text("\n".join([str(pid), *lines[1:]]))


async def test_a_reused_process_id_does_not_hinder_the_start_nor_harm_the_process(crashed, private):
    stranger = await asyncio.create_subprocess_exec("sleep", "600", **as_owner(crashed))
    try:
        take_over(crashed, stranger.pid)
        server = private()
        await server.start()
        assert await ask(server.conninfo(), "SELECT 'yes'") == "yes"
        assert stranger.returncode is None
        os.kill(stranger.pid, 0)
    finally:
        stranger.kill()
        await stranger.wait()


async def test_another_postgresql_under_the_reused_process_id_goes_on(crashed, private, place):
    other = private(place / "other")
    await other.start()
    take_over(crashed, other.pid)
    server = private()
    await server.start()
    assert await ask(server.conninfo(), "SELECT 'yes'") == "yes"
    assert await ask(other.conninfo(), "SELECT 'yes'") == "yes"


async def test_a_server_that_nobody_runs_is_ended_and_followed(crashed, private, place, binaries):
    (crashed / "postmaster.pid").unlink()
    orphan = await asyncio.create_subprocess_exec(
        binaries.bin_dir / "postgres",
        "-D",
        crashed,
        "-c",
        f"config_file={place}/server/postgresql.conf",
        stderr=subprocess.DEVNULL,
        cwd="/",
        **as_owner(crashed),
    )
    await eventually(lambda: leftovers.recorded_pid(crashed) == orphan.pid)
    server = private()
    await server.start()
    assert await asyncio.wait_for(orphan.wait(), 30) == 0  # it shut down, and was not killed
    assert await ask(server.conninfo(), "SELECT 'yes'") == "yes"


@pytest.mark.parametrize("content", ["", "\n", "not a number\n", "99999999999\n"])
async def test_a_spoilt_lock_file_is_no_hindrance(crashed, private, content):
    (crashed / "postmaster.pid").write_text(content)
    server = private()
    await server.start()
    assert await ask(server.conninfo(), "SELECT 'yes'") == "yes"
