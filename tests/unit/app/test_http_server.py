"""The HTTP server on real sockets: HTTPS beside HTTP, and clients that dawdle."""

import asyncio
import contextlib
import socket

import pytest

from demarc.app import http_protocol
from demarc.app.calls import Calls
from demarc.app.http_server import HttpServer
from demarc.app.proxies import Proxies
from demarc.platform.tls import ServerCertificate
from support.certificates import anybody, pair
from support.eventually import eventually


async def tell(scope, receive, send):
    """Says who called and how, after having read the body."""
    while (await receive()).get("more_body"):
        pass
    body = f"{scope['scheme']} {scope['client'][0]}".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def listening():
    made = socket.create_server(("127.0.0.1", 0))
    made.setblocking(False)
    return made, made.getsockname()[1]


@pytest.fixture
async def served(tmp_path):
    files = pair(tmp_path)
    (http, http_port), (https, https_port) = listening(), listening()
    server = HttpServer(
        Calls(tell, Proxies(["127.0.0.0/8"]), hsts_max_age=3600),
        secure=[https],
        tls=ServerCertificate.http(files.cert, files.key).context,
        finish_within=2,
        linger=0.0,
    )
    serving = asyncio.create_task(server.serve(sockets=[http]))
    await eventually(lambda: server.started)
    yield http_port, https_port
    server.should_exit = True
    await serving
    http.close()
    https.close()


async def said(port, text, *, tls=False):
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=anybody() if tls else None
    )
    writer.write(text)
    try:
        return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


CALL = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"


async def test_http_and_https_are_served_side_by_side(served):
    http_port, https_port = served
    plain = await said(http_port, CALL + b"\r\n")
    secure = await said(https_port, CALL + b"\r\n", tls=True)
    assert plain.endswith(b"http 127.0.0.1")
    assert secure.endswith(b"https 127.0.0.1")
    assert b"strict-transport-security: max-age=3600" in secure
    # RFC 6797, 7.2: not where it could be forged
    assert b"strict-transport-security" not in plain


async def test_a_proxy_speaks_for_its_caller(served):
    http_port, _ = served
    told = await said(
        http_port,
        CALL + b"X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n\r\n",
    )
    assert told.endswith(b"https 198.51.100.7")
    assert b"strict-transport-security" in told


async def test_who_speaks_http_to_the_secure_port_is_not_answered(served):
    _, https_port = served
    assert await said(https_port, CALL + b"\r\n") == b""


@pytest.mark.parametrize(
    ("begun", "answer"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\nHost: te", b"HTTP/1.1 408 "),
        (b"GET / HTTP/1.1\r\nHost: test\r\n", b"HTTP/1.1 408 "),
        (b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc", b""),
    ],
    ids=["nothing", "half a line", "no empty line", "half a body"],
)
async def test_a_client_that_dawdles_is_let_go(served, monkeypatch, begun, answer):
    monkeypatch.setattr(http_protocol.Connection, "head_within", 0.05)
    monkeypatch.setattr(http_protocol.Connection, "body_within", 0.05)
    http_port, _ = served
    try:
        got = await said(http_port, begun)
    except ConnectionResetError:
        got = b""
    assert got[: len(answer)] == answer
    assert bool(got) == bool(answer)


async def test_a_kept_connection_may_not_dawdle_either(served, monkeypatch):
    http_port, _ = served
    reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head
    await reader.readexactly(len(b"http 127.0.0.1"))
    monkeypatch.setattr(http_protocol.Connection, "head_within", 0.05)
    writer.write(b"\r\n")
    assert await reader.read() == b""
    writer.close()


async def test_a_head_without_end_is_refused(served):
    http_port, _ = served
    reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
    with contextlib.suppress(OSError):
        writer.write(b"GET / HTTP/1.1\r\nX-Long: ")
        for _ in range(100):
            writer.write(b"a" * 16384)
            await writer.drain()
    try:
        got = await reader.read()
    except ConnectionResetError:  # it was refused while we went on talking
        got = b"HTTP/1.1 431 "
    assert got.startswith(b"HTTP/1.1 431 ")
    writer.close()
    # and others are served
    assert (await said(http_port, CALL + b"\r\n")).endswith(b"http 127.0.0.1")


async def test_a_large_body_is_taken(served):
    http_port, _ = served
    size = 300_000
    head = (
        b"POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
    )
    assert b" 200 " in await said(http_port, head + b"b" * size)


async def test_who_is_just_shaking_hands_is_answered_though_the_server_ends(tmp_path):
    files = pair(tmp_path)
    https, port = listening()
    server = HttpServer(
        Calls(tell),
        secure=[https],
        tls=ServerCertificate.http(files.cert, files.key).context,
        finish_within=5,
        linger=30.0,
    )
    serving = asyncio.create_task(server.serve(sockets=[]))
    await eventually(lambda: server.started)
    sock = socket.create_connection(("127.0.0.1", port))
    await eventually(lambda: len(server._accepted) == 1)
    server.should_exit = True
    # it accepts no more
    await eventually(lambda: server._calls.closing)
    reader, writer = await asyncio.open_connection(
        sock=sock, ssl=anybody(), server_hostname="localhost"
    )
    writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    answer = await reader.read()
    assert b" 200 " in answer
    assert b"connection: close" in answer.lower()
    writer.close()
    await serving
    https.close()
