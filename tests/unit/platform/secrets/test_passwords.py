import asyncio
from threading import Event

import pytest
from argon2 import PasswordHasher

from demarc.platform.secrets import Overloaded, PasswordPool
from demarc.platform.secrets.passwords import HASHER

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Held(PasswordHasher):
    """Takes as long as the test wants."""

    def __init__(self):
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.release = Event()
        self.verified = 0

    def verify(self, hash, password):  # noqa: A002 - argon2's name
        assert self.release.wait(30)
        self.verified += 1
        return super().verify(hash, password)


@pytest.fixture
async def pool():
    pool = PasswordPool(hasher=CHEAP)
    yield pool
    await pool.close()


@pytest.fixture
async def held():
    hasher = Held()
    pool = PasswordPool(workers=1, max_waiting=2, hasher=hasher)
    pool.hasher = hasher
    yield pool
    hasher.release.set()
    await pool.close()


async def test_a_password_is_recognised_and_another_is_not(pool):
    stored = await pool.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert "horse" not in stored
    assert await pool.verify(stored, "correct horse")
    assert not await pool.verify(stored, "correct Horse")


async def test_what_is_used_in_earnest_is_argon2id_at_the_strength_stated():
    pool = PasswordPool()
    stored = await pool.hash("x")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await pool.verify(stored, "x")
    assert not HASHER.check_needs_rehash(stored)
    await pool.close()


async def test_nobody_has_no_password(pool):
    assert not await pool.verify(None, "x")
    assert not await pool.verify("", "x")
    assert not await pool.verify("not a hash", "x")


async def test_an_account_that_is_not_there_costs_as_much_as_a_wrong_password(pool, monkeypatch):
    calls = []
    monkeypatch.setattr(PasswordHasher, "hash", lambda _self, octets: calls.append(octets) or "$")
    assert not await pool.verify(None, "guess")
    assert calls == [b"guess"]


async def test_a_hash_of_old_parameters_is_replaced_when_the_password_is_seen(pool):
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash("secret")
    verdict = await pool.verify(old, "secret")
    assert verdict.ok
    assert verdict.new_hash is not None
    again = await pool.verify(verdict.new_hash, "secret")
    assert again.ok
    assert again.new_hash is None
    assert (await pool.verify(old, "guess")).new_hash is None


async def test_a_password_typed_on_another_system_is_the_same(pool):
    assert await pool.verify(await pool.hash("caf\u00e9"), "cafe\u0301")


@pytest.mark.parametrize("password", ["x" * 1025, "é" * 513, "\ufdfa" * 1000])
async def test_an_endless_password_is_refused(pool, password):
    with pytest.raises(ValueError, match="1024 octets"):
        await pool.hash(password)
    assert not await pool.verify(await pool.hash("x"), password)


async def test_odd_characters_do_no_harm(pool):
    password = "\udcff\x00🦉"
    assert await pool.verify(await pool.hash(password), password)


async def test_a_full_queue_says_later_and_then_takes_work_again(held):
    stored = CHEAP.hash("x")
    waiting = [asyncio.ensure_future(held.verify(stored, "x")) for _ in range(3)]
    await asyncio.sleep(0)  # lets the three begin
    with pytest.raises(Overloaded) as refused:
        await held.verify(stored, "x")
    assert refused.value.retry_after == 1
    held.hasher.release.set()
    assert all(verdict.ok for verdict in await asyncio.gather(*waiting))
    assert await held.verify(stored, "x")


async def test_callers_who_give_up_leave_their_place_to_others(held):
    stored = CHEAP.hash("x")
    waiting = [asyncio.ensure_future(held.verify(stored, "x")) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting[1:]:
        task.cancel()
    await asyncio.gather(*waiting[1:], return_exceptions=True)
    others = [asyncio.ensure_future(held.verify(stored, "x")) for _ in range(2)]
    await asyncio.sleep(0)
    held.hasher.release.set()
    assert all(verdict.ok for verdict in await asyncio.gather(waiting[0], *others))
    assert held.hasher.verified == 3
