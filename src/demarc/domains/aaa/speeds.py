"""How a speed is said to access servers of each make: attributes with places for the rates.

A template is ``Attribute-Name = text``, or ``Attribute-Name:tag = text`` where the attribute may
carry a tag (RFC 2868). In the text stand ``{down_bps} {up_bps} {down_kbps} {up_kbps} {down_mbps}
{up_mbps}``: "down" is towards the subscriber; kbit/s and Mbit/s are rounded up, so that nobody
gets less than was bought. A NAS may have templates of its own in the place of its make's.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec

from demarc.domains.errors import Invalid
from demarc.protocols.radius.attributes import Pair
from demarc.protocols.radius.dictionary import DICTIONARY, Attribute, Kind
from demarc.protocols.radius.values import Tagged

OF_MAKE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "generic": (),
        # rx/tx from the router's side: what it receives is the subscriber's upload
        "mikrotik": ("MikroTik-Rate-Limit = {up_bps}/{down_bps}",),
        # input is from the subscriber
        "huawei": (
            "Huawei-Input-Average-Rate = {up_bps}",
            "Huawei-Output-Average-Rate = {down_bps}",
        ),
        # $junos-cos-shaping-rate, tag T02; what comes in is policed by the profile's own rules
        "juniper": ("ERX-CoS-Shaping-Pmt-Type = T02 {down_bps}",),
        # parameters of the policy that the session's template carries
        "cisco": (
            "Cisco-AVPair = qos-policy-in=add-class(sub,(class-default),police({up_bps}))",
            "Cisco-AVPair = qos-policy-out=add-class(sub,(class-default),shape({down_bps}))",
        ),
        # overrides that the active QoS policy has no place for are kept, and do nothing
        "nokia": (
            "Alc-Subscriber-QoS-Override = i:q:1:pir={up_kbps}",
            "Alc-Subscriber-QoS-Override = e:r:rate={down_kbps}",
        ),
        "zte": ("ZTE-Rate-Ctrl-SCR-Up = {up_kbps}", "ZTE-Rate-Ctrl-SCR-Down = {down_kbps}"),
        # the shaper's own attribute: down/up in kbit/s
        "accel-ppp": ("Filter-Id = {down_kbps}/{up_kbps}",),
        "wispr": ("WISPr-Bandwidth-Max-Up = {up_bps}", "WISPr-Bandwidth-Max-Down = {down_bps}"),
    }
)
"""Templates by the make of a NAS."""

_LINE = re.compile(r"\s*([A-Za-z0-9-]+)(?::(\d{1,2}))?\s*=\s*(.*?)\s*")
_PLACE = re.compile(r"\{([^{}]*)\}")
_PLACES = frozenset({"down_bps", "up_bps", "down_kbps", "up_kbps", "down_mbps", "up_mbps"})
_LARGEST = 2**32 - 1
# the tag takes an octet of a number's four (RFC 2868, 3.1)
_LARGEST_TAGGED = 2**24 - 1
_LONGEST_TAG = 0x1F
# what is left of an attribute of a vendor (RFC 2865, 5.26)
_LONGEST_TEXT = 246
_MOST = 16
_TEST_BPS = 400_000_000_000


class Template(msgspec.Struct, frozen=True):
    """One attribute of a speed.

    Attributes:
        text: what stands for it, with places for the rates.
        tag: ties it to others; None where it carries none.
    """

    attribute: Attribute
    text: str
    tag: int | None = None

    def pair(self, rates: Mapping[str, int]) -> Pair:
        """Give the attribute with the rates in their places."""
        text = _PLACE.sub(lambda place: str(rates[place[1]]), self.text)
        value: str | int = text
        if self.attribute.kind is Kind.INTEGER:
            # more than the attribute can hold is as good as no limit
            value = min(int(text), _LARGEST_TAGGED if self.attribute.tagged else _LARGEST)
        return self.attribute, value if self.tag is None else Tagged(self.tag, value)


def read_template(line: str) -> Template:
    """Read one line.

    Raises:
        Invalid: of "speed_attributes"; it says what is wrong with which line.
    """
    match = _LINE.fullmatch(line)
    if match is None or not match[3]:
        raise _wrong(line, "is not of the form Attribute-Name = text")
    attribute = DICTIONARY.get(match[1])
    if attribute is None:
        raise _wrong(line, "names an attribute that is not known")
    if attribute.encryption is not None or attribute.kind not in {Kind.STRING, Kind.INTEGER}:
        raise _wrong(line, "names an attribute that holds neither text nor a number")
    tag = None if match[2] is None else int(match[2])
    if tag is not None and not (attribute.tagged and 1 <= tag <= _LONGEST_TAG):
        raise _wrong(line, "carries a tag, which is from 1 to 31 and only where one may be")
    text = match[3]
    for place in _PLACE.findall(text):
        if place not in _PLACES:
            raise _wrong(line, f"has {{{place}}}; there are {', '.join(sorted(_PLACES))}")
    rest = _PLACE.sub("", text)
    if "{" in rest or "}" in rest:
        raise _wrong(line, "has a brace that does not belong to a place")
    if attribute.kind is Kind.INTEGER and not re.fullmatch(r"\d{1,10}|\{\w+\}", text):
        raise _wrong(line, "has text for an attribute that is a number")
    template = Template(attribute, text, tag)
    if len(_PLACE.sub("0" * len(str(_TEST_BPS)), text).encode()) > _LONGEST_TEXT:
        raise _wrong(line, "is too long for an attribute")
    return template


def check(lines: Iterable[str]) -> list[str]:
    """Give templates as they are stored.

    Raises:
        Invalid: of "speed_attributes": one cannot be used, or there are too many.
    """
    kept = [line.strip() for line in lines]
    if len(kept) > _MOST:
        raise Invalid("speed_attributes", f"are {len(kept)}; a NAS takes {_MOST}")
    for line in kept:
        read_template(line)
    return kept


def speed_pairs(
    vendor: str, own: Sequence[str] | None, download_bps: int, upload_bps: int
) -> list[Pair]:
    """Give the attributes that tell a NAS a speed.

    Args:
        vendor: the make of the NAS.
        own: its own templates, in the place of the make's; None where it has none.
        download_bps: bit/s towards the subscriber.
        upload_bps: bit/s from the subscriber.
    """
    rates = _rates(download_bps, upload_bps)
    lines = OF_MAKE.get(vendor, ()) if own is None else tuple(own)
    return [template.pair(rates) for template in _read_all(lines)]


@lru_cache(maxsize=1024)
def _read_all(lines: tuple[str, ...]) -> tuple[Template, ...]:
    return tuple(read_template(line) for line in lines)


def _rates(download_bps: int, upload_bps: int) -> dict[str, int]:
    return {
        "down_bps": download_bps,
        "up_bps": upload_bps,
        "down_kbps": -(-download_bps // 1_000),
        "up_kbps": -(-upload_bps // 1_000),
        "down_mbps": -(-download_bps // 1_000_000),
        "up_mbps": -(-upload_bps // 1_000_000),
    }


def _wrong(line: str, what: str) -> Invalid:
    return Invalid("speed_attributes", f"line {line.strip()[:80]!r} {what}")


__all__ = ["OF_MAKE", "Template", "check", "read_template", "speed_pairs"]
