"""Commands for NASes."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec
import typer

from demarc.cli.frame import command, group
from demarc.cli.secrets import FROM_ENVIRONMENT, secret

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.domains.aaa.model import Nas
    from demarc.domains.aaa.nas_clients import NasClient
    from demarc.domains.identity.model import Network as NetworkOf
    from demarc.platform.database import Tx
    from demarc.platform.settings import Settings
    from demarc.views.nas_status import NasStatus

nases = group("nas", "Network access servers: where subscribers log in.")

Network = Annotated[
    str | None,
    typer.Option("--network", metavar="SLUG", help="May be left out where there is one network."),
]
Reach = Annotated[str, typer.Option(help="Whose workers reach it.")]
Make = Literal[
    "generic", "mikrotik", "huawei", "juniper", "cisco", "nokia", "zte", "accel-ppp", "wispr"
]


class NasShown(msgspec.Struct, frozen=True):
    """A NAS as commands show it, without its secret.

    Attributes:
        signing: addresses that have sent Message-Authenticator, and must where "auto" requires it.
    """

    id: UUID
    network: str
    name: str
    prefix: str
    vendor: str
    coa_port: int
    coa: str
    default_realm: str | None
    require_message_authenticator: str
    limit_proxy_state: str
    signing: int
    certificate: str | None
    mac_authentication: bool
    circuit_authentication: bool
    interim_interval: int
    reach: str


class ClientShown(msgspec.Struct, frozen=True):
    """An address of a NAS that has proved to know its secret.

    Attributes:
        signs_since: when it first sent Message-Authenticator; none if it never did.
    """

    address: str
    signs_since: datetime | None
    last_seen_at: datetime
    last_answered_at: datetime | None


class NasDetail(NasShown, frozen=True):
    """A NAS with the addresses it was seen at."""

    clients: list[ClientShown]


# NASes


@command(nases, "list")
async def list_nases(settings: "Settings", network: Network = None) -> list[NasShown]:
    """List NASes. Secrets are not shown.

    Examples:
        demarc nas list --network norte
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        return await _nases(desk, tx, network)


@command(nases, "add")
async def add_nas(
    settings: "Settings",
    *,
    name: Annotated[str, typer.Argument(help="As you call it.")],
    prefix: Annotated[str, typer.Argument(help="Its address, or a prefix that shares a secret.")],
    network: Network = None,
    vendor: Annotated[Make, typer.Option(help="Its make, whose attributes it takes.")] = "generic",
    secret_env: FROM_ENVIRONMENT = None,
    coa_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Where it takes CoA- and Disconnect-Requests.")
    ] = 3799,
    coa: Annotated[
        Literal["change", "disconnect", "none"],
        typer.Option(help="Live sessions can be changed there, only ended, or neither."),
    ] = "change",
    default_realm: Annotated[
        str | None, typer.Option(help="The realm of log-ins that name none.")
    ] = None,
    require_message_authenticator: Annotated[
        Literal["yes", "no", "auto"],
        typer.Option(help="Of its Access-Requests; auto: from the first one that has it."),
    ] = "auto",
    limit_proxy_state: Annotated[
        Literal["yes", "no", "auto"],
        typer.Option(help="Drop unsigned ones with Proxy-State; auto: unless it need never sign."),
    ] = "auto",
    certificate: Annotated[
        str | None, typer.Option(help="Over RadSec: a name in its certificate, or sha256:....")
    ] = None,
    mac_authentication: Annotated[
        bool, typer.Option("--mac-authentication", help="It may log in by MAC address alone.")
    ] = False,
    circuit_authentication: Annotated[
        bool, typer.Option("--circuit-authentication", help="It may log in by the line alone.")
    ] = False,
    interim_interval: Annotated[
        int, typer.Option(min=10, max=86400, help="Seconds between interim updates.")
    ] = 300,
    reach: Annotated[str, typer.Option(help="Whose workers reach it.")] = "default",
) -> NasShown:
    """Add a NAS, or a prefix of them. The secret is asked for, or read from a pipe.

    Examples:
        demarc nas add bng-1 192.0.2.1 --vendor mikrotik
        BNG_SECRET=... demarc nas add bngs 192.0.2.0/28 --secret-env BNG_SECRET
    """
    from demarc.cli.desk import opened
    from demarc.domains.errors import NotFound

    async with opened(settings) as desk, desk.system() as tx:
        on = await desk.network_meant(tx, network)
        realm = None
        if default_realm is not None:
            realm = (await _realms(desk, tx)).get(default_realm.lower())
            if realm is None:
                raise NotFound("realm", default_realm)
        await desk.parts.aaa.create_nas(
            tx,
            owner_id=on.owner_id,
            network_id=on.id,
            name=name,
            prefix=prefix,
            secret=secret("Secret", secret_env),
            vendor=vendor,
            coa_port=coa_port,
            coa=coa,
            default_realm_id=realm,
            require_message_authenticator=require_message_authenticator,
            limit_proxy_state=limit_proxy_state,
            certificate=certificate,
            mac_authentication=mac_authentication,
            circuit_authentication=circuit_authentication,
            interim_interval=interim_interval,
            reach=reach,
        )
        return next(one for one in await _nases(desk, tx, on.slug) if one.name == name)


@command(nases, "show")
async def show_nas(
    settings: "Settings",
    *,
    name: Annotated[str, typer.Argument(help="As you call it.")],
    network: Network = None,
) -> NasDetail:
    """Show a NAS, and which of its addresses were seen and must sign.

    Examples:
        demarc nas show bng-1
    """
    from demarc.cli.desk import opened
    from demarc.domains.aaa import nas_clients

    async with opened(settings) as desk, desk.system() as tx:
        on, found = await _meant(desk, tx, name, network)
        shown = next(one for one in await _nases(desk, tx, on.slug) if one.id == found.id)
        return NasDetail(
            **msgspec.structs.asdict(shown),
            clients=[_client(one) for one in await nas_clients.of_nas(tx, found.id)],
        )


@command(nases, "unlock")
async def unlock_nas(
    settings: "Settings",
    *,
    name: Annotated[str, typer.Argument(help="As you call it.")],
    address: Annotated[
        str | None, typer.Argument(help="This one of its addresses; all if left out.")
    ] = None,
    network: Network = None,
) -> list[ClientShown]:
    """Let a NAS leave out Message-Authenticator again, as when an older one took its place.

    It holds for require_message_authenticator = "auto", and until it sends one again. The
    addresses that were unlocked are shown.

    Examples:
        demarc nas unlock bng-1
        demarc nas unlock bngs 192.0.2.3
    """
    from ipaddress import ip_address

    from demarc.cli.desk import opened
    from demarc.domains.aaa import nas_clients
    from demarc.domains.errors import Invalid

    try:
        only = None if address is None else str(ip_address(address))
    except ValueError:
        raise Invalid("address", f"{address} is no IP address") from None
    async with opened(settings) as desk, desk.system() as tx:
        _, found = await _meant(desk, tx, name, network)
        return [_client(one) for one in await nas_clients.unlock(tx, found, only)]


@command(nases, "status")
async def nas_status(settings: "Settings", network: Network = None) -> list["NasStatus"]:
    """Show how NASes do: live sessions, and log-ins of the last hour.

    Examples:
        demarc nas status
    """
    from demarc.cli.desk import opened
    from demarc.views import nas_status as view

    async with opened(settings) as desk, desk.system() as tx:
        on = None if network is None else await desk.parts.identity.network_named(tx, network)
        return await view.status(tx, None if on is None else on.id)


async def _meant(
    desk: "Desk", tx: "Tx", name: str, network: str | None
) -> tuple["NetworkOf", "Nas"]:
    from demarc.domains.errors import NotFound

    on = await desk.network_meant(tx, network)
    for one in await desk.parts.aaa.nases(tx, on.id):
        if one.name == name:
            return on, one
    raise NotFound("nas", name)


def _client(one: "NasClient") -> ClientShown:
    return ClientShown(one.address, one.signs_since, one.last_seen_at, one.last_answered_at)


async def _nases(desk: "Desk", tx: "Tx", network: str | None) -> list[NasShown]:
    from demarc.domains.aaa import nas_clients

    signing = Counter(signer.nas_id for signer in await nas_clients.signers(tx))
    realms = {realm: name for name, realm in (await _realms(desk, tx)).items()}
    return [
        NasShown(
            id=one.id,
            network=on.slug,
            name=one.name,
            prefix=one.prefix,
            vendor=one.vendor,
            coa_port=one.coa_port,
            coa=one.coa,
            default_realm=realms.get(one.default_realm_id) if one.default_realm_id else None,
            require_message_authenticator=one.require_message_authenticator,
            limit_proxy_state=one.limit_proxy_state,
            signing=signing[one.id],
            certificate=one.certificate,
            mac_authentication=one.mac_authentication,
            circuit_authentication=one.circuit_authentication,
            interim_interval=one.interim_interval,
            reach=one.reach,
        )
        for on in await desk.networks_meant(tx, network)
        for one in await desk.parts.aaa.nases(tx, on.id)
    ]


async def _realms(desk: "Desk", tx: "Tx") -> dict[str, UUID]:
    return {
        realm.name: realm.id
        for tenant in await desk.parts.identity.tenants(tx)
        for realm in await desk.parts.aaa.realms(tx, tenant.id)
    }


__all__ = ["nases"]
