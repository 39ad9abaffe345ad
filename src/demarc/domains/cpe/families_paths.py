"""What to ask a device for, to read a kind of thing: little, and in few names."""

from collections.abc import Callable, Iterable

from demarc.domains.cpe.families_schema import Leaf, Spec, many
from demarc.domains.cpe.families_view import View
from demarc.domains.cpe.families_wan import wan_keys
from demarc.domains.cpe.families_wifi import BANDS, band_data
from demarc.domains.cpe.neutral import Need
from demarc.domains.cpe.tree import Tree

_MANAGEMENT = (
    "URL",
    "PeriodicInformEnable",
    "PeriodicInformInterval",
    "ConnectionRequestURL",
)


def paths_of(spec: Spec, need: Need, tree: Tree | None) -> list[str]:
    """Give what to ask for; see ``Family.paths``."""
    view = View(tree or {}, spec.root, last=spec.quirks.wildcard_is_last)
    asked = _Asked(spec, view)
    ways: dict[Need, Callable[[], list[str]]] = {
        Need.INFO: asked.info,
        Need.WAN: asked.wan,
        Need.WIFI: asked.wifi,
        Need.HOSTS: asked.hosts,
        Need.PON: asked.pon,
        Need.BYTES: lambda: asked.of_wans(spec.wan.received, spec.wan.sent),
        Need.UPTIME: asked.uptime,
        Need.MANAGEMENT: lambda: asked.leaves(*(f"/ManagementServer.{e}" for e in _MANAGEMENT)),
        Need.LAN: lambda: asked.leaves(
            spec.lan.ipv4, spec.lan.netmask, spec.lan.dhcp, spec.lan.dns
        ),
        Need.WEB: lambda: asked.leaves(spec.web.username, spec.web.password),
    }
    return _fewest(ways[need]())


class _Asked:
    def __init__(self, spec: Spec, view: View) -> None:
        self._spec = spec
        self._view = view

    def leaves(self, *leaves: Leaf) -> list[str]:
        """Give leaves by whole paths: those the device is known to have, or the first of each."""
        found = []
        for leaf in leaves:
            names = many(leaf)
            known = [path for path in self._view.paths(names, "") if path in self._view.tree]
            if known:
                found.append(known[0])
            elif names and not self._view.tree:
                found.append(self._begin(names[0][1:], 0))
        if found or not self._view.tree:
            return found
        return _Asked(self._spec, self._empty()).leaves(*leaves)

    def _empty(self) -> View:
        return View({}, self._spec.root)

    def _begin(self, pattern: str, instances: int) -> str:
        """Give the part of a pattern that can be asked for, ``instances`` of its ``*`` as 1."""
        parts = pattern.split("*")
        whole = len(parts) == 1
        taken = parts[: instances + 1]
        return self._spec.root + "1".join(taken) if not whole else self._spec.root + pattern

    def objects(self, pattern: str, instances: int) -> list[str]:
        """Give objects to ask for as a whole.

        Args:
            pattern: of the objects.
            instances: how many of its ``*`` are to be numbers; the rest is asked for at once.
        """
        if not pattern:
            return []
        parts = pattern.split("*")
        outer = "*".join(parts[: instances + 1])
        if instances and self._view.tree:
            head, tail = outer.rpartition("*")[0] + "*.", outer.rpartition("*")[2][1:]
            found = [each + tail for each in self._view.instances(head)]
            if found:
                return found
        return [self._begin(pattern, instances)]

    def info(self) -> list[str]:
        """Give what a device tells about itself."""
        about, can = self._spec.about, self._spec.can
        wanted: list[Leaf] = [
            about.manufacturer,
            about.model,
            about.serial_number,
            about.hardware_version,
            about.software_version,
            about.uptime,
            about.mac,
            about.alternative_uid,
        ]
        if can.cpu or self._view.tree:
            wanted.append(about.cpu)
        if can.memory or self._view.tree:
            wanted += [about.memory_total, about.memory_free]
        return self.leaves(*wanted)

    def pon(self) -> list[str]:
        """Give light, of devices that are known to have it."""
        data, view = self._spec.pon, self._view
        known = any(path in view.tree for path in view.paths(many(data.rx), ""))
        return self.leaves(data.rx, data.tx) if known or self._spec.can.pon else []

    def wan(self) -> list[str]:
        """Give connections, with what they rest on."""
        data = self._spec.wan
        depth = 1 if data.ppp.count("*") > 1 else 0
        found = self.objects(data.ppp, depth) + self.objects(data.ip, depth)
        for leaf in (data.vlan, data.services, data.mac, data.gateway, data.mtu):
            for name in many(leaf):
                if name.startswith("/") and name.count("*") and not depth:
                    found += self.objects(name[1:].rpartition("*")[0] + "*.", 0)
        return found + self.of_wans(data.received, data.sent)

    def of_wans(self, *leaves: Leaf) -> list[str]:
        """Give leaves of every connection."""
        view = self._view
        ppp, ip = wan_keys(self._spec, view)
        found = []
        for key in [*ppp, *ip]:
            for leaf in leaves:
                known = [path for path in view.paths(many(leaf), key) if path in view.tree]
                found += known[:1]
        if found:
            return found
        for leaf in leaves:
            for name in many(leaf)[:1]:
                if not name.startswith("/"):
                    # of the connections themselves: they are asked for whole
                    depth = 1 if self._spec.wan.ppp.count("*") > 1 else 0
                    found += [self._begin(self._spec.wan.ppp, depth)]
                elif name.count("*") == 1 and self._spec.root != "Device.":
                    found.append(self._begin(name[1:], 1))
                else:
                    depth = 1 if name.count("*") > 1 else 0
                    found.append(self._begin(name[1:], depth))
        return found

    def uptime(self) -> list[str]:
        """Give how long the device is on and its connections are up, and by what account."""
        data = self._spec.wan
        return self.leaves(self._spec.about.uptime) + self.of_wans(
            data.uptime, data.status, data.username
        )

    def wifi(self) -> list[str]:
        """Give networks, transmitters, access points."""
        data = self._spec.wifi
        found = []
        for pattern in (data.networks, data.radios, data.access_points):
            found += self.objects(pattern, pattern.count("*") - 1 if pattern else 0)
        for band in BANDS:
            own = band_data(self._spec, band)
            for leaf in (own.bandwidth, own.standard, own.passphrase):
                if many(leaf) and many(leaf)[0].startswith("/"):
                    found += self.leaves(leaf)
        return found

    def hosts(self) -> list[str]:
        """Give hosts and stations, with the networks these are in."""
        found = []
        for pattern in many(self._spec.hosts.objects):
            found += self.objects(pattern, pattern.count("*") - 1)
        for pattern in many(self._spec.stations.objects):
            inner = pattern.count("*") - 1
            networks = [band_data(self._spec, band).network for band in BANDS]
            if self._view.tree:
                found += self.objects(pattern, inner)
            elif self._spec.wifi.radios or not any(networks):
                found += self.objects(pattern, min(max(inner - 1, 0), 1))
            else:
                tail = pattern.rpartition("*")[0].rpartition("*.")[2]
                found += [self._spec.root + each + tail for each in networks if each]
        return found


def _fewest(paths: Iterable[str]) -> list[str]:
    """Leave out what is below another path, and what stands twice."""
    every = list(dict.fromkeys(paths))
    objects = tuple(each for each in every if each.endswith("."))
    return [
        each
        for each in every
        if not any(each != other and each.startswith(other) for other in objects)
    ]


__all__ = ["paths_of"]
