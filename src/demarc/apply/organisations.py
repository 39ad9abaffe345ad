"""Steps for organisations, their networks and realms, people and API clients."""

from collections.abc import Iterable, Sequence

from demarc.apply.document import ClientTable, NetworkTable, RealmTable, TenantTable, UserTable
from demarc.apply.home_servers import shown
from demarc.apply.plan import Change
from demarc.apply.values import Hidden
from demarc.apply.work import Work
from demarc.domains.aaa.model import Realm
from demarc.domains.aaa.proxying import NewServer
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
    servers = [server.server() for server in table.home_server]
    after = {"tenant": table.tenant, "qualified": table.qualified}
    known = next((one for one in await work.realms() if one.name == table.name.lower()), None)
    if known is not None and known.tenant_id != owner.id:
        raise Conflict("is another organisation's realm")
    before = None
    proxied = None
    if known is not None:
        before = {"tenant": table.tenant, "qualified": known.qualified}
        proxied = await _proxied(work, known)
    wanted = _proxying(servers, books=table.books_locally, allowed=table.allow)

    async def act() -> None:
        if known is None:
            made = await aaa.create_realm(
                work.tx, tenant_id=owner.id, name=table.name, qualified=table.qualified
            )
        elif known.qualified != table.qualified:
            made = await aaa.change_realm(work.tx, known.id, qualified=table.qualified)
        else:
            made = known
        if proxied != wanted:
            await aaa.proxies.put(
                work.tx, made, servers, books_locally=table.books_locally, allowed=table.allow
            )

    # a realm that is ours to answer shows nothing of it
    keys = {**wanted, **(proxied or {})}
    return await work.bring(
        table,
        None if before is None else {**before, **{key: (proxied or {}).get(key) for key in keys}},
        {**after, **{key: wanted.get(key) for key in keys}},
        act,
    )


async def _proxied(work: Work, realm: Realm) -> dict[str, object]:
    """Give how a realm is proxied, as the file would say it."""
    proxies = work.domains.aaa.proxies
    found = await proxies.of_realm(work.tx, realm.id)
    if found is None:
        return {}
    proxy, servers = found
    return _image(
        [(shown(server), proxies.secret(server)) for server in servers],
        books=proxy.books_locally,
        allowed=proxy.allowed,
    )


def _proxying(
    servers: Sequence[NewServer], *, books: bool, allowed: Sequence[str]
) -> dict[str, object]:
    if not servers:
        return {}
    described = [(shown(server), server.secret) for server in servers]
    return _image(described, books=books, allowed=allowed)


def _image(
    servers: Iterable[tuple[str, str | None]], *, books: bool, allowed: Iterable[str]
) -> dict[str, object]:
    ordered = sorted(servers, key=lambda server: server[0])
    return {
        "home_server": [described for described, _ in ordered],
        # of all of them: which one's changed is nobody's business
        "secret": Hidden("\n".join(secret or "" for _, secret in ordered)),
        "books_locally": books,
        "allow": sorted(set(allowed)),
    }


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
