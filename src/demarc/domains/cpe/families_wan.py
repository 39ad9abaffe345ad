"""Reading connections towards the network."""

from typing import Literal

from msgspec.structs import replace

from demarc.domains.cpe import families_values as values
from demarc.domains.cpe.families_schema import Leaf, Spec, many
from demarc.domains.cpe.families_view import View
from demarc.domains.cpe.neutral import Carries, Wan

_OCTETS_AT_MOST = 2**64 - 1
_LEAST_MTU = 68


def wan_keys(spec: Spec, view: View) -> tuple[list[str], list[str]]:
    """Give the connections' objects: those by PPPoE, and those by IP alone."""
    ppp = view.instances(spec.wan.ppp)
    if spec.quirks.wildcard_is_last:
        ppp.reverse()
    ip = view.instances(spec.wan.ip)
    if spec.root == "Device.":
        below_ppp = {each for key in ppp for each in view.related(key)}
        ip = [key for key in ip if key not in below_ppp and _is_wan(spec, view, key, bool(ppp))]
    return ppp, ip


def _is_wan(spec: Spec, view: View, key: str, others: bool) -> bool:
    """Tell whether a TR-181 IP interface looks to the network, not to the home."""
    for leaf in many(spec.wan.lan):
        told = view.value((leaf,))
        if told is not None and told.strip().rstrip(".") + "." == key:
            return False
    kind = view.value(("Type",), key)
    if kind is not None and kind.strip().lower() == "loopback":
        return False
    below = view.below(key)
    if any(".Bridging." in each or ".WiFi." in each for each in below):
        return False
    for each in below:
        if values.flag(view.value(("Upstream",), each)):
            return True
    addressed = (view.value(many(spec.wan.addressing), key) or "").strip().lower()
    return addressed in {"dhcp", "dhcpv4"} or (not others and len(below) > 1)


def read_wans(spec: Spec, view: View) -> tuple[Wan, ...]:
    """Read the connections, those by PPPoE first."""
    ppp, ip = wan_keys(spec, view)
    told = [_read(spec, view, key, by_ppp=True) for key in ppp]
    told += [_read(spec, view, key, by_ppp=False) for key in ip]
    return tuple(_share_counters(told))


class _Told:
    """A connection with where its counters were read."""

    __slots__ = ("counters", "wan")

    def __init__(self, wan: Wan, counters: str | None) -> None:
        self.wan = wan
        self.counters = counters


def _read(spec: Spec, view: View, key: str, *, by_ppp: bool) -> _Told:
    data = spec.wan

    def text(leaf: Leaf) -> str | None:
        return view.value(many(leaf), key)

    status = _status(text(data.status))
    name = values.word(text(data.name))
    connection_type = (text(data.connection_type) or "").lower()
    carries = values.carries(text(data.services)) or values.carries(_named(name))
    received = view.found(many(data.received), key)
    sent = view.found(many(data.sent), key)
    wan = Wan(
        key=key,
        name=name,
        kind=_kind(by_ppp, connection_type, text(data.addressing)),
        enabled=values.flag(text(data.enabled)),
        status=status,
        carries=_carries(carries),
        mac=values.mac(text(data.mac)),
        ipv4=values.ipv4(text(data.ipv4)),
        netmask=values.ipv4(text(data.netmask)),
        gateway=values.ipv4(text(data.gateway)),
        dns=values.addresses(text(data.dns)),
        ipv6=_first_ipv6(view, many(data.ipv6), key),
        delegated_prefix=values.prefix(text(data.delegated_prefix)),
        pppoe_username=values.word(text(data.username)) if by_ppp else None,
        uptime_seconds=_uptime(spec, view, key, status),
        received_octets=_octets(received),
        sent_octets=_octets(sent),
        vlan=values.whole(text(data.vlan), 1, 4094),
        mtu=values.whole(text(data.mtu), _LEAST_MTU, 65_535),
    )
    return _Told(wan, None if received is None else received[0])


def _status(text: str | None) -> str | None:
    told = values.word(text)
    lower = (told or "").lower()
    if lower in {"connected", "up"}:
        return "up"
    return "down" if lower in {"disconnected", "down", "unconfigured", "lowerlayerdown"} else told


def _kind(
    by_ppp: bool, connection_type: str, addressing: str | None
) -> Literal["pppoe", "dhcp", "static", "bridge"] | None:
    if "bridge" in connection_type:
        return "bridge"
    if by_ppp:
        return "pppoe"
    lower = (addressing or "").strip().lower()
    if lower.startswith("dhcp"):
        return "dhcp"
    return "static" if lower == "static" else None


def _named(name: str | None) -> str | None:
    """Give a name that tells what a connection is for, as "2_INTERNET_R_VID_100"."""
    return name if name is not None and "_" in name else None


def _carries(found: frozenset[str]) -> frozenset[Carries]:
    known: tuple[Carries, ...] = ("internet", "tr069", "voip", "iptv", "other")
    return frozenset(each for each in known if each in found)


def _first_ipv6(view: View, leaves: tuple[str, ...], key: str) -> str | None:
    for leaf in leaves:
        read = values.ipv6(view.value((leaf,), key))
        if read is not None:
            return read
    return None


def _uptime(spec: Spec, view: View, key: str, status: str | None) -> int | None:
    found = view.found(many(spec.wan.uptime), key)
    if found is None or (found[0].endswith(".LastChange") and status != "up"):
        return None
    return values.whole(found[1], 0, values.SECONDS_AT_MOST)


def _octets(found: tuple[str, str] | None) -> int | None:
    return None if found is None else values.whole(found[1], 0, _OCTETS_AT_MOST)


def _share_counters(told: list[_Told]) -> list[Wan]:
    """Leave counters of a whole port to the connection the subscriber uses."""
    users: dict[str, list[_Told]] = {}
    for each in told:
        if each.counters is not None:
            users.setdefault(each.counters, []).append(each)
    without = set()
    for sharing in users.values():
        if len(sharing) > 1:
            ours = next((x for x in sharing if "internet" in x.wan.carries), None)
            up = next((x for x in sharing if x.wan.status == "up"), sharing[0])
            keeper = ours or up
            without |= {x.wan.key for x in sharing if x is not keeper}
    return [_without_counters(x.wan) if x.wan.key in without else x.wan for x in told]


def _without_counters(wan: Wan) -> Wan:
    return replace(wan, received_octets=None, sent_octets=None)


__all__ = ["read_wans", "wan_keys"]
