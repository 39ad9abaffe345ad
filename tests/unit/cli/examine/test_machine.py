import contextlib
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import NamedTuple

import pytest

from demarc.cli.examine import machine
from demarc.platform.processes import sockets
from demarc.platform.secrets import KeyRing
from demarc.platform.settings import Settings
from demarc.platform.tls import ServerCertificate
from support.certificates import pair


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def held(kind):
    """A port that this test holds."""
    taken = socket.socket(socket.AF_INET, kind)
    taken.bind(("127.0.0.1", 0))
    return contextlib.closing(taken)


def free_port():
    with held(socket.SOCK_STREAM) as taken:
        return taken.getsockname()[1]


@contextlib.contextmanager
def answering(body, tls=None):
    """A server that says this to everybody; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def found(tmp_path):
    def found(**flags):
        ports = {"http_port": 0, "radius_auth_port": 0, "radius_acct_port": 0}
        settings = Settings.load({}, data=str(tmp_path), **{**ports, **flags})
        return {one.what: one for one in machine.examine(settings, empty=True)}

    return found


def test_free_ports_are_well(found):
    port = free_port()
    findings = found(http_port=port, radius_auth_port=port)
    assert findings["HTTP"].says == f"127.0.0.1:{port} is free"
    assert findings["RADIUS authentication"].state == "ok"
    assert "free port when it starts" in findings["RADIUS accounting"].says


def test_a_port_that_another_program_holds_is_a_problem_with_its_flag(found):
    with held(socket.SOCK_DGRAM) as taken:
        finding = found(radius_acct_port=taken.getsockname()[1])["RADIUS accounting"]
    assert finding.state == "problem"
    assert "--radius-acct-port" in finding.mend


def test_demarc_itself_on_its_ports_is_well(found):
    with answering(b'{"status":"ok"}') as http, held(socket.SOCK_DGRAM) as taken:
        findings = found(http_port=http, radius_auth_port=taken.getsockname()[1])
    assert findings["HTTP"].says == f"Demarc answers on 127.0.0.1:{http}"
    assert findings["RADIUS authentication"].state == "ok"


def test_demarc_is_known_behind_its_certificate(found, tmp_path):
    files = pair(tmp_path)
    tls = ServerCertificate.http(files.cert, files.key).context
    given = {"tls_cert": files.cert, "tls_key": files.key}
    with answering(b'{"status":"ok"}', tls) as port:
        assert found(http_port=port, **given)["HTTP"].state == "ok"
        # but not where it is thought to speak HTTP
        assert found(http_port=port)["HTTP"].state == "problem"


def test_another_program_on_the_http_port_is_a_problem(found):
    with answering(b"<html>") as port:
        finding = found(http_port=port)["HTTP"]
    assert finding.state == "problem"
    assert "not Demarc" in finding.says


def test_ports_of_what_this_machine_does_are_looked_at_and_no_others(found):
    shared = {"database_url": "host=db", "metrics_port": free_port()}
    radius = found(roles="radius", **shared)
    assert {"RADIUS authentication", "UDP buffers", "metrics"} <= set(radius)
    assert "HTTP" not in radius
    assert {"CWMP", "metrics"} <= set(found(roles="acs", cwmp_port=free_port(), **shared))
    web = found(roles="web", https_port=free_port(), **shared)
    assert {"HTTP", "HTTPS", "metrics"} <= set(web)
    assert not {"RADIUS authentication", "UDP buffers"} & set(web)


def test_a_port_for_metrics_that_is_taken_is_a_problem_with_its_flag(found):
    with held(socket.SOCK_STREAM) as taken:
        taken.listen()
        finding = found(metrics_port=taken.getsockname()[1])["metrics"]
    assert finding.state == "problem"
    assert "--metrics-port" in finding.mend


def test_demarc_on_its_ports_is_known_by_its_metrics_too(found):
    with answering(b"metrics are at /metrics\n") as port, held(socket.SOCK_DGRAM) as taken:
        findings = found(
            roles="radius",
            database_url="host=db",
            metrics_port=port,
            radius_auth_port=taken.getsockname()[1],
        )
    assert findings["RADIUS authentication"].state == "ok"
    assert findings["metrics"].state == "ok"


def test_an_address_of_another_machine_is_a_problem(found):
    finding = found(radius_host="192.0.2.1", radius_auth_port=1812)["RADIUS authentication"]
    assert finding.state == "problem"


def test_a_key_file_open_to_others_is_a_problem(tmp_path):
    path = tmp_path / "keys.toml"
    KeyRing.open(path)
    assert machine.keys(path, needed=True).state == "ok"
    path.chmod(0o644)
    finding = machine.keys(path, needed=True)
    assert finding.state == "problem"
    assert "chmod 600" in finding.says


def test_a_missing_key_file_is_a_problem_once_something_is_stored(tmp_path):
    assert machine.keys(tmp_path / "keys.toml", needed=False).state == "ok"
    assert machine.keys(tmp_path / "keys.toml", needed=True).state == "problem"


def test_a_small_buffer_is_a_warning_with_its_mend(monkeypatch):
    monkeypatch.setattr(machine, "UDP_BUFFER", 1 << 40)
    finding = machine.buffers()
    assert finding.state == "warning"
    assert "net.core.rmem_max" in finding.mend


def test_a_buffer_as_large_as_wanted_is_well(monkeypatch):
    for module in (machine, sockets):
        monkeypatch.setattr(module, "UDP_BUFFER", 65536)
    assert machine.buffers().state == "ok"


@pytest.mark.parametrize(
    ("free", "state"), [(1 << 20, "problem"), (90 << 30, "warning"), (900 << 30, "ok")]
)
def test_a_full_disk_is_told_in_time(tmp_path, monkeypatch, free, state):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1000 << 30, 0, free))
    assert machine.disk(tmp_path / "not" / "yet").state == state
