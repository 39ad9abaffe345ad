"""Devices called over real HTTP, as they answer and as they do not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from demarc.domains.cpe.ports import Unreached
from demarc.protocols import http_digest
from demarc.southbound.cwmp.calling import HttpCaller

LOOPBACK = ["127.0.0.0/8", "::1/128"]
CHALLENGE = http_digest.Challenge("HG", "nonce-of-device")


class Door:
    """Where a device is called; it takes "acs" with "sesame".

    Attributes:
        heard: the request lines.
        calls: how often it was called well.
        says: bytes to answer with instead.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.calls = 0
        self.says: bytes | None = None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heard.append(head.split("\r\n")[0])
        if self.says is not None:
            writer.write(self.says)
        elif self._is_proved(head):
            self.calls += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        else:
            header = http_digest.challenge_header(CHALLENGE)
            writer.write(f"HTTP/1.1 401 No\r\nWWW-Authenticate: {header}\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    @staticmethod
    def _is_proved(head: str) -> bool:
        for line in head.split("\r\n"):
            if line.lower().startswith("authorization:"):
                answer = http_digest.read_answer(line.partition(":")[2])
                secret = http_digest.secret_of("acs", "HG", "sesame")
                return http_digest.proves(answer, method="GET", secret=secret)
        return False


@contextlib.asynccontextmanager
async def listening(door: Door) -> AsyncIterator[str]:
    server = await asyncio.start_server(door.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://127.0.0.1:{port}/cr?id=7"


async def call(url: str, password: str = "sesame", allowed: list[str] | None = None) -> None:
    caller = HttpCaller(LOOPBACK if allowed is None else allowed)
    await caller.call(url=url, username="acs", password=password)


async def test_a_device_is_called_with_a_proof() -> None:
    door = Door()
    async with listening(door) as url:
        await call(url)

    assert door.calls == 1
    assert door.heard == ["GET /cr?id=7 HTTP/1.1"] * 2


async def test_a_wrong_password_is_told_apart() -> None:
    async with listening(Door()) as url:
        with pytest.raises(Unreached, match="does not take our password"):
            await call(url, "wrong")


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"HTTP/1.1 503 Busy\r\n\r\n", "busy"),
        (b"HTTP/1.0 404 What\r\n\r\n", "404"),
        (b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\r\n", "not known"),
        (b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=x\r\n\r\n", "no nonce"),
        (b"SSH-2.0-dropbear\r\n\r\n", "does not speak HTTP"),
        (b"", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000, "too long"),
    ],
)
async def test_what_a_device_answers_is_told(says: bytes, reason: str) -> None:
    door = Door()
    door.says = says
    async with listening(door) as url:
        with pytest.raises(Unreached, match=reason):
            await call(url)


async def test_a_device_that_closes_after_the_status_was_called() -> None:
    door = Door()
    door.says = b"HTTP/1.1 204 No Content\r\n"
    async with listening(door) as url:
        await call(url)


async def test_nobody_there_is_told() -> None:
    async with listening(Door()) as url:
        pass
    with pytest.raises(Unreached, match="cannot be reached"):
        await call(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:5432/",
        "http://[::ffff:127.0.0.1]:80/",
        "http://localhost/",
        "http://2130706433/",
    ],
)
async def test_nothing_outside_the_networks_of_devices_is_called(url: str) -> None:
    with pytest.raises(Unreached, match="outside"):
        await call(url, allowed=["10.0.0.0/8", "2001:db8::/32"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://10.0.0.1/",
        "file:///etc/hostname",
        "http://:80/",
        "http://10.0.0.1:99999/",
        "gopher://10.0.0.1/",
    ],
)
async def test_what_is_no_url_is_not_called(url: str) -> None:
    with pytest.raises(Unreached, match="no URL"):
        await call(url, allowed=["10.0.0.0/8"])


async def test_a_line_in_the_url_is_no_line_of_the_request() -> None:
    door = Door()
    async with listening(door) as url:
        base = url.rpartition("/")[0]
        with contextlib.suppress(Unreached):
            await call(f"{base}/a b HTTP/1.1\tX")
    assert door.heard in ([], ["GET /ab HTTP/1.1X HTTP/1.1"])


async def test_a_device_that_says_nothing_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        caller = HttpCaller(LOOPBACK, within=0.2)
        with pytest.raises(Unreached, match="in time"):
            await caller.call(url=f"http://127.0.0.1:{port}/", username="a", password="b")
