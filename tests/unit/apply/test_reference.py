"""docs/network-file.md against what is really taken."""

import re
from pathlib import Path

import msgspec
import pytest

from demarc.apply.document import TABLES
from demarc.apply.parse import parse

PAGE = (Path(__file__).parents[3] / "docs" / "network-file.md").read_text(encoding="utf-8")
SECRETS = {
    "ISP_TWO_AAA_SECRET": "testing",
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
