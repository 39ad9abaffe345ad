"""The ledger: every model is in it, with how it was proved and what of it was."""

from pathlib import Path

import pytest
import yaml

from demarc.domains.cpe import families_listing, family
from demarc.domains.cpe.family import Families
from support.cpe_trees import Model, models

LEDGER = Path(family.__file__).parent / "families" / "quality.yaml"
DOCS = Path(__file__).parents[5] / "docs" / "cpe-models.md"

READ = {
    "ssid_2": "wifi",
    "username": "pppoe",
    "received": "octets",
    "uptime": "uptime",
    "vlan": "vlan",
    "mtu": "mtu",
    "services": "services",
    "rx": "light",
    "rssi_2": "signal",
    "cable": "cable",
    "mac": "mac",
    "web_password": "web",
}


def proved(model: Model) -> dict[str, object]:
    """Give what test_models shows of a model."""
    reads = [name for key, name in READ.items() if key in model.expected]
    writes = ["wifi"] if model.says("ssidWrite", default=True) else []
    writes.append("pppoe")
    if "vlan" in model.expected and model.says("allowEditWanVlan", default=False):
        writes.append("vlan")
    if "mtu" in model.expected and model.says("allowEditWanMtu", default=True):
        writes.append("mtu")
    if "web_password" in model.expected:
        writes.append("web")
    return {"proved": "facts", "reads": reads, "writes": writes}


def ledger() -> dict[str, dict[str, object]]:
    read: dict[str, dict[str, object]] = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
    return read


def test_every_model_is_in_it() -> None:
    assert sorted(ledger()) == sorted(each.name for each in models())


def test_every_family_that_is_a_model_is_in_it() -> None:
    listed = {row[0].strip("`") for row in families_listing.rows(Families.load())}
    assert listed == set(ledger())


@pytest.mark.parametrize("model", models(), ids=lambda each: each.name)
def test_it_says_what_is_proved(model: Model) -> None:
    said = ledger()[model.name]
    assert said["proved"] in {"facts", "recording"}
    assert said == proved(model)


def test_the_documentation_lists_them_all() -> None:
    page = DOCS.read_text(encoding="utf-8")
    assert families_listing.markdown(Families.load()) in page, (
        "docs/cpe-models.md: put in what `python -m demarc.domains.cpe.families_listing` prints"
    )
