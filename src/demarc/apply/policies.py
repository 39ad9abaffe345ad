"""Steps for RADIUS profiles."""

from uuid import UUID

import msgspec

from demarc.apply.document import ProfileTable
from demarc.apply.plan import Change
from demarc.apply.work import Work
from demarc.domains.aaa.policy_queries import StoredProfile
from demarc.domains.aaa.profiles import check, read_settings
from demarc.domains.errors import Invalid, NotFound


async def profile(work: Work, table: ProfileTable) -> Change:
    """Bring a profile to what its table says; sessions that live are brought to it, too."""
    aaa = work.domains.aaa
    tenant = await work.tenant("tenant", table.tenant)
    settings = check(table.settings)
    before = None
    try:
        known = await aaa.profile_named(work.tx, tenant.id, table.name)
    except NotFound:
        pass
    else:
        stored = read_settings(msgspec.json.encode(known.settings).decode())
        before = {"default": known.is_default, **msgspec.structs.asdict(stored)}
    return await work.bring(
        table,
        before,
        {"default": table.default, **msgspec.structs.asdict(settings)},
        lambda: aaa.put_profile(
            work.tx,
            tenant_id=tenant.id,
            name=table.name,
            settings=settings,
            is_default=table.default,
        ),
    )


async def of_product(work: Work, name: str, owner_id: UUID, isp_id: UUID | None) -> StoredProfile:
    """Give the profile a product names: of the only ISP that sells it, or of the network's owner.

    Raises:
        Invalid: neither has one of that name.
    """
    for tenant_id in (isp_id, owner_id):
        if tenant_id is not None:
            try:
                return await work.domains.aaa.profile_named(work.tx, tenant_id, name)
            except NotFound:
                continue
    raise Invalid("profile", f"names {name}, which is no profile of the network's owner")


async def name_of(work: Work, profile_id: UUID | None) -> str | None:
    """Give a profile's name, where there is one."""
    if profile_id is None:
        return None
    return (await work.domains.aaa.profile(work.tx, profile_id)).name


__all__ = ["name_of", "of_product", "profile"]
