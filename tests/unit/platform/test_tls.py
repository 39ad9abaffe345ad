import asyncio
import ssl
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from structlog.testing import capture_logs

from demarc.platform.clock import now
from demarc.platform.tls import ServerCertificate, TlsProblem
from support.certificates import anybody, pair, serial_of, shown


@pytest.fixture
def files(tmp_path):
    return pair(tmp_path)


@pytest.fixture
async def served(files):
    """A server that says back what it is told; gives its certificate and port."""
    certificate = ServerCertificate.http(files.cert, files.key)

    async def echo(reader, writer):
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=certificate.context)
    async with server:
        yield certificate, server.sockets[0].getsockname()[1]


def settled(certificate):
    """A change is taken at the second look that sees it."""
    first, second = certificate.look(), certificate.look()
    return first or second


async def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_go_on(served, files):
    certificate, port = served
    old = files.serial
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anybody())
    assert serial_of(writer) == old
    new = files.renew()
    assert settled(certificate)
    writer.write(b"still here\n")
    assert await reader.readline() == b"still here\n"
    assert await shown(port) == new
    writer.close()


async def test_a_change_under_way_is_left_to_come_to_rest(served, files):
    certificate, port = served
    old = files.serial
    files.renew()
    assert not certificate.look()
    assert await shown(port) == old
    new = files.renew()
    assert not certificate.look()
    assert certificate.look()
    assert await shown(port) == new
    assert not certificate.look()


@pytest.mark.parametrize("broken", ["cert", "key", "mismatch", "missing"])
async def test_what_cannot_be_used_is_logged_once_and_the_old_one_kept(
    served, files, tmp_path, broken
):
    certificate, port = served
    old = files.serial
    other = pair(tmp_path, "other")
    if broken == "missing":
        files.key.unlink()
    elif broken == "mismatch":
        files.cert.write_bytes(other.cert.read_bytes())
    else:
        getattr(files, broken).write_text("nothing of the kind")
    with capture_logs() as logged:
        assert not settled(certificate)
        assert not settled(certificate)
    assert [line["log_level"] for line in logged] == ["error"]
    assert str(tmp_path) in logged[0]["reason"]
    assert await shown(port) == old
    new = files.renew()
    assert settled(certificate)
    assert await shown(port) == new


async def test_only_current_versions_of_tls_are_spoken(served):
    _, port = served
    context = anybody()
    context.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    spoken = writer.get_extra_info("ssl_object")
    assert spoken.version() == "TLSv1.3"
    assert spoken.selected_alpn_protocol() == "http/1.1"
    writer.close()
    old = anybody()
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=old)
    assert writer.get_extra_info("ssl_object").version() == "TLSv1.2"
    writer.close()
    assert ServerCertificate.http(*_paths(served)).context.minimum_version == (
        ssl.TLSVersion.TLSv1_2
    )


def _paths(served):
    return served[0]._files


async def test_a_client_that_names_nobody_is_shown_the_newest_too(served, files):
    certificate, port = served
    new = files.renew()
    assert settled(certificate)
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anybody(), server_hostname="")
    assert serial_of(writer) == new
    writer.close()


def test_an_encrypted_key_is_refused_instead_of_asked_for(files):
    key = load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    )
    with pytest.raises(TlsProblem, match="is encrypted"):
        ServerCertificate.http(files.cert, files.key)


def test_it_tells_when_it_expires(files):
    files.renew(valid=timedelta(days=5))
    left = ServerCertificate.http(files.cert, files.key).expires - now()
    assert timedelta(days=4) < left < timedelta(days=6)
