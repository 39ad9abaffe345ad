"""The files: what is wrong in one is said, with its place."""

from pathlib import Path

import pytest

from demarc.domains.cpe.families_data import BadFamily, read_files, specs_of
from demarc.domains.cpe.family import Families


def load(tmp_path: Path, text: str) -> Families:
    (tmp_path / "ours.toml").write_text(text, encoding="utf-8")
    return Families.load(tmp_path)


def test_an_operator_adds_a_model(tmp_path: Path) -> None:
    families = load(
        tmp_path,
        """
        [ours-r1]
        like = "huawei-eg8145v5"
        title = "Ours R1"
        match = [{ model = "R1" }]
        wan.vlan = "X_OURS_Vlan"
        can = ["stun"]
        cannot = ["mesh"]
        """,
    )
    ours = families.of(model="R1", root="InternetGatewayDevice.")
    assert ours.name == "ours-r1"
    assert "stun" in ours.capabilities
    assert "mesh" not in ours.capabilities
    assert "pon" in ours.capabilities
    assert "ours-r1" not in [each.name for each in Families.load()]


def test_an_operators_family_goes_before_ours_of_that_name(tmp_path: Path) -> None:
    families = load(
        tmp_path,
        '[huawei-eg8145v5]\nlike = "huawei"\ntitle = "changed"\nmatch = [{ model = "EG8145V5" }]\n',
    )
    assert families.of(model="EG8145V5", root="InternetGatewayDevice.").title == "changed"


def test_they_are_loaded_once() -> None:
    assert Families.load() is Families.load()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[x]\nlike = "tr098"\nwan.vlam = "X"', r"ours.toml: x: .*vlam"),
        ('[x]\nlike = "tr098"\ncan = ["fly"]', r"ours.toml: x: .*fly"),
        ('[x]\nlike = "tr098"\ncan = "ping"', r"ours.toml: x: can must be a list"),
        ('[x]\nlike = "tr098"\nquirks.speed_limit_mbps = "much"', r"ours.toml: x: .*int"),
        ('[x]\nlike = "tr098"\npon.unit = "watt"', r"ours.toml: x: .*watt"),
        ('[x]\nlike = "nothing"', r"ours.toml: x: there is no family nothing"),
        ('[x]\nlike = "y"\n[y]\nlike = "x"', r"ours.toml: x: is like itself"),
        ('[x]\nlike = "tr098"\nwifi.2.network = "A.1"', r"ours.toml: x: .*must end with a dot"),
        ('[x]\nlike = "tr098"\nwan.vlan = "A."', r"ours.toml: x: .*must not end with a dot"),
        ('[x]\nlike = "tr098"\npon.rx = "A.B"', r"ours.toml: x: .*must begin with /"),
        ('[x]\nlike = "tr098"\nhosts.objects = "Device.A.*."', r"must be below the root"),
        ('[x]\ntitle = "no root"', r"ours.toml: x: .*root"),
        ("x = 1", r"ours.toml: x stands outside"),
        ("[x", r"ours.toml: "),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFamily, match=said):
        load(tmp_path, text)


def test_a_family_that_stands_twice_is_wrong(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('[x]\nlike = "tr098"\n', encoding="utf-8")
    with pytest.raises(BadFamily, match=r"b.toml: x is in a.toml already"):
        specs_of(read_files(tmp_path))


def test_a_folder_that_is_none_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(BadFamily, match="is no folder"):
        Families.load(tmp_path / "nowhere")
