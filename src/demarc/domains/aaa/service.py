"""Credentials of services: made, suspended, disconnected, shown."""

from datetime import date
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from demarc.domains.aaa import addresses, queries
from demarc.domains.aaa.equipment import Equipment
from demarc.domains.aaa.logins import OF_NETWORK
from demarc.domains.aaa.lookup import Lookup
from demarc.domains.aaa.macs import canonical
from demarc.domains.aaa.model import (
    Access,
    Credential,
    CredentialKind,
    RadiusStatus,
    Realm,
    UsageDay,
    UsageMonth,
)
from demarc.domains.aaa.nat import Nat
from demarc.domains.aaa.policies import Policies
from demarc.domains.aaa.pools import Pools
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.platform.database import Tx
from demarc.platform.secrets.keys import KeyRing, row_binding
from demarc.platform.secrets.tokens import generate_password

ATTEMPTS_SHOWN = 20
SESSIONS_SHOWN = 50

# RFC 2865: an attribute holds 253 octets; the realm needs room in it too
_LONGEST_USERNAME = 128
# what PAP can carry (RFC 2865, 5.2)
_LONGEST_PASSWORD = 128


class Aaa(Equipment, Pools, Nat, Lookup, Policies):
    """Use cases on credentials, with those on the equipment and the addresses they use.

    Args:
        keyring: encrypts passwords and the secrets of NASes.
    """

    def __init__(self, keyring: KeyRing) -> None:
        super().__init__(keyring)
        self._keyring = keyring

    async def create_credential(
        self,
        tx: Tx,
        *,
        tenant_id: UUID,
        owner_id: UUID,
        network_id: UUID,
        service_id: UUID,
        realm: Realm | None,
        username: str,
        password: str | None,
        download_bps: int,
        upload_bps: int,
        static_ipv4: str | None = None,
        static_ipv6_prefix: str | None = None,
        static_delegated_prefix: str | None = None,
        timezone: str | None = None,
        max_sessions: int = 4,
        kind: CredentialKind = "pppoe",
        access: Access = "allowed",
    ) -> Credential:
        """Make a credential that may log in as soon as the transaction commits.

        It gets its address now, so that a log-in needs none.

        Args:
            tx: the transaction.
            tenant_id: the ISP.
            owner_id: the owner of the network.
            network_id: where it may log in.
            service_id: whose it is.
            realm: None for the tenant's default, its first by name.
            username: without the realm; the MAC address, or the name of the line.
            password: None to have one made; for a MAC address and a line None is none.
            download_bps: bit/s towards the subscriber.
            upload_bps: bit/s from the subscriber.
            static_ipv4: an address of its own; else one of a pool.
            static_ipv6_prefix: a prefix of its own for the line; else one of a pool.
            static_delegated_prefix: a prefix of its own to be delegated; else one of a pool.
            timezone: of the premise; None for the tenant's.
            max_sessions: stations at a time.
            kind: what it is known by.
            access: whether it may log in now.

        Raises:
            Invalid: a value cannot be used.
            Conflict: the log-in or the address is taken, or the pools are exhausted.
        """
        if realm is None:
            realms = await self.realms(tx, tenant_id)
            if not realms:
                raise Conflict(
                    "the organisation has no realm to make log-ins in; whoever runs Demarc adds "
                    "one: [[realm]] in the file for `demarc apply`"
                )
            realm = realms[0]
        credential_id = uuid4()
        made = await queries.CREATE_CREDENTIAL.one(
            tx,
            id=credential_id,
            tenant_id=tenant_id,
            owner_id=owner_id,
            network_id=network_id,
            service_id=service_id,
            realm_id=realm.id,
            kind=kind,
            username=_name(kind, username),
            secret=self._secret(kind, credential_id, password),
            download_bps=download_bps,
            upload_bps=upload_bps,
            max_sessions=max_sessions,
            timezone=await self._timezone(tx, tenant_id, timezone),
            access=access,
        )
        if made is None:
            raise Conflict(f"the log-in {username} is taken")
        await addresses.give(
            tx,
            network_id=network_id,
            owner_id=owner_id,
            tenant_id=tenant_id,
            credential_id=made.id,
            static_ipv4=static_ipv4,
            static_ipv6_prefix=static_ipv6_prefix,
            static_delegated_prefix=static_delegated_prefix,
        )
        return made

    async def credentials_of(self, tx: Tx, service_id: UUID) -> list[Credential]:
        """Give a service's credentials, oldest first."""
        return await queries.CREDENTIALS_OF_SERVICE.all(tx, service_id=service_id)

    async def add_credential(
        self,
        tx: Tx,
        service_id: UUID,
        *,
        kind: CredentialKind,
        username: str,
        password: str | None = None,
    ) -> Credential:
        """Give a service one more credential, with the speeds and rights of its first.

        One that was taken away from it before comes back.

        Args:
            tx: the transaction.
            service_id: whose it is.
            kind: what it is known by.
            username: without the realm; the MAC address in any spelling, or the name of the line.
            password: None to have one made; for a MAC address and a line None is none.

        Raises:
            NotFound: the service has no credential yet.
            Invalid: a value cannot be used.
            Conflict: the service has ended, another has that credential, or the pools are
                exhausted.
        """
        all_ = await self.credentials_of(tx, service_id)
        if not all_:
            raise NotFound("credential of service", service_id)
        first = next((one for one in all_ if one.access != "closed"), None)
        if first is None:
            raise Conflict("the service has ended")
        known = next(
            (one for one in all_ if (one.kind, one.username) == (kind, _name(kind, username))), None
        )
        if known is not None:
            return await self._reopen(tx, known, first, password)
        realm = {one.id: one for one in await self.realms(tx, first.tenant_id)}.get(first.realm_id)
        made = await self.create_credential(
            tx,
            tenant_id=first.tenant_id,
            owner_id=first.owner_id,
            network_id=first.network_id,
            service_id=service_id,
            realm=realm,
            username=username,
            password=password,
            download_bps=first.download_bps,
            upload_bps=first.upload_bps,
            timezone=first.timezone,
            max_sessions=first.max_sessions,
            kind=kind,
            access=first.access,
        )
        await audit.put(
            tx, "credential", made.id, before=None, after=made, tenant_id=made.tenant_id
        )
        return made

    async def _reopen(
        self, tx: Tx, known: Credential, first: Credential, password: str | None
    ) -> Credential:
        again = await queries.REOPEN_CREDENTIAL.one(
            tx,
            id=known.id,
            access=first.access,
            secret=None if password is None else self._encrypt_password(known.id, password),
        )
        if again is None:
            raise Conflict(f"the service has the log-in {known.username} already")
        await addresses.lease_first(
            tx, network_id=known.network_id, tenant_id=known.tenant_id, credential_id=known.id
        )
        await audit.put(
            tx, "credential", known.id, before=known, after=again, tenant_id=known.tenant_id
        )
        return again

    async def remove_credential(self, tx: Tx, credential: Credential) -> None:
        """Take a credential away from its service, and give its addresses back.

        It stays, closed, for what has been recorded of it.

        Raises:
            Conflict: it is the service's last.
        """
        others = [
            one
            for one in await self.credentials_of(tx, credential.service_id)
            if one.access != "closed" and one.id != credential.id
        ]
        if not others:
            raise Conflict("a service keeps one credential at least; cancel it instead")
        closed = await queries.CLOSE_CREDENTIAL.one(tx, id=credential.id)
        if closed is not None:
            await addresses.release_one(tx, credential.id)
            await audit.put(
                tx,
                "credential",
                credential.id,
                before=credential,
                after=closed,
                tenant_id=credential.tenant_id,
            )

    def password(self, credential: Credential) -> str | None:
        """Give a credential's password in clear; None where it has none, or only its hash."""
        readable = credential.secret_kind == "cleartext"  # noqa: S105 - the name of a form
        if credential.secret is None or not readable:
            return None
        row = row_binding("credential", "secret", credential.id)
        return self._keyring.decrypt(credential.secret, row=row).decode()

    async def set_password(self, tx: Tx, credential: Credential, password: str | None) -> None:
        """Change a password; None to have one made.

        Raises:
            Invalid: it is too long, or empty.
        """
        await queries.SET_SECRET.run(
            tx, id=credential.id, secret=self._encrypt_password(credential.id, password)
        )

    async def set_access(self, tx: Tx, service_id: UUID, access: Access) -> None:
        """Say whether a service's credentials may log in; live sessions are not touched."""
        await queries.SET_ACCESS.run(tx, service_id=service_id, access=access)

    async def set_timezone(self, tx: Tx, service_id: UUID, timezone: str) -> None:
        """Change whose midnights part the days of usage from now on.

        Raises:
            Invalid: there is no such zone.
        """
        await queries.SET_TIMEZONE.run(tx, service_id=service_id, timezone=_zone(timezone))

    async def release(self, tx: Tx, service_id: UUID) -> None:
        """End the log-ins of a cancelled service and free their addresses.

        The credentials stay, closed, for what has been recorded of them.
        """
        await queries.SET_ACCESS.run(tx, service_id=service_id, access="closed")
        await addresses.release(tx, service_id)

    async def radius_status(self, tx: Tx, service_id: UUID) -> RadiusStatus:
        """Give a service's log-in, its last attempts, live sessions and newest closed ones.

        Raises:
            NotFound: the service has no credential, or is another tenant's.
        """
        credentials = await self.credentials_of(tx, service_id)
        if not credentials:
            raise NotFound("credential of service", service_id)
        first = credentials[0]
        login = await queries.LOGIN.one(tx, realm_id=first.realm_id, username=first.username)
        live = await queries.LIVE_SESSIONS.all(tx, service_id=service_id, limit=SESSIONS_SHOWN)
        closed = await queries.CLOSED_SESSIONS.all(tx, service_id=service_id, limit=SESSIONS_SHOWN)
        return RadiusStatus(
            username=first.username if login is None else str(login.value),
            password=self.password(first),
            attempts=await queries.ATTEMPTS_OF_SERVICE.all(
                tx, service_id=service_id, limit=ATTEMPTS_SHOWN
            ),
            sessions=[*live, *closed][:SESSIONS_SHOWN],
        )

    async def usage(self, tx: Tx, service_id: UUID, since: date, until: date) -> list[UsageDay]:
        """Give what was used on each local day, both days included; days without use are not there.

        Raises:
            Invalid: the period ends before it begins.
        """
        if until < since:
            raise Invalid("until", "lies before since")
        return await queries.USAGE.all(tx, service_id=service_id, since=since, until=until)

    async def usage_by_month(
        self, tx: Tx, service_id: UUID, since: date, until: date
    ) -> list[UsageMonth]:
        """Give what was used in each local month; of the first and last, the days asked for alone.

        Like `usage` it knows of a live session what its NAS last told, and nothing since.

        Raises:
            Invalid: the period ends before it begins.
        """
        if until < since:
            raise Invalid("until", "lies before since")
        return await queries.USAGE_BY_MONTH.all(tx, service_id=service_id, since=since, until=until)

    def _secret(
        self, kind: CredentialKind, credential_id: UUID, password: str | None
    ) -> bytes | None:
        if password is None and kind in OF_NETWORK:
            return None
        return self._encrypt_password(credential_id, password)

    def _encrypt_password(self, credential_id: UUID, password: str | None) -> bytes:
        if password is None:
            password = generate_password()
        octets = password.encode()
        if not 0 < len(octets) <= _LONGEST_PASSWORD or b"\0" in octets:
            raise Invalid("password", f"has 1 to {_LONGEST_PASSWORD} octets, none of them zero")
        return self._keyring.encrypt(octets, row=row_binding("credential", "secret", credential_id))

    @staticmethod
    async def _timezone(tx: Tx, tenant_id: UUID, timezone: str | None) -> str:
        if timezone is not None:
            return _zone(timezone)
        found = await queries.TENANT_TIMEZONE.one(tx, id=tenant_id)
        # the owner of the network does not see its ISPs
        return "UTC" if found is None else str(found.value)


def _name(kind: CredentialKind, text: str) -> str:
    if kind == "mac":
        mac = canonical(text)
        if mac is None:
            raise Invalid("username", f"{text} is not a MAC address")
        return mac
    return _username(text)


def _username(text: str) -> str:
    if not 0 < len(text.encode()) <= _LONGEST_USERNAME or not text.isprintable():
        raise Invalid("username", f"has 1 to {_LONGEST_USERNAME} octets, all of them printable")
    return text


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("timezone", f"{name} is not known") from None


__all__ = ["ATTEMPTS_SHOWN", "SESSIONS_SHOWN", "Aaa"]
