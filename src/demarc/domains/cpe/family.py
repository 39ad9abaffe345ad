"""Families of devices: what is known of a model, and the engine that reads and writes by it.

Models are data: the files in ``families``, and those of an operator's own folder beside them.

    families = Families.load()
    family = families.of(model="EG8145V5", root="InternetGatewayDevice.")
    device = family.read(tree)
    values = family.write(tree, WifiChange(band=5, ssid="Casa"))
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from demarc.domains.cpe.changes import Change, Unsupported
from demarc.domains.cpe.families_data import BadFamily, read_files, specs_of
from demarc.domains.cpe.families_diagnostics import Diagnostic, Kind, Result, diagnostic
from demarc.domains.cpe.families_match import Described, Rules
from demarc.domains.cpe.families_paths import paths_of
from demarc.domains.cpe.families_read import read_device
from demarc.domains.cpe.families_schema import Spec
from demarc.domains.cpe.families_write import follow_up, write_change
from demarc.domains.cpe.neutral import Device, Need
from demarc.domains.cpe.tree import Tree
from demarc.protocols.cwmp.messages import ParameterValue

_FOLDER = Path(__file__).parent / "families"
_BY_ROOT = {"InternetGatewayDevice.": "tr098", "Device.": "tr181"}


class Family:
    """What is known of devices of a kind.

    Attributes:
        name: by which the files know it.
        title: by which people do.
        root: "InternetGatewayDevice." or "Device.".
        capabilities: what is known to work, by the names of ``families_schema.Can``.
        quirks: habits that are not the standard's, by the names of ``families_schema.Quirks``;
            only those that are not usual.
        spec: all that the files say.
    """

    def __init__(self, name: str, spec: Spec) -> None:
        self.name = name
        self.title = spec.title
        self.root: str = spec.root
        self.spec = spec
        self.capabilities = frozenset(
            each for each in spec.can.__struct_fields__ if getattr(spec.can, each)
        )
        self.quirks: Mapping[str, object] = MappingProxyType(msgspec.to_builtins(spec.quirks))

    def __repr__(self) -> str:
        return f"Family({self.name!r})"

    def read(self, tree: Tree) -> Device:
        """Read all that is understood of a device; no tree makes this fail."""
        return read_device(self.name, self.spec, tree)

    def paths(self, need: Need, tree: Tree | None = None) -> list[str]:
        """Give what to ask a device for, to know of a kind of thing anew.

        Args:
            need: the kind.
            tree: what is known of the device; with it, only what it has is asked for, and as
                exactly as can be.

        Returns:
            whole paths, and objects with a dot at the end, which stand for all below them; empty
            where the family has no such thing.
        """
        return paths_of(self.spec, need, tree)

    def write(self, tree: Tree, change: Change) -> list[ParameterValue]:
        """Give what is to be set for a change, with the types the device gave.

        Raises:
            Unsupported: the device cannot do it; says what, and why.
        """
        return write_change(self.spec, tree, change)

    def follow_up(self, change: Change) -> frozenset[str]:
        """Give what must be done after a change was taken.

        Returns:
            "reboot": the device takes it into use only then.
            "resend_passphrase": it may have forgotten the network's passphrase.
        """
        return follow_up(self.spec, change)

    def diagnostic(
        self, kind: Kind, arguments: Mapping[str, object], tree: Tree | None = None
    ) -> Diagnostic:
        """Give what begins a diagnostic, and reads what came out.

        Args:
            kind: "ping", "traceroute", "download", "upload" or "neighbours".
            arguments: "host", "count", "timeout_ms", "octets", "hops", "url", "connections";
                those that are of the kind.
            tree: what is known of the device.

        Raises:
            Unsupported: it is not known how this device does that.
            Invalid: an argument cannot be used.
        """
        return diagnostic(self.spec, kind, arguments, tree)


class Families:
    """All families there are.

    Args:
        specs: by name.
    """

    _loaded: "dict[Path | None, Families]" = {}  # noqa: RUF012  once a process

    def __init__(self, specs: dict[str, Spec]) -> None:
        self._families = {name: Family(name, spec) for name, spec in specs.items()}
        self._rules = Rules(specs)

    @classmethod
    def load(cls, extra: Path | None = None) -> "Families":
        """Load the families, once a process.

        Args:
            extra: a folder of an operator's own files; a family in them goes before ours of the
                same name.

        Raises:
            BadFamily: a file is wrong; names it, the family, and what is wrong.
        """
        found = cls._loaded.get(extra)
        if found is None:
            tables = read_files(_FOLDER)
            if extra is not None:
                if not extra.is_dir():
                    raise BadFamily(f"{extra} is no folder")
                tables |= read_files(extra)
            found = cls._loaded[extra] = cls(specs_of(tables))
        return found

    def __iter__(self) -> Iterator[Family]:
        return iter(self._families.values())

    def __getitem__(self, name: str) -> Family:
        """Give a family by its name.

        Raises:
            KeyError: there is none of that name.
        """
        return self._families[name]

    def of(
        self,
        *,
        manufacturer: str = "",
        product_class: str = "",
        oui: str = "",
        model: str = "",
        hardware: str = "",
        software: str = "",
        root: str = "",
        tree: Tree | None = None,
    ) -> Family:
        """Give the family of a device: of those whose rules are so the one that says most.

        What is not given is taken from the tree. A device that no rule is about is taken for
        what the standard says under its root.
        """
        known: Tree = tree or {}
        if not root:
            root = next((each for each in _BY_ROOT if any(p.startswith(each) for p in known)), "")

        def told(given: str, leaf: str) -> str:
            parameter = None if given else known.get(f"{root}DeviceInfo.{leaf}")
            return given if parameter is None else parameter.value

        best = self._rules.best(
            Described(
                manufacturer=told(manufacturer, "Manufacturer"),
                oui=told(oui, "ManufacturerOUI"),
                product_class=told(product_class, "ProductClass"),
                model=told(model, "ModelName"),
                hardware=told(hardware, "HardwareVersion"),
                software=told(software, "SoftwareVersion"),
                root=root,
            )
        )
        return self._families[best or _BY_ROOT.get(root, "tr181")]


__all__ = [
    "BadFamily",
    "Change",
    "Diagnostic",
    "Families",
    "Family",
    "Result",
    "Unsupported",
]
