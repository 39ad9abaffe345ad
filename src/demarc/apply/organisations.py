"""Steps for organisations, their networks and realms, people and API clients."""

from demarc.apply.document import ClientTable, NetworkTable, RealmTable, TenantTable, UserTable
from demarc.apply.plan import Change
from demarc.apply.values import Hidden
from demarc.apply.work import Work
from demarc.domains.errors import Conflict, NotFound
from demarc.domains.identity.model import Network, Person
from demarc.domains.services.logins import login


async def tenant(work: Work, table: TenantTable) -> Change:
    """Bring an organisation to what its table says."""
    identity = work.domains.identity
    # a pattern that makes no log-ins would be noticed only when the first service is sold
    login(table.login_pattern, table.slug, 1)
    after = {
        "name": table.name,
        "timezone": table.timezone,
        "locale": table.locale,
        "country": table.country,
        "currency": table.currency,
        "login_pattern": table.login_pattern,
        "activate_on": sorted(set(table.activate_on)),
    }
    try:
        known = await identity.tenant_named(work.tx, table.slug)
        before = {key: getattr(known, key) for key in after}
    except NotFound:
        before = None
    return await work.bring(
        table,
        before,
        after,
        lambda: identity.put_tenant(
            work.tx,
            slug=table.slug,
            name=table.name,
            timezone=table.timezone,
            locale=table.locale,
            country=table.country,
            currency=table.currency,
            login_pattern=table.login_pattern,
            activate_on=table.activate_on,
        ),
    )


async def network(work: Work, table: NetworkTable) -> Change:
    """Bring a network to what its table says; ISPs are admitted, never sent away."""
    identity = work.domains.identity
    owner = await work.tenant("owner", table.owner)
    isps = {slug: await work.tenant("isps", slug) for slug in sorted(set(table.isps))}
    known: Network | None = None
    before = None
    selling: set[str] = set()
    try:
        known = await identity.network_named(work.tx, table.slug)
    except NotFound:
        pass
    else:
        if known.owner_id != owner.id:
            raise Conflict("is another organisation's network")
        for one in await identity.tenants(work.tx):
            sold = await identity.networks_sold_on(work.tx, one.id)
            if known.id in {network.id for network in sold}:
                selling.add(one.slug)
        before = {"owner": owner.slug, "name": known.name, "isps": sorted(selling)}
    after = {"owner": owner.slug, "name": table.name, "isps": sorted(selling | set(isps))}

    async def act() -> None:
        made = await identity.put_network(
            work.tx, owner_id=owner.id, slug=table.slug, name=table.name
        )
        for slug, isp in isps.items():
            if slug not in selling:
                await identity.admit_isp(work.tx, made, isp.id)

    return await work.bring(table, before, after, act)


async def realm(work: Work, table: RealmTable) -> Change:
    """Bring a realm to what its table says."""
    aaa = work.domains.aaa
    owner = await work.tenant("tenant", table.tenant)
    after = {"tenant": table.tenant, "qualified": table.qualified}
    known = next((one for one in await work.realms() if one.name == table.name.lower()), None)
    if known is None:
        return await work.bring(
            table,
            None,
            after,
            lambda: aaa.create_realm(
                work.tx, tenant_id=owner.id, name=table.name, qualified=table.qualified
            ),
        )
    if known.tenant_id != owner.id:
        raise Conflict("is another organisation's realm")
    return await work.bring(
        table,
        {"tenant": table.tenant, "qualified": known.qualified},
        after,
        lambda: aaa.change_realm(work.tx, known.id, qualified=table.qualified),
    )


async def user(work: Work, table: UserTable) -> Change:
    """Bring a person to what their table says; roles are given, never taken away."""
    identity = work.domains.identity
    roles = {slug: await work.tenant("roles", slug) for slug in sorted(table.roles)}
    known: Person | None = None
    before: dict[str, object] | None = None
    after: dict[str, object] = {
        "name": table.name,
        "roles": dict(sorted(table.roles.items())),
        "password": table.password,
    }
    try:
        known = await identity.person_named(work.tx, table.email.strip())
    except NotFound:
        pass
    else:
        held = await identity.roles(work.tx, known.id)
        before = {
            "name": known.name,
            "roles": {role.tenant_slug: role.role for role in held if role.tenant_slug in roles},
            "password": Hidden(),
        }
        if table.password is None or await identity.has_password(
            work.tx, known.id, str(table.password)
        ):
            after["password"] = before["password"]

    async def act() -> None:
        changed = before is None or after["password"] != before["password"]
        password = table.password if changed else None
        person = await identity.put_person(
            work.tx,
            email=table.email,
            name=table.name,
            password=None if password is None else str(password),
        )
        held = before["roles"] if before is not None else {}
        for slug, tenant in roles.items():
            if not isinstance(held, dict) or held.get(slug) != table.roles[slug]:
                await identity.give_role(
                    work.tx, person_id=person.id, tenant_id=tenant.id, role=table.roles[slug]
                )

    return await work.bring(table, before, after, act)


async def client(work: Work, table: ClientTable) -> Change:
    """Bring an API client to what its table says; its tokens are issued by hand."""
    identity = work.domains.identity
    owner = await work.tenant("tenant", table.tenant)
    known = next(
        (
            one
            for one in await identity.clients(work.tx, owner.id)
            if (one.api, one.name) == (table.api, table.name)
        ),
        None,
    )
    return await work.bring(
        table,
        None if known is None else {"scopes": sorted(known.scopes)},
        {"scopes": sorted(set(table.scopes))},
        lambda: identity.put_client(
            work.tx, tenant_id=owner.id, api=table.api, name=table.name, scopes=table.scopes
        ),
    )


__all__ = ["client", "network", "realm", "tenant", "user"]
