"""Writing changes: which parameters of a device are to be set to what."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from demarc.domains.cpe.changes import (
    Change,
    LanChange,
    ManagementChange,
    PppoeChange,
    TimeChange,
    Unsupported,
    WanChange,
    WebPasswordChange,
    WifiChange,
)
from demarc.domains.cpe.families_schema import Leaf, Spec, many
from demarc.domains.cpe.families_wan import read_wans
from demarc.domains.cpe.families_write_wifi import write_wifi
from demarc.domains.cpe.families_writer import Writer
from demarc.domains.cpe.neutral import Device, Wan
from demarc.domains.cpe.tree import Tree
from demarc.protocols.cwmp.messages import ParameterValue

_AT_5 = 5
_POSIX_ZONE = re.compile(r"(?:[A-Za-z]{3,}|<[^>]+>)([-+]?)(\d{1,2})(?::(\d\d))?.*")


class _Writing(Writer):
    """Writes what is not Wi-Fi."""

    def pppoe(self, change: PppoeChange) -> None:
        """Set the account of a connection by PPPoE."""
        wan = self._wan(change.wan, by_ppp=True)
        if change.username is not None:
            self.put(self.spec.wan.username, wan.key, "username", change.username)
        if change.password is not None:
            self.put(self.spec.wan.password, wan.key, "password", change.password)

    def wan(self, change: WanChange) -> None:
        """Set VLAN and MTU of a connection."""
        wan = self._wan(change.wan, by_ppp=False)
        if change.vlan is not None:
            if not self.spec.can.wan_vlan_write:
                raise Unsupported("vlan", "this device's cannot be set")
            number = str(change.vlan)
            self.put(self.spec.wan.vlan, wan.key, "vlan", number, "unsignedInt")
        if change.mtu is not None:
            if not self.spec.can.wan_mtu_write:
                raise Unsupported("mtu", "this device's cannot be set")
            self.put(self.spec.wan.mtu, wan.key, "mtu", str(change.mtu), "unsignedInt")

    def _wan(self, key: str | None, *, by_ppp: bool) -> Wan:
        wans = read_wans(self.spec, self.view)
        if key is not None:
            for each in wans:
                if each.key == key:
                    return each
            raise Unsupported("wan", "the device has no such connection")
        if by_ppp:
            wans = tuple(each for each in wans if each.pppoe_username or each.kind == "pppoe")
        found = Device(family="", wans=wans).internet
        if found is None:
            raise Unsupported("wan", "the device has no connection that it could be set of")
        return found

    def lan(self, change: LanChange) -> None:
        """Set the network in the home, with what DHCP gives out there."""
        data = self.spec.lan
        if not self.spec.can.lan_write:
            raise Unsupported("lan", "this device's cannot be set")
        if change.ipv4 is not None:
            self._own_address(change.ipv4, change.netmask, dns=change.dns is None)
        if change.netmask is not None:
            self.put(data.netmask, "", "netmask", change.netmask)
            if self.view.found(many(data.dhcp_netmask)):
                self.put(data.dhcp_netmask, "", "netmask", change.netmask)
        if change.dns is not None:
            most = self.spec.quirks.dns_servers
            if not self.spec.can.lan_dns_write:
                raise Unsupported("dns", "this device's cannot be set")
            if len(change.dns) > most:
                raise Unsupported("dns", f"this device gives out {most} at most")
            self.put(data.dns, "", "dns", ",".join(change.dns))
        if change.dhcp is not None:
            self.put(data.dhcp, "", "dhcp", "1" if change.dhcp else "0", "boolean")

    def _own_address(self, ours: str, netmask: str | None, *, dns: bool) -> None:
        """Set the device's own address, and what DHCP gives out that was it."""
        data, quirks, view = self.spec.lan, self.spec.quirks, self.view
        before = view.value(many(data.ipv4))
        netmask = netmask or view.value(many(data.netmask))
        self.put(data.ipv4, "", "ipv4", ours)
        if quirks.lan_gateway_sent and view.found(many(data.gateway)):
            self.put(data.gateway, "", "gateway", ours)
        if dns and before and quirks.lan_dns_sent and view.value(many(data.dns)) == before:
            self.put(data.dns, "", "dns", ours)
        if netmask is not None:
            for leaf in (data.lowest, data.highest):
                self._move(leaf, ours, netmask)

    def _move(self, leaf: Leaf, ours: str, netmask: str) -> None:
        """Take an end of what DHCP gives out over into another network."""
        now = self.view.value(many(leaf))
        try:
            network = ipaddress.IPv4Network(f"{ours}/{netmask}", strict=False)
            address = ipaddress.IPv4Address((now or "").strip())
        except ValueError:
            return
        if address not in network:
            moved = int(network.network_address) | (int(address) & int(network.hostmask))
            self.put(leaf, "", "dhcp", str(ipaddress.IPv4Address(moved)))

    def management(self, change: ManagementChange) -> None:
        """Set how the device is managed; ManagementServer is the same under either root."""
        base = f"{self.spec.root}ManagementServer."
        for leaf, value, kind in (
            ("PeriodicInformEnable", change.inform_enabled, "boolean"),
            ("PeriodicInformInterval", change.inform_interval, "unsignedInt"),
            ("URL", change.acs_url, "string"),
            ("Username", change.username, "string"),
            ("Password", change.password, "string"),
            ("ConnectionRequestUsername", change.request_username, "string"),
            ("ConnectionRequestPassword", change.request_password, "string"),
        ):
            if value is not None:
                text = str(int(value)) if isinstance(value, bool | int) else value
                self.set(base + leaf, text, kind)

    def web_password(self, change: WebPasswordChange) -> None:
        """Set what the device's own pages are opened with."""
        web = self.spec.web
        if change.username is not None:
            self.put(web.username, "", "web username", change.username)
        self.put(web.password, "", "web password", change.password)

    def time(self, change: TimeChange) -> None:
        """Set where the time is learnt, and its zone."""
        data, tree, view = self.spec.time, self.tree, self.view
        if change.servers is not None:
            enabled = view.paths(many(data.enabled), "")
            if any(path in tree for path in enabled):
                self.put(data.enabled, "", "time", "1", "boolean")
            for at, leaf in enumerate(many(data.servers)):
                path = view.bind(leaf, "")
                if at < len(change.servers):
                    self.put((leaf,), "", "ntp", change.servers[at])
                elif path is not None and path in tree and tree[path].value:
                    self.set(path, "")
        if change.zone is not None:
            match = _POSIX_ZONE.fullmatch(change.zone)
            if match is None:
                raise Unsupported("zone", f"{change.zone} is none as POSIX writes them")
            self.put(data.zone, "", "zone", change.zone)
            if any(path in tree for path in view.paths(many(data.offset), "")):
                # POSIX counts to the west, everybody else to the east
                sign = "+" if match[1] == "-" or int(match[2]) == 0 else "-"
                offset = f"{sign}{int(match[2]):02d}:{match[3] or '00'}"
                self.put(data.offset, "", "zone", offset)


def write_change(spec: Spec, tree: Tree, change: Change) -> list[ParameterValue]:
    """Give what is to be set for a change.

    Raises:
        Unsupported: the device cannot do it.
    """
    writer = _Writing(spec, tree)
    ways: dict[type, Callable[[Any], None]] = {
        WifiChange: lambda each: write_wifi(writer, each),
        PppoeChange: writer.pppoe,
        WanChange: writer.wan,
        LanChange: writer.lan,
        ManagementChange: writer.management,
        WebPasswordChange: writer.web_password,
        TimeChange: writer.time,
    }
    ways[type(change)](change)
    return writer.values


def follow_up(spec: Spec, change: Change) -> frozenset[str]:
    """Give what must be done after a change: "reboot", "resend_passphrase"."""
    quirks = spec.quirks
    found = set()
    if isinstance(change, PppoeChange) and quirks.reboot_after_pppoe_change:
        found.add("reboot")
    if isinstance(change, WifiChange) and change.ssid is not None:
        at_5 = change.band == _AT_5 or (
            change.key is not None and change.key == spec.root + spec.wifi.five.network
        )
        if quirks.reboot_after_ssid_change and not at_5:
            found.add("reboot")
        if quirks.resend_passphrase and change.passphrase is None:
            found.add("resend_passphrase")
    return frozenset(found)


__all__ = ["follow_up", "write_change"]
