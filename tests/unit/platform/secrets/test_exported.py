import msgspec
import pytest

from demarc.platform.secrets import KeyFileError, KeyRing, exported

PASSPHRASE = "a long passphrase of tests"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    monkeypatch.setattr(exported, "_MEMORY_KIB", 1024)
    monkeypatch.setattr(exported, "_TIME", 1)


@pytest.fixture
def keys(tmp_path):
    ring = KeyRing.open(tmp_path / "keys.toml")
    ring.rotate()
    return ring


def test_the_keys_come_back_as_they_were_and_the_file_shows_none(keys, tmp_path):
    value = keys.encrypt(b"secret", row=b"row")
    file = tmp_path / "keys.json"
    assert exported.write(file, tmp_path / "keys.toml", PASSPHRASE) == list(keys.created)
    assert file.stat().st_mode & 0o777 == 0o600
    for line in (tmp_path / "keys.toml").read_text().splitlines():
        if line.startswith("secret"):
            assert line.split('"')[1] not in file.read_text()
    ids = exported.put_back(file, tmp_path / "new/keys.toml", PASSPHRASE)
    again = KeyRing.open(tmp_path / "new/keys.toml", create=False)
    assert (ids, again.current) == (list(keys.created), keys.current)
    assert again.decrypt(value, row=b"row") == b"secret"


def test_another_passphrase_and_an_altered_file_open_nothing(keys, tmp_path):
    file = tmp_path / "keys.json"
    exported.write(file, tmp_path / "keys.toml", PASSPHRASE)
    with pytest.raises(KeyFileError, match="does not open"):
        exported.put_back(file, tmp_path / "new.toml", PASSPHRASE + "!")
    read = msgspec.json.decode(file.read_bytes())
    for name, value in (("ids", ["00000000"]), ("nonce", "AAAAAAAAAAAAAAAA"), ("time", 2)):
        file.write_bytes(msgspec.json.encode(read | {name: value}))
        with pytest.raises(KeyFileError, match="does not open"):
            exported.put_back(file, tmp_path / "new.toml", PASSPHRASE)
    file.write_bytes(b"{}")
    with pytest.raises(KeyFileError, match="no file of exported keys"):
        exported.put_back(file, tmp_path / "new.toml", PASSPHRASE)
    assert not (tmp_path / "new.toml").exists()


def test_nothing_is_put_in_the_place_of_what_is_there(keys, tmp_path):
    file = tmp_path / "keys.json"
    exported.write(file, tmp_path / "keys.toml", PASSPHRASE)
    with pytest.raises(KeyFileError, match="File exists"):
        exported.write(file, tmp_path / "keys.toml", PASSPHRASE)
    with pytest.raises(KeyFileError, match="already"):
        exported.put_back(file, tmp_path / "keys.toml", PASSPHRASE)
    with pytest.raises(KeyFileError, match="at least 12"):
        exported.write(tmp_path / "b.json", tmp_path / "keys.toml", "short")
