"""The spool of accounting on disk: what was synced is read, whatever stands behind it."""

import errno
import os
import stat
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demarc.southbound.radius import spool as module
from demarc.southbound.radius.spool import Spool, Spooled, SpoolFull, decode, encode

packets = st.builds(
    Spooled,
    received=st.floats(1.7e9, 4e9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    nas_id=st.uuids(),
    host=st.ip_addresses().map(str),
    raw=st.binary(min_size=20, max_size=200),
)
ONE = Spooled(datetime(2026, 3, 1, tzinfo=UTC), UUID(int=7), "192.0.2.7", bytes(range(100)))
PLENTY = 1 << 20


def content(spool):
    return [packet for packet, _ in spool.read(spool.begin, 10_000)]


@given(packets)
def test_a_record_is_read_as_it_was_written(packet):
    octets = encode(packet)
    assert decode(octets) == (packet, len(octets))


@given(packets, st.data())
def test_a_record_that_is_not_whole_is_none(packet, data):
    octets = encode(packet)
    at = data.draw(st.integers(0, len(octets) - 1))
    assert decode(octets[:at]) is None
    changed = bytearray(octets)
    changed[at] ^= data.draw(st.integers(1, 255))
    assert decode(bytes(changed)) is None


@settings(max_examples=60)
@given(groups=st.lists(st.lists(packets, min_size=1, max_size=4), max_size=5), data=st.data())
def test_what_was_kept_survives_a_kill_with_any_torn_end(tmp_path_factory, groups, data):
    folder = tmp_path_factory.mktemp("spool")
    with Spool(folder, PLENTY) as spool:
        for group in groups:
            spool.append(group)
        was = spool.id
    torn = data.draw(st.binary(max_size=60))
    if groups:
        with (folder / "accounting").open("ab") as file:
            file.write(torn)
    kept = [packet for group in groups for packet in group]
    with Spool(folder, PLENTY) as spool:
        assert spool.exists is bool(groups)
        assert content(spool) == kept
        assert not groups or spool.id == was
        # and what comes next stands right behind it
        spool.append([ONE])
        assert content(spool) == [*kept, ONE]


def test_reading_goes_on_from_any_position(tmp_path):
    with Spool(tmp_path, PLENTY) as spool:
        spool.append([ONE] * 10)
        found = spool.read(spool.begin, 4)
        assert len(found) == 4
        assert len(spool.read(found[-1][1], 100)) == 6
        assert spool.read(spool.size, 100) == []


def test_only_its_owner_reads_it_and_only_one_process_has_it(tmp_path):
    folder = tmp_path / "deep" / "spool"
    with Spool(folder, PLENTY) as spool:
        spool.append([ONE])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "accounting").stat().st_mode) == 0o600
        with pytest.raises(BlockingIOError):
            Spool(folder, PLENTY)


def test_nothing_is_kept_beyond_its_size(tmp_path):
    with Spool(tmp_path, 24 + 3 * len(encode(ONE))) as spool:
        spool.append([ONE] * 2)
        with pytest.raises(SpoolFull):
            spool.append([ONE] * 2)
        spool.append([ONE])
        with pytest.raises(SpoolFull):
            spool.append([ONE])
        assert content(spool) == [ONE] * 3
        spool.remove()
        assert not spool.exists
        spool.append([ONE])
        assert content(spool) == [ONE]


def test_of_a_group_that_met_a_full_disk_nothing_is_kept(tmp_path, monkeypatch):
    with Spool(tmp_path, PLENTY) as spool:
        spool.append([ONE])
        write = os.pwrite

        def half(handle, octets, at):
            if len(octets) > 50:
                return write(handle, octets[:50], at)
            raise OSError(errno.ENOSPC, "no space left on device")

        monkeypatch.setattr(module.os, "pwrite", half)
        with pytest.raises(SpoolFull):
            spool.append([ONE])
        monkeypatch.undo()
        assert content(spool) == [ONE]
    with Spool(tmp_path, PLENTY) as spool:
        assert content(spool) == [ONE]


def test_what_is_no_spool_is_put_aside(tmp_path):
    (tmp_path / "accounting").write_bytes(b"something else, of somebody else")
    with Spool(tmp_path, PLENTY) as spool:
        assert not spool.exists
        assert (tmp_path / "accounting.unreadable").exists()
