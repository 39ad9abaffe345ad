"""Commands for organisations, people, and the tokens of API clients."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group
from demarc.cli.secrets import FROM_ENVIRONMENT, secret

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.domains.identity.model import Person
    from demarc.platform.database import Tx
    from demarc.platform.settings import Settings

users = group("user", "People who log in, and what they may do where.")
tokens = group("token", "Tokens of API clients.")
tenants = group("tenant", "Organisations: owners of networks and the ISPs on them.")

Tenant = Annotated[
    str | None, typer.Option("--tenant", metavar="SLUG", help="The organisation's short name.")
]


class UserShown(msgspec.Struct, frozen=True):
    """A person as commands show them."""

    email: str
    name: str
    roles: dict[str, str]
    disabled: bool
    password: str | msgspec.UnsetType = msgspec.UNSET


class ClientToken(msgspec.Struct, frozen=True):
    """A token as it is shown the one time it can be."""

    token: str
    id: UUID
    tenant: str
    api: str
    client: str
    scopes: list[str]
    expires_at: datetime | None


class TokenShown(msgspec.Struct, frozen=True):
    """A token in a list, known by its first characters."""

    id: UUID
    tenant: str
    api: str
    client: str
    hint: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class TenantShown(msgspec.Struct, frozen=True):
    """An organisation with the networks it owns and sells on."""

    slug: str
    name: str
    timezone: str
    currency: str | None
    login_pattern: str
    owns: list[str]
    sells_on: list[str]


# people


@command(users, "list")
async def list_users(settings: "Settings", tenant: Tenant = None) -> list[UserShown]:
    """List the people who may log in.

    Examples:
        demarc user list
        demarc user list --tenant veloz --json
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        if tenant is not None:
            await desk.parts.identity.tenant_named(tx, tenant)
        shown = [await _user(desk, tx, one) for one in await desk.parts.identity.people(tx)]
    return [one for one in shown if tenant is None or tenant in one.roles]


@command(users, "add")
async def add_user(
    settings: "Settings",
    *,
    email: str,
    name: Annotated[str, typer.Option(help="As it is shown to others.")],
    tenant: Annotated[str, typer.Option(metavar="SLUG", help="Whom they work for.")],
    role: Annotated[str, typer.Option(help="admin, noc, support, field or readonly.")] = "readonly",
    password_env: FROM_ENVIRONMENT = None,
    generate: Annotated[
        bool, typer.Option("--generate", help="Make a password and show it once.")
    ] = False,
) -> UserShown:
    """Add a person. The password is asked for, or read from a pipe.

    Examples:
        demarc user add ana@example.net --name Ana --tenant fibra --role admin
        demarc user add rui@example.net --name Rui --tenant veloz --generate
    """
    from demarc.cli.desk import opened
    from demarc.domains.errors import Conflict

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        works_for = await identity.tenant_named(tx, tenant)
        if email.strip().lower() in {one.email for one in await identity.people(tx)}:
            raise Conflict(f"{email} is known; see: demarc user role, demarc user password")
        password = _password(password_env, generate=generate)
        person = await identity.put_person(tx, email=email, name=name, password=password)
        await identity.give_role(tx, person_id=person.id, tenant_id=works_for.id, role=role)
        shown = await _user(desk, tx, person)
    return msgspec.structs.replace(shown, password=password) if generate else shown


@command(users, "role")
async def give_role(
    settings: "Settings",
    *,
    email: str,
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The organisation's short name.")],
    role: Annotated[str, typer.Argument(help="admin, noc, support, field or readonly.")],
) -> UserShown:
    """Say as what a person works for an organisation.

    Examples:
        demarc user role ana@example.net veloz support
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        person = await identity.person_named(tx, email)
        works_for = await identity.tenant_named(tx, tenant)
        await identity.give_role(tx, person_id=person.id, tenant_id=works_for.id, role=role)
        return await _user(desk, tx, person)


@command(users, "password")
async def set_password(
    settings: "Settings",
    *,
    email: str,
    password_env: FROM_ENVIRONMENT = None,
    generate: Annotated[
        bool, typer.Option("--generate", help="Make a password and show it once.")
    ] = False,
) -> UserShown:
    """Give a person another password. It is asked for, or read from a pipe.

    Examples:
        demarc user password ana@example.net
        demarc user password ana@example.net --generate
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        person = await identity.person_named(tx, email)
        password = _password(password_env, generate=generate)
        await identity.put_person(tx, email=person.email, name=person.name, password=password)
        shown = await _user(desk, tx, person)
    return msgspec.structs.replace(shown, password=password) if generate else shown


@command(users, "disable")
async def disable_user(
    settings: "Settings",
    *,
    email: str,
    enable: Annotated[bool, typer.Option("--enable", help="Let them in again.")] = False,
) -> UserShown:
    """Shut a person out at once, or let them in again.

    Examples:
        demarc user disable rui@example.net
        demarc user disable rui@example.net --enable
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        person = await identity.person_named(tx, email)
        await identity.disable_person(tx, person.id, disabled=not enable)
        return await _user(desk, tx, await identity.person_named(tx, email))


async def _user(desk: "Desk", tx: "Tx", person: "Person") -> UserShown:
    roles = await desk.parts.identity.roles(tx, person.id)
    return UserShown(
        email=person.email,
        name=person.name,
        roles={role.tenant_slug: role.role for role in roles},
        disabled=person.disabled_at is not None,
    )


def _password(variable: str | None, *, generate: bool) -> str:
    from demarc.platform.secrets import generate_password

    return generate_password(_GENERATED) if generate else secret("Password", variable)


_GENERATED = 16


# tokens


@command(tokens, "issue")
async def issue_token(
    settings: "Settings",
    *,
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The organisation's short name.")],
    api: Annotated[
        str, typer.Argument(metavar="API", help="aex, fno, hubsoft, flashman, krill or peplink.")
    ],
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="What calls, as you name it.")],
    read_only: Annotated[
        bool, typer.Option("--read-only", help="For a new client: it may only read.")
    ] = False,
    days: Annotated[
        int | None, typer.Option(min=1, max=3660, help="Days it is good for; for ever if left out.")
    ] = None,
) -> ClientToken:
    """Make a token for an API client, which is made if it is new. The token is shown this once.

    Examples:
        demarc token issue veloz aex crm
        demarc token issue fibra fno reports --read-only --days 90 --json
    """
    from datetime import timedelta

    from demarc.cli.desk import opened
    from demarc.platform.clock import now

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        owner = await identity.tenant_named(tx, tenant)
        known = [
            one
            for one in await identity.clients(tx, owner.id)
            if (one.api, one.name) == (api, client)
        ]
        caller = (
            known[0]
            if known
            else await identity.put_client(
                tx,
                tenant_id=owner.id,
                api=api,
                name=client,
                scopes=["read"] if read_only else ["read", "write"],
            )
        )
        lives = None if days is None else timedelta(days=days)
        token, kept = await identity.issue_token(tx, caller, lives=lives, now=now())
    return ClientToken(
        token=token,
        id=kept.id,
        tenant=owner.slug,
        api=caller.api,
        client=caller.name,
        scopes=caller.scopes,
        expires_at=kept.expires_at,
    )


@command(tokens, "list")
async def list_tokens(settings: "Settings", tenant: Tenant = None) -> list[TokenShown]:
    """List tokens by their first characters; the tokens themselves are not kept.

    Examples:
        demarc token list --tenant veloz
    """
    from demarc.cli.desk import opened

    shown = []
    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        every = [await identity.tenant_named(tx, tenant)] if tenant else await identity.tenants(tx)
        for owner in every:
            clients = {one.id: one for one in await identity.clients(tx, owner.id)}
            shown += [
                TokenShown(
                    id=token.id,
                    tenant=owner.slug,
                    api=clients[token.api_client_id].api,
                    client=clients[token.api_client_id].name,
                    hint=token.hint,
                    created_at=token.created_at,
                    expires_at=token.expires_at,
                    revoked_at=token.revoked_at,
                )
                for token in await identity.tokens(tx, owner.id)
            ]
    return shown


@command(tokens, "revoke")
async def revoke_token(
    settings: "Settings",
    *,
    token: Annotated[UUID, typer.Argument(metavar="ID", help="Its id in `demarc token list`.")],
) -> None:
    """Make a token worthless, everywhere within seconds.

    Examples:
        demarc token revoke 0b9e6f5c-3f0e-4b64-9f0c-2a4f4de1a001
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        await desk.parts.identity.revoke_token(tx, token)


# organisations


@command(tenants, "list")
async def list_tenants(settings: "Settings") -> list[TenantShown]:
    """List the organisations, with the networks they own and sell on.

    Examples:
        demarc tenant list
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        return await _tenants(desk, tx)


@command(tenants, "add")
async def add_tenant(
    settings: "Settings",
    *,
    slug: Annotated[str, typer.Argument(help="Its short name: a-z, 0-9 and -.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    timezone: Annotated[str, typer.Option(help="Days of usage are of this zone.")] = "UTC",
    locale: Annotated[str, typer.Option(help="Language of what it is shown.")] = "en",
    country: Annotated[str | None, typer.Option(help="ISO 3166, as BR.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217, as BRL.")] = None,
    login_pattern: Annotated[
        str, typer.Option(help="How log-ins of new services are made.")
    ] = "{number:06d}",
    owns: Annotated[
        str | None, typer.Option(metavar="NETWORK", help="Make a network of this name for it.")
    ] = None,
    sells_on: Annotated[
        list[str] | None, typer.Option(metavar="NETWORK", help="Let it sell on this network.")
    ] = None,
) -> TenantShown:
    """Add an organisation: the owner of a network, an ISP on one, or both.

    Examples:
        demarc tenant add fibra "Fibra Norte" --timezone America/Sao_Paulo --owns norte
        demarc tenant add veloz Veloz --timezone America/Sao_Paulo --sells-on norte
    """
    from demarc.cli.desk import opened
    from demarc.domains.errors import Conflict, NotFound

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        try:
            await identity.tenant_named(tx, slug)
        except NotFound:
            pass
        else:
            raise Conflict(f"there is a tenant {slug}; `demarc apply` changes it")
        made = await identity.put_tenant(
            tx,
            slug=slug,
            name=name,
            timezone=timezone,
            locale=locale,
            country=country,
            currency=currency,
            login_pattern=login_pattern,
        )
        if owns is not None:
            await identity.put_network(tx, owner_id=made.id, slug=owns, name=owns)
        for network in sells_on or []:
            await identity.admit_isp(tx, await identity.network_named(tx, network), made.id)
        return next(one for one in await _tenants(desk, tx) if one.slug == slug)


async def _tenants(desk: "Desk", tx: "Tx") -> list[TenantShown]:
    identity = desk.parts.identity
    networks = await identity.networks(tx)
    return [
        TenantShown(
            slug=one.slug,
            name=one.name,
            timezone=one.timezone,
            currency=one.currency,
            login_pattern=one.login_pattern,
            owns=[network.slug for network in networks if network.owner_id == one.id],
            sells_on=[sold.slug for sold in await identity.networks_sold_on(tx, one.id)],
        )
        for one in await identity.tenants(tx)
    ]


__all__ = ["tenants", "tokens", "users"]
