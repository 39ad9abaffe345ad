"""Devices read and changed whole: what is known of one, understood by its family."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from demarc.domains.cpe.changes import Change, WifiChange
from demarc.domains.cpe.family import Families, Family
from demarc.domains.cpe.model import Cpe, Status
from demarc.domains.cpe.neutral import Device, Need
from demarc.domains.cpe.service import SET, Cpes
from demarc.domains.cpe.tree import Parameter, Tree
from demarc.domains.errors import Invalid
from demarc.domains.network import commands
from demarc.domains.network.model import Command
from demarc.platform.database import Tx
from demarc.protocols.cwmp.messages import ParameterValue


class Reading(msgspec.Struct, frozen=True):
    """What is known of a device.

    Attributes:
        cpe: who it is.
        status: when it was heard of.
        family: by which it was read.
        tree: its parameters as last told.
        device: these understood; what it was asked to set and has not refused counts as set.
        service_id: whom it serves now.
    """

    cpe: Cpe
    status: Status
    family: Family
    tree: Tree
    device: Device
    service_id: UUID | None

    @property
    def learned_at(self) -> datetime | None:
        """When all of its parameters were read last."""
        return self.status.read_at.get("all")


class NothingToAsk(Invalid):
    """Devices of this family have nothing of what is asked for."""

    def __init__(self, family: Family) -> None:
        super().__init__("needs", f"are nothing that {family.title} has")


class Reader:
    """Use cases on what devices are and have, whatever their makers call it.

    Args:
        cpes: devices and their parameters.
        families: what is known of models.
    """

    def __init__(self, cpes: Cpes, families: Families) -> None:
        self._cpes = cpes
        self._families = families

    def family(self, cpe: Cpe, tree: Tree) -> Family:
        """Give by which family a device is understood."""
        return self._families.of(
            manufacturer=cpe.manufacturer,
            product_class=cpe.product_class,
            oui=cpe.oui,
            model=cpe.model,
            hardware=cpe.hardware_version,
            software=cpe.software_version,
            root=cpe.root,
            tree=tree,
        )

    async def read(self, tx: Tx, cpe: Cpe, *, secrets: bool = False) -> Reading:
        """Give what is known of a device.

        Args:
            tx: of the device's tenant.
            cpe: which.
            secrets: with passphrases.
        """
        tree = await self._cpes.tree(tx, cpe.id, secrets=secrets)
        family = self.family(cpe, tree)
        wanted = await self._wanted(tx, cpe, tree)
        assigned = await self._cpes.assigned(tx, cpe.id)
        return Reading(
            cpe=cpe,
            status=await self._cpes.status(tx, cpe.id),
            family=family,
            tree=tree,
            device=family.read(wanted),
            service_id=None if assigned is None else assigned.service_id,
        )

    async def _wanted(self, tx: Tx, cpe: Cpe, tree: Tree) -> Tree:
        """Give the parameters as they will be once the device has done what it was asked."""
        found: dict[str, Parameter] = {}
        for command in await commands.open_for(tx, cpe.id):
            if command.kind != SET:
                continue
            for each in command.request.get("values", []):
                known = tree.get(each["name"], Parameter(""))
                found[each["name"]] = msgspec.structs.replace(known, value=each["value"])
        return {**tree, **found} if found else tree

    async def refresh(self, tx: Tx, reading: Reading, needs: Sequence[Need]) -> Command:
        """Ask a device for kinds of things anew; its answer goes into its parameters.

        Raises:
            NothingToAsk: it has nothing of the kind.
            Conflict: it is not looked after.
        """
        known = reading.tree if reading.learned_at is not None else None
        names: dict[str, None] = {}
        for need in needs:
            names |= dict.fromkeys(reading.family.paths(need, known))
        if not names:
            raise NothingToAsk(reading.family)
        request = {"names": list(names), "needs": [need.value for need in needs]}
        return await self._cpes.ask(tx, reading.cpe.id, "cpe.get", request)

    def planned(self, reading: Reading, changes: Sequence[Change]) -> list[ParameterValue]:
        """Give what is to be set on a device for changes.

        Raises:
            Unsupported: it cannot do one of them.
        """
        found: dict[str, ParameterValue] = {}
        for change in changes:
            whole = _with_passphrase(reading, change)
            found |= {each.name: each for each in reading.family.write(reading.tree, whole)}
        return list(found.values())

    async def change(self, tx: Tx, reading: Reading, changes: Sequence[Change]) -> Command | None:
        """Have a device changed, all or nothing; it is asked in its next session.

        What its family needs afterwards is asked for, too.

        Args:
            tx: of the device's tenant.
            reading: with secrets, as some devices must be told a passphrase again.
            changes: what is to be changed.

        Returns:
            The command; None where there is nothing to be set.

        Raises:
            Unsupported: it cannot do one of them.
            Conflict: it is not looked after.
        """
        values = self.planned(reading, changes)
        if not values:
            return None
        command = await self._cpes.set(tx, reading.cpe.id, values)
        if any("reboot" in reading.family.follow_up(each) for each in changes):
            await self._cpes.ask(tx, reading.cpe.id, "cpe.reboot")
        return command

    async def reboot(self, tx: Tx, reading: Reading) -> Command:
        """Have a device start anew.

        Raises:
            Conflict: it is not looked after.
        """
        return await self._cpes.ask(tx, reading.cpe.id, "cpe.reboot")


def _with_passphrase(reading: Reading, change: Change) -> Change:
    """Give a change with the passphrase that the device would forget by it."""
    if (
        not isinstance(change, WifiChange)
        or change.passphrase is not None
        or "resend_passphrase" not in reading.family.follow_up(change)
    ):
        return change
    for network in reading.device.networks:
        meant = network.key == change.key if change.key else network.primary
        if meant and (change.key or network.band == change.band):
            return msgspec.structs.replace(change, passphrase=network.passphrase or None)
    return change


__all__ = ["NothingToAsk", "Reader", "Reading"]
