"""Which family a device is of: the rule that says most about it."""

from collections.abc import Iterable
from urllib.parse import unquote

import msgspec

from demarc.domains.cpe.families_schema import Match, Spec, many


class Described(msgspec.Struct, frozen=True):
    """A device as it names itself; what it does not say is empty."""

    manufacturer: str = ""
    oui: str = ""
    product_class: str = ""
    model: str = ""
    hardware: str = ""
    software: str = ""
    root: str = ""


class Rules:
    """All families' rules, found by model and product class.

    Args:
        specs: families by name.
    """

    def __init__(self, specs: dict[str, Spec]) -> None:
        self._by_name: dict[str, list[tuple[Match, str, str]]] = {}
        self._others: list[tuple[Match, str, str]] = []
        for name, spec in specs.items():
            for rule in spec.match:
                entry = (rule, name, spec.root)
                keys = many(rule.model) or many(rule.product_class)
                for key in keys:
                    self._by_name.setdefault(_plain(key), []).append(entry)
                if not keys:
                    self._others.append(entry)

    def best(self, device: Described) -> str | None:
        """Give the family whose rule says most about a device; None if there is none."""
        # some devices percent-encode what they are called
        said = msgspec.structs.replace(
            device, product_class=_plain(device.product_class), model=_plain(device.model)
        )
        candidates: list[tuple[Match, str, str]] = []
        for key in {said.model, said.product_class} - {""}:
            candidates += self._by_name.get(key, ())
        candidates += self._others
        best: tuple[int, str] | None = None
        for rule, name, root in candidates:
            if said.root and root != said.root:
                continue
            score = _score(rule, said)
            if score and (best is None or score > best[0]):
                best = (score, name)
        return None if best is None else best[1]


def _plain(text: str) -> str:
    return unquote(text).strip().casefold()


def _one_of(text: str, names: Iterable[str]) -> bool:
    return text in {_plain(each) for each in names}


def _score(rule: Match, said: Described) -> int:
    """Tell how much a rule says about a device; 0 if it is not so."""
    score = _named(rule, said)
    if score is None:
        return 0
    if rule.hardware:
        if said.hardware.strip() not in many(rule.hardware):
            return 0
        score += 200
    for part, text in ((rule.hardware_has, said.hardware), (rule.software_has, said.software)):
        if part and part not in text:
            return 0
        score += 100 + len(part) if part else 0
    makers = _makers(rule, said)
    return 0 if makers is None else score + makers


def _named(rule: Match, said: Described) -> int | None:
    """Score model and product class; None if they are others."""
    score = 0
    model, classes = many(rule.model), many(rule.product_class)
    if model and _one_of(said.model, model):
        score += 1000
    elif model and not said.model and not classes and _one_of(said.product_class, model):
        # most makers give both the same name
        score += 900
    elif model:
        return None
    if classes and not _one_of(said.product_class, classes):
        return None
    return score + (500 if classes else 0)


def _makers(rule: Match, said: Described) -> int | None:
    """Score OUI and manufacturer; None if they are others."""
    if rule.oui and said.oui.strip().upper() not in many(rule.oui):
        return None
    makers = tuple(each.casefold() for each in many(rule.manufacturer))
    if makers and not said.manufacturer.strip().casefold().startswith(makers):
        return None
    return (20 if rule.oui else 0) + (10 if makers else 0)


__all__ = ["Described", "Rules"]
