"""Attributes that somebody writes down to be given to access servers, checked before they are kept.

A line is ``Attribute-Name = value``, ``Attribute-Name:tag = value`` where it may carry a tag (RFC
2868), and begins with ``[make]`` where it is for access servers of that make alone.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from types import MappingProxyType
from typing import Final, get_args

import msgspec

from demarc.domains.aaa.model import Vendor
from demarc.domains.errors import Invalid
from demarc.protocols.radius.attributes import Pair, encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY, Attribute, Kind
from demarc.protocols.radius.values import Plain, Tagged

_LINE = re.compile(
    r"\s*(?:\[([a-z-]+)\])?\s*([A-Za-z0-9-]+)(?::(\d{1,2}))?\s*=\s*(.*?)\s*", re.DOTALL
)
_MAKES = frozenset(get_args(Vendor))
_MOST = 32
_LONGEST_TAG = 0x1F
# what the server gives, or the protocol lives by, is nobody's to write
_OURS: Final = frozenset(
    name.lower()
    for name in (
        *("User-Password", "CHAP-Password", "CHAP-Challenge", "State", "Class", "Proxy-State"),
        *("EAP-Message", "Message-Authenticator", "Vendor-Specific", "Reply-Message"),
        *("Framed-IP-Address", "Session-Timeout", "Idle-Timeout", "Acct-Interim-Interval"),
        *("Error-Cause", "Event-Timestamp", "User-Name", "Acct-Session-Id"),
    )
)


class Line(msgspec.Struct, frozen=True):
    """One attribute.

    Attributes:
        make: access servers it is for; None for all.
    """

    make: str | None
    pair: Pair


def read_line(line: str) -> Line:
    """Read a line.

    Raises:
        Invalid: of "attributes"; it says what is wrong with which line.
    """
    match = _LINE.fullmatch(line)
    if match is None or not match[4]:
        raise _wrong(line, "is not of the form Attribute-Name = value")
    make, name, tag, text = match.groups()
    if make is not None and make not in _MAKES:
        raise _wrong(line, f"is for {make}, which is none of {', '.join(sorted(_MAKES))}")
    attribute = DICTIONARY.get(name)
    if attribute is None:
        raise _wrong(line, "names an attribute that is not known")
    if name.lower() in _OURS or attribute.encryption is not None:
        raise _wrong(line, "names an attribute that is not given by hand")
    try:
        value = _value(attribute, text)
        if tag is None:
            pair: Pair = (attribute, value)
        elif attribute.tagged and 1 <= int(tag) <= _LONGEST_TAG:
            pair = (attribute, Tagged(int(tag), value))
        else:
            raise _wrong(line, "carries a tag, which is from 1 to 31 and only where one may be")
        encode_attributes([pair])
    except ValueError as wrong:
        raise _wrong(line, f"has a value that does not fit: {wrong}") from None
    return Line(make, pair)


def _value(attribute: Attribute, text: str) -> Plain:
    match attribute.kind:
        case Kind.STRING:
            return text
        case Kind.INTEGER | Kind.INTEGER64:
            named = {name.lower(): number for name, number in attribute.values.items()}
            return named[text.lower()] if text.lower() in named else int(text)
        case Kind.IPADDR:
            return IPv4Address(text)
        case Kind.IPV6ADDR:
            return IPv6Address(text)
        case Kind.IPV6PREFIX:
            return IPv6Network(text)
        case Kind.DATE:
            return datetime.fromisoformat(text)
        case _:
            return bytes.fromhex(text.removeprefix("0x"))


def check(field: str, lines: Iterable[str]) -> tuple[str, ...]:
    """Give lines as they are stored.

    Raises:
        Invalid: of the field: one cannot be used, or there are too many.
    """
    kept = tuple(line.strip() for line in lines)
    if len(kept) > _MOST:
        raise Invalid(field, f"are {len(kept)}; there may be {_MOST}")
    for line in kept:
        try:
            read_line(line)
        except Invalid as wrong:
            raise Invalid(field, wrong.reason) from None
    return kept


@lru_cache(maxsize=1024)
def pairs(make: str, lines: tuple[str, ...]) -> tuple[Pair, ...]:
    """Give the attributes of lines that an access server of a make is given."""
    read = [read_line(line) for line in lines]
    return tuple(line.pair for line in read if line.make in {None, make})


_FILTER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mikrotik": "MikroTik-Address-List",
        # the SLA profile holds the filter
        "nokia": "Alc-SLA-Prof-Str",
        # its Filter-Id is the shaper's
        "accel-ppp": "",
    }
)
_REDIRECT: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "mikrotik": ("WISPr-Redirection-URL", ""),
        "wispr": ("WISPr-Redirection-URL", ""),
        "huawei": ("Huawei-HTTP-Redirect-URL", ""),
        "cisco": ("Cisco-AVPair", "url-redirect="),
        "nokia": ("Alc-Portal-Url", ""),
    }
)


def filter_pairs(make: str, name: str | None) -> list[Pair]:
    """Give what puts a session behind a filter the access server knows by name.

    Address list on MikroTik, SLA profile on Nokia, Filter-Id (RFC 2865, 5.11) on others, nothing
    on accel-ppp, which has no such attribute.
    """
    attribute = _FILTER.get(make, "Filter-Id")
    return [] if name is None or not attribute else [(DICTIONARY[attribute], name)]


def redirect_pairs(make: str, url: str | None) -> list[Pair]:
    """Give what sends a session's web requests to a page, where the make has such an attribute."""
    if url is None or make not in _REDIRECT:
        return []
    attribute, prefix = _REDIRECT[make]
    return [(DICTIONARY[attribute], prefix + url)]


def _wrong(line: str, what: str) -> Invalid:
    return Invalid("attributes", f"line {line.strip()[:80]!r} {what}")


__all__ = ["Line", "check", "filter_pairs", "pairs", "read_line", "redirect_pairs"]
