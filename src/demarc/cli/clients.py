"""Commands for API clients: the programs that call for an organisation."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.domains.identity.model import ApiClient
    from demarc.platform.settings import Settings

clients = group(
    "client",
    """API clients: the programs that call for an organisation, and what they may do.

\b
A client's role says what it may do (demarc role list), its scopes narrow that: without the scope
to write it only reads. Both are of all its tokens (demarc token). Changes count within seconds.""",
)

Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The organisation's short name.")]
Api = Annotated[
    str, typer.Argument(metavar="API", help="aex, fno, hubsoft, flashman, krill or peplink.")
]
Name = Annotated[str, typer.Argument(metavar="CLIENT", help="As `demarc client list` names it.")]


class ClientShown(msgspec.Struct, frozen=True):
    """A client as commands show it."""

    tenant: str
    api: str
    client: str
    role: str
    scopes: list[str]
    disabled: bool
    id: UUID


@command(clients, "list")
async def list_clients(
    settings: "Settings",
    *,
    tenant: Annotated[
        str | None, typer.Option(metavar="SLUG", help="The organisation's short name.")
    ] = None,
) -> list[ClientShown]:
    """List the programs that call the APIs.

    Examples:
        demarc client list --tenant veloz
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        every = [await identity.tenant_named(tx, tenant)] if tenant else await identity.tenants(tx)
        return [
            _shown(owner.slug, one)
            for owner in every
            for one in await identity.clients(tx, owner.id)
        ]


@command(clients, "role")
async def give_role(
    settings: "Settings",
    *,
    tenant: Tenant,
    api: Api,
    client: Name,
    role: Annotated[str, typer.Argument(help="As in `demarc role list`.")],
) -> ClientShown:
    """Say what a client may do.

    Examples:
        demarc client role veloz aex crm support
    """
    return await _change(settings, tenant, api, client, role=role)


@command(clients, "scopes")
async def set_scopes(
    settings: "Settings",
    *,
    tenant: Tenant,
    api: Api,
    client: Name,
    scopes: Annotated[list[str], typer.Argument(help="read, write, or both.")],
) -> ClientShown:
    """Narrow what a client may do to reading, or widen it again.

    Examples:
        demarc client scopes veloz aex crm read
        demarc client scopes veloz aex crm read write
    """
    return await _change(settings, tenant, api, client, scopes=scopes)


@command(clients, "disable")
async def disable(
    settings: "Settings",
    *,
    tenant: Tenant,
    api: Api,
    client: Name,
    enable: Annotated[bool, typer.Option("--enable", help="Let it in again.")] = False,
) -> ClientShown:
    """Shut a client out with all its tokens, or let it in again.

    Examples:
        demarc client disable veloz aex crm
        demarc client disable veloz aex crm --enable
    """
    return await _change(settings, tenant, api, client, disabled=not enable)


async def _change(
    settings: "Settings",
    tenant: str,
    api: str,
    client: str,
    *,
    role: str | None = None,
    scopes: list[str] | None = None,
    disabled: bool | None = None,
) -> ClientShown:
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        owner = await identity.tenant_named(tx, tenant)
        known = await identity.client_named(tx, tenant_id=owner.id, api=api, name=client)
        changed = await identity.change_client(
            tx, known.id, role=role, scopes=scopes, disabled=disabled
        )
    return _shown(owner.slug, changed)


def _shown(tenant: str, one: "ApiClient") -> ClientShown:
    return ClientShown(
        tenant=tenant,
        api=one.api,
        client=one.name,
        role=one.role,
        scopes=one.scopes,
        disabled=one.disabled_at is not None,
        id=one.id,
    )


__all__ = ["clients"]
