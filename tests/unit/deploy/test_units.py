"""The unit, the settings and the containers that are shipped fit the program they start."""

from pathlib import Path

import yaml

from demarc.platform.processes.sockets import UDP_BUFFER
from demarc.platform.settings import Settings

ROOT = Path(__file__).parents[3]
SYSTEMD = ROOT / "deploy/systemd"


def unit():
    """The lines of the service's section, by name."""
    found = {}
    for line in (SYSTEMD / "demarc.service").read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def shipped(*, commented):
    lines = (SYSTEMD / "demarc.env").read_text(encoding="utf-8").splitlines()
    return dict(
        line.removeprefix("#").split("=", 1)
        for line in lines
        if line.startswith(("DEMARC_", "#DEMARC_") if commented else "DEMARC_")
    )


def test_the_shipped_settings_are_settings_as_they_are_and_with_all_that_is_suggested():
    as_is = Settings.load(shipped(commented=False))
    assert as_is.data == Path("/var/lib/demarc")
    assert as_is.metrics_port == 9812
    everything = Settings.load(shipped(commented=True))
    assert everything.public_url == "https://isp.example.net"
    assert everything.tls_cert == Path("/etc/demarc/tls.crt")


def test_the_unit_waits_for_the_service_and_lets_it_end():
    service = unit()
    assert service["Type"] == ["notify"]
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    # the children may take 20 s each in a row, of three kinds
    assert service["TimeoutStopSec"] == ["2min"]
    assert service["EnvironmentFile"] == ["/etc/demarc/demarc.env"]
    # a data folder elsewhere could not be written to
    assert service["StateDirectory"] == ["demarc"]
    assert service["ProtectSystem"] == ["strict"]


def test_the_kernel_is_asked_for_as_much_as_a_socket_wants():
    text = (SYSTEMD / "90-demarc.conf").read_text(encoding="utf-8")
    assert f"net.core.rmem_max = {UDP_BUFFER}\n" in text


def test_the_containers_are_told_settings_that_there_are():
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text(encoding="utf-8"))
    settings = compose["services"]["demarc"]["environment"]
    Settings.load({name: text for name, text in settings.items() if "$" not in text})
    assert {"DEMARC_DATABASE_URL", "DEMARC_PUBLIC_URL"} <= set(settings)
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    (target,) = scrape["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target == f"demarc:{settings['DEMARC_METRICS_PORT']}"
    for volume in compose["services"]["prometheus"]["volumes"]:
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (ROOT / "deploy/compose" / source).exists()
    build = compose["services"]["demarc"]["build"]
    assert (ROOT / build["dockerfile"]).exists()
    for line in (ROOT / build["dockerfile"]).read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for name in line.split()[1:-1]:
                assert (ROOT / name).exists()
