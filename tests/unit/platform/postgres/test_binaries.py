"""Which PostgreSQL is found, and what is said when there is none."""

import subprocess
import sys

import pytest

from demarc.platform.postgres import BinariesMissing, locate


def program(folder, answer):
    folder.mkdir()
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("postgres (PostgreSQL) 18.4", (18, 4)),
        ("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)", (15, 20)),
        ("postgres (PostgreSQL) 19beta1", (19, 0)),
    ],
)
def test_the_one_chosen_is_taken(tmp_path, answer, version):
    folder = program(tmp_path / "bin", answer)
    found = locate(folder)
    assert (found.bin_dir, found.version, found.bundled) == (folder, version, False)


def test_one_that_is_too_old_is_refused_by_its_version(tmp_path):
    with pytest.raises(BinariesMissing, match=r"PostgreSQL 14; 15"):
        locate(program(tmp_path / "bin", "postgres (PostgreSQL) 14.9"))


def test_a_folder_without_one_is_refused_by_its_name(tmp_path):
    with pytest.raises(BinariesMissing, match=f"{tmp_path}.*DEMARC_PG_BIN"):
        locate(tmp_path)


def test_one_that_does_not_run_here_is_refused(tmp_path):
    folder = program(tmp_path / "bin", "postgres (PostgreSQL) 18.4")
    (folder / "postgres").write_bytes(b"\x7fELF of another machine")
    with pytest.raises(BinariesMissing, match="runs here"):
        locate(folder)


def test_one_is_found_without_being_named_and_without_running_its_packages_code():
    code = (
        "import sys; from demarc.platform.postgres import locate; found = locate();"
        "assert found.version >= (15,); assert (found.bin_dir / 'initdb').exists();"
        "assert not [name for name in sys.modules if 'pgserver' in name]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
