"""Commands for people who log in."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from demarc.cli.frame import command, group
from demarc.cli.secrets import FROM_ENVIRONMENT, secret

if TYPE_CHECKING:
    from demarc.cli.desk import Desk
    from demarc.domains.identity.model import Person
    from demarc.platform.database import Tx
    from demarc.platform.settings import Settings

users = group(
    "user",
    """People who log in to Demarc itself (subscribers are customers), and what they may do where.

\b
A person has a role at each organisation they work for; demarc role list shows what each permits:
    admin, noc, support, field, finance, readonly, integrator, and the organisation's own

They call the APIs with e-mail and password (HTTP Basic); who works for several organisations
names one in the header X-Demarc-Tenant, else it is the one where they have had a role for longest.
A new role, a new password or a shut door counts from their next call on. Programs have tokens
instead: demarc token, demarc client.""",
)

_GENERATED = 16


class UserShown(msgspec.Struct, frozen=True):
    """A person as commands show them."""

    email: str
    name: str
    roles: dict[str, str]
    disabled: bool
    password: str | msgspec.UnsetType = msgspec.UNSET


@command(users, "list")
async def list_users(
    settings: "Settings",
    *,
    tenant: Annotated[
        str | None, typer.Option(metavar="SLUG", help="The organisation's short name.")
    ] = None,
) -> list[UserShown]:
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
    email: Annotated[str, typer.Argument(help="What they log in with.")],
    name: Annotated[str, typer.Option(help="As it is shown to others.")],
    tenant: Annotated[str, typer.Option(metavar="SLUG", help="Whom they work for.")],
    role: Annotated[str, typer.Option(help="As in `demarc role list`.")] = "readonly",
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
            raise Conflict(f"{email} is known; see: demarc user grant, demarc user password")
        password = _password(password_env, generate=generate)
        person = await identity.put_person(tx, email=email, name=name, password=password)
        await identity.give_role(tx, person_id=person.id, tenant_id=works_for.id, role=role)
        shown = await _user(desk, tx, person)
    return msgspec.structs.replace(shown, password=password) if generate else shown


@command(users, "grant")
async def grant(
    settings: "Settings",
    *,
    email: Annotated[str, typer.Argument(help="What they log in with.")],
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The organisation's short name.")],
    role: Annotated[str, typer.Argument(help="As in `demarc role list`.")],
) -> UserShown:
    """Say as what a person works for an organisation.

    Examples:
        demarc user grant ana@example.net veloz support
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        person = await identity.person_named(tx, email)
        works_for = await identity.tenant_named(tx, tenant)
        await identity.give_role(tx, person_id=person.id, tenant_id=works_for.id, role=role)
        return await _user(desk, tx, person)


@command(users, "revoke")
async def revoke(
    settings: "Settings",
    *,
    email: Annotated[str, typer.Argument(help="What they log in with.")],
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The organisation's short name.")],
) -> UserShown:
    """Have a person work for an organisation no longer, at once.

    Examples:
        demarc user revoke ana@example.net veloz
    """
    from demarc.cli.desk import opened

    async with opened(settings) as desk, desk.system() as tx:
        identity = desk.parts.identity
        person = await identity.person_named(tx, email)
        works_for = await identity.tenant_named(tx, tenant)
        await identity.take_role(tx, person_id=person.id, tenant_id=works_for.id)
        return await _user(desk, tx, person)


@command(users, "password")
async def set_password(
    settings: "Settings",
    *,
    email: Annotated[str, typer.Argument(help="What they log in with.")],
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
    email: Annotated[str, typer.Argument(help="What they log in with.")],
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


__all__ = ["users"]
