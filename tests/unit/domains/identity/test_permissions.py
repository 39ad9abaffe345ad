"""Roles as data: what they permit, who may change them, who has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity.permissions import FAMILIES, VERBS, is_pattern, permits

PERMISSIONS = [f"{family}:{verb}" for family in FAMILIES for verb in VERBS]


@given(st.sampled_from(PERMISSIONS), st.sets(st.sampled_from(PERMISSIONS)))
def test_a_role_permits_what_is_in_it_and_nothing_else(permission, held):
    assert permits(held, permission) == (permission in held)


@given(st.sampled_from(PERMISSIONS))
def test_a_star_stands_for_any(permission):
    family, verb = permission.split(":")
    for pattern in (f"{family}:*", f"*:{verb}", "*:*"):
        assert is_pattern(pattern)
        assert permits({pattern}, permission)
    assert not permits({"*", "", ":", f"{family}:", "other:*"}, permission)


@pytest.mark.parametrize("text", ["", "*", "service", "service:", ":read", "service:own", "a:read"])
def test_what_is_no_permission_is_none(text):
    assert not is_pattern(text)


async def test_the_roles_that_come_with_demarc_are_of_permissions_there_are(registry):
    async with registry.db.system() as tx:
        found = {one.name: one for one in await registry.identity.roles_of(tx, None)}
    assert set(found) == {
        "admin", "noc", "support", "field", "finance", "readonly", "integrator",
    }  # fmt: skip
    for role in found.values():
        assert [one for one in role.permissions if not is_pattern(one)] == []
    assert all(permits(found["admin"].permissions, one) for one in PERMISSIONS)
    for name, may, may_not in (
        ("readonly", ["service:read", "usage:read"], ["login:reveal", "service:update"]),
        ("field", ["device:update", "login:reveal"], ["service:end", "customer:update"]),
        ("finance", ["customer:update", "service:operate"], ["device:operate", "login:reveal"]),
        ("support", ["customer:create", "service:end"], ["device:update", "product:update"]),
        ("noc", ["device:update", "session:operate"], ["customer:update", "product:update"]),
    ):
        held = found[name].permissions
        assert [one for one in may if not permits(held, one)] == [], name
        assert [one for one in may_not if permits(held, one)] == [], name


async def test_an_organisation_has_roles_of_its_own_that_no_other_has(registry):
    identity = registry.identity
    async with registry.db.system() as tx:
        put = {"tenant_id": registry.isp.id, "name": "sales", "title": "Sales"}
        made = await identity.put_role(tx, **put, permissions=["service:create", "*:read"])
        assert made.permissions == ["*:read", "service:create"]
        ana = await identity.put_person(
            tx, email="ana@example.net", name="Ana", password="correct horse"
        )
        with pytest.raises(Invalid, match="must be one of"):
            await identity.give_role(
                tx, person_id=ana.id, tenant_id=registry.other_isp.id, role="sales"
            )
        await identity.give_role(tx, person_id=ana.id, tenant_id=registry.isp.id, role="sales")
        with pytest.raises(Conflict, match="1 people"):
            await identity.remove_role(tx, tenant_id=registry.isp.id, name="sales")
        with pytest.raises(NotFound):
            await identity.remove_role(tx, tenant_id=registry.isp.id, name="admin")
        assert await identity.take_role(tx, person_id=ana.id, tenant_id=registry.isp.id)
        assert not await identity.take_role(tx, person_id=ana.id, tenant_id=registry.isp.id)
        await identity.remove_role(tx, tenant_id=registry.isp.id, name="sales")
    actions = await registry.rows(
        "SELECT action FROM audit WHERE kind = 'role' OR action LIKE '%\\_role' ORDER BY id"
    )
    assert [action for (action,) in actions] == ["create", "give_role", "take_role", "remove"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "admin"), ("name", "1st"), ("name", "Sales"), ("title", " "),
     ("permissions", ["service:own"]), ("permissions", ["*"])],
)  # fmt: skip
async def test_a_role_that_cannot_be_is_refused(registry, field, value):
    put = {"name": "sales", "title": "Sales", "permissions": ["*:read"]}
    async with registry.db.system() as tx:
        with pytest.raises(Invalid):
            await registry.identity.put_role(
                tx, tenant_id=registry.isp.id, **(put | {field: value})
            )


async def test_a_tenant_sees_the_common_roles_and_its_own_and_changes_only_these(registry):
    async with registry.db.system() as tx:
        for tenant in (registry.isp, registry.other_isp):
            await registry.identity.put_role(
                tx, tenant_id=tenant.id, name="own", title="Own", permissions=["*:read"]
            )
    async with registry.db.tenant(registry.isp.id) as tx:
        seen = await (await tx.conn.execute("SELECT tenant_id FROM role")).fetchall()
        assert {tenant for (tenant,) in seen} == {None, registry.isp.id}
        changed = await tx.conn.execute("UPDATE role SET permissions = '{*:*}'")
        assert changed.rowcount == 1


async def test_a_clients_role_narrows_its_tokens_and_a_disabled_one_has_none(registry):
    identity = registry.identity
    await registry.token(name="crm")
    async with registry.db.system() as tx:
        client = await identity.client_named(tx, tenant_id=registry.isp.id, api="aex", name="crm")
        assert (client.role, client.disabled_at) == ("integrator", None)
        changed = await identity.change_client(tx, client.id, role="support")
        assert (changed.role, changed.scopes) == ("support", ["read", "write"])
        shut = await identity.change_client(tx, client.id, disabled=True)
        assert (shut.role, shut.disabled_at is None) == ("support", False)
        again = await identity.change_client(tx, client.id, disabled=False, scopes=["read"])
        assert (again.scopes, again.disabled_at) == (["read"], None)
        with pytest.raises(Invalid):
            await identity.change_client(tx, client.id, role="king")
        with pytest.raises(NotFound):
            await identity.change_client(tx, registry.isp.id, role="support")
