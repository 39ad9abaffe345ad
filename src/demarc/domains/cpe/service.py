"""Devices: met, adopted, heard, and given what they are to do."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import msgspec

from demarc.domains.cpe import procedures, queries
from demarc.domains.cpe.family import Families
from demarc.domains.cpe.keeping import Keeper
from demarc.domains.cpe.model import Assignment, Bootstrap, Cpe, Status
from demarc.domains.cpe.procedures import Begun, Done, Outcome, Procedure, Refused
from demarc.domains.cpe.tree import Tree, is_secret
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.domains.network import commands
from demarc.domains.network.model import Command
from demarc.platform.database import Tx
from demarc.platform.secrets.keys import KeyRing, row_binding
from demarc.platform.secrets.tokens import generate_password
from demarc.protocols.cwmp import events
from demarc.protocols.cwmp.messages import (
    DeviceId,
    Inform,
    ParameterInfo,
    ParameterValue,
    TransferComplete,
)

MOST_QUARANTINED = 10_000
"""Devices that may wait for somebody to adopt them; more are turned away."""

WAKE = "cpe.wake"
"""The task that calls a device by a connection request."""

SET = "cpe.set"
"""The kind of command that sets parameters."""

_PATIENCE = timedelta(minutes=10)
_ROOTS = ("InternetGatewayDevice.", "Device.")
_LEARN_AGAIN = timedelta(days=7)


class Informed(msgspec.Struct, frozen=True):
    """What an Inform came to.

    Attributes:
        cpe: as it is known now.
        events: what it told of.
        changed: paths whose values are other than before.
    """

    cpe: Cpe
    events: frozenset[str]
    changed: frozenset[str]


class Due(msgspec.Struct, frozen=True):
    """Something a device is to do in this session.

    Attributes:
        name: of what it is, for logs and figures.
        procedure: how.
        command_id: the command that asked for it; None for what nobody in particular asked for.
    """

    name: str
    procedure: Procedure
    command_id: UUID | None = None


class Cpes:
    """Use cases on devices in subscribers' homes.

    Args:
        keyring: encrypts passwords.
    """

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring
        self._keeper = Keeper(keyring)

    # who it is

    async def identify(self, tx: Tx, device: DeviceId) -> Cpe | None:
        """Give the device that says to be this one; None if it was never met."""
        return await queries.IDENTIFY.one(
            tx,
            oui=device.oui,
            serial_number=device.serial_number,
            product_class=device.product_class,
        )

    async def meet(self, tx: Tx, device: DeviceId) -> Cpe:
        """Put a device that nobody knows into quarantine.

        Raises:
            Invalid: it does not say who it is.
            Conflict: too many are there already.
        """
        if not device.serial_number or not device.oui:
            raise Invalid("device", "does not say its serial number and its maker")
        waiting = await queries.COUNT_QUARANTINED.one(tx)
        if waiting is not None and waiting.value >= MOST_QUARANTINED:
            raise Conflict("too many unknown devices wait for adoption")
        met = await queries.MEET.one(
            tx,
            oui=device.oui,
            product_class=device.product_class,
            serial_number=device.serial_number,
            manufacturer=device.manufacturer,
        )
        if met is None:
            raise RuntimeError("INSERT .. RETURNING gave no row")
        return met

    async def find(self, tx: Tx, cpe_id: UUID) -> Cpe:
        """Give a device.

        Raises:
            NotFound: there is none, or it is another tenant's.
        """
        found = await queries.FIND.one(tx, id=cpe_id)
        if found is None:
            raise NotFound("cpe", cpe_id)
        return found

    async def named(self, tx: Tx, name: str) -> Cpe:
        """Give the device of a serial number, a MAC address or an id.

        Raises:
            NotFound: there is none, or it is another tenant's.
            Conflict: there are several; the id tells them apart.
        """
        try:
            return await self.find(tx, UUID(name))
        except ValueError:
            pass
        found = await queries.NAMED.all(tx, name=name)
        if not found:
            raise NotFound("cpe", name)
        if len(found) > 1:
            raise Conflict(f"several devices are called {name}: give the id of one")
        return found[0]

    async def of_tenant(self, tx: Tx, tenant_id: UUID, limit: int = 100) -> list[Cpe]:
        """Give a tenant's devices, the newest first."""
        return await queries.OF_TENANT.all(tx, tenant_id=tenant_id, limit=limit)

    async def quarantined(self, tx: Tx, limit: int = 100) -> list[Cpe]:
        """Give the devices that wait for adoption, the newest first."""
        return await queries.QUARANTINED.all(tx, limit=limit)

    async def adopt(self, tx: Tx, cpe_id: UUID, tenant_id: UUID) -> Cpe:
        """Take a device out of quarantine for a tenant; it is given passwords in its next session.

        Args:
            tx: of the system.
            cpe_id: which.
            tenant_id: whose it becomes.

        Raises:
            NotFound: there is no such device.
            Conflict: it is not in quarantine.
        """
        adopted = await queries.ADOPT.one(tx, id=cpe_id, tenant_id=tenant_id)
        if adopted is None:
            known = await self.find(tx, cpe_id)
            raise Conflict(f"the device {known.serial_number} is not in quarantine")
        for part in queries.ADOPT_PARTS:
            await part.run(tx, id=cpe_id, tenant_id=tenant_id)
        adopted = await self._renew_secrets(tx, adopted)
        await audit.put(tx, "cpe", cpe_id, before=None, after=adopted, tenant_id=tenant_id)
        return adopted

    async def _renew_secrets(self, tx: Tx, cpe: Cpe) -> Cpe:
        """Make new passwords, to be given to the device in its next session."""
        changed = msgspec.structs.replace(
            cpe,
            acs_username=cpe.acs_username or username_of(cpe),
            acs_next_secret=self._encrypt(cpe.id, "acs_next_secret", generate_password()),
            request_username=cpe.request_username or username_of(cpe),
            request_secret=self._encrypt(cpe.id, "request_secret", generate_password()),
        )
        await self._put_credentials(tx, changed)
        return changed

    async def _put_credentials(self, tx: Tx, cpe: Cpe) -> None:
        await queries.SET_CREDENTIALS.run(
            tx,
            id=cpe.id,
            acs_username=cpe.acs_username,
            acs_secret=cpe.acs_secret,
            acs_next_secret=cpe.acs_next_secret,
            request_username=cpe.request_username,
            request_secret=cpe.request_secret,
        )

    async def put_bootstrap(
        self, tx: Tx, *, tenant_id: UUID, username: str, password: str, adopts: bool = True
    ) -> Bootstrap:
        """Say what a tenant's devices prove themselves with before they have own passwords.

        Raises:
            Invalid: the name or the password is empty.
            Conflict: another tenant's devices use that name.
        """
        if not username.strip() or not password:
            raise Invalid("username" if password else "password", "must not be empty")
        key = uuid4()
        made = await queries.PUT_BOOTSTRAP.one(
            tx,
            id=key,
            tenant_id=tenant_id,
            username=username,
            secret=self._keyring.encrypt(
                password.encode(), row=row_binding("cpe_bootstrap", "secret", key)
            ),
            adopts=adopts,
        )
        if made is None:
            raise Conflict(f"the name {username} is taken")
        await audit.put(tx, "cpe_bootstrap", made.id, before=None, after=made, tenant_id=tenant_id)
        return made

    async def bootstrap(self, tx: Tx, username: str) -> tuple[Bootstrap, str] | None:
        """Give what devices of some tenant prove themselves with by this name, and its password."""
        found = await queries.FIND_BOOTSTRAP.one(tx, username=username)
        if found is None:
            return None
        row = row_binding("cpe_bootstrap", "secret", found.id)
        return found, self._keyring.decrypt(found.secret, row=row).decode()

    def passwords(self, cpe: Cpe) -> list[str]:
        """Give the passwords a device may prove itself with; none means that it need not."""
        found = []
        if cpe.acs_secret is not None:
            found.append(self._decrypt(cpe.id, "acs_secret", cpe.acs_secret))
            if cpe.acs_next_secret is not None:
                found.append(self._decrypt(cpe.id, "acs_next_secret", cpe.acs_next_secret))
        return found

    def request_password(self, cpe: Cpe) -> str | None:
        """Give the password for connection requests, where there is one."""
        if cpe.request_secret is None:
            return None
        return self._decrypt(cpe.id, "request_secret", cpe.request_secret)

    def _encrypt(self, cpe_id: UUID, column: str, text: str) -> bytes:
        return self._keyring.encrypt(text.encode(), row=row_binding("cpe", column, cpe_id))

    def _decrypt(self, cpe_id: UUID, column: str, octets: bytes) -> str:
        return self._keyring.decrypt(octets, row=row_binding("cpe", column, cpe_id)).decode()

    # whom it serves

    async def assign(self, tx: Tx, cpe_id: UUID, service_id: UUID) -> Assignment:
        """Say that a device serves a service from now on, and no other.

        Raises:
            NotFound: there is no such device of the tenant's.
            Conflict: it is in quarantine.
        """
        cpe = await queries.LOCK.one(tx, id=cpe_id)
        if cpe is None:
            raise NotFound("cpe", cpe_id)
        if cpe.tenant_id is None:
            raise Conflict(f"the device {cpe.serial_number} is in quarantine")
        now = await queries.ASSIGNED.one(tx, cpe_id=cpe_id)
        if now is not None and now.service_id == service_id:
            return now
        await queries.RELEASE.run(tx, cpe_id=cpe_id)
        made = await queries.ASSIGN.one(
            tx, cpe_id=cpe_id, service_id=service_id, tenant_id=cpe.tenant_id
        )
        if made is None:
            raise RuntimeError("INSERT .. RETURNING gave no row")
        return made

    async def assigned(self, tx: Tx, cpe_id: UUID) -> Assignment | None:
        """Give which service a device serves now."""
        return await queries.ASSIGNED.one(tx, cpe_id=cpe_id)

    async def of_service(self, tx: Tx, service_id: UUID) -> list[Cpe]:
        """Give the devices that serve a service, the one that has done so longest first."""
        return await queries.CPES_OF_SERVICE.all(tx, service_id=service_id)

    # what it tells

    async def informed(
        self, tx: Tx, cpe: Cpe, inform: Inform, *, address: str, now: datetime
    ) -> Informed:
        """Take what a device says at the beginning of a session.

        Args:
            tx: of the system.
            cpe: which, having proved itself if it must.
            inform: what it says.
            address: where it speaks from.
            now: UTC.
        """
        happened = frozenset(each.code for each in inform.events)
        changed = await self._keeper.values(tx, cpe, inform.parameters, now)
        described = _described(cpe, inform, happened, now)
        if described != cpe:
            await queries.DESCRIBE.run(
                tx,
                id=cpe.id,
                root=described.root,
                manufacturer=described.manufacturer,
                mac=described.mac,
                model=described.model,
                hardware_version=described.hardware_version,
                software_version=described.software_version,
                family=described.family,
                request_url=described.request_url,
                boot_at=described.boot_at,
                bootstrap_at=described.bootstrap_at,
            )
        await queries.TOUCH.run(
            tx,
            cpe_id=cpe.id,
            tenant_id=cpe.tenant_id,
            at=now,
            address=address,
            events=sorted(happened),
        )
        if events.BOOTSTRAP in happened and cpe.tenant_id is not None:
            # it has forgotten all it was given, its passwords too
            described = await self._renew_secrets(tx, described)
        if cpe.tenant_id is not None:
            await self._settle(tx, cpe, inform)
        return Informed(described, happened, frozenset(changed))

    async def _settle(self, tx: Tx, cpe: Cpe, inform: Inform) -> None:
        """Take events for the ends of commands that were begun in an earlier session."""
        happened = {each.code for each in inform.events}
        booted = events.BOOT in happened or events.M_REBOOT in happened
        reset = events.BOOTSTRAP in happened
        if not booted and not reset:
            return
        for command in await commands.open_for(tx, cpe.id):
            if command.sent_at is None:
                continue
            if (command.kind == "cpe.reboot" and booted) or (
                command.kind == "cpe.factory_reset" and reset
            ):
                await commands.done(tx, command.id, {"events": sorted(happened)})

    async def transferred(self, tx: Tx, cpe: Cpe, transfer: TransferComplete) -> None:
        """Take how a transfer ended, for the command that asked for it.

        One that no command knows, or that comes again, changes nothing.
        """
        try:
            command_id = UUID(transfer.command_key)
        except ValueError:
            return
        for command in await commands.open_for(tx, cpe.id):
            if command.id == command_id:
                told = {
                    "fault_code": transfer.fault.code,
                    "fault_string": transfer.fault.text,
                    "start_time": transfer.start_time,
                    "complete_time": transfer.complete_time,
                }
                if transfer.fault.code:
                    fault = f"{transfer.fault.code} {transfer.fault.text}".strip()
                    await commands.failed(tx, command.id, fault, told)
                else:
                    await commands.done(tx, command.id, told)

    async def told(
        self, tx: Tx, cpe: Cpe, parameters: list[ParameterValue], now: datetime
    ) -> set[str]:
        """Keep values that a device told; give the paths of those that changed."""
        return await self._keeper.values(tx, cpe, parameters, now)

    async def listed(self, tx: Tx, cpe: Cpe, infos: list[ParameterInfo]) -> None:
        """Keep which parameters a device has."""
        await self._keeper.names(tx, cpe, infos)

    async def heard(self, tx: Tx, cpe: Cpe, now: datetime, *what: str) -> None:
        """Note that these kinds of things were read just now."""
        told = msgspec.json.encode(dict.fromkeys(what, now)).decode()
        await queries.HEARD.run(tx, cpe_id=cpe.id, at=now, read_at=told)

    async def status(self, tx: Tx, cpe_id: UUID) -> Status:
        """Give how a device stands; of one that was never heard of, that."""
        row = await queries.STATUS.one(tx, cpe_id=cpe_id)
        if row is None:
            return Status(cpe_id, None, None, [], 0, None, None, {})
        return msgspec.convert(row, Status, from_attributes=True)

    async def called(self, tx: Tx, cpe_id: UUID, fault: str | None) -> None:
        """Note that a device was called, and why that did not reach it, if it did not."""
        await queries.CALLED.run(tx, cpe_id=cpe_id, fault=fault)

    async def begin_session(
        self, tx: Tx, cpe: Cpe, *, token: bytes, node: str, expires_at: datetime
    ) -> None:
        """Note that a device is in a session; one it was in before is over.

        Args:
            tx: of the system.
            cpe: which.
            token: digest of what it carries from post to post.
            node: the machine that speaks with it.
            expires_at: until when it may be taken up.
        """
        await queries.BEGIN_SESSION.run(
            tx, cpe_id=cpe.id, token=token, node=node, expires_at=expires_at
        )

    async def take_up(self, tx: Tx, cpe_id: UUID, token: bytes, now: datetime) -> Cpe | None:
        """Give the device whose session this is; None if there is no such session any more."""
        found = await queries.SESSION_OF.one(tx, cpe_id=cpe_id, token=token, now=now)
        return None if found is None else await queries.FIND.one(tx, id=cpe_id)

    async def end_session(self, tx: Tx, cpe: Cpe, token: bytes, now: datetime) -> None:
        """Note that a session is over."""
        await queries.END_SESSION.run(tx, cpe_id=cpe.id, token=token)
        await self.heard(tx, cpe, now)

    async def tree(self, tx: Tx, cpe_id: UUID, *, secrets: bool = False) -> Tree:
        """Give a device's parameters as last known.

        Args:
            tx: the transaction.
            cpe_id: whose.
            secrets: with the values of those that are secret.
        """
        return await self._keeper.tree(tx, cpe_id, secrets=secrets)

    # what it is to do

    async def ask(
        self,
        tx: Tx,
        cpe_id: UUID,
        kind: str,
        request: Mapping[str, Any] = MappingProxyType({}),
        *,
        within: timedelta = _PATIENCE,
    ) -> Command:
        """Have a device do something, in its next session; it is called to have that now.

        Args:
            tx: of the device's tenant; the command exists if it commits.
            cpe_id: which.
            kind: one of ``KINDS``.
            request: its arguments, without secrets.
            within: after this it expires.

        Raises:
            NotFound: there is no such device of the tenant's.
            Invalid: there is no such kind, or its arguments cannot be used.
            Conflict: the device is in quarantine or retired.
        """
        cpe = await self.find(tx, cpe_id)
        if cpe.tenant_id is None or cpe.state != "managed":
            raise Conflict(f"the device {cpe.serial_number} is {cpe.state}")
        maker = KINDS.get(kind)
        if maker is None:
            raise Invalid("kind", f"{kind} is nothing a device can be asked")
        maker(cpe, dict(request), "")
        assigned = await queries.ASSIGNED.one(tx, cpe_id=cpe_id)
        command = await commands.create(
            tx,
            tenant_id=cpe.tenant_id,
            owner_id=cpe.tenant_id,
            kind=kind,
            target_kind="cpe",
            target_id=cpe.id,
            service_id=None if assigned is None else assigned.service_id,
            reach=cpe.reach,
            request=dict(request),
            within=within,
            enqueue=False,
        )
        await commands.wake(tx, task=WAKE, reach=cpe.reach, target_id=cpe.id)
        return command

    async def set(
        self,
        tx: Tx,
        cpe_id: UUID,
        values: Sequence[ParameterValue],
        *,
        within: timedelta = _PATIENCE,
    ) -> Command:
        """Have a device set parameters, all or none; secret ones too, which stand in no request.

        Args:
            tx: of the device's tenant; the command exists if it commits.
            cpe_id: which.
            values: what is to be set.
            within: after this it expires.

        Raises:
            NotFound: there is no such device of the tenant's.
            Invalid: there is nothing to set.
            Conflict: the device is in quarantine or retired.
        """
        hidden = [each for each in values if is_secret(each.name)]
        plain = [msgspec.to_builtins(each) for each in values if not is_secret(each.name)]
        request = {"values": plain, "secrets": [each.name for each in hidden]}
        command = await self.ask(tx, cpe_id, SET, request, within=within)
        for each in hidden:
            key = uuid4()
            await queries.WANT.run(
                tx,
                id=key,
                command_id=command.id,
                tenant_id=command.tenant_id,
                path=each.name,
                type=each.type,
                secret=self._keyring.encrypt(
                    each.value.encode(), row=row_binding("cpe_wanted", "secret", key)
                ),
            )
        return command

    async def _wanted(self, tx: Tx, command_id: UUID) -> list[ParameterValue]:
        return [
            ParameterValue(
                row.path,
                self._keyring.decrypt(
                    row.secret, row=row_binding("cpe_wanted", "secret", row.id)
                ).decode(),
                row.type,
            )
            for row in await queries.WANTED.all(tx, command_id=command_id)
        ]

    async def due(self, tx: Tx, informed: Informed, now: datetime) -> list[Due]:
        """Give what a device is to do in the session that has begun, in order.

        Args:
            tx: of the system.
            informed: as the session began.
            now: UTC.
        """
        cpe = informed.cpe
        if cpe.tenant_id is None or cpe.state != "managed" or not cpe.root:
            return []
        found = []
        if cpe.acs_next_secret is not None:
            found.append(Due("credentials", self._give_credentials(cpe)))
        read_at = (await self.status(tx, cpe.id)).read_at
        learned = read_at.get("all")
        if (
            learned is None
            or now - learned > _LEARN_AGAIN
            or events.BOOTSTRAP in informed.events
            or any(path.endswith(".SoftwareVersion") for path in informed.changed)
        ):
            found.append(Due("learn", procedures.learn(cpe.root)))
        for command in await commands.open_for(tx, cpe.id):
            if command.sent_at is None or command.kind in _AGAIN:
                maker = KINDS.get(command.kind)
                if command.request.get("secrets"):
                    hidden = await self._wanted(tx, command.id)
                    procedure = _set(cpe, command.request, str(command.id), hidden)
                    found.append(Due(command.kind, procedure, command.id))
                elif maker is not None:
                    procedure = maker(cpe, command.request, str(command.id))
                    found.append(Due(command.kind, procedure, command.id))
        return found

    def _give_credentials(self, cpe: Cpe) -> Procedure:
        """Set what a device proves itself with, and what we prove ourselves with there."""
        base = f"{cpe.root}ManagementServer."
        secret = cpe.acs_next_secret
        password = "" if secret is None else self._decrypt(cpe.id, "acs_next_secret", secret)
        return procedures.set_only(
            [
                ParameterValue(f"{base}Username", cpe.acs_username or ""),
                ParameterValue(f"{base}Password", password),
                ParameterValue(f"{base}ConnectionRequestUsername", cpe.request_username or ""),
                ParameterValue(
                    f"{base}ConnectionRequestPassword", self.request_password(cpe) or ""
                ),
                ParameterValue(f"{base}PeriodicInformEnable", "1", "boolean"),
                ParameterValue(
                    f"{base}PeriodicInformInterval", str(cpe.inform_interval), "unsignedInt"
                ),
            ]
        )

    async def finished(self, tx: Tx, cpe: Cpe, due: Due, outcome: Outcome, now: datetime) -> None:
        """Take how something went that a device was to do.

        Args:
            tx: of the system.
            cpe: which.
            due: as it was given.
            outcome: how it went.
            now: UTC.
        """
        if due.name == "credentials" and isinstance(outcome, Done):
            await self.proved_next(tx, cpe)
        elif due.name == "learn" and isinstance(outcome, Done):
            await self.heard(tx, cpe, now, "all")
            await self._recognise(tx, cpe)
        if due.command_id is None:
            return
        if due.name == SET:
            if isinstance(outcome, Done):
                await self._keeper.values(tx, cpe, await self._wanted(tx, due.command_id), now)
            await queries.NO_LONGER_WANTED.run(tx, command_id=due.command_id)
        if isinstance(outcome, Done):
            await commands.done(tx, due.command_id, outcome.answer)
        elif isinstance(outcome, Refused):
            await commands.failed(tx, due.command_id, outcome.fault, outcome.answer)
        elif isinstance(outcome, Begun):
            await commands.sent(tx, due.command_id)

    async def _recognise(self, tx: Tx, cpe: Cpe) -> None:
        """Note which family a device is of, and the MAC address it is known by."""
        tree = await self._keeper.tree(tx, cpe.id)
        family = Families.load().of(
            manufacturer=cpe.manufacturer,
            product_class=cpe.product_class,
            oui=cpe.oui,
            model=cpe.model,
            hardware=cpe.hardware_version,
            software=cpe.software_version,
            root=cpe.root,
            tree=tree,
        )
        info = family.read(tree).info
        await queries.RECOGNISE.run(
            tx, id=cpe.id, family=family.name, mac=info.mac, model=info.model
        )

    async def proved_next(self, tx: Tx, cpe: Cpe) -> None:
        """Note that a device has the password it was being given: the one before is worthless."""
        locked = await queries.LOCK.one(tx, id=cpe.id)
        if locked is None or locked.acs_next_secret is None:
            return
        password = self._decrypt(cpe.id, "acs_next_secret", locked.acs_next_secret)
        await self._put_credentials(
            tx,
            msgspec.structs.replace(
                locked,
                acs_secret=self._encrypt(cpe.id, "acs_secret", password),
                acs_next_secret=None,
            ),
        )


def username_of(cpe: Cpe) -> str:
    """Give the name a device proves itself by (TR-069 Amendment 6, 3.4.4)."""
    parts = [cpe.oui, cpe.product_class, cpe.serial_number]
    return "-".join(part for part in parts if part)


def _described(cpe: Cpe, inform: Inform, happened: frozenset[str], now: datetime) -> Cpe:
    """Give a device with what an Inform says of it."""
    values = {each.name: each.value for each in inform.parameters}
    root = cpe.root
    for each in _ROOTS:
        if any(name.startswith(each) for name in values):
            root = each
            break

    def value(name: str, otherwise: str) -> str:
        return values.get(root + name, otherwise)[:256]

    return msgspec.structs.replace(
        cpe,
        root=root,
        manufacturer=inform.device.manufacturer[:256] or cpe.manufacturer,
        model=value("DeviceInfo.ModelName", cpe.model),
        hardware_version=value("DeviceInfo.HardwareVersion", cpe.hardware_version),
        software_version=value("DeviceInfo.SoftwareVersion", cpe.software_version),
        request_url=values.get(f"{root}ManagementServer.ConnectionRequestURL", cpe.request_url),
        boot_at=now if events.BOOT in happened else cpe.boot_at,
        bootstrap_at=now if events.BOOTSTRAP in happened else cpe.bootstrap_at,
    )


Maker = Callable[[Cpe, dict[str, Any], str], Procedure]
"""Makes a procedure for a device out of a command's arguments and its key."""


def _names(request: dict[str, Any]) -> list[str]:
    names = request.get("names")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise Invalid("names", "must be a list of parameters")
    return names


def _set(
    _: Cpe, request: dict[str, Any], key: str, hidden: Sequence[ParameterValue] = ()
) -> Procedure:
    try:
        values = msgspec.convert(request.get("values"), list[ParameterValue])
    except msgspec.ValidationError as wrong:
        raise Invalid("values", str(wrong)) from None
    if any(is_secret(each.name) for each in values):
        raise Invalid("values", "must not hold secrets")
    if not values and not request.get("secrets"):
        raise Invalid("values", "must not be empty")
    return procedures.set_values([*values, *hidden], key)


KINDS: Mapping[str, Maker] = MappingProxyType(
    {
        "cpe.get": lambda _, request, __: procedures.get_values(_names(request)),
        "cpe.set": _set,
        "cpe.reboot": lambda _, __, key: procedures.reboot(key),
        "cpe.factory_reset": lambda _, __, ___: procedures.factory_reset(),
        "cpe.learn": lambda cpe, _, __: procedures.learn(cpe.root),
    }
)
"""What a device can be asked, by the command's kind."""

_AGAIN = frozenset({"cpe.get", "cpe.set", "cpe.learn"})
"""Kinds that are begun again when the session they ran in broke off."""

__all__ = ["KINDS", "SET", "WAKE", "Cpes", "Due", "Informed", "username_of"]
