"""Commands for the credentials of a service: by name, by MAC address, by line."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group
from demarc.cli.secrets import secret

if TYPE_CHECKING:
    from demarc.domains.aaa.model import Credential
    from demarc.domains.aaa.service import Aaa
    from demarc.platform.settings import Settings

credentials = group(
    "credential",
    "What a service logs in with: a name, a MAC address, or the line it is on.",
)

Tenant = Annotated[str | None, typer.Option("--tenant", metavar="SLUG", help="Of this ISP alone.")]
Which = Annotated[
    str, typer.Argument(metavar="SERVICE", help="Its id, the ISP's reference, or its log-in.")
]
Kind = Literal["pppoe", "dot1x", "mac", "circuit_id"]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Without the realm; a MAC address in any spelling; the line as the NAS names it.",
    ),
]


class CredentialShown(msgspec.Struct, frozen=True):
    """A credential of a service.

    Attributes:
        stored: how its password is kept: readable, as a hash of a kind, or not at all.
        password: in clear, where it was asked for or has just been made.
    """

    id: UUID
    kind: str
    name: str
    access: str
    stored: str | None
    first_accept_at: datetime | None
    password: str | msgspec.UnsetType | None = msgspec.UNSET


@command(credentials, "list")
async def list_credentials(
    settings: "Settings",
    *,
    service: Which,
    tenant: Tenant = None,
    password: Annotated[
        bool, typer.Option("--password", help="Show the passwords that are readable too.")
    ] = False,
) -> list[CredentialShown]:
    """List the credentials of a service; one that was taken away is closed.

    Examples:
        demarc service credential list u0001@veloz.example
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            aaa = desk.parts.aaa
            return [
                _shown(aaa, one, password=password)
                for one in await aaa.credentials_of(tx, found.id)
            ]


@command(credentials, "add")
async def add_credential(
    settings: "Settings",
    *,
    service: Which,
    kind: Annotated[
        Kind,
        typer.Argument(help="dot1x logs in by EAP alone; mac and circuit_id need no password."),
    ],
    name: Name,
    password_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE", help="Take its password from this variable of the environment."
        ),
    ] = None,
    tenant: Tenant = None,
) -> CredentialShown:
    """Give a service one more credential, with the speed of its first.

    For a name a password is made and shown, unless one is given. A MAC address or a line has
    none, unless one is given; it logs in on NASes that may (demarc nas show). One that was taken
    away from the service comes back.

    Examples:
        demarc service credential add u0001 mac AA:BB:CC:00:11:22
        demarc service credential add u0001 circuit_id "olt-1 xpon 0/1/0/7:42"
        demarc service credential add u0001 dot1x ana
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            made = await desk.parts.aaa.add_credential(
                tx,
                found.id,
                kind=kind,
                username=name,
                password=None if password_env is None else secret("Password", password_env),
            )
            return _shown(desk.parts.aaa, made, password=password_env is None)


@command(credentials, "remove")
async def remove_credential(
    settings: "Settings",
    *,
    service: Which,
    name: Name,
    kind: Annotated[Kind | None, typer.Option(help="Where two kinds have the name.")] = None,
    tenant: Tenant = None,
) -> CredentialShown:
    """Take a credential away from a service, and give its addresses back.

    Its live sessions are not ended. The last credential stays: cancel the service instead.

    Examples:
        demarc service credential remove u0001 aabb.cc00.1122
    """
    from demarc.cli import sought
    from demarc.cli.desk import opened
    from demarc.domains.aaa.macs import canonical
    from demarc.domains.errors import Conflict, NotFound

    async with opened(settings) as desk:
        found = await sought.service(desk, service, tenant)
        async with desk.tenant(found.tenant_id) as tx:
            aaa = desk.parts.aaa
            meant = [
                one
                for one in await aaa.credentials_of(tx, found.id)
                if one.username in {name, canonical(name)}
                and kind in {None, one.kind}
                and one.access != "closed"
            ]
            if not meant:
                raise NotFound("credential", name)
            if len(meant) > 1:
                raise Conflict(f"{name} is a credential of several kinds; say which with --kind")
            await aaa.remove_credential(tx, meant[0])
            (closed,) = [
                one for one in await aaa.credentials_of(tx, found.id) if one.id == meant[0].id
            ]
            return _shown(aaa, closed, password=False)


def _shown(aaa: "Aaa", one: "Credential", *, password: bool) -> CredentialShown:
    return CredentialShown(
        id=one.id,
        kind=one.kind,
        name=one.username,
        access=one.access,
        stored=None if one.secret is None else one.secret_kind,
        first_accept_at=one.first_accept_at,
        password=aaa.password(one) if password else msgspec.UNSET,
    )


__all__ = ["credentials"]
