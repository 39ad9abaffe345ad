"""HTTPS as its clients see it: renewed without a lost connection, by the files alone or SIGHUP."""

import asyncio
import signal
import ssl

import httpx
import pytest

from demarc.platform.secrets import KeyRing
from demarc.platform.secrets.failures import PER_ADDRESS
from demarc.platform.secrets.tokens import new_token
from support.certificates import pair, serial_of, shown
from support.eventually import eventually
from support.running import Running


@pytest.fixture
def files(tmp_path):
    return pair(tmp_path)


@pytest.fixture
async def serve(database_url, tmp_path, files):
    KeyRing.open(tmp_path / "data/keys.toml", create=True)
    started = []

    async def serve(**settings):
        demarc = Running(
            tmp_path / "data",
            None,
            database_url=database_url,
            tls_cert=files.cert,
            tls_key=files.key,
            **settings,
        )
        started.append(demarc)
        await demarc.start()
        return demarc

    try:
        yield serve
        for demarc in started:
            if demarc.process.returncode is None:
                assert await demarc.end() == 0, demarc.log_text()
    finally:
        for demarc in started:
            demarc.kill_all()


class Kept:
    """A connection that is kept."""

    @classmethod
    async def open(cls, port, cert):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=ssl.create_default_context(cafile=cert)
        )
        return self

    async def call(self):
        """Ask; give the status and whether this was the last."""
        self.writer.write(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        await self.reader.readexactly(len(b'{"status":"ok"}'))
        return head.split()[1], "connection: close" in head


async def test_a_renewed_certificate_is_shown_without_a_connection_lost(serve, files):
    running = await serve()
    port = running.ports[0]
    assert running.log("serving")[-1]["http"].startswith("https://")
    web = running.pid("web")
    old = files.serial
    kept = await Kept.open(port, files.cert)
    assert (await kept.call(), serial_of(kept.writer)) == (("200", False), old)

    # half of a new pair is none: it is said, and the old one goes on being shown
    key = files.key.read_bytes()
    files.renew()
    files.key.write_bytes(key)
    await eventually(lambda: running.log("a new certificate cannot be used; the old one is kept"))
    assert await shown(port) == old

    new = files.renew()

    async def seen():
        return await shown(port)

    await eventually(seen, lambda serial: serial == new)
    assert await kept.call() == ("200", False)
    assert running.pid("web") == web
    kept.writer.close()

    # and SIGHUP takes it over at once, with a new process
    kept = await Kept.open(port, files.cert)
    newest = files.renew()
    running.process.send_signal(signal.SIGHUP)
    await running.successor("web", web)
    await eventually(seen, lambda serial: serial == newest)
    assert (await kept.call())[0] == "200"
    kept.writer.close()


async def test_http_and_https_side_by_side_behind_a_proxy(serve, files):
    running = await serve(
        https_port=0, hsts_max_age=600, trusted_proxies="127.0.0.1", roles="web,worker"
    )
    assert running.log("serving")[-1]["http"].startswith("http://")
    context = ssl.create_default_context(cafile=files.cert)
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        secure = await client.get(f"https://127.0.0.1:{running.https_port}/readyz")
        plain = await client.get(f"http://127.0.0.1:{running.ports[0]}/readyz")
        forwarded = await client.get(
            f"http://127.0.0.1:{running.ports[0]}/readyz", headers={"X-Forwarded-Proto": "https"}
        )
    assert {answer.status_code for answer in (secure, plain, forwarded)} == {200}
    assert secure.headers["strict-transport-security"] == "max-age=600"
    assert forwarded.headers["strict-transport-security"] == "max-age=600"
    assert "strict-transport-security" not in plain.headers


async def test_who_guesses_behind_a_proxy_shuts_out_himself_alone(serve):
    running = await serve(https_port=0, trusted_proxies="127.0.0.0/8", roles="web,worker")
    url = f"http://127.0.0.1:{running.ports[0]}/services"
    async with httpx.AsyncClient(trust_env=False) as client:

        async def guess(address):
            headers = {"Authorization": f"Bearer {new_token()}", "X-Forwarded-For": address}
            return (await client.get(url, headers=headers)).status_code

        guesses = [await guess("198.51.100.7") for _ in range(PER_ADDRESS.failures + 1)]
        # what the guesser writes himself, the proxy has put its own word to the right of
        assert await guess("203.0.113.1, 198.51.100.7") == 429
        assert await guess("198.51.100.8") == 401
    assert set(guesses[:-1]) == {401}
    assert guesses[-1] == 429


async def test_a_certificate_that_cannot_be_used_is_one_line(serve, files):
    files.cert.write_text("none")
    with pytest.raises(AssertionError, match="is no certificate in PEM") as refused:
        await serve()
    assert "Traceback" not in str(refused.value)
