"""Who calls: what holders of good, old and wrong credentials notice."""

import asyncio
import threading
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from demarc.domains.errors import Limited
from demarc.domains.identity.authentication import Authenticator
from demarc.domains.identity.model import Unauthenticated
from demarc.platform.secrets import FailureLimiter, Limit, PasswordPool, VerifiedMemory, new_token

HERE = "192.0.2.7"
EMAIL = "ana@example.net"
PASSWORD = "correct horse battery"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Door:
    """An authenticator with its clock and what it counts."""

    def __init__(self, registry, pool=None, failures=None, db=None):
        self.clock = Clock()
        self.authenticator = Authenticator(
            db or registry.db,
            pool or registry.pool,
            VerifiedMemory(clock=self.clock),
            failures or FailureLimiter(clock=self.clock),
            self.clock,
        )

    async def bearer(self, token, apis=("aex", "fno"), address=HERE):
        return await self.authenticator.bearer(token, apis, address)

    async def basic(self, email=EMAIL, password=PASSWORD, address=HERE, tenant=None, **side):
        return await self.authenticator.basic(email, password, address, tenant, **side)


@pytest.fixture
def door(registry):
    return Door(registry)


class Meanwhile:
    """A database on which something happens between what is read and what is made of it."""

    def __init__(self, db, act):
        self._db, self._act = db, act

    @asynccontextmanager
    async def system(self):
        async with self._db.system() as tx:
            yield tx
        if self._act is not None:
            act, self._act = self._act, None
            await act()


async def revoke(registry, kept):
    async with registry.db.system() as tx:
        await registry.identity.revoke_token(tx, kept.id)


# tokens


async def test_a_token_stands_for_its_client_with_its_scopes(registry, door):
    token, _ = await registry.token(scopes=("read",))
    principal = await door.bearer(token)
    assert principal.tenant_id == registry.isp.id
    assert principal.actor.name == "client:crm"
    assert (principal.api, principal.scopes) == ("aex", {"read"})
    assert principal.side == "isp"


@pytest.mark.parametrize("wrong", ["", "nonsense", "dmk_", "\ud800", "dmk_" + "0" * 43])
async def test_what_is_no_token_of_ours_is_refused(door, wrong):
    with pytest.raises(Unauthenticated):
        await door.bearer(wrong)


async def test_a_token_is_good_for_its_own_api_alone(registry, door):
    token, _ = await registry.token(api="krill")
    with pytest.raises(Unauthenticated, match="another API"):
        await door.bearer(token)
    assert (await door.bearer(token, apis=("krill",))).api == "krill"


async def test_a_revoked_token_is_refused_within_15_seconds_and_at_once_where_heard(registry, door):
    heard = Door(registry)
    token, kept = await registry.token()
    for one in (door, heard):
        await one.bearer(token)
    await revoke(registry, kept)
    heard.authenticator.forget()
    with pytest.raises(Unauthenticated):
        await heard.bearer(token)
    door.clock.now += 14.9
    assert await door.bearer(token)  # remembered: nobody told this one
    door.clock.now += 0.1
    with pytest.raises(Unauthenticated):
        await door.bearer(token)


async def test_a_revocation_heard_while_the_token_is_read_is_not_forgotten(registry):
    token, kept = await registry.token()

    async def act():
        await revoke(registry, kept)
        door.authenticator.forget()

    door = Door(registry, db=Meanwhile(registry.db, act))
    await door.bearer(token)  # read before it was revoked
    with pytest.raises(Unauthenticated):
        await door.bearer(token)


async def test_an_expired_token_is_refused_even_where_it_is_remembered(registry, door):
    token, kept = await registry.token(lives=timedelta(seconds=10))
    await door.bearer(token)
    async with registry.db.system() as tx:
        await tx.conn.execute(
            "UPDATE api_token SET expires_at = now() - interval '1 s' WHERE id = %s", [kept.id]
        )
    door.clock.now += 10.0
    with pytest.raises(Unauthenticated):
        await door.bearer(token)


async def test_the_tokens_of_a_disabled_client_are_refused(registry, door):
    token, _ = await registry.token()
    await door.bearer(token)
    async with registry.db.system() as tx:
        await tx.conn.execute("UPDATE api_client SET disabled_at = now()")
    door.authenticator.forget()
    with pytest.raises(Unauthenticated):
        await door.bearer(token)


async def test_an_address_that_guesses_tokens_must_wait_while_good_tokens_pass(registry):
    clock = Clock()
    door = Door(registry, failures=FailureLimiter(per_address=Limit(3, 60), clock=clock))
    good, _ = await registry.token()
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await door.bearer(new_token())
    with pytest.raises(Limited) as limited:
        await door.bearer(new_token())
    assert 1 <= limited.value.retry_after <= 60
    assert await door.bearer(good)
    with pytest.raises(Unauthenticated):
        await door.bearer(new_token(), address="198.51.100.1")
    clock.now += 61
    with pytest.raises(Unauthenticated):
        await door.bearer(new_token())


# people


async def test_a_person_acts_for_the_organisation_they_name_or_their_first(registry, door):
    await registry.person(EMAIL, PASSWORD, ("metro", "admin"), ("acme", "readonly"))
    first = await door.basic()
    assert (first.tenant_id, first.role, first.side) == (registry.isp.id, "readonly", "isp")
    assert first.lacks("service:read") is None
    assert "does not permit" in first.lacks("service:update")
    owner = await door.basic(as_owner=True)
    assert owner.tenant_id == registry.fno.id
    chosen = await door.basic(tenant="metro")
    assert (chosen.tenant_id, chosen.side) == (registry.fno.id, "fno")
    assert (chosen.role, chosen.lacks("service:end")) == ("admin", None)
    assert chosen.actor.name == f"person:{EMAIL}"
    with pytest.raises(Unauthenticated, match="no role there"):
        await door.basic(tenant="beta")


async def test_without_a_name_it_is_the_organisation_where_they_are_for_longest(registry, door):
    async with registry.db.system() as tx:
        await registry.identity.admit_isp(tx, registry.network, registry.other_isp.id)
    # later, and earlier by name
    await registry.person(EMAIL, PASSWORD, ("beta", "noc"))
    assert (await door.basic()).tenant_id == registry.other_isp.id
    async with registry.db.system() as tx:
        ana = await registry.identity.person_named(tx, EMAIL)
        await registry.identity.give_role(
            tx, person_id=ana.id, tenant_id=registry.isp.id, role="admin"
        )
    assert (await door.basic()).tenant_id == registry.other_isp.id
    # another role there does not make it later
    async with registry.db.system() as tx:
        await registry.identity.give_role(
            tx, person_id=ana.id, tenant_id=registry.other_isp.id, role="admin"
        )
    assert (await door.basic()).tenant_id == registry.other_isp.id
    async with registry.db.system() as tx:
        await registry.identity.take_role(tx, person_id=ana.id, tenant_id=registry.other_isp.id)
    assert (await door.basic()).tenant_id == registry.isp.id
    # of two that came at once it is the first by its slug
    async with registry.db.system() as tx:
        for tenant in (registry.other_isp, registry.isp):
            await registry.identity.take_role(tx, person_id=ana.id, tenant_id=tenant.id)
            await registry.identity.give_role(tx, person_id=ana.id, tenant_id=tenant.id, role="noc")
    assert (await door.basic()).tenant_id == registry.isp.id


async def test_case_and_space_around_an_e_mail_do_not_matter(registry, door):
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    assert await door.basic(email=" Ana@Example.NET ")


@pytest.mark.parametrize("email", ["nobody@example.net", "", "nul\x00@example.net", "\ud800"])
async def test_an_unknown_account_costs_what_a_wrong_password_costs(registry, door, email):
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    costs, words = [], []
    for account in (EMAIL, email):
        before = registry.hasher.computed
        with pytest.raises(Unauthenticated) as refused:
            await door.basic(email=account, password="a wrong guess")
        costs.append(registry.hasher.computed - before)
        words.append(str(refused.value))
    assert costs == [1, 1]
    assert words[0] == words[1]


async def test_a_person_without_a_role_anywhere_is_nobody(registry, door):
    await registry.person(EMAIL, PASSWORD)
    with pytest.raises(Unauthenticated):
        await door.basic()


async def test_a_right_password_is_computed_once_and_then_remembered(registry, door):
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    before = registry.hasher.computed
    for _ in range(5):
        await door.basic()
    assert registry.hasher.computed - before == 1
    with pytest.raises(Unauthenticated):
        await door.basic(password="a wrong guess")


async def test_a_disabled_person_is_refused_though_they_are_remembered(registry, door):
    person = await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    await door.basic()
    async with registry.db.system() as tx:
        await registry.identity.disable_person(tx, person.id)
    with pytest.raises(Unauthenticated):
        await door.basic()
    async with registry.db.system() as tx:
        await registry.identity.disable_person(tx, person.id, disabled=False)
    assert await door.basic()


async def test_an_old_password_is_refused_at_once_though_nobody_told(registry, door):
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    await door.basic()
    await registry.person(EMAIL, "another long password")
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await door.basic()
    assert await door.basic(password="another long password")


async def test_who_goes_on_with_an_old_password_is_limited_as_any_guesser(registry):
    failures = FailureLimiter(per_account=Limit(2, 60))
    door = Door(registry, failures=failures)
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    await door.basic()
    await registry.person(EMAIL, "another long password")
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await door.basic()
    with pytest.raises(Limited):
        await door.basic()


async def test_a_new_role_counts_at_the_next_call(registry, door):
    await registry.person(EMAIL, PASSWORD, ("acme", "readonly"))
    assert (await door.basic()).role == "readonly"
    await registry.person(EMAIL, PASSWORD, ("acme", "admin"))
    assert (await door.basic()).lacks("service:operate") is None


async def test_a_person_of_whom_a_change_was_heard_is_verified_again(registry, door):
    person = await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    await door.basic()
    before = registry.hasher.computed
    door.authenticator.forget_person(person.id)
    await door.basic()
    assert registry.hasher.computed - before == 1


async def test_an_account_that_is_guessed_at_waits_from_everywhere(registry):
    clock = Clock()
    door = Door(registry, failures=FailureLimiter(per_account=Limit(3, 60), clock=clock))
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    await registry.person("rui@example.net", PASSWORD, ("acme", "noc"))
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await door.basic(password="a wrong guess")
    before = registry.hasher.computed
    with pytest.raises(Limited):
        await door.basic(address="198.51.100.1")
    assert registry.hasher.computed == before  # a guess too many costs nothing
    assert await door.basic(email="rui@example.net")
    clock.now += 61
    assert await door.basic()


async def test_who_is_remembered_is_not_locked_out_by_who_guesses(registry):
    door = Door(registry, failures=FailureLimiter(per_account=Limit(2, 60)))
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    await door.basic()
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await door.basic(password="a wrong guess", address="198.51.100.1")
    assert await door.basic()


async def test_an_address_that_guesses_at_many_accounts_waits(registry):
    door = Door(registry, failures=FailureLimiter(per_address=Limit(3, 60)))
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    for number in range(3):
        with pytest.raises(Unauthenticated):
            await door.basic(email=f"guess{number}@example.net")
    with pytest.raises(Limited):
        await door.basic()
    assert await door.basic(address="198.51.100.1")


async def test_beyond_the_queue_of_passwords_callers_are_told_when_to_come_again(registry):
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    begun, go_on = threading.Event(), threading.Event()

    class Held(type(registry.hasher)):
        def verify(self, *args, **more):
            begun.set()
            go_on.wait(30)
            return super().verify(*args, **more)

    pool = PasswordPool(workers=1, max_waiting=0, hasher=Held())
    door = Door(registry, pool=pool)
    first = asyncio.create_task(door.basic())
    try:
        await asyncio.to_thread(begun.wait, 30)
        with pytest.raises(Limited) as limited:
            await door.basic(address="198.51.100.1")
        assert limited.value.retry_after >= 1
    finally:
        go_on.set()
    assert await first
    await pool.close()


async def test_a_hash_of_old_parameters_is_replaced_by_one_of_new(registry):
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    [(old,)] = await registry.rows("SELECT password_hash FROM person")
    hasher = type(registry.hasher)(time_cost=2)
    pool = PasswordPool(hasher=hasher)
    door = Door(registry, pool=pool)
    await door.basic()
    [(new,)] = await registry.rows("SELECT password_hash FROM person")
    assert ("t=1" in old, "t=2" in new) == (True, True)
    before = hasher.computed
    await door.basic()
    assert hasher.computed == before  # remembered with the new one
    await pool.close()


async def test_a_password_changed_while_its_old_hash_is_renewed_stays_changed(registry):
    await registry.person(EMAIL, PASSWORD, ("acme", "noc"))
    pool = PasswordPool(hasher=type(registry.hasher)(time_cost=2))

    async def act():
        await registry.person(EMAIL, "another long password")

    door = Door(registry, pool=pool, db=Meanwhile(registry.db, act))
    await door.basic()  # the old one was right when it was read
    with pytest.raises(Unauthenticated):
        await door.basic()
    assert await door.basic(password="another long password")
    await pool.close()
