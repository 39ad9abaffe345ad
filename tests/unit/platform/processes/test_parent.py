"""A parent and its children: real processes, real signals, real sockets."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import textwrap
from pathlib import Path

import pytest

from demarc.platform.processes import ChildFailed, Parent, Patience, Role, tcp, udp
from support.eventually import eventually

# Answers each connection with its pid, says that it is ready, and ends when told to: what it has
# accepted is answered first. With a file to write to, it says there that it ended.
ANSWERS = """
import asyncio, os, sys
from demarc.platform.processes import Child

async def main():
    child = Child.inherit()
    stop = child.stop_event()
    loop = asyncio.get_running_loop()
    calls = set()

    async def answer(connection):
        with connection:
            await loop.sock_recv(connection, 100)
            await loop.sock_sendall(connection, f"{os.getpid()}\\n".encode())

    def accept(listening):
        try:
            connection, _ = listening.accept()
        except BlockingIOError:  # the other child was faster
            return
        connection.setblocking(False)
        call = loop.create_task(answer(connection))
        calls.add(call)
        call.add_done_callback(calls.discard)

    for listening in child.sockets("http"):
        loop.add_reader(listening, accept, listening)
    child.ready()
    await stop.wait()
    for listening in child.sockets("http"):
        loop.remove_reader(listening)
    await asyncio.gather(*calls)
    for name in sys.argv[1:2]:
        with open(name, "a") as file:
            file.write(sys.argv[2] + "\\n")

asyncio.run(main())
"""

# Writes datagrams into a file, one a line.
COUNTS = """
import asyncio, sys
from demarc.platform.processes import Child

class Count(asyncio.DatagramProtocol):
    def datagram_received(self, data, addr):
        with open(sys.argv[1], "ab") as file:
            file.write(data + b"\\n")

async def main():
    child = Child.inherit()
    stop = child.stop_event()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Count, sock=child.sockets("auth")[0])
    child.ready()
    await stop.wait()
    transport.close()

asyncio.run(main())
"""

# Ends at its start while the file named is there.
FAILS_WHILE = (
    """
import os, sys
if os.path.exists(sys.argv[1]):
    raise SystemExit(3)
del sys.argv[1]
"""
    + ANSWERS
)

HASTY = Patience(first=0.05, longest=0.1, well_after=60)


def role(source: str, *argv: object, name: str = "web", **more) -> Role:
    return Role(
        name=name,
        argv=[sys.executable, "-c", textwrap.dedent(source), *map(str, argv)],
        sockets=more.pop("sockets", ["http", "auth"]),
        env=dict(os.environ),
        **more,
    )


@contextlib.asynccontextmanager
async def running(*roles: Role, patience=HASTY, **sockets: socket.socket):
    parent = Parent(roles, {name: [each] for name, each in sockets.items()}, patience=patience)
    try:
        await parent.start()
        yield parent
    finally:
        await parent.stop()
        for each in sockets.values():
            each.close()


@pytest.fixture
def http():
    with tcp("127.0.0.1", 0) as made:
        yield made


async def ask(listening: socket.socket) -> int:
    """Ask who answers there."""
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    writer.write(b"who\n")
    answer = await asyncio.wait_for(reader.readline(), 15)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return int(answer)


def ended(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    # an orphan that has ended may wait to be reaped by a stranger
    return status.rpartition(")")[2].split()[0] == "Z"


async def test_a_child_that_dies_is_started_again_on_the_same_socket(http):
    async with running(role(ANSWERS), http=http) as parent:
        first = await ask(http)
        assert parent.status()[0].pid == first
        os.kill(first, signal.SIGKILL)
        # asked while nobody is there: the connection waits in the socket's queue
        second = await ask(http)
        assert second != first
        await eventually(lambda: parent.status()[0].state == "ready")
        [child] = parent.status()
        assert (child.restarts, child.last_ending, child.looping) == (1, "SIGKILL", False)


async def test_one_that_dies_again_and_again_is_told_and_works_once_it_can(http, tmp_path):
    trouble = tmp_path / "trouble"
    async with running(role(FAILS_WHILE, trouble), http=http) as parent:
        trouble.touch()
        os.kill(await ask(http), signal.SIGKILL)
        await eventually(lambda: parent.status()[0].looping)
        [child] = parent.status()
        assert child.last_ending == "exit 3"
        assert child.failures >= 3
        trouble.unlink()
        assert await ask(http)


async def test_deaths_long_apart_are_not_in_a_row(http):
    async with running(
        role(ANSWERS), http=http, patience=Patience(first=600, well_after=0)
    ) as parent:
        for _ in range(4):
            os.kill(await ask(http), signal.SIGKILL)
        assert await ask(http)
        await eventually(lambda: parent.status()[0].state == "ready")
        [child] = parent.status()
        assert (child.restarts, child.failures, child.looping) == (4, 0, False)


def test_pauses_grow_up_to_a_limit():
    pauses = [Patience().pause(failures) for failures in range(1, 9)]
    assert pauses == [0, 1, 2, 4, 8, 16, 30, 30]
    assert Patience().pause(10**6) == 30


async def test_a_rolling_restart_refuses_and_loses_no_connection(http):
    async with running(role(ANSWERS), http=http) as parent:
        before = await ask(http)
        renewing = asyncio.create_task(parent.restart())

        async def keep_asking() -> set[int]:
            seen = set()
            while not renewing.done():
                seen.add(await ask(http))
            return seen

        seen = set().union(*await asyncio.gather(*(keep_asking() for _ in range(8))))
        await renewing
        after = await ask(http)
        assert after != before
        assert seen <= {before, after}
        assert ended(before)
        [child] = parent.status()
        assert (child.pid, child.restarts) == (after, 0)


async def test_what_works_is_not_given_up_for_a_successor_that_does_not(http, tmp_path):
    trouble = tmp_path / "trouble"
    async with running(role(FAILS_WHILE, trouble), http=http) as parent:
        before = await ask(http)
        trouble.touch()
        await asyncio.wait_for(parent.restart(), 20)
        assert await ask(http) == before
        trouble.unlink()
        await asyncio.wait_for(parent.restart(), 20)
        assert await ask(http) != before


async def test_a_restart_does_not_wait_for_what_cannot_run(http, tmp_path):
    trouble = tmp_path / "trouble"
    one, other = role(FAILS_WHILE, trouble, name="one"), role(ANSWERS, name="other", sockets=[])
    async with running(one, other, http=http) as parent:
        trouble.touch()
        before = {child.name: child.pid for child in parent.status()}
        os.kill(before["one"], signal.SIGKILL)
        await eventually(lambda: parent.status()[0].state == "waiting")
        await asyncio.wait_for(parent.restart(), 20)
        assert parent.status()[1].pid not in (None, before["other"])


async def test_datagrams_that_come_during_a_restart_wait(tmp_path):
    auth = udp("127.0.0.1", 0)
    file = tmp_path / "datagrams"
    file.touch()
    counting = role(COUNTS, file, name="radius", overlap=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(auth.getsockname())
        async with running(counting, auth=auth) as parent:
            renewing = asyncio.create_task(parent.restart())
            sent = 0
            while not renewing.done():
                sender.send(str(sent).encode())
                sent += 1
                await asyncio.sleep(0.001)

            def received():
                return [int(line) for line in file.read_bytes().split()]

            got = await eventually(received, lambda got: len(got) == sent)
            assert got == list(range(sent))


async def test_children_end_in_the_reverse_order_one_kind_after_the_other(http, tmp_path):
    file = tmp_path / "ended"
    names = ["radius", "worker", "web"]
    async with running(*(role(ANSWERS, file, name, name=name) for name in names), http=http):
        assert not file.exists()
    assert file.read_text().split() == ["web", "worker", "radius"]


async def test_neighbours_of_one_command_end_together(http, tmp_path):
    # the first to end waits for the second: one after the other would take until they are killed
    source = """
    import asyncio, os, sys
    from demarc.platform.processes import Child

    async def main():
        child = Child.inherit()
        stop = child.stop_event()
        child.ready()
        await stop.wait()
        open(f"{sys.argv[1]}/{os.getpid()}", "w").close()
        while len(os.listdir(sys.argv[1])) < 2:
            await asyncio.sleep(0.01)

    asyncio.run(main())
    """
    async with running(
        *(role(source, tmp_path, name=name) for name in ("web-0", "web-1")), http=http
    ) as parent:
        pids = [child.pid for child in parent.status()]
    assert sorted(int(file.name) for file in tmp_path.iterdir()) == sorted(pids)


async def test_what_cannot_start_says_so_and_leaves_nobody_behind(http):
    parent = Parent([role(ANSWERS), role("raise SystemExit(3)", name="worker")], {"http": [http]})
    with pytest.raises(ChildFailed, match=r"worker.*exit 3"):
        await parent.start()
    assert [child.state for child in parent.status()] == ["stopped", "stopped"]
    assert [child.pid for child in parent.status()] == [None, None]


async def test_a_command_that_is_not_there_says_so():
    parent = Parent([Role(name="web", argv=["/nowhere/demarc"])], {})
    with pytest.raises(FileNotFoundError, match="/nowhere/demarc"):
        await parent.start()


async def test_one_that_never_gets_ready_counts_as_failed():
    silent = "import time; time.sleep(600)"
    parent = Parent([role(silent, ready_within=0.2)], {})
    with pytest.raises(ChildFailed, match="web"):
        await parent.start()


async def test_a_start_that_is_broken_off_leaves_nobody_behind(http):
    parent = Parent([role(ANSWERS), role("import time; time.sleep(600)")], {"http": [http]})
    starting = asyncio.create_task(parent.start())
    await eventually(lambda: parent.status()[0].state == "ready")
    pids = [child.pid for child in parent.status()]
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert all(map(ended, pids))


async def test_a_child_that_does_not_end_is_killed_with_what_it_started():
    deaf = """
    import signal, subprocess, sys, time
    from demarc.platform.processes import Child
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    helper = subprocess.Popen(["sleep", "600"])
    with open(sys.argv[1], "w") as file:
        file.write(str(helper.pid))
    Child.inherit().ready()
    while True:
        time.sleep(60)
    """
    reading, writing = os.pipe()
    async with running(role(deaf, f"/proc/{os.getpid()}/fd/{writing}", grace=0.3)) as parent:
        [child] = parent.status()
    helper = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    assert ended(child.pid)
    await eventually(lambda: ended(helper))


async def test_a_child_has_the_sockets_of_its_role_and_no_others(http, tmp_path):
    source = """
    import asyncio, os, sys
    from demarc.platform.processes import Child

    def name(fd):
        return os.readlink(f"/proc/self/fd/{fd}")

    child = Child.inherit()
    # standard streams may be sockets too
    there = [fd for fd in map(int, os.listdir("/proc/self/fd")) if fd > 2]
    sockets = [name(fd) for fd in there if os.path.exists(f"/proc/self/fd/{fd}")
               and name(fd).startswith("socket:")]
    handed = [each.fileno() for each in child.sockets("http")]
    with open(sys.argv[1], "w") as file:
        # the one beside them is that on which the parent asks
        others = set(sockets) - set(map(name, handed))
        print(len(handed), len(child.sockets("auth")), len(others) == 1,
              [os.get_inheritable(fd) for fd in handed], file=file)

    async def main():
        stop = child.stop_event()
        child.ready()
        await stop.wait()

    asyncio.run(main())
    """
    seen = tmp_path / "seen"
    auth = udp("127.0.0.1", 0)
    async with running(role(source, seen, sockets=["http"]), http=http, auth=auth):
        assert seen.read_text() == "1 0 True [False]\n"


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_children_end_when_their_parent_is_killed(loop, end):
    # a parent of its own, so that it can be killed
    source = f"""
    import asyncio, os, sys, {loop}
    from demarc.platform.processes import Parent, Role, tcp

    async def main():
        http = tcp("127.0.0.1", 0)
        child = Role(name="web", argv=[sys.executable, "-c", {ANSWERS!r}], sockets=["http"],
                     env=dict(os.environ))
        parent = Parent([child], {{"http": [http]}})
        await parent.start()
        await parent.restart()
        print("\\nchild", parent.status()[0].pid, flush=True)
        await parent.wait()

    {loop}.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(source), stdout=asyncio.subprocess.PIPE
    )
    await asyncio.wait_for(process.stdout.readuntil(b"\nchild "), 20)
    child = int(await process.stdout.readline())
    process.send_signal(end)
    await process.communicate()
    await eventually(lambda: ended(child))
