"""Use cases of identity: organisations, networks, people, API clients and who calls."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from demarc.domains.errors import Conflict, Invalid, Limited, NotFound
from demarc.domains.identity import audit, queries
from demarc.domains.identity.model import (
    ApiClient,
    ApiToken,
    Network,
    Person,
    PersonRole,
    Role,
    Tenant,
)
from demarc.domains.identity.permissions import is_pattern
from demarc.platform.database import Tx
from demarc.platform.secrets.passwords import LONGEST, Overloaded, PasswordPool
from demarc.platform.secrets.tokens import digest, new_token

APIS = ("aex", "fno", "hubsoft", "flashman", "krill", "peplink")
SCOPES = ("read", "write")
TRIGGERS = ("accept", "onu_online")

Row = TypeVar("Row")

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ROLE_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_HINT = 10
SHORTEST_PASSWORD = 10


class Identity:
    """Organisations, people and API clients. Methods never commit."""

    def __init__(self, passwords: PasswordPool) -> None:
        self._passwords = passwords

    # organisations and networks

    async def put_tenant(
        self,
        tx: Tx,
        *,
        slug: str,
        name: str,
        timezone: str = "UTC",
        locale: str = "en",
        country: str | None = None,
        currency: str | None = None,
        login_pattern: str = "{number:06d}",
        activate_on: Iterable[str] = TRIGGERS,
    ) -> Tenant:
        """Create an organisation, or bring the one of that slug to these values.

        Raises:
            Invalid: a value cannot be taken.
        """
        _check_slug(slug)
        _check_name(name)
        if country is not None and not _COUNTRY.fullmatch(country):
            raise Invalid("country", "must be two capital letters (ISO 3166-1)")
        if currency is not None and not _CURRENCY.fullmatch(currency):
            raise Invalid("currency", "must be three capital letters (ISO 4217)")
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError) as unknown:
            raise Invalid("timezone", f"{timezone!r} is not a time zone") from unknown
        triggers = sorted(set(activate_on))
        if unknown_triggers := set(triggers) - set(TRIGGERS):
            raise Invalid("activate_on", f"knows no {', '.join(sorted(unknown_triggers))}")
        before = await queries.FIND_TENANT.one(tx, slug=slug)
        after = await queries.PUT_TENANT.one(
            tx,
            slug=slug,
            name=name,
            timezone=timezone,
            locale=locale,
            country=country,
            currency=currency,
            login_pattern=login_pattern,
            activate_on=triggers,
        )
        made = _given(after)
        await audit.put(tx, "tenant", made.id, before=before, after=made, tenant_id=made.id)
        return made

    async def tenants(self, tx: Tx) -> list[Tenant]:
        """Give every organisation."""
        return await queries.TENANTS.all(tx)

    async def tenant_named(self, tx: Tx, slug: str) -> Tenant:
        """Give an organisation by its slug.

        Raises:
            NotFound: there is none.
        """
        found = await queries.FIND_TENANT.one(tx, slug=slug)
        if found is None:
            raise NotFound("tenant", slug)
        return found

    async def tenant(self, tx: Tx, tenant_id: UUID) -> Tenant:
        """Give an organisation by its id.

        Raises:
            NotFound: there is none.
        """
        found = await queries.GET_TENANT.one(tx, id=tenant_id)
        if found is None:
            raise NotFound("tenant", tenant_id)
        return found

    async def next_service_number(self, tx: Tx) -> int:
        """Take the next number of the transaction's tenant; none is given twice."""
        taken = await queries.NEXT_SERVICE_NUMBER.one(tx, id=tx.tenant)
        if taken is None:
            raise NotFound("tenant", tx.tenant)
        return int(taken.value)

    async def next_service_numbers(self, tx: Tx, count: int, *, above: int = 0) -> range:
        """Take numbers for many new services of the transaction's tenant.

        Args:
            tx: they are taken if it commits.
            count: how many.
            above: they, and all numbers given later, are greater than this one.
        """
        taken = await queries.NEXT_SERVICE_NUMBERS.one(tx, id=tx.tenant, count=count, above=above)
        if taken is None:
            raise NotFound("tenant", tx.tenant)
        return range(taken.value + 1, taken.value + 1 + count)

    async def put_network(self, tx: Tx, *, owner_id: UUID, slug: str, name: str) -> Network:
        """Create a network, or rename the owner's one of that slug.

        Raises:
            Invalid: the slug is no slug, another owner's network has it, or the name is empty.
        """
        _check_slug(slug)
        _check_name(name)
        before = await queries.FIND_NETWORK.one(tx, slug=slug)
        made = await queries.PUT_NETWORK.one(tx, owner_id=owner_id, slug=slug, name=name)
        if made is None:
            raise Invalid("slug", f"{slug!r} is another owner's network")
        await audit.put(tx, "network", made.id, before=before, after=made, tenant_id=made.owner_id)
        return made

    async def networks(self, tx: Tx) -> list[Network]:
        """Give every network the transaction may see."""
        return await queries.NETWORKS.all(tx)

    async def network_named(self, tx: Tx, slug: str) -> Network:
        """Give a network by its slug.

        Raises:
            NotFound: there is none.
        """
        found = await queries.FIND_NETWORK.one(tx, slug=slug)
        if found is None:
            raise NotFound("network", slug)
        return found

    async def network(self, tx: Tx, network_id: UUID) -> Network:
        """Give a network by its id.

        Raises:
            NotFound: there is none.
        """
        found = await queries.GET_NETWORK.one(tx, id=network_id)
        if found is None:
            raise NotFound("network", network_id)
        return found

    async def admit_isp(self, tx: Tx, network: Network, tenant_id: UUID) -> bool:
        """Let an organisation sell on a network; False if it did so already."""
        admitted = bool(
            await queries.ADMIT_ISP.run(
                tx, network_id=network.id, owner_id=network.owner_id, tenant_id=tenant_id
            )
        )
        if admitted:
            await audit.write(
                tx,
                action="admit_isp",
                kind="network",
                key=network.id,
                tenant_id=network.owner_id,
                after={"isp": tenant_id},
            )
        return admitted

    async def network_sold_on(self, tx: Tx, network_id: UUID) -> Network | None:
        """Give the network if the transaction's tenant sells on it."""
        return await queries.IS_ISP_ON.one(tx, network_id=network_id, tenant_id=tx.tenant)

    async def networks_sold_on(self, tx: Tx, tenant_id: UUID) -> list[Network]:
        """Give the networks an organisation sells on."""
        return await queries.NETWORKS_OF.all(tx, tenant_id=tenant_id)

    # people

    async def put_person(
        self, tx: Tx, *, email: str, name: str, password: str | None = None
    ) -> Person:
        """Create a person, or rename the one of that e-mail and set their password if given.

        Raises:
            Invalid: the e-mail is none, the name empty, the password too short or too long, or
                missing for a new person.
            Limited: too many passwords are being hashed.
        """
        email = email.strip().lower()
        if not (_EMAIL.fullmatch(email) and email.isprintable()):
            raise Invalid("email", "is not an e-mail address")
        _check_name(name)
        if password is not None and len(password) < SHORTEST_PASSWORD:
            raise Invalid("password", f"must have at least {SHORTEST_PASSWORD} characters")
        known = await queries.FIND_PERSON.one(tx, email=email)
        if password is None:
            if known is None:
                raise Invalid("password", "is needed for a new person")
            person = _given(await queries.RENAME_PERSON.one(tx, id=known.id, name=name))
            await audit.put(tx, "person", person.id, before=known, after=person)
            return person
        hashed = await self._hashed(password)
        person = _given(
            await queries.PUT_PERSON.one(tx, email=email, name=name, password_hash=hashed)
        )
        before, after = audit.differences(known, person)
        await audit.write(
            tx,
            action="create" if known is None else "set_password",
            kind="person",
            key=person.id,
            before=before,
            after={**after, "password": "new"},
        )
        return person

    async def _hashed(self, password: str) -> str:
        try:
            return await self._passwords.hash(password)
        except ValueError as long:
            raise Invalid("password", f"must have at most {LONGEST} octets") from long
        except Overloaded as full:
            raise Limited(str(full), full.retry_after) from full

    async def has_password(self, tx: Tx, person_id: UUID, password: str) -> bool:
        """Tell whether this is a person's password.

        Raises:
            Overloaded: too many passwords are being verified.
        """
        stored = await queries.PASSWORD_OF.one(tx, id=person_id)
        return bool(await self._passwords.verify(stored.value if stored else None, password))

    async def people(self, tx: Tx) -> list[Person]:
        """Give everybody who may log in."""
        return await queries.PEOPLE.all(tx)

    async def person_named(self, tx: Tx, email: str) -> Person:
        """Give a person by their e-mail.

        Raises:
            NotFound: there is none.
        """
        found = await queries.FIND_PERSON.one(tx, email=email)
        if found is None:
            raise NotFound("person", email)
        return found

    async def roles(self, tx: Tx, person_id: UUID) -> list[PersonRole]:
        """Give what a person may do, and where."""
        return await queries.ROLES.all(tx, person_id=person_id)

    async def give_role(self, tx: Tx, *, person_id: UUID, tenant_id: UUID, role: str) -> None:
        """Let a person work for an organisation, or change as what.

        Raises:
            Invalid: there is no such role.
            NotFound: there is no such person or organisation.
        """
        await self._person(tx, person_id)
        await self.tenant(tx, tenant_id)
        await self._check_role(tx, tenant_id, role)
        held = await queries.ROLES.all(tx, person_id=person_id)
        before = next((one.role for one in held if one.tenant_id == tenant_id), None)
        if before == role:
            return
        await queries.PUT_ROLE.run(tx, person_id=person_id, tenant_id=tenant_id, role=role)
        await audit.write(
            tx,
            action="give_role",
            kind="person",
            key=person_id,
            tenant_id=tenant_id,
            before=None if before is None else {"role": before},
            after={"role": role},
        )

    async def take_role(self, tx: Tx, *, person_id: UUID, tenant_id: UUID) -> bool:
        """Have a person work for an organisation no longer; False if they did not."""
        held = await queries.ROLES.all(tx, person_id=person_id)
        before = next((one.role for one in held if one.tenant_id == tenant_id), None)
        if before is None:
            return False
        await queries.TAKE_ROLE.run(tx, person_id=person_id, tenant_id=tenant_id)
        await audit.write(
            tx,
            action="take_role",
            kind="person",
            key=person_id,
            tenant_id=tenant_id,
            before={"role": before},
        )
        return True

    async def roles_of(self, tx: Tx, tenant_id: UUID | None) -> list[Role]:
        """Give the roles that all organisations have, and an organisation's own."""
        return await queries.ROLES_OF.all(tx, tenant_id=tenant_id)

    async def put_role(
        self, tx: Tx, *, tenant_id: UUID, name: str, title: str, permissions: Iterable[str]
    ) -> Role:
        """Create a role of an organisation's own, or bring the one of that name to these.

        Whoever has it may do what it then says, within seconds.

        Raises:
            Invalid: no name, no such permission, or a name that all organisations have.
        """
        if not _ROLE_NAME.fullmatch(name):
            raise Invalid("name", "must begin with a letter and be of a-z, 0-9 and -")
        _check_name(title)
        wanted = sorted(set(permissions))
        if unknown := [one for one in wanted if not is_pattern(one)]:
            raise Invalid("permissions", f"knows no {', '.join(unknown)}")
        known = {(one.tenant_id, one.name): one for one in await self.roles_of(tx, tenant_id)}
        if (None, name) in known:
            raise Invalid("name", f"{name!r} is a role that all organisations have")
        before = known.get((tenant_id, name))
        made = _given(
            await queries.PUT_OWN_ROLE.one(
                tx, tenant_id=tenant_id, name=name, title=title, permissions=wanted
            )
        )
        await audit.put(tx, "role", made.id, before=before, after=made, tenant_id=tenant_id)
        return made

    async def remove_role(self, tx: Tx, *, tenant_id: UUID, name: str) -> None:
        """Remove a role of an organisation's own.

        Raises:
            NotFound: it has none of that name.
            Conflict: somebody has it.
        """
        known = {one.name: one for one in await self.roles_of(tx, tenant_id) if one.tenant_id}
        if name not in known:
            raise NotFound("role", name)
        holders = _given(await queries.ROLE_HOLDERS.one(tx, tenant_id=tenant_id, name=name))
        if holders.value:
            raise Conflict(f"{holders.value} people and clients have the role {name}")
        await queries.REMOVE_ROLE.run(tx, id=known[name].id)
        gone = known[name]
        await audit.write(
            tx,
            action="remove",
            kind="role",
            key=gone.id,
            tenant_id=tenant_id,
            before={"name": name, "permissions": gone.permissions},
        )

    async def _check_role(self, tx: Tx, tenant_id: UUID, role: str) -> None:
        known = [one.name for one in await self.roles_of(tx, tenant_id)]
        if role not in known:
            raise Invalid("role", f"must be one of {', '.join(known)}")

    async def disable_person(self, tx: Tx, person_id: UUID, *, disabled: bool = True) -> None:
        """Shut a person out, or let them in again; doing it again changes nothing.

        Raises:
            NotFound: there is no such person.
        """
        person = await self._person(tx, person_id)
        if (person.disabled_at is not None) == disabled:
            return
        await queries.SET_PERSON_DISABLED.run(tx, id=person_id, disabled=disabled)
        await audit.write(
            tx, action="disable" if disabled else "enable", kind="person", key=person_id
        )

    async def _person(self, tx: Tx, person_id: UUID) -> Person:
        found = await queries.GET_PERSON.one(tx, id=person_id)
        if found is None:
            raise NotFound("person", person_id)
        return found

    # API clients

    async def put_client(
        self, tx: Tx, *, tenant_id: UUID, api: str, name: str, scopes: Iterable[str] = SCOPES
    ) -> ApiClient:
        """Create an API client, or bring the one of that name to these scopes.

        Raises:
            Invalid: an unknown API or scope, or no name.
        """
        if api not in APIS:
            raise Invalid("api", f"must be one of {', '.join(APIS)}")
        wanted = _scopes(scopes)
        _check_name(name)
        before = await queries.FIND_CLIENT.one(tx, tenant_id=tenant_id, api=api, name=name)
        client = _given(
            await queries.PUT_CLIENT.one(tx, tenant_id=tenant_id, api=api, name=name, scopes=wanted)
        )
        await audit.put(
            tx, "api_client", client.id, before=before, after=client, tenant_id=tenant_id
        )
        return client

    async def client_named(self, tx: Tx, *, tenant_id: UUID, api: str, name: str) -> ApiClient:
        """Give an API client by its name.

        Raises:
            NotFound: there is none.
        """
        found = await queries.FIND_CLIENT.one(tx, tenant_id=tenant_id, api=api, name=name)
        if found is None:
            raise NotFound("client", f"{api}/{name}")
        return found

    async def change_client(
        self,
        tx: Tx,
        client_id: UUID,
        *,
        role: str | None = None,
        scopes: Iterable[str] | None = None,
        disabled: bool | None = None,
    ) -> ApiClient:
        """Give a client another role or other scopes, shut it out or let it in again.

        All its tokens are concerned, within seconds. What is not given stays.

        Raises:
            NotFound: there is no such client.
            Invalid: there is no such role or scope.
        """
        before = await queries.GET_CLIENT.one(tx, id=client_id)
        if before is None:
            raise NotFound("client", client_id)
        if role is not None:
            await self._check_role(tx, before.tenant_id, role)
        after = _given(
            await queries.SET_CLIENT.one(
                tx,
                id=client_id,
                role=role or before.role,
                scopes=before.scopes if scopes is None else _scopes(scopes),
                disabled=before.disabled_at is not None if disabled is None else disabled,
            )
        )
        await audit.put(
            tx, "api_client", client_id, before=before, after=after, tenant_id=before.tenant_id
        )
        return after

    async def clients(self, tx: Tx, tenant_id: UUID) -> list[ApiClient]:
        """Give the API clients of an organisation."""
        return await queries.CLIENTS.all(tx, tenant_id=tenant_id)

    async def issue_token(
        self, tx: Tx, client: ApiClient, *, lives: timedelta | None = None, now: datetime
    ) -> tuple[str, ApiToken]:
        """Make a token for a client. It is shown this once; only its digest is kept.

        Args:
            client: whose token it is.
            lives: how long it is good; for ever if not given.
            now: the time it counts from.
        """
        token = new_token()
        kept = _given(
            await queries.ADD_TOKEN.one(
                tx,
                api_client_id=client.id,
                tenant_id=client.tenant_id,
                digest=digest(token),
                hint=token[:_HINT],
                expires_at=None if lives is None else now + lives,
            )
        )
        await audit.write(
            tx,
            action="issue_token",
            kind="api_client",
            key=client.id,
            tenant_id=client.tenant_id,
            after={"hint": kept.hint, "expires_at": kept.expires_at},
        )
        return token, kept

    async def tokens(self, tx: Tx, tenant_id: UUID) -> list[ApiToken]:
        """Give the tokens of an organisation's clients, without the tokens themselves."""
        return await queries.TOKENS.all(tx, tenant_id=tenant_id)

    async def revoke_token(self, tx: Tx, token_id: UUID) -> ApiToken:
        """Make a token worthless; doing it again changes nothing.

        Raises:
            NotFound: there is no such token.
        """
        revoked = await queries.REVOKE_TOKEN.one(tx, id=token_id)
        if revoked is None:
            known = await queries.GET_TOKEN.one(tx, id=token_id)
            if known is None:
                raise NotFound("token", token_id)
            return known
        await audit.write(
            tx,
            action="revoke_token",
            kind="api_client",
            key=revoked.api_client_id,
            tenant_id=revoked.tenant_id,
            after={"hint": revoked.hint},
        )
        return revoked


def _scopes(scopes: Iterable[str]) -> list[str]:
    wanted = sorted(set(scopes))
    if not wanted or set(wanted) - set(SCOPES):
        raise Invalid("scopes", f"must be of {', '.join(SCOPES)}")
    return wanted


def _check_slug(slug: str) -> None:
    if not _SLUG.fullmatch(slug):
        raise Invalid("slug", "must be of a-z, 0-9 and -, at most 63 characters")


def _check_name(name: str) -> None:
    if not name.strip():
        raise Invalid("name", "must not be empty")
    if not name.isprintable():
        raise Invalid("name", "must be printable")


def _given(row: Row | None) -> Row:
    if row is None:
        raise RuntimeError("a statement that always gives a row gave none")
    return row
