"""Credentials of services: made, suspended, disconnected, shown."""

from datetime import date, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from demarc.domains.aaa import addresses, queries
from demarc.domains.aaa.equipment import Equipment
from demarc.domains.aaa.model import Access, Credential, RadiusStatus, Realm, UsageDay
from demarc.domains.aaa.pools import Pools
from demarc.domains.aaa.queries import LiveTarget
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.network import commands
from demarc.domains.network.model import Command
from demarc.platform.database import Tx
from demarc.platform.secrets.keys import KeyRing, row_binding
from demarc.platform.secrets.tokens import generate_password

ATTEMPTS_SHOWN = 20
SESSIONS_SHOWN = 50

DISCONNECT = "radius.disconnect"
"""The kind of command that ends a session, and the task that carries it out."""

_DISCONNECT_WITHIN = timedelta(minutes=2)
_UNWANTED_AFTER = timedelta(minutes=1)
_UNWANTED_AGAIN = timedelta(minutes=10)
# RFC 2865: an attribute holds 253 octets; the realm needs room in it too
_LONGEST_USERNAME = 128
# what PAP can carry (RFC 2865, 5.2)
_LONGEST_PASSWORD = 128


class Aaa(Equipment, Pools):
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
            username: without the realm.
            password: None to have one made.
            download_bps: bit/s towards the subscriber.
            upload_bps: bit/s from the subscriber.
            static_ipv4: an address of its own; else one of a pool.
            static_ipv6_prefix: a prefix of its own for the line; else one of a pool.
            static_delegated_prefix: a prefix of its own to be delegated; else one of a pool.
            timezone: of the premise; None for the tenant's.
            max_sessions: stations at a time.

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
            username=_username(username),
            secret=self._encrypt_password(credential_id, password),
            download_bps=download_bps,
            upload_bps=upload_bps,
            max_sessions=max_sessions,
            timezone=await self._timezone(tx, tenant_id, timezone),
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

    def password(self, credential: Credential) -> str | None:
        """Give a credential's password in clear, where it has one."""
        if credential.secret is None:
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

    async def set_speed(self, tx: Tx, service_id: UUID, download_bps: int, upload_bps: int) -> None:
        """Change the speed (bit/s) that the next log-in gets."""
        await queries.SET_SPEED.run(
            tx, service_id=service_id, download_bps=download_bps, upload_bps=upload_bps
        )

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

    async def disconnect(self, tx: Tx, service_id: UUID, reason: str) -> list[Command]:
        """Have the NASes end a service's live sessions.

        Args:
            tx: the commands exist, and their jobs run, if it commits.
            service_id: the service.
            reason: why, kept with each command.

        Returns:
            A command for each session; its answer is the NAS's own.
        """
        targets = await queries.LIVE_TARGETS.all(tx, service_id=service_id)
        return [await _disconnect(tx, target, reason) for target in targets]

    async def disconnect_unwanted(self, tx: Tx) -> list[Command]:
        """Have sessions ended that live although their log-ins are suspended or closed.

        They were let in before the suspension was heard of, or their NAS did not answer when it
        was asked to end them. A session is asked for once in ten minutes, 500 at a time.

        Args:
            tx: of the system.
        """
        targets = await queries.UNWANTED_TARGETS.all(
            tx, kind=DISCONNECT, patience=_UNWANTED_AFTER, pause=_UNWANTED_AGAIN
        )
        return [await _disconnect(tx, target, "may not be logged in") for target in targets]

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


async def _disconnect(tx: Tx, session: LiveTarget, reason: str) -> Command:
    reach = await queries.NAS_REACH.one(tx, id=session.nas_id)
    return await commands.create(
        tx,
        tenant_id=session.tenant_id,
        owner_id=session.owner_id,
        service_id=session.service_id,
        kind=DISCONNECT,
        target_kind="session",
        target_id=session.id,
        reach="default" if reach is None or reach.value is None else reach.value,
        request={
            "reason": reason,
            "nas_id": str(session.nas_id),
            "nas_address": session.nas_address,
            "acct_session_id": session.acct_session_id,
            "username": session.username,
            "framed_ipv4": session.framed_ipv4,
            "calling_station_id": session.calling_station_id,
            "nas_port_id": session.nas_port_id,
        },
        within=_DISCONNECT_WITHIN,
    )


def _username(text: str) -> str:
    if not 0 < len(text.encode()) <= _LONGEST_USERNAME or not text.isprintable():
        raise Invalid("username", f"has 1 to {_LONGEST_USERNAME} octets, all of them printable")
    return text


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("timezone", f"{name} is not known") from None


__all__ = ["ATTEMPTS_SHOWN", "DISCONNECT", "SESSIONS_SHOWN", "Aaa"]
