"""Collecting what is to be set, of the parameters a device has."""

from collections.abc import Sequence

from demarc.domains.cpe.changes import Unsupported
from demarc.domains.cpe.families_schema import Leaf, Spec, many
from demarc.domains.cpe.families_view import View
from demarc.domains.cpe.tree import Tree
from demarc.protocols.cwmp.messages import ParameterValue


class Writer:
    """Collects what is to be set.

    Args:
        spec: the family.
        tree: the device's parameters as known.
    """

    def __init__(self, spec: Spec, tree: Tree) -> None:
        self.spec = spec
        self.tree = tree
        self.view = View(tree, spec.root, last=spec.quirks.wildcard_is_last)
        self.values: list[ParameterValue] = []

    def path(self, leaves: Sequence[str], key: str, what: str) -> str:
        """Give the parameter to set out of those it may be.

        Raises:
            Unsupported: the device has none of them, or none that may be set.
        """
        paths = self.view.paths(tuple(leaves), key)
        if not paths:
            raise Unsupported(what, "it is not known how this device calls it")
        known = [path for path in paths if path in self.tree]
        settable = [path for path in known if self.tree[path].writable is not False]
        if settable:
            told = [path for path in settable if self.tree[path].value]
            return (told or settable)[0]
        if known:
            raise Unsupported(what, "the device does not let it be set")
        owner = paths[0].rpartition(".")[0] + "."
        listed = any(
            each.writable is not None and path.startswith(owner) for path, each in self.tree.items()
        )
        if listed:
            raise Unsupported(what, "the device has no such parameter")
        return paths[0]

    def set(self, path: str, value: str, kind: str = "string") -> None:
        """Set a parameter, with the type the device gave it."""
        known = self.tree.get(path)
        if known is not None and (known.type != "string" or known.at is not None):
            kind = known.type
        if kind == "boolean":
            truth = value in {"1", "true"}
            words = known is not None and known.value.strip().lower() in {"true", "false"}
            value = ("true" if truth else "false") if words else ("1" if truth else "0")
        self.values.append(ParameterValue(path, value, kind))

    def put(
        self, leaf: Leaf | Sequence[str], key: str, what: str, value: str, kind: str = "string"
    ) -> None:
        """Set the leaf of an object; see ``path`` and ``set``."""
        leaves = many(leaf) if isinstance(leaf, str) else tuple(leaf)
        self.set(self.path(leaves, key, what), value, kind)


__all__ = ["Writer"]
