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

from demarc.platform.processes import ChildFailed, Parent, Role, tcp, udp
from support.eventually import eventually

# Answers each connection with its pid, says that it is ready, and ends when told to.
ANSWERS = """
import asyncio, os, sys
from demarc.platform.processes import Child

async def main():
    child = Child.inherit()
    stop = child.stop_event()

    async def answer(reader, writer):
        await reader.readline()
        writer.write(f"{os.getpid()}\\n".encode())
        await writer.drain()
        writer.close()

    servers = [await asyncio.start_server(answer, sock=s) for s in child.sockets("http")]
    child.ready()
    await stop.wait()
    for server in servers:
        server.close()
        await server.wait_closed()

asyncio.run(main())
"""

# Counts datagrams into a file, one line each.
COUNTS = """
import asyncio, os, sys
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


def role(source: str, *argv: str, name: str = "web", **more) -> Role:
    return Role(
        name=name,
        argv=[sys.executable, "-c", textwrap.dedent(source), *argv],
        sockets=["http", "auth"],
        env=dict(os.environ),
        **more,
    )


@contextlib.asynccontextmanager
async def running(*roles: Role, **sockets: socket.socket):
    parent = Parent(roles, {name: [each] for name, each in sockets.items()})
    try:
        await parent.start()
        yield parent
    finally:
        await parent.stop()
        for each in sockets.values():
            each.close()


async def ask(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"who\n")
    answer = await asyncio.wait_for(reader.readline(), 15)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return int(answer)


async def test_a_child_that_dies_is_started_again_on_the_same_socket():
    http = tcp("127.0.0.1", 0)
    port = http.getsockname()[1]
    async with running(role(ANSWERS), http=http) as parent:
        first = await ask(port)
        os.kill(first, signal.SIGKILL)
        # asked while nobody is there: the connection waits in the socket's queue
        second = await ask(port)
        assert second != first
        assert parent.status()[0].restarts == 1


async def test_a_rolling_restart_refuses_and_loses_no_connection():
    http = tcp("127.0.0.1", 0)
    port = http.getsockname()[1]
    async with running(role(ANSWERS), http=http) as parent:
        before = await ask(port)
        seen = set()
        renewing = asyncio.create_task(parent.restart())
        while not renewing.done():
            seen.add(await ask(port))
        await renewing
        after = await ask(port)
        assert after != before
        assert seen <= {before, after}
        assert parent.status()[0].restarts == 0


async def test_datagrams_that_come_during_a_restart_wait(tmp_path):
    auth = udp("127.0.0.1", 0)
    file = tmp_path / "datagrams"
    file.touch()
    counting = role(COUNTS, str(file), name="radius", overlap=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(auth.getsockname())
        async with running(counting, auth=auth) as parent:
            renewing = asyncio.create_task(parent.restart())
            sent = 0
            while not renewing.done():
                sender.send(str(sent).encode())
                sent += 1
                await asyncio.sleep(0.001)

            async def received():
                return [int(line) for line in file.read_bytes().split()]

            assert sorted(await eventually(received, lambda got: len(got) == sent)) == list(
                range(sent)
            )


async def test_what_cannot_start_says_so_and_leaves_nobody_behind():
    http = tcp("127.0.0.1", 0)
    parent = Parent([role(ANSWERS), role("raise SystemExit(3)", name="worker")], {"http": [http]})
    with pytest.raises(ChildFailed, match=r"worker.*exit 3"):
        await parent.start()
    assert [child.state for child in parent.status()] == ["stopped", "stopped"]
    assert [child.pid for child in parent.status()] == [None, None]
    http.close()


async def test_a_child_that_does_not_end_is_killed():
    deaf = """
    import signal, time
    from demarc.platform.processes import Child
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Child.inherit().ready()
    while True:
        time.sleep(60)
    """
    async with running(role(deaf, grace=0.3)) as parent:
        [child] = parent.status()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_children_end_when_their_parent_is_killed(tmp_path):
    # a parent of its own, so that it can be killed
    source = f"""
    import asyncio, os, sys
    sys.path.insert(0, {str(tmp_path)!r})
    from demarc.platform.processes import Parent, Role, tcp

    async def main():
        http = tcp("127.0.0.1", 0)
        child = Role(name="web", argv=[sys.executable, "-c", {ANSWERS!r}], sockets=["http"],
                     env=dict(os.environ))
        parent = Parent([child], {{"http": [http]}})
        await parent.start()
        print(parent.status()[0].pid, flush=True)
        await parent.wait()

    asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(source), stdout=asyncio.subprocess.PIPE
    )
    child = int(await asyncio.wait_for(process.stdout.readline(), 20))
    process.kill()
    await process.wait()

    async def gone():
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        # an orphan that has ended may wait to be reaped by a stranger
        status = Path(f"/proc/{child}/stat")
        return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"

    await eventually(gone)


def test_a_port_that_is_taken_is_named():
    with tcp("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            tcp("127.0.0.1", port)
