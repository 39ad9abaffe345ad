"""What devices tell of their parameters, kept: only what changed is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from demarc.domains.cpe import queries
from demarc.domains.cpe.model import Cpe
from demarc.domains.cpe.tree import Parameter, branch_of, by_branch, is_secret
from demarc.platform.database import Tx
from demarc.platform.secrets.keys import KeyRing, row_binding
from demarc.protocols.cwmp.messages import ParameterInfo, ParameterValue

MOST_PARAMETERS = 50_000
"""Parameters of one device that are kept; a device that invents names does not fill the disk."""

_MOST_BRANCHES = 5_000
_LONGEST_VALUE = 65_536

Leaf = list[Any]
"""Value, type, whether it may be set (None: not known), when it changed (seconds since 1970)."""


class Keeper:
    """Reads and writes the parameters of devices.

    Args:
        keyring: encrypts those that are secret.
    """

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring

    async def values(
        self, tx: Tx, cpe: Cpe, parameters: Sequence[ParameterValue], now: datetime
    ) -> set[str]:
        """Keep values that a device told.

        Args:
            tx: of the system.
            cpe: whose they are.
            parameters: as told.
            now: when.

        Returns:
            The paths whose values are other than before, or new.
        """
        told = {each.name: each for each in parameters[:MOST_PARAMETERS] if _fits(each)}
        stored = await self._branches(tx, cpe.id, {branch_of(path) for path in told})
        secrets = await self._secrets(tx, cpe.id) if any(map(is_secret, told)) else {}
        at = int(now.timestamp())
        changed: set[str] = set()
        touched: dict[str, dict[str, Leaf]] = {}
        for path, each in told.items():
            branch = branch_of(path)
            leaves = stored.setdefault(branch, {})
            leaf = leaves.get(path[len(branch) :])
            secret = is_secret(path)
            known = secrets.get(path) if secret else None if leaf is None else leaf[0]
            if secret and not each.value and known:
                # most devices do not tell their secrets; what they were given is known all the same
                continue
            if leaf is not None and known == each.value and leaf[1] == each.type:
                continue
            if leaf is None or known != each.value:
                changed.add(path)
            if secret:
                await self._put_secret(tx, cpe, path, each.value)
            writable = None if leaf is None else leaf[2]
            leaves[path[len(branch) :]] = ["" if secret else each.value, each.type, writable, at]
            touched[branch] = leaves
        await self._put(tx, cpe, touched)
        return changed

    async def names(self, tx: Tx, cpe: Cpe, infos: Sequence[ParameterInfo]) -> None:
        """Keep which parameters there are and which of them may be set.

        Args:
            tx: of the system.
            cpe: whose they are.
            infos: as told; objects among them say nothing here.
        """
        told = {
            each.name: each.writable
            for each in infos[:MOST_PARAMETERS]
            if not each.name.endswith(".")
        }
        stored = await self._branches(tx, cpe.id, {branch_of(path) for path in told})
        touched: dict[str, dict[str, Leaf]] = {}
        for path, writable in told.items():
            branch = branch_of(path)
            leaves = stored.setdefault(branch, {})
            leaf = leaves.get(path[len(branch) :])
            if leaf is None or leaf[2] != writable:
                value, kind, _, at = leaf or ["", "", None, None]
                leaves[path[len(branch) :]] = [value, kind, writable, at]
                touched[branch] = leaves
        await self._put(tx, cpe, touched)

    async def forget(self, tx: Tx, cpe: Cpe, prefix: str, but: Iterable[str] = ()) -> int:
        """Drop what is known below a path, where the device has shown that it is no longer there.

        Args:
            tx: of the system.
            cpe: whose it is.
            prefix: a path with its dot.
            but: paths that are still there.

        Returns:
            How many parameters were dropped.
        """
        kept = set(but)
        rows = await queries.ALL_BRANCHES.all(tx, cpe_id=cpe.id)
        touched: dict[str, dict[str, Leaf]] = {}
        empty: list[str] = []
        gone: list[str] = []
        for row in rows:
            lost = [
                row.path + leaf
                for leaf in row.leaves
                if (row.path + leaf).startswith(prefix) and row.path + leaf not in kept
            ]
            if not lost:
                continue
            gone += lost
            left = {leaf: each for leaf, each in row.leaves.items() if row.path + leaf not in lost}
            if left:
                touched[row.path] = left
            else:
                empty.append(row.path)
        await self._put(tx, cpe, touched)
        if empty:
            await queries.FORGET_BRANCHES.run(tx, cpe_id=cpe.id, paths=empty)
        if secret := [path for path in gone if is_secret(path)]:
            await queries.FORGET_SECRETS.run(tx, cpe_id=cpe.id, paths=secret)
        return len(gone)

    async def tree(
        self, tx: Tx, cpe_id: UUID, *, paths: Sequence[str] | None = None, secrets: bool = False
    ) -> dict[str, Parameter]:
        """Give a device's parameters as last known.

        Args:
            tx: the transaction.
            cpe_id: whose.
            paths: these alone, whole; None for all.
            secrets: with the values of those that are secret; else they are empty.
        """
        if paths is None:
            rows = await queries.ALL_BRANCHES.all(tx, cpe_id=cpe_id)
        else:
            rows = await queries.BRANCHES.all(tx, cpe_id=cpe_id, paths=list(by_branch(paths)))
        found = {
            row.path + leaf: Parameter(
                value=each[0],
                type=each[1],
                writable=each[2],
                at=None if each[3] is None else datetime.fromtimestamp(each[3], UTC),
            )
            for row in rows
            for leaf, each in row.leaves.items()
        }
        if paths is not None:
            found = {path: found[path] for path in paths if path in found}
        if secrets:
            for path, value in (await self._secrets(tx, cpe_id)).items():
                if path in found:
                    found[path] = msgspec.structs.replace(found[path], value=value)
        return found

    async def _branches(self, tx: Tx, cpe_id: UUID, paths: set[str]) -> dict[str, dict[str, Leaf]]:
        if not paths:
            return {}
        rows = await queries.BRANCHES.all(tx, cpe_id=cpe_id, paths=list(paths))
        return {row.path: row.leaves for row in rows}

    async def _put(self, tx: Tx, cpe: Cpe, touched: Mapping[str, dict[str, Leaf]]) -> None:
        if not touched:
            return
        rows = [
            {"path": path, "leaves": leaves}
            for path, leaves in sorted(touched.items())[:_MOST_BRANCHES]
        ]
        await queries.PUT_BRANCHES.run(
            tx,
            cpe_id=cpe.id,
            tenant_id=cpe.tenant_id,
            rows=msgspec.json.encode(rows).decode(),
        )

    async def _secrets(self, tx: Tx, cpe_id: UUID) -> dict[str, str]:
        return {
            row.path: self._keyring.decrypt(
                row.secret, row=row_binding("cpe_secret", "secret", row.id)
            ).decode()
            for row in await queries.SECRETS.all(tx, cpe_id=cpe_id)
        }

    async def _put_secret(self, tx: Tx, cpe: Cpe, path: str, value: str) -> None:
        key = uuid4()
        await queries.PUT_SECRET.run(
            tx,
            id=key,
            cpe_id=cpe.id,
            path=path,
            tenant_id=cpe.tenant_id,
            secret=self._keyring.encrypt(
                value.encode(), row=row_binding("cpe_secret", "secret", key)
            ),
        )


def _fits(parameter: ParameterValue) -> bool:
    # what PostgreSQL's text does not take was never a value of a parameter
    return len(parameter.value) <= _LONGEST_VALUE and "\0" not in parameter.value


__all__ = ["MOST_PARAMETERS", "Keeper", "Leaf"]
