"""Reads Prometheus' text format, strictly: what Prometheus would refuse fails here."""

import re
from collections import defaultdict

import msgspec

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{((?:{_LABEL}(?:,{_LABEL})*)?)\}})? (\S+)")
_KINDS = {"counter", "gauge", "histogram"}


class Sample(msgspec.Struct, frozen=True):
    name: str
    labels: dict[str, str]
    value: float


class Family(msgspec.Struct):
    """A metric with all its series."""

    kind: str
    help: str
    samples: list[Sample] = msgspec.field(default_factory=list)

    def value(self, **labels: str) -> float:
        """Give the sum of the series that have these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if labels.items() <= sample.labels.items()
            and not sample.name.endswith(("_bucket", "_sum"))
        )


def parse(octets: bytes) -> dict[str, Family]:
    """Give the metrics by name."""
    text = octets.decode()
    assert text == "" or text.endswith("\n")
    families: dict[str, Family] = {}
    helped: dict[str, str] = {}
    seen: dict[str, set[tuple[tuple[str, str], ...]]] = defaultdict(set)
    current = ""
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            _, _, name, said = line.split(" ", 3)
            assert name not in helped, f"two helps of {name}"
            helped[name] = said
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in _KINDS
            assert name not in families, f"the series of {name} stand apart"
            families[name] = Family(kind, helped[name])
            current = name
        else:
            found = _SAMPLE.fullmatch(line)
            assert found is not None, line
            name = found[1]
            family = families[current]
            of = re.sub("_(bucket|sum|count)$", "", name) if family.kind == "histogram" else name
            assert of == current, f"{name} among the series of {current}"
            pairs = re.findall(_LABEL, found[2] or "")
            labels = {label: _plain(value) for label, value in pairs}
            assert len(labels) == len(pairs), line
            key = tuple(sorted(labels.items()))
            assert key not in seen[name], f"twice: {line}"
            seen[name].add(key)
            family.samples.append(Sample(name, labels, float(found[found.lastindex])))
    return families


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), value)
