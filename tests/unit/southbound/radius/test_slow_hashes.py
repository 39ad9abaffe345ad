"""Hashes that are slow on purpose: off the loop, once, and not without end."""

import asyncio
import threading
from uuid import uuid4

import pytest

from demarc.platform.secrets.crypted import Unsupported
from demarc.southbound.radius import slow_hashes
from demarc.southbound.radius.slow_hashes import SlowHashes


@pytest.fixture
def asked(monkeypatch):
    """What was really computed, and where."""
    found = []

    def verify(stored, given):
        found.append((stored, given, threading.current_thread().name))
        if stored == "unknown":
            raise Unsupported("unknown")
        return given == b"right"

    monkeypatch.setattr(slow_hashes, "verify_crypt", verify)
    return found


@pytest.fixture
async def clock():
    return [0.0]


@pytest.fixture
async def hashes(clock):
    hashes = SlowHashes(lambda: clock[0])
    yield hashes
    hashes.close()


async def check(hashes, credential, stored, given):
    told = asyncio.get_running_loop().create_future()
    assert hashes.check(credential, stored, given, told.set_result)
    return await told


async def test_it_is_computed_elsewhere_and_once_in_five_minutes(hashes, asked, clock):
    ana = uuid4()
    for _ in range(3):
        assert await check(hashes, ana, b"$6$x", b"right") is True
    assert len(asked) == 1
    assert asked[0][2] != threading.current_thread().name
    clock[0] = 301
    assert await check(hashes, ana, b"$6$x", b"right") is True
    assert len(asked) == 2


async def test_a_wrong_password_is_not_remembered_nor_is_anybody_elses(hashes, asked):
    ana, bob = uuid4(), uuid4()
    assert await check(hashes, ana, b"$6$x", b"right")
    for credential, stored, given, right in (
        (ana, b"$6$x", b"wrong", False),
        (ana, b"$6$x", b"wrong", False),
        (ana, b"$6$another", b"right", True),
        (bob, b"$6$x", b"right", True),
    ):
        assert await check(hashes, credential, stored, given) is right
    assert len(asked) == 5


async def test_what_cannot_be_told_is_none(hashes, asked):
    assert await check(hashes, uuid4(), b"unknown", b"right") is None


async def test_beyond_what_may_wait_nothing_is_taken(hashes, monkeypatch):
    monkeypatch.setattr(slow_hashes, "_MOST_WAITING", 2)
    held = threading.Event()
    monkeypatch.setattr(slow_hashes, "verify_crypt", lambda *_: held.wait(10))
    told = []
    assert hashes.check(uuid4(), b"a", b"b", told.append)
    assert hashes.check(uuid4(), b"a", b"c", told.append)
    assert not hashes.check(uuid4(), b"a", b"d", told.append)
    held.set()
    await hashes.settle()
    assert told == [True, True]
