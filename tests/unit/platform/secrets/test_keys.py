import shutil
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.platform.secrets import KeyFileError, KeyRing, Undecipherable, row_binding

ROW = row_binding("credential", "secret", UUID(int=1))


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    return KeyRing.open(tmp_path_factory.mktemp("keys") / "keys.toml")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.toml"


@given(plaintext=st.binary(max_size=200), row=st.binary(max_size=60))
def test_what_was_encrypted_is_read_back_for_its_row(ring, plaintext, row):
    assert ring.decrypt(ring.encrypt(plaintext, row=row), row=row) == plaintext


@given(data=st.data(), plaintext=st.binary(max_size=60))
def test_a_value_altered_anywhere_is_not_read(ring, data, plaintext):
    blob = ring.encrypt(plaintext, row=ROW)
    at = data.draw(st.integers(0, len(blob) - 1))
    changed = blob[at] ^ data.draw(st.integers(1, 255))
    with pytest.raises(Undecipherable):
        ring.decrypt(blob[:at] + bytes([changed]) + blob[at + 1 :], row=ROW)


@given(data=st.data(), plaintext=st.binary(max_size=60))
def test_a_value_cut_short_is_not_read(ring, data, plaintext):
    blob = ring.encrypt(plaintext, row=ROW)
    with pytest.raises(Undecipherable):
        ring.decrypt(blob[: data.draw(st.integers(0, len(blob) - 1))], row=ROW)


@given(blob=st.binary(max_size=100))
def test_any_octets_are_refused_in_one_way(ring, blob):
    with pytest.raises(Undecipherable):
        ring.decrypt(blob, row=ROW)


@given(rows=st.lists(st.binary(max_size=40), min_size=2, max_size=2, unique=True))
def test_a_value_copied_to_another_row_is_not_read_there(ring, rows):
    blob = ring.encrypt(b"hunter2", row=rows[0])
    with pytest.raises(Undecipherable, match="of another row") as refused:
        ring.decrypt(blob, row=rows[1])
    assert "hunter2" not in repr(refused.value)


def test_a_binding_tells_table_column_and_row_apart():
    ids = [UUID(int=1), UUID(int=2)]
    bindings = {row_binding(t, c, i) for t in ("nas", "olt") for c in ("a", "b") for i in ids}
    assert len(bindings) == 8


def test_the_same_secret_looks_different_each_time(ring):
    assert ring.encrypt(b"same", row=ROW) != ring.encrypt(b"same", row=ROW)


def test_after_a_rotation_old_values_are_read_and_known_as_old(path):
    ring = KeyRing.open(path)
    old = ring.encrypt(b"kept", row=ROW)
    assert not ring.needs_reencryption(old)
    key_id = ring.rotate()
    assert ring.current == key_id
    assert ring.decrypt(old, row=ROW) == b"kept"
    assert ring.needs_reencryption(old)
    assert not ring.needs_reencryption(ring.encrypt(b"kept", row=ROW))
    assert KeyRing.open(path).decrypt(old, row=ROW) == b"kept"


def test_what_is_no_value_cannot_be_judged_for_its_key(ring):
    with pytest.raises(Undecipherable):
        ring.needs_reencryption(b"plain text")


def test_a_process_that_runs_on_reads_what_another_wrote_after_rotating(path):
    running, other = KeyRing.open(path), KeyRing.open(path)
    other.rotate()
    assert running.decrypt(other.encrypt(b"new", row=ROW), row=ROW) == b"new"
    assert running.current == other.current


def test_two_rotations_at_once_lose_no_key(path):
    one, two = KeyRing.open(path), KeyRing.open(path)
    first = one.encrypt(b"one", row=ROW)
    one.rotate()
    second = one.encrypt(b"two", row=ROW)
    two.rotate()
    fresh = KeyRing.open(path)
    assert len(fresh.created) == 3
    assert [fresh.decrypt(blob, row=ROW) for blob in (first, second)] == [b"one", b"two"]


def test_a_key_is_spread_to_every_machine_before_it_is_used(path, tmp_path):
    here = KeyRing.open(path)
    before = here.current
    key_id = here.add_key()
    assert here.current == before
    there = KeyRing.open(shutil.copy2(path, tmp_path / "there.toml"))
    here.make_current(key_id)
    assert there.decrypt(here.encrypt(b"new", row=ROW), row=ROW) == b"new"


def test_an_unknown_key_cannot_be_made_current(path):
    ring = KeyRing.open(path)
    with pytest.raises(KeyFileError, match="no key 00000000"):
        ring.make_current("00000000")


def test_a_value_of_a_key_that_is_gone_names_the_key_and_nothing_else(path, tmp_path):
    other = KeyRing.open(tmp_path / "other.toml")
    blob = other.encrypt(b"hunter2", row=ROW)
    with pytest.raises(Undecipherable, match=f"no key {other.current}") as refused:
        KeyRing.open(path).decrypt(blob, row=ROW)
    assert blob[5:].hex() not in str(refused.value)


def test_a_file_opened_to_others_while_running_is_not_read_again(path):
    running, other = KeyRing.open(path), KeyRing.open(path)
    kept = running.encrypt(b"kept", row=ROW)
    other.rotate()
    path.chmod(0o644)
    with pytest.raises(Undecipherable, match="open to others"):
        running.decrypt(other.encrypt(b"new", row=ROW), row=ROW)
    assert running.decrypt(kept, row=ROW) == b"kept"


def test_tags_of_one_purpose_mean_nothing_to_another(ring):
    tag = ring.hmac("cursor", b"42")
    assert len(tag) == 32
    assert tag == ring.hmac("cursor", b"42")
    assert ring.is_authentic("cursor", b"42", tag)
    assert not ring.is_authentic("cursor", b"43", tag)
    assert not ring.is_authentic("link", b"42", tag)


def test_a_tag_outlives_a_rotation(path):
    ring = KeyRing.open(path)
    tag = ring.hmac("cursor", b"42")
    ring.rotate()
    assert ring.hmac("cursor", b"42") != tag
    assert ring.is_authentic("cursor", b"42", tag)
