"""Folders, their rights, and who the server is."""

import os
import pwd
import shutil
import stat
import subprocess

import pytest

from demarc.platform.postgres import (
    Binaries,
    NotOurs,
    Unreachable,
    VersionMismatch,
    conninfo_of,
)
from demarc.platform.postgres.place import find
from support.postgres import ask

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up rights")


def rights(folder):
    there = folder.stat()
    return stat.filemode(there.st_mode), there.st_uid, there.st_gid


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def identity(pid):
    """What the kernel says about a process, by the names of /proc."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:  # noqa: PTH123
        return dict(line.rstrip("\n").split(":", 1) for line in file)


def others_may_look(path):
    return bool(path.stat().st_mode & 0o044)


@root_only
async def test_started_by_root_it_runs_without_any_right_of_roots(private):
    server = private()
    await server.start()
    status = identity(server.pid)
    user = pwd.getpwuid(int(status["Uid"].split()[0]))
    assert user.pw_name in ("postgres", "nobody")
    assert status["Uid"].split() == [str(user.pw_uid)] * 4
    assert status["Gid"].split() == [str(user.pw_gid)] * 4
    assert status["Groups"].split() == []
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


async def test_no_rights_change_outside_its_folder_and_others_see_nothing_in_it(private, place):
    (place / "mine").mkdir(mode=0o751)
    (place / "mine/keys.toml").touch(mode=0o600)
    outside = (place, place / "mine", place / "mine/keys.toml")
    before = [rights(path) for path in outside]
    server = private(place / "mine/postgres")
    await server.start()
    home = find(place / "mine/postgres").root
    if home == place / "mine/postgres":  # as root, its user may be unable to enter
        assert names(place / "mine") == ["keys.toml", "postgres"]
    for path in (home, home / "cluster", home / "log", home / "socket"):
        assert not others_may_look(path), path
    await server.stop()
    assert [rights(path) for path in outside] == before


@root_only
async def test_the_server_cannot_change_its_own_configuration(private, place):
    server = private()
    await server.start()
    user = (place / "server/cluster").stat()
    attempt = subprocess.run(  # noqa: ASYNC221
        ["sh", "-c", f"echo x >> {place}/server/pg_hba.conf || echo y > {place}/server/new"],
        user=user.st_uid,
        group=user.st_gid,
        extra_groups=[],
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert attempt.returncode != 0


@root_only
async def test_another_user_of_the_machine_is_not_let_in(private, binaries, place):
    server = private()
    await server.start()
    stranger = next(
        user
        for user in pwd.getpwall()
        if user.pw_uid not in (0, (place / "server/cluster").stat().st_uid)
    )
    who = {"user": stranger.pw_uid, "group": stranger.pw_gid, "extra_groups": []}
    command = ["sh", "-c", f"ls {place}/server/socket || ls {place}/server/cluster"]
    assert subprocess.run(command, **who, capture_output=True, check=False).returncode != 0  # noqa: ASYNC221
    # and even past the folder, the server asks the kernel who it is
    (place / "server/socket").chmod(0o755)
    (place / "server/socket/.s.PGSQL.5432").chmod(0o777)
    psql = shutil.which("psql") or str(binaries.bin_dir / "psql")
    answer = subprocess.run(  # noqa: ASYNC221
        [psql, "-X", server.conninfo(), "-c", "SELECT 1"],
        **who,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode != 0
    assert "Peer authentication failed" in answer.stderr


@root_only
async def test_below_a_closed_folder_the_data_are_kept_in_the_refuge(private, place):
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    server = private(closed / "checkout/data/postgres")
    await server.start()
    await ask(server.conninfo(), "CREATE TABLE kept AS SELECT 'words' AS said")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    home = find(closed / "checkout/data/postgres").root
    assert home.parent == place / "refuge"
    assert str(closed) in (home / "belongs-to").read_text()
    assert conninfo_of(closed / "checkout/data/postgres") == server.conninfo()
    await server.stop()
    again = private(closed / "checkout/data/postgres")
    await again.start()
    assert await ask(again.conninfo(), "SELECT said FROM kept") == "words"
    assert len(list((place / "refuge").iterdir())) == 1


@root_only
async def test_data_in_the_refuge_that_are_gone_are_missed_not_replaced(private, place):
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    server = private(closed / "postgres")
    await server.start()
    await server.stop()
    home = find(closed / "postgres").root
    home.rename(place / "elsewhere")
    with pytest.raises(NotOurs, match="gone"):
        await server.start()


@root_only
async def test_a_folder_closed_later_is_named_with_the_mend(private, place):
    outer = place / "outer"
    outer.mkdir(mode=0o755)
    server = private(outer / "postgres")
    await server.start()
    await server.stop()
    outer.chmod(0o700)
    with pytest.raises(Unreachable, match=f"chmod o\\+x {outer}\\)"):
        await server.start()
    outer.chmod(0o711)
    await server.start()
    assert await ask(server.conninfo(), "SELECT 1") == 1


@root_only
async def test_bundled_programs_in_a_closed_folder_are_copied_once(private, place, binaries):
    if not binaries.bundled:
        pytest.skip("this PostgreSQL did not come as a wheel")
    closed = place / "closed"
    package = binaries.bin_dir.parent.parent
    shutil.copytree(package / "pginstall18", closed / package.name / "pginstall18", symlinks=True)
    libraries = f"{package.name}.libs"
    shutil.copytree(package.with_name(libraries), closed / libraries, symlinks=True)
    closed.chmod(0o700)
    there = Binaries(closed / package.name / "pginstall18/bin", binaries.version, bundled=True)
    for _ in range(2):
        server = private(programs=there)
        await server.start()
        assert await ask(server.conninfo(), "SELECT lower('Á')") == "á"
        await server.stop()
    copies = list((place / "refuge").iterdir())
    assert [copy.name.split("-")[0] for copy in copies] == ["programs"]
    with pytest.raises(Unreachable, match="DEMARC_PG_BIN"):
        await private(programs=Binaries(there.bin_dir, binaries.version)).start()


@root_only
async def test_data_stay_with_the_user_they_began_with(private, place):
    server = private()
    await server.start()
    await server.stop()
    nobody = pwd.getpwnam("nobody")
    for path in (place / "server/cluster", place / "server/log", place / "server/socket"):
        subprocess.run(["chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", path], check=True)  # noqa: ASYNC221
    await server.start()
    status = identity(server.pid)
    assert status["Uid"].split()[0] == str(nobody.pw_uid)
    assert await ask(server.conninfo(), "SELECT 1") == 1


async def test_a_folder_with_something_else_in_it_is_left_alone(private, place):
    folder = place / "server"
    folder.mkdir(mode=0o755)
    (folder / "thesis.txt").write_text("mine")
    before = rights(folder)
    with pytest.raises(NotOurs, match=r"thesis\.txt"):
        await private().start()
    assert rights(folder) == before
    assert names(folder) == ["thesis.txt"]


async def test_data_of_another_version_are_not_touched(private, place, binaries):
    server = private()
    await server.start()
    await server.stop()
    (place / "server/cluster/PG_VERSION").write_text("14\n")
    with pytest.raises(VersionMismatch, match=r"PostgreSQL 14.*DEMARC_PG_BIN"):
        await server.start()


async def test_a_first_start_that_was_interrupted_is_begun_anew(private, place):
    half = place / "server/cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = private()
    await server.start()
    assert await ask(server.conninfo(), "SELECT 1") == 1
    assert not half.exists()
