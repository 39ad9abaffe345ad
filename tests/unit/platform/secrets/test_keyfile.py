import os
import stat
import traceback
from datetime import UTC, datetime

import pytest

from demarc.platform.secrets import KeyFileError, KeyRing
from demarc.platform.secrets.keyfile import Key, create, read

BORN = datetime(2025, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.toml"


def test_the_first_opening_makes_a_file_for_its_owner_alone(path):
    ring = KeyRing.open(path, clock=lambda: BORN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(ring.created.values()) == [BORN]
    assert ring.current in path.read_text()
    assert list(path.parent.iterdir()) == [path]


def test_its_folder_is_made_for_its_owner_alone(tmp_path):
    KeyRing.open(tmp_path / "data" / "keys.toml")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_file_is_made_whatever_the_umask(path):
    before = os.umask(0)
    try:
        KeyRing.open(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_second_opening_finds_the_same_key(path):
    assert KeyRing.open(path).current == KeyRing.open(path).current


def test_a_missing_file_is_not_replaced_where_secrets_exist(path):
    with pytest.raises(KeyFileError, match=r"there is no key file .*keys\.toml"):
        KeyRing.open(path, create=False)
    assert not path.exists()


def test_two_processes_that_start_together_use_one_key(path):
    first, second = Key.new(BORN), Key.new(BORN)
    assert create(path, {first.id: first}, first.id)
    assert not create(path, {second.id: second}, second.id)
    assert read(path).current == first.id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
def test_a_file_open_to_others_is_refused_with_what_to_do(path, mode):
    KeyRing.open(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=rf"open to others \(mode {mode:04o}\).*chmod 600"):
        KeyRing.open(path)


def test_a_file_only_its_owner_reads_is_fine(path):
    KeyRing.open(path)
    path.chmod(0o400)
    KeyRing.open(path)


def test_a_folder_or_a_pipe_is_no_key_file(tmp_path):
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("folder", "pipe"):
        with pytest.raises(KeyFileError, match="is not a file"):
            KeyRing.open(tmp_path / name)


SECRET = "uJ3mTqk0Yx1c3XbD0m8m2b1n3o0y5qkE1m3n2b1v0c8="


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (f"current = {SECRET}", "not TOML"),
        (f'secret = "{SECRET}"', "no `current`"),
        (f'current = "aaaaaaaa"\n[keys]\naaaaaaaa = "{SECRET}"', "needs an id"),
        (f'current = "a"\n[keys.a]\ncreated = 2025-01-01\nsecret = "{SECRET}"', "needs an id"),
        (
            f'current = "x"\n[keys.aaaaaaaa]\ncreated = 2025-01-01T00:00:00Z\nsecret = "{SECRET}"',
            "current key 'x' is not in it",
        ),
        (
            f'current = "aaaaaaaa"\n[keys.aaaaaaaa]\ncreated = 2025-01-01T00:00:00Z\nsecret = "{SECRET[4:]}"',
            "base64 of 32 octets",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_without_its_keys(path, content, complaint):
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=complaint) as refused:
        KeyRing.open(path)
    assert SECRET[4:] not in "".join(traceback.format_exception(refused.value))


def test_a_key_can_be_shown_without_showing_it(path):
    ring = KeyRing.open(path)
    secret = read(path).by_id[ring.current].secret
    shown = f"{ring!r} {read(path)!r} {Key('aaaaaaaa', BORN, secret)!r}"
    assert repr(secret)[2:-1] not in shown
    assert ring.current in shown
