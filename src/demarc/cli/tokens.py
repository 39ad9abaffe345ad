"""Commands for the tokens of API clients."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group

if TYPE_CHECKING:
    from demarc.platform.settings import Settings

tokens = group(
    "token",
    """Tokens of API clients: the programs that call the APIs.

\b
A token is good for one API of one organisation:
    aex                               an ISP's services, customers and orders
    fno                               the services on a network, for its owner
    hubsoft, flashman, krill, peplink APIs that are not served yet

It is sent as "Authorization: Bearer dmk_...", shown once and kept as a digest: who loses it is
issued another. One that is revoked is refused at once, and after 15 seconds even by a process
that had lost its connection to the database's news.""",
)


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
async def list_tokens(
    settings: "Settings",
    *,
    tenant: Annotated[
        str | None, typer.Option(metavar="SLUG", help="The organisation's short name.")
    ] = None,
) -> list[TokenShown]:
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
    """Make a token worthless: at once, everywhere within 15 seconds.

    Examples:
        demarc token revoke 0b9e6f5c-3f0e-4b64-9f0c-2a4f4de1a001
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        await desk.parts.identity.revoke_token(tx, token)


__all__ = ["tokens"]
