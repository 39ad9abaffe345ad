"""Reading the files of families, and putting them together.

A file holds tables, each a family under its name. What a table does not say it takes from the one
it is ``like``; what it says in ``can`` and ``cannot`` is laid over that one's.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from demarc.domains.cpe.families_schema import Spec


class BadFamily(Exception):
    """A file of families cannot be used; says which family of which file, and why."""


def read_files(folder: Path) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Read a folder's families, each with the file it stands in.

    Raises:
        BadFamily: a file is no TOML, or a family stands in it twice or in two of them.
    """
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            raise BadFamily(f"{path.name}: {wrong}") from None
        for name, table in tables.items():
            if not isinstance(table, dict):
                raise BadFamily(f"{path.name}: {name} stands outside of any family")
            if name in found:
                raise BadFamily(f"{path.name}: {name} is in {found[name][0].name} already")
            found[name] = (path, table)
    return found


def specs_of(tables: Mapping[str, tuple[Path, dict[str, Any]]]) -> dict[str, Spec]:
    """Put families together with what they are like, and see that they are right.

    Raises:
        BadFamily: which one is not, and why.
    """
    whole: dict[str, dict[str, Any]] = {}
    found = {}
    for name, (path, _) in tables.items():
        try:
            merged = _merged(name, tables, whole, ())
            found[name] = msgspec.convert(merged, Spec)
        except msgspec.ValidationError as wrong:
            raise BadFamily(f"{path.name}: {name}: {wrong}") from None
        except BadFamily as wrong:
            raise BadFamily(f"{path.name}: {name}: {wrong}") from None
        _examine(path, name, found[name])
    return found


def _merged(
    name: str,
    tables: Mapping[str, tuple[Path, dict[str, Any]]],
    whole: dict[str, dict[str, Any]],
    way: tuple[str, ...],
) -> dict[str, Any]:
    if name in whole:
        return whole[name]
    if name in way:
        raise BadFamily(f"is like itself, by way of {' and '.join(way)}")
    if name not in tables:
        raise BadFamily(f"there is no family {name} to be like")
    own = dict(tables[name][1])
    # lists of what works and what does not are laid over those of what it is like
    able = dict.fromkeys(_listed(own, "can"), True)
    own["can"] = able | dict.fromkeys(_listed(own, "cannot"), False)
    like = own.pop("like", None)
    if like is not None:
        basis = dict(_merged(str(like), tables, whole, (*way, name)))
        basis.pop("match", None)
        own = _over(basis, own)
    own.setdefault("title", name)
    whole[name] = own
    return own


def _listed(own: dict[str, Any], key: str) -> list[str]:
    value = own.pop(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadFamily(f"{key} must be a list of names")
    return value


def _over(basis: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Lay a table over another; a vocabulary is replaced whole."""
    merged = dict(basis)
    for key, value in own.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and key != "bandwidths":
            merged[key] = _over(below, value)
        else:
            merged[key] = value
    return merged


def _examine(path: Path, name: str, spec: Spec) -> None:
    """See that objects end with a dot and leaves do not."""
    objects = {"networks", "radios", "access_points", "objects"}
    objects |= {"network", "radio", "access_point", "ping", "traceroute", "download", "upload"}
    objects.add("neighbours")
    whole_paths = {"about", "lan", "pon", "web"}
    for part in ("about", "wan", "wifi", "lan", "hosts", "stations", "pon", "web", "diagnostics"):
        for where, value in _strings(msgspec.to_builtins(getattr(spec, part)), part):
            key = where.rpartition(".")[2]
            is_object = key in objects or where in {"wan.ppp", "wan.ip"}
            if key.endswith("_unit") or key == "unit":
                continue
            if "." in value and value.startswith(("InternetGatewayDevice.", "Device.")):
                raise BadFamily(f"{path.name}: {name}: {where}: {value} must be below the root")
            if part in whole_paths and not value.startswith("/"):
                raise BadFamily(f"{path.name}: {name}: {where}: {value} must begin with /")
            if value.endswith(".") is not is_object:
                ends = "end with a dot" if is_object else "not end with a dot"
                raise BadFamily(f"{path.name}: {name}: {where}: {value} must {ends}")


def _strings(value: Any, where: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(where, value)] if value else []
    if isinstance(value, dict):
        return [
            each
            for key, below in value.items()
            if key != "bandwidths"
            for each in _strings(below, f"{where}.{key}")
        ]
    if isinstance(value, list | tuple):
        return [each for below in value for each in _strings(below, where)]
    return []


__all__ = ["BadFamily", "read_files", "specs_of"]
