import asyncio
import time

import pytest

from demarc.domains.identity.authentication import Authenticator
from demarc.domains.identity.model import Unauthenticated
from demarc.platform.database import Database
from demarc.platform.secrets import FailureLimiter, PasswordPool, VerifiedMemory


@pytest.fixture
def who(database_url):
    """Asks, as the APIs do, whom a token stands for."""

    async def ask(token, api):
        db = await Database.open(database_url, tenant_pool=1, system_pool=1)
        passwords = PasswordPool()
        try:
            gate = Authenticator(db, passwords, VerifiedMemory(), FailureLimiter(), time.monotonic)
            return await gate.bearer(token, [api], "192.0.2.50")
        finally:
            await passwords.close()
            await db.close()

    return lambda token, api="aex": asyncio.run(ask(token, api))


def test_a_token_opens_its_own_api_for_its_own_organisation(house, who):
    issued = house("token", "issue", "veloz", "aex", "crm", "--json").json
    principal = who(issued["token"])
    assert (principal.api, principal.actor.name) == ("aex", "client:crm")
    assert principal.sells
    assert not principal.owns_network
    with pytest.raises(Unauthenticated):
        who(issued["token"], "fno")


def test_a_token_is_shown_once(house):
    issued = house("token", "issue", "veloz", "aex", "crm", "--days", "30", "--json").json
    (listed,) = house("token", "list", "--tenant", "veloz", "--json").json
    assert issued["token"] not in str(listed)
    assert issued["token"].startswith(listed["hint"]) or issued["token"].endswith(listed["hint"])
    assert (listed["id"], listed["client"]) == (issued["id"], "crm")
    assert listed["expires_at"] is not None


def test_a_revoked_token_opens_nothing(house, who):
    issued = house("token", "issue", "veloz", "aex", "crm", "--json").json
    house("token", "revoke", issued["id"])
    with pytest.raises(Unauthenticated):
        who(issued["token"])
    assert house("token", "list", "--json").json[0]["revoked_at"] is not None


def test_a_client_keeps_its_scopes(house, who):
    first = house("token", "issue", "fibra", "fno", "reports", "--read-only", "--json").json
    second = house("token", "issue", "fibra", "fno", "reports", "--json").json
    assert first["scopes"] == second["scopes"] == ["read"]
    assert who(second["token"], "fno").scopes == {"read"}


def test_an_api_that_is_none_is_refused(house):
    assert "api must be one of" in house("token", "issue", "veloz", "soap", "crm", code=1).err
