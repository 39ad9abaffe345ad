"""Passwords that were taken over as hashes: not shown, and replaced by readable ones."""

import pytest

from demarc.platform.secrets.keys import row_binding
from support.house import build


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


async def test_a_hash_is_not_shown_and_a_new_password_is(house):
    service = await house.service()
    async with house.as_isp() as tx:
        (credential,) = await house.aaa.credentials_of(tx, service.id)
    row = row_binding("credential", "secret", credential.id)
    async with house.db.system() as tx:
        await tx.conn.execute(
            "UPDATE credential SET secret = %s, secret_kind = 'nt'",
            (house.keys.encrypt(b"\xff" * 16, row=row),),
        )
    async with house.as_isp() as tx:
        assert (await house.aaa.radius_status(tx, service.id)).password is None
        await house.aaa.set_password(tx, credential, "a new password")
        assert (await house.aaa.radius_status(tx, service.id)).password == "a new password"


async def test_what_the_service_began_with_is_shown_whatever_came_later(house):
    service = await house.service()
    async with house.as_isp() as tx:
        for kind, name in (("mac", "aabbcc001122"), ("dot1x", "ana"), ("circuit_id", "olt 1/2")):
            await house.aaa.add_credential(tx, service.id, kind=kind, username=name)
        assert (await house.aaa.radius_status(tx, service.id)).username == "u0001@acme"
        made = await house.aaa.credentials_of(tx, service.id)
    assert made[0].kind == "pppoe"
    assert {(one.kind, one.secret is None) for one in made} == {
        ("pppoe", False),
        ("mac", True),
        ("dot1x", False),
        ("circuit_id", True),
    }
    assert {one.download_bps for one in made} == {house.product.download_bps}


async def test_further_credentials_share_the_fate_of_the_service(house):
    service = await house.service()
    async with house.as_isp() as tx:
        await house.aaa.add_credential(tx, service.id, kind="mac", username="aabbcc001122")
        await house.aaa.set_access(tx, service.id, "suspended")
        late = await house.aaa.add_credential(tx, service.id, kind="dot1x", username="ana")
        assert late.access == "suspended"
        await house.aaa.set_access(tx, service.id, "allowed")
        assert {one.access for one in await house.aaa.credentials_of(tx, service.id)} == {"allowed"}
        await house.aaa.release(tx, service.id)
        assert {one.access for one in await house.aaa.credentials_of(tx, service.id)} == {"closed"}
