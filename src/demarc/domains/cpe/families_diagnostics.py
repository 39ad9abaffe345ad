"""Diagnostics: what is set to begin one, and what came out of it.

TR-143 for transfers, TR-098 and TR-181 for the others; what devices do otherwise is said at its
place.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from demarc.domains.cpe import families_values as values
from demarc.domains.cpe.changes import Unsupported
from demarc.domains.cpe.families_schema import Spec, many
from demarc.domains.cpe.families_view import View
from demarc.domains.cpe.families_wan import read_wans
from demarc.domains.cpe.families_wifi import frequency_band
from demarc.domains.cpe.neutral import Device, Hop, Neighbour, PingResult, SpeedResult
from demarc.domains.cpe.tree import Tree
from demarc.domains.errors import Invalid
from demarc.protocols.cwmp.messages import ParameterValue
from demarc.protocols.cwmp.times import read_time

Kind: TypeAlias = Literal["ping", "traceroute", "download", "upload", "neighbours"]
Result: TypeAlias = PingResult | list[Hop] | SpeedResult | list[Neighbour] | str | None

_OVER = frozenset({"complete", "completed"})
_NOT_OVER = frozenset({"requested", "inprogress", ""})
_MICROSECONDS = 1_000_000
_MOST_OCTETS = 2**63
_MOST_MS = 3_600_000


class _Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of any kind; one that is not of the kind is not looked at.

    Attributes:
        host: to ping or trace.
        url: to transfer from or to.
        count: pings, or probes for each hop.
        timeout_ms: for each answer.
        octets: of a ping, or to be uploaded.
        hops: at most.
        connections: at once.
    """

    host: str = ""
    url: str = ""
    count: int | None = None
    timeout_ms: int | None = None
    octets: int | None = None
    hops: int = 30
    connections: int = 3


class Diagnostic(msgspec.Struct, frozen=True):
    """A diagnostic of a device.

    Attributes:
        kind: which.
        set: what begins it, all in one request.
        state: the parameter that tells how far it is.
        read: what to ask for when it is over.
        poll: it must be asked for; the device does not tell when it is over.
        one_by_one: each of ``set`` is a request of its own, and over before the next.
        hops_state: a word of the device's for a traceroute that reached its last hop.
        host: as it was asked for.
    """

    kind: Kind
    set: list[ParameterValue]
    state: str
    read: list[str]
    poll: bool = False
    one_by_one: bool = False
    hops_state: str = ""
    host: str = ""

    def result(self, tree: Tree) -> Result:
        """Read what came out.

        Args:
            tree: with what ``read`` names.

        Returns:
            a text in the device's words where it failed; None while it is not over.
        """
        state = self._state(tree)
        if state is None:
            return None
        lower = state.lower()
        base = self.state.rpartition(".")[0] + "."
        done = lower in _OVER
        if self.kind == "traceroute":
            hops = _hops(tree, base)
            reached = state == self.hops_state or "maxhopcount" in lower
            return hops if done or (reached and hops) else state
        if not done:
            return state
        if self.kind == "ping":
            return _ping(tree, base, self.host)
        if self.kind == "neighbours":
            return _neighbours(tree, self.read)
        return _speed(tree, base, upload=self.kind == "upload")

    def _state(self, tree: Tree) -> str | None:
        """Give how it ended; None if it has not. Of several surveys one that went well counts."""
        names = [self.state]
        if self.kind == "neighbours":
            names = [each.name for each in self.set]
        states = [(_value(tree, name) or "").strip() for name in names]
        if any(each.lower() in _NOT_OVER for each in states):
            return None
        return next((each for each in states if each.lower() in _OVER), states[0])


def diagnostic(
    spec: Spec, kind: Kind, arguments: Mapping[str, object], tree: Tree | None = None
) -> Diagnostic:
    """Give what begins a diagnostic and reads it.

    Args:
        spec: the family.
        kind: which.
        arguments: "host", "count", "timeout_ms" and "octets" of a ping; "host", "hops",
            "count" and "timeout_ms" of a traceroute; "url", "connections" and, of an upload,
            "octets" of a transfer.
        tree: as known, for the interface to go by and the objects the device really has.

    Raises:
        Unsupported: it is not known how this device does that.
        Invalid: an argument cannot be used.
    """
    try:
        given = msgspec.convert(dict(arguments), _Arguments)
    except msgspec.ValidationError as wrong:
        raise Invalid("arguments", str(wrong)) from None
    view = View(tree or {}, spec.root, last=spec.quirks.wildcard_is_last)
    if kind == "neighbours":
        return _survey(spec, view)
    below = getattr(spec.diagnostics, kind)
    if not below:
        raise Unsupported(kind, "it is not known how this device does that")
    base = spec.root + below
    if kind in {"ping", "traceroute"}:
        if not given.host:
            raise Invalid("host", "is needed")
        leaves = _ping_leaves(spec, given) if kind == "ping" else _trace_leaves(spec, given)
    else:
        leaves = _transfer_leaves(view, base, kind, given)
    found = [ParameterValue(base + leaf, value, type_) for leaf, value, type_ in leaves]
    interface = _interface(spec, view, kind)
    if interface:
        found.append(ParameterValue(f"{base}Interface", interface))
    state = f"{base}DiagnosticsState"
    found.append(ParameterValue(state, "Requested"))
    return Diagnostic(
        kind=kind,
        set=found,
        state=state,
        read=[base],
        hops_state=spec.quirks.hops_state,
        host=given.host,
    )


_Leaf: TypeAlias = tuple[str, str, str]


def _ping_leaves(spec: Spec, given: _Arguments) -> list[_Leaf]:
    count = 1 if spec.quirks.one_ping else given.count or 10
    return [
        ("Host", given.host, "string"),
        ("NumberOfRepetitions", str(count), "unsignedInt"),
        ("Timeout", str(given.timeout_ms or 1000), "unsignedInt"),
        ("DataBlockSize", str(given.octets or 64), "unsignedInt"),
    ]


def _trace_leaves(spec: Spec, given: _Arguments) -> list[_Leaf]:
    quirks = spec.quirks
    tries = min(max(given.count or 1, quirks.tries_at_least), quirks.tries_at_most)
    return [
        ("Host", given.host, "string"),
        ("NumberOfTries", str(tries), "unsignedInt"),
        ("Timeout", str(given.timeout_ms or 5000), "unsignedInt"),
        ("DataBlockSize", "38", "unsignedInt"),
        ("MaxHopCount", str(given.hops), "unsignedInt"),
    ]


def _transfer_leaves(view: View, base: str, kind: str, given: _Arguments) -> list[_Leaf]:
    if not given.url:
        raise Invalid("url", "is needed")
    url = "DownloadURL" if kind == "download" else "UploadURL"
    leaves = [(url, given.url, "string")]
    if kind == "upload":
        leaves.append(("TestFileLength", str(given.octets or 10_000_000), "unsignedInt"))
    # a device of before TR-143 Amendment 1 has no such parameter, and would refuse all
    if f"{base}DiagnosticsState" not in view.tree or f"{base}NumberOfConnections" in view.tree:
        leaves.append(("NumberOfConnections", str(given.connections), "unsignedInt"))
    return leaves


def _interface(spec: Spec, view: View, kind: str) -> str | None:
    """Give the connection to go by, for devices that do nothing without."""
    quirks = spec.quirks
    needed = {
        "ping": quirks.ping_interface,
        "traceroute": quirks.traceroute_interface,
    }.get(kind, quirks.speed_interface)
    if not needed:
        return None
    internet = Device(family="", wans=read_wans(spec, view)).internet
    return None if internet is None else internet.key


def _survey(spec: Spec, view: View) -> Diagnostic:
    objects = many(spec.diagnostics.neighbours)
    if not objects:
        raise Unsupported("neighbours", "it is not known how this device does that")
    bases = [spec.root + each for each in objects]
    states = [
        path
        for path in view.tree
        if path.endswith("DiagnosticsState") and path.startswith(tuple(bases))
    ]
    states = sorted(states) or view.paths(many(spec.diagnostics.neighbour_states), "")
    states = states or [f"{base}DiagnosticsState" for base in bases]
    return Diagnostic(
        kind="neighbours",
        set=[ParameterValue(each, "Requested") for each in states],
        state=states[0],
        read=[*bases, *(each for each in states if not each.startswith(tuple(bases)))],
        poll=spec.quirks.survey_polled,
        one_by_one=spec.quirks.survey_one_by_one,
    )


def _value(tree: Tree, path: str) -> str | None:
    parameter = tree.get(path)
    return None if parameter is None or not parameter.value else parameter.value


def _whole(tree: Tree, path: str, most: int = _MOST_OCTETS) -> int | None:
    return values.whole(_value(tree, path), 0, most)


def _ping(tree: Tree, base: str, host: str) -> PingResult:
    received = _whole(tree, f"{base}SuccessCount") or 0
    failed = _whole(tree, f"{base}FailureCount")
    if failed is None:
        asked = _whole(tree, f"{base}NumberOfRepetitions")
        failed = max((asked or received) - received, 0)

    def time(name: str) -> float | None:
        fine = _whole(tree, f"{base}{name}ResponseTimeDetailed")
        if fine:
            return fine / 1000
        return _whole(tree, f"{base}{name}ResponseTime", _MOST_MS) if received else None

    return PingResult(
        host=_value(tree, f"{base}Host") or host,
        sent=received + failed,
        received=received,
        average_ms=time("Average"),
        minimum_ms=time("Minimum"),
        maximum_ms=time("Maximum"),
    )


def _hops(tree: Tree, base: str) -> list[Hop]:
    hops = []
    for key in View(tree, base).instances("RouteHops.*."):
        name = _value(tree, f"{key}HopHost") or _value(tree, f"{key}Host") or ""
        address = _value(tree, f"{key}HopHostAddress") or _value(tree, f"{key}HostAddress")
        times = _value(tree, f"{key}HopRTTimes") or _value(tree, f"{key}RTTimes") or ""
        read = (values.number(each) for each in re.split(r"[,; ]+", times) if each)
        known = tuple(each for each in read if each is not None and 0 <= each <= _MOST_MS)
        hops.append(Hop(host=name or address or "", address=address, times_ms=known))
    return hops


def _neighbours(tree: Tree, bases: list[str]) -> list[Neighbour]:
    """Read the networks heard: every object below that has a BSSID, whatever it is called."""
    found: dict[str, Neighbour] = {}
    for path, parameter in tree.items():
        owner, _, leaf = path.rpartition(".")
        if leaf.lower() not in {"bssid", "macaddress"} or not path.startswith(tuple(bases)):
            continue
        bssid = values.mac(parameter.value)
        if bssid is None:
            continue

        def text(*leaves: str, owner: str = owner) -> str | None:
            return next((v for each in leaves if (v := _value(tree, f"{owner}.{each}"))), None)

        channel = values.whole(text("Channel"), 1, 233)
        band = frequency_band(text("OperatingFrequencyBand", "Band"))
        if band is None and channel is not None:
            band = 2 if channel <= 14 else 5  # noqa: PLR2004
        found[bssid] = Neighbour(
            bssid=bssid,
            ssid=text("SSID", "SSIDName", "Name") or "",
            channel=channel,
            signal_dbm=values.signal(
                text("SignalStrength", "RSSI", "Rssi", "Signal"),
                "dbm",
            ),
            band=band,
        )
    return list(found.values())


def _speed(tree: Tree, base: str, *, upload: bool) -> SpeedResult | str:
    """Read how fast a transfer was (TR-143, 4.3): under full load where the device measures it.

    Some devices set BOMTime only when the body has come, and have no time between it and
    EOMTime; then the transfer is counted from the answer to its connection, or its request.
    """
    verb = "Sent" if upload else "Received"
    ended = read_time(_value(tree, f"{base}EOMTime") or "")
    began = read_time(_value(tree, f"{base}BOMTime") or "")
    loaded = _whole(tree, f"{base}TestBytes{verb}UnderFullLoading")
    period = _whole(tree, f"{base}PeriodOfFullLoading")
    if loaded and period:
        return _result(loaded, period / _MICROSECONDS, began)
    octets = (
        _whole(tree, f"{base}TestBytes{verb}")
        or _whole(tree, f"{base}TotalBytes{verb}")
        or (_whole(tree, f"{base}TestFileLength") if upload else None)
    )
    if not octets:
        return "the device tells no octets that were transferred"
    starts = [began]
    starts += [
        read_time(_value(tree, base + leaf) or "") for leaf in ("TCPOpenResponseTime", "ROMTime")
    ]
    for start in starts:
        if start is not None and ended is not None and ended > start:
            return _result(octets, (ended - start).total_seconds(), start)
    return "the device tells no time that the transfer took"


def _result(octets: int, seconds: float, began: datetime | None) -> SpeedResult:
    return SpeedResult(
        bps=round(octets * 8 / seconds), octets=octets, seconds=seconds, began_at=began
    )


__all__ = ["Diagnostic", "Kind", "Result", "diagnostic"]
