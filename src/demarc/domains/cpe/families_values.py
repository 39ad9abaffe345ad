"""Values as devices say them, made into what they mean; what means nothing is None."""

import ipaddress
import math
import re
from typing import Final

_NUMBER: Final = re.compile(r"\s*([-+]?[0-9]{1,20}(?:[.,][0-9]{1,9})?)\s*([^\d\s]\D*)?")
_WHOLE: Final = re.compile(r"\+?[0-9]{1,20}")
_TRUE: Final = frozenset({"1", "true", "yes", "on", "up", "enable", "enabled"})
_FALSE: Final = frozenset({"0", "false", "no", "off", "down", "disable", "disabled"})
_NOT_HEX: Final = re.compile(r"[:\-. ]")
_MAC: Final = re.compile(r"[0-9A-F]{12}")
_CARRIES: Final = (
    ("internet", re.compile(r"INTERNET", re.IGNORECASE)),
    ("tr069", re.compile(r"TR-?0?69|MANAGEMENT", re.IGNORECASE)),
    ("voip", re.compile(r"VOIP|VOICE", re.IGNORECASE)),
    ("iptv", re.compile(r"IP-?TV|MULTICAST", re.IGNORECASE)),
    ("other", re.compile(r"OTHER|SPECIAL", re.IGNORECASE)),
)
_STANDARDS: Final = re.compile(r"(?:802\.?11)?[-_]?(be|ax|ac|n|g|a|b)", re.IGNORECASE)
_NEWEST: Final = ("be", "ax", "ac", "n", "g", "a", "b")

SECONDS_AT_MOST: Final = 20 * 366 * 86_400
"""Longer than any device is up: more is a counter that was never set."""


def number(text: str | None) -> float | None:
    """Read a number that may have a unit behind it: "-20.1 dBm"."""
    if text is None:
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    return float(match[1].replace(",", "."))


def whole(text: str | None, low: int, high: int) -> int | None:
    """Read a whole number, both ends included."""
    if text is None:
        return None
    text = text.strip()
    if _WHOLE.fullmatch(text) is None:
        return None
    read = int(text)
    return read if low <= read <= high else None


def flag(text: str | None) -> bool | None:
    """Read a boolean, as the standard writes it or a little otherwise."""
    if text is None:
        return None
    lower = text.strip().lower()
    return True if lower in _TRUE else False if lower in _FALSE else None


def word(text: str | None) -> str | None:
    """Read a text; empty ones and fillers are none."""
    if text is None:
        return None
    text = text.strip()
    return None if text in {"", "-", "--", "(null)", "N/A"} else text


def mac(text: str | None) -> str | None:
    """Read a MAC address, however its octets are held apart."""
    if text is None:
        return None
    digits = _NOT_HEX.sub("", text.strip()).upper()
    if _MAC.fullmatch(digits) is None or digits in {"0" * 12, "F" * 12}:
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def ipv4(text: str | None) -> str | None:
    """Read an IPv4 address; 0.0.0.0 is none."""
    try:
        read = ipaddress.IPv4Address((text or "").strip())
    except ValueError:
        return None
    return None if read.is_unspecified else str(read)


def ipv6(text: str | None) -> str | None:
    """Read an IPv6 address that reaches beyond the link, without its prefix length."""
    try:
        read = ipaddress.IPv6Address((text or "").strip().partition("/")[0])
    except ValueError:
        return None
    return None if read.is_unspecified or read.is_link_local or read.is_loopback else str(read)


def prefix(text: str | None) -> str | None:
    """Read an IPv6 prefix."""
    try:
        read = ipaddress.IPv6Network((text or "").strip(), strict=False)
    except ValueError:
        return None
    return None if read.is_link_local or not read.prefixlen else str(read)


def addresses(text: str | None) -> tuple[str, ...]:
    """Read a list of addresses; what is none is left out."""
    found = (ipv4(each) or ipv6(each) for each in re.split(r"[,; ]+", text or ""))
    return tuple(each for each in found if each is not None)


def light(text: str | None, unit: str) -> float | None:
    """Read optical power as dBm.

    Args:
        text: as the device says it.
        unit: "dbm"; "tenth_microwatt"; "thousandth_dbm" as TR-181 has it; "by_number" where it
            is not known: over 10 no light is dBm, up to 10 none that is seen is 0.1 uW. A
            negative number can only be dBm, whatever the unit: firmware of one model differs.
    """
    read = number(text)
    if read is None:
        return None
    if unit == "by_number" and read > 10:  # noqa: PLR2004
        unit = "tenth_microwatt"
    if unit == "tenth_microwatt" and read >= 0:
        # no light at all has no dBm
        read = 10 * math.log10(read * 1e-4) if read > 0 else math.nan
    elif unit == "thousandth_dbm" and abs(read) > 60:  # noqa: PLR2004  no light is that strong
        read /= 1000
    return round(read, 2) if -60 <= read <= 20 else None  # noqa: PLR2004  what optics can be


def signal(text: str | None, unit: str) -> float | None:
    """Read how strongly a station is heard, as dBm.

    Args:
        text: as the device says it.
        unit: "dbm"; "negated", dBm without its sign; "rcpi" (802.11: twice the dBm, plus 220).
    """
    read = number(text)
    if read is None:
        return None
    if unit == "rcpi":
        read = read / 2 - 110
    elif unit == "negated" and read > 0:
        read = -read
    return round(read, 1) if -120 <= read < 0 else None  # noqa: PLR2004  what a radio hears


def rate(text: str | None, unit: str) -> float | None:
    """Read the rate of a station's link as Mbit/s; unit "mbps" or "kbps".

    A unit the device gives goes before ours, and a number of 20,000 and more is no Mbit/s.
    """
    if text is None:
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    read = float(match[1].replace(",", "."))
    given = (match[2] or "").lower()
    if given.startswith("g"):
        read *= 1000
    elif given.startswith("k") or (not given and (unit == "kbps" or read >= 20_000)):  # noqa: PLR2004
        read /= 1000
    return round(read, 3) if 0 < read < 100_000 else None  # noqa: PLR2004


def carries(text: str | None) -> frozenset[str]:
    """Read what a connection is for, out of a list of services or its name."""
    if not text:
        return frozenset()
    return frozenset(name for name, pattern in _CARRIES if pattern.search(text))


def standard(text: str | None) -> str | None:
    """Read which of the 802.11 standards a list names, the newest."""
    if text is None:
        return None
    named = set()
    for each in re.split(r"[,;/ +]+", text.strip()):
        lower = each.lower().removeprefix("802.11").removeprefix("11").removesuffix("-only")
        rest = lower
        while match := _STANDARDS.match(rest):
            named.add(match[1].lower())
            rest = rest[match.end() :]
        if rest:
            return None
    return next((each for each in _NEWEST if each in named), None)


def width(text: str | None, vocabulary: dict[str, int]) -> int | None:
    """Read a channel's width, MHz; 0 for automatic.

    Args:
        text: as the device says it.
        vocabulary: what its words mean; numbers of MHz and "auto" are understood without.
    """
    if text is None:
        return None
    text = text.strip()
    if text in vocabulary:
        return vocabulary[text]
    lower = text.lower().replace(" ", "")
    if lower.startswith("auto"):
        return 0
    match = re.fullmatch(r"(?:v?ht|he)?(20|40|80|160|320)(?:mhz|m)?", lower)
    return int(match[1]) if match else None


__all__ = [
    "SECONDS_AT_MOST",
    "addresses",
    "carries",
    "flag",
    "ipv4",
    "ipv6",
    "light",
    "mac",
    "number",
    "prefix",
    "rate",
    "signal",
    "standard",
    "whole",
    "width",
    "word",
]
