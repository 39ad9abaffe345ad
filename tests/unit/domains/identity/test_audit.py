import json

import msgspec
import pytest

from demarc.domains.identity import audit


class Client(msgspec.Struct):
    id: int
    name: str
    scopes: list[str]
    created_at: str = "now"


def test_only_what_changed_is_given_and_of_a_new_thing_everything():
    old, new = Client(1, "crm", ["read"]), Client(1, "crm", ["read", "write"])
    assert audit.differences(old, new) == ({"scopes": ["read"]}, {"scopes": ["read", "write"]})
    assert audit.differences(None, new) == (None, {"name": "crm", "scopes": ["read", "write"]})


async def test_secrets_are_masked_but_that_one_is_set_can_be_seen(registry):
    async with registry.db.system() as tx:
        await audit.write(
            tx,
            action="update",
            kind="thing",
            key=registry.isp.id,
            tenant_id=registry.isp.id,
            before={"wifi_password": None, "snmp_community": "public-1", "name": "a"},
            after={"wifi_password": "correct horse", "snmp_community": "public-2", "name": "b"},
        )
        [entry] = await audit.of(tx, "thing", registry.isp.id)
    assert entry.before == {"wifi_password": None, "snmp_community": "***", "name": "a"}
    assert entry.after == {"wifi_password": "***", "snmp_community": "***", "name": "b"}
    kept = json.dumps(await registry.rows("SELECT to_jsonb(audit) FROM audit"))
    assert "correct horse" not in kept
    assert "public-1" not in kept


async def test_an_entry_is_gone_with_the_change_it_is_of(registry):
    class Undone(Exception):
        pass

    with pytest.raises(Undone):
        async with registry.db.system() as tx:
            await registry.identity.put_tenant(tx, slug="gone", name="Gone")
            raise Undone
    assert await registry.rows("SELECT 1 FROM audit WHERE after ->> 'slug' = 'gone'") == []


async def test_another_organisations_log_does_not_exist(registry):
    async with registry.db.tenant(registry.isp.id) as tx:
        assert await audit.of(tx, "tenant", registry.other_isp.id) == []
        assert len(await audit.of(tx, "tenant", registry.isp.id)) == 1
