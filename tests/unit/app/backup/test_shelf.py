"""Which backups stay and which go."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from demarc.app.backup import manifest, shelf
from demarc.app.backup.errors import BackupProblem, Damaged
from demarc.app.backup.manifest import Manifest, StoredFile
from demarc.platform.secrets import KeyRing


@pytest.fixture
def keys(tmp_path):
    return KeyRing.open(tmp_path / "keys.toml")


@pytest.fixture
def make(tmp_path, keys):
    def one(day, **more):
        folder = tmp_path / "kept" / f"demarc-202611{day:02d}T031500Z"
        (folder / "database").mkdir(parents=True)
        (folder / "database/toc.dat").write_bytes(b"octets")
        values = {
            "format": 1,
            "id": uuid4(),
            "made_at": datetime(2026, 11, day, 3, 15, tzinfo=UTC),
            "node": "n1",
            "demarc": "0",
            "server": 180004,
            "programs": 18,
            "migrations": [],
            "tenants": ["acme"],
            "counts": {"service": 1},
            "keys": [keys.current],
            "files": manifest.listed(folder),
        }
        (folder / "manifest.json").write_bytes(manifest.seal(Manifest(**values | more), keys))
        return folder

    return one


def test_all_but_the_newest_go_and_what_cannot_be_read_stays(make, tmp_path, keys):
    for day in (1, 2, 3, 4, 5):
        made = make(day)
        if day == 5:
            (made / "manifest.json").write_bytes(b"{")
    (tmp_path / "kept/.demarc-20261106T031500Z.9.partial").mkdir()
    gone = shelf.let_go(tmp_path / "kept", 2, keys)
    assert [path.name[13:15] for path in gone] == ["01", "02"]
    assert [one.path.name[13:15] for one in shelf.backups(tmp_path / "kept")] == ["03", "04", "05"]
    assert shelf.let_go(tmp_path / "kept", 2, keys) == []


def test_another_installations_backups_are_not_removed(make, tmp_path, keys):
    make(1), make(2)
    other = KeyRing.open(tmp_path / "other.toml")
    assert shelf.let_go(tmp_path / "kept", 1, other) == []


def test_a_backup_is_read_with_its_keys_and_with_no_others(make, tmp_path, keys):
    made = make(1)
    found = manifest.read(made, keys)
    manifest.check(made, found)
    assert manifest.read(made) == found
    other = KeyRing.open(tmp_path / "other.toml")
    with pytest.raises(BackupProblem, match=keys.current):
        manifest.read(made, other)
    # after a rotation the old key still opens the seal
    keys.rotate()
    assert manifest.read(made, keys) == found


def test_nothing_needs_these_keys_but_the_seal_is_anothers(make, tmp_path, keys):
    made = make(1, keys=[])
    with pytest.raises(Damaged, match="seal"):
        manifest.read(made, KeyRing.open(tmp_path / "other.toml"))


def test_a_later_versions_backup_is_told_as_such(make, keys):
    with pytest.raises(BackupProblem, match="later version"):
        manifest.read(make(1, format=2), keys)


def test_a_file_in_another_place_is_no_file_of_the_backup(make, keys):
    made = make(1, files=[StoredFile("../keys.toml", 6, "0" * 64)])
    with pytest.raises(Damaged):
        manifest.check(made, manifest.read(made, keys))


def test_a_folder_without_a_manifest_is_no_backup(tmp_path):
    with pytest.raises(BackupProblem, match="is no backup"):
        manifest.read(tmp_path)
