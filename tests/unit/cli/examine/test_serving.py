import resource
from datetime import timedelta

import pytest

from demarc.cli.examine import serving
from demarc.platform.settings import Settings
from support.certificates import pair


@pytest.fixture
def files(tmp_path):
    made = pair(tmp_path)
    made.key.chmod(0o600)
    return made


@pytest.fixture
def found(files):
    def found(**flags):
        settings = Settings.load({}, tls_cert=files.cert, tls_key=files.key, **flags)
        return serving.certificate(settings)

    return found


@pytest.mark.parametrize(
    ("days", "state", "says"),
    [(90, "ok", "is valid until"), (10, "warning", "expires on"), (-1, "problem", "expired on")],
)
def test_a_certificate_that_expires_is_told_in_time(found, files, days, state, says):
    files.renew(valid=timedelta(days=days))
    finding = found()
    assert finding.state == state
    assert says in finding.says


def test_a_certificate_that_cannot_be_used_is_a_problem(found, files):
    files.key.write_text("none")
    finding = found()
    assert finding.state == "problem"
    assert str(files.key) in finding.says


def test_a_key_that_anybody_may_read_is_a_warning(found, files):
    files.key.chmod(0o640)  # its group is the service's
    assert found().state == "ok"
    files.key.chmod(0o644)
    finding = found()
    assert finding.state == "warning"
    assert finding.mend == f"chmod o= {files.key}"


def test_https_without_a_certificate_is_a_problem():
    assert serving.certificate(Settings.load({}, https_port=0)).state == "problem"
    assert serving.certificate(Settings.load({})).state == "ok"


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        ({}, "ok"),
        ({"http_host": "::1"}, "ok"),
        ({"http_host": "localhost"}, "ok"),
        ({"http_host": "0.0.0.0"}, "warning"),  # noqa: S104 - only looked at
        ({"http_host": "isp.example.net"}, "warning"),
        ({"http_host": "0.0.0.0", "trusted_proxies": "192.0.2.1"}, "ok"),  # noqa: S104
        ({"http_host": "0.0.0.0", "tls_cert": "a", "tls_key": "b"}, "ok"),  # noqa: S104
        ({"http_host": "0.0.0.0", "tls_cert": "a", "tls_key": "b", "https_port": 1}, "warning"),  # noqa: S104
    ],
)
def test_what_would_cross_the_network_in_the_clear_is_told(flags, state):
    assert serving.exposure(Settings.load({}, **flags)).state == state


@pytest.mark.parametrize(("status", "state"), [(0x2001, "ok"), (0x0040, "warning"), (None, "ok")])
def test_a_clock_that_nobody_sets_is_told(monkeypatch, status, state):
    monkeypatch.setattr(serving, "_clock_state", lambda: status)
    assert serving.synchronised().state == state


def test_the_kernel_can_be_asked():
    state = serving._clock_state()
    assert state is None or 0 <= state < 1 << 16


@pytest.mark.parametrize(
    ("limit", "state"), [(1024, "warning"), (65536, "ok"), (resource.RLIM_INFINITY, "ok")]
)
def test_few_files_are_told(monkeypatch, limit, state):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert serving.files().state == state


def test_a_machine_without_the_web_needs_no_certificate():
    settings = Settings.load({}, roles="radius", database_url="host=db")
    findings = {finding.what: finding for finding in serving.examine(settings)}
    assert {"certificate", "encryption"} & set(findings) == set()
    assert "roles radius" in findings["version"].says


def test_certificates_of_radius_are_looked_at_too(files):
    given = {"eap_cert": files.cert, "eap_key": files.key}
    files.renew(valid=timedelta(days=3))
    findings = {one.what: one for one in serving.examine(Settings.load({}, **given))}
    assert findings["EAP: certificate"].state == "warning"


def test_accounting_that_waits_on_disk_is_told(tmp_path):
    settings = Settings.load({}, data=tmp_path)
    assert serving.spool(settings).state == "ok"
    settings.accounting_spool.mkdir()
    (settings.accounting_spool / "accounting").write_bytes(b"x" * 5000)
    finding = serving.spool(settings)
    assert finding.state == "warning"
    assert "4 KiB" in finding.says
