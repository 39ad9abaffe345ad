"""docs/network-file.md against what is really taken."""

import re
from pathlib import Path

import msgspec
import pytest

from demarc.apply.document import TABLES
from demarc.apply.parse import parse
from demarc.domains.aaa.speeds import OF_MAKE, check, speed_pairs

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "network-file.md").read_text(encoding="utf-8")
SPEEDS = (
    (DOCS / "radius.md").read_text(encoding="utf-8").split("\n## Speeds\n")[1].split("\n## ")[0]
)
SECRETS = {
    "ISP_TWO_AAA_SECRET": "testing",
    "BNG_JUNIPER_SECRET": "testing",
    "BNG_SECRET": "testing",
    "OLT_COMMUNITY": "testing",
    "ANAS_PASSWORD": "testing-testing",
}


def test_the_example_uses_every_section():
    example, *others = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    document = parse(example, SECRETS)
    assert [section for section in TABLES if not getattr(document, section)] == []
    for other in others:
        assert parse(other, SECRETS) is not None


@pytest.mark.parametrize("section", TABLES)
def test_every_key_and_its_default_is_documented(section):
    part = PAGE.split(f"### `[[{section}]]`")[1].split("###")[0]
    rows = [line for line in part.splitlines() if line.startswith("|")][2:]
    first = {row: set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in rows}
    fields = {f.name: f for f in msgspec.structs.fields(TABLES[section]) if f.name != "place"}
    assert set().union(*first.values()) == set(fields)
    for row, keys in first.items():
        for key in keys:
            if fields[key].required:
                assert f"**`{key}`**" in row
            elif isinstance(fields[key].default, bool | int | str):
                shown = msgspec.json.encode(fields[key].default).decode()
                assert f"`{shown}`" in row.split("|")[-2], key


@pytest.mark.parametrize("make", OF_MAKE)
def test_what_each_make_is_told_of_a_speed_is_documented(make):
    row = next(line for line in SPEEDS.splitlines() if line.startswith(f"| `{make}` |"))
    shown = re.findall(r"`([^`]+)`", row.split("|")[2])
    told = speed_pairs(make, None, 100_000_000, 50_000_000)
    assert shown == [f"{attribute.name} = {value}" for attribute, value in told]


def test_the_example_of_templates_can_be_used():
    example = re.search(r"```toml\n(.*?)```", SPEEDS, re.DOTALL)[1]
    described = (
        "[[tenant]]\nslug = 'a'\nname = 'A'\n[[network]]\nslug = 'n'\nname = 'N'\nowner = 'a'\n"
    )
    document = parse(described + example, SECRETS)
    assert check(document.nas[0].speed_attributes)
