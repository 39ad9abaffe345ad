"""docs/architecture.md against the tree: every path it names is there, every table is real."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "demarc"
MIGRATIONS = "".join(
    path.read_text(encoding="utf-8") for path in (SOURCE / "platform/migrations").glob("*.sql")
)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`([a-z_]+(?:/[a-z_]+)+(?:\.py)?)`", PAGE)))
)
def test_a_path_it_names_is_there(path):
    if path not in {"device/status", "device/status/live"}:  # of the AEx API
        assert (SOURCE / path).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z_]+\.py)`", PAGE))))
def test_a_file_it_names_is_there(name):
    assert list(SOURCE.rglob(name))


def test_the_tables_it_names_are_made():
    part = PAGE.split("## The data")[1].split("\nEvery row")[0]
    named = set(re.findall(r"`(\w+)`", part))
    made = set(re.findall(r"CREATE TABLE (\w+)", MIGRATIONS))
    assert named
    assert named <= made


@pytest.mark.parametrize("decision", sorted(set(re.findall(r"\]\((adr/[^)#]+)\)", PAGE))))
def test_a_decision_it_names_is_there(decision):
    assert (ROOT / "docs" / decision).exists()
