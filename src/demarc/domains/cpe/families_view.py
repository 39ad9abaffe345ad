"""A tree made ready for reading: which instances there are, and which rests on which."""

from typing import Final

from demarc.domains.cpe.tree import Tree

_LINKS: Final = (".LowerLayers", ".Interface", ".SSIDReference", "Layer", ".X_TP_LowerLayers")
_MOST_DIGITS: Final = 9


class View:
    """A tree with its objects found, in one pass over it.

    Args:
        tree: as known.
        root: the paths' first part, with its dot.
        last: take the last instance where none is tied to what is read, not the only one.
    """

    def __init__(self, tree: Tree, root: str, *, last: bool = False) -> None:
        self.tree = tree
        self.root = root
        self._last = last
        self._children: dict[str, list[str]] = {}
        self._down: dict[str, set[str]] = {}
        self._up: dict[str, set[str]] = {}
        self._related: dict[str, set[str]] = {}
        seen: set[str] = set()
        for path in tree:
            if path.endswith(_LINKS):
                self._link(path)
            here = path[: path.rfind(".") + 1]
            while here and here not in seen:
                seen.add(here)
                end = here.rfind(".", 0, -1) + 1
                name, here = here[end:-1], here[:end]
                if name.isdigit() and name.isascii() and len(name) <= _MOST_DIGITS:
                    self._children.setdefault(here, []).append(name)
        self.objects = seen
        for names in self._children.values():
            names.sort(key=int)

    def _link(self, path: str) -> None:
        owner = path[: path.rfind(".") + 1]
        if path.endswith(".HigherLayer"):
            return
        if path.endswith(".LowerLayer"):
            # a row of InterfaceStack, which ties two others
            higher = self.tree.get(f"{owner}HigherLayer")
            if higher is None:
                return
            owner = _dotted(higher.value)
        for each in self.tree[path].value.split(","):
            lower = _dotted(each)
            if lower != owner and len(lower) > 1:
                self._down.setdefault(owner, set()).add(lower)
                self._up.setdefault(lower, set()).add(owner)

    def related(self, key: str) -> set[str]:
        """Give all that an object rests on and all that rests on it, itself too."""
        found = self._related.get(key)
        if found is None:
            found = _closure(key, self._down) | _closure(key, self._up)
            self._related[key] = found
        return found

    def below(self, key: str) -> set[str]:
        """Give all that an object rests on, itself too."""
        return _closure(key, self._down)

    def instances(self, pattern: str) -> list[str]:
        """Give the objects that a pattern stands for, in their order.

        Args:
            pattern: below the root, ending with a dot; each ``*`` is any instance.
        """
        if not pattern:
            return []
        first, *rest = pattern.split("*")
        found = [self.root + first]
        for part in rest:
            found = [
                f"{start}{name}{part}" for start in found for name in self._children.get(start, ())
            ]
        return found if rest else [each for each in found if each in self.objects]

    def bind(self, leaf: str, key: str) -> str | None:
        """Give the whole path of a leaf of an object.

        Args:
            leaf: its name; or with "/" before it a path from the root, whose ``*`` are the numbers
                the object itself has there, or those of what is tied to it.
            key: the object.

        Returns:
            None where there is no such instance.
        """
        if not leaf.startswith("/"):
            return key + leaf
        first, *rest = leaf[1:].split("*")
        path = self.root + first
        for part in rest:
            name = self._number(path, key)
            if name is None:
                return None
            path = f"{path}{name}{part}"
        return path

    def _number(self, start: str, key: str) -> str | None:
        if key.startswith(start):
            name = key[len(start) :].partition(".")[0]
            if name.isdigit():
                return name
        names = self._children.get(start)
        if not names:
            return None
        related = self.related(key)
        for name in names:
            if f"{start}{name}." in related:
                return name
        return names[-1] if self._last or len(names) == 1 else None

    def paths(self, leaves: tuple[str, ...], key: str) -> list[str]:
        """Give the whole paths of a leaf's possible names."""
        bound = (self.bind(leaf, key) for leaf in leaves)
        return [path for path in bound if path is not None]

    def found(self, leaves: tuple[str, ...], key: str = "") -> tuple[str, str] | None:
        """Give path and value of the first of these leaves that the device tells something in."""
        tree = self.tree
        for leaf in leaves:
            path = self.bind(leaf, key)
            if path is not None:
                parameter = tree.get(path)
                if parameter is not None and parameter.value:
                    return path, parameter.value
        return None

    def value(self, leaves: tuple[str, ...], key: str = "") -> str | None:
        """Give the value of the first of these leaves that the device tells something in."""
        found = self.found(leaves, key)
        return None if found is None else found[1]


def _dotted(path: str) -> str:
    return path.strip().rstrip(".") + "."


def _closure(key: str, steps: dict[str, set[str]]) -> set[str]:
    found = {key}
    waiting = [key]
    while waiting:
        for each in steps.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


__all__ = ["View"]
