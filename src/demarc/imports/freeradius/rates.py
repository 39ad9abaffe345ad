"""Speeds as access servers of several makes are told them."""

import re
from collections.abc import Mapping

import msgspec

_K = 1000


class Rate(msgspec.Struct, frozen=True):
    """Bit/s, one way or both.

    Attributes:
        remark: what of the attribute is not a speed, and is left out.
    """

    download_bps: int | None = None
    upload_bps: int | None = None
    remark: str = ""


def rate(attribute: str, value: str) -> Rate | None:
    """Give the speed an attribute tells; None if it tells none that can be known.

    Args:
        attribute: its name.
        value: as it is sent.
    """
    name = attribute.lower()
    if name == "mikrotik-rate-limit":
        return _mikrotik(value)
    if name in ("cisco-avpair", "cisco-account-info"):
        return _cisco(value)
    known = _NUMBERS.get(name)
    if known is None or not value.strip().isascii() or not value.strip().isdigit():
        return None
    way, factor = known
    bps = int(value) * factor
    if bps <= 0:
        return None
    return Rate(download_bps=bps) if way == "down" else Rate(upload_bps=bps)


# "in" is towards the access server: the subscriber's upload
_NUMBERS: Mapping[str, tuple[str, int]] = {
    "wispr-bandwidth-max-down": ("down", 1),
    "wispr-bandwidth-max-up": ("up", 1),
    "huawei-output-average-rate": ("down", 1),
    "huawei-input-average-rate": ("up", 1),
    "ascend-xmit-rate": ("down", 1),
    "ascend-data-rate": ("up", 1),
    "chillispot-bandwidth-max-down": ("down", _K),
    "chillispot-bandwidth-max-up": ("up", _K),
    "pppd-downstream-speed-limit": ("down", _K),
    "pppd-upstream-speed-limit": ("up", _K),
    "rp-downstream-speed-limit": ("down", _K),
    "rp-upstream-speed-limit": ("up", _K),
    "zte-rate-ctrl-scr-down": ("down", _K),
    "zte-rate-ctrl-scr-up": ("up", _K),
}

NAMES = frozenset({*_NUMBERS, "mikrotik-rate-limit"})
"""Attributes that are speeds and nothing else, in lower case."""

_MIKROTIK = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kKmMgG]?)")
_FACTOR = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_RATE_LIMIT = re.compile(r"rate-limit\s+(input|output)\s+(?:access-group\s+\S+\s+)?([0-9]+)")
_ACCOUNT_INFO = re.compile(r"QU;([0-9]+)(?:;[0-9]+){0,2}(?:;D;([0-9]+))?")


def _mikrotik(value: str) -> Rate | None:
    """Read "rx-rate[/tx-rate] [burst ...]"; rx is what the router receives, the upload."""
    first, _, rest = value.strip().partition(" ")
    up, slash, down = first.partition("/")
    upload = _mikrotik_number(up)
    download = _mikrotik_number(down) if slash else upload
    if not upload or not download:
        return None
    remark = "burst, threshold and priority of Mikrotik-Rate-Limit are left out"
    return Rate(download, upload, remark if rest.strip() else "")


def _mikrotik_number(text: str) -> int | None:
    found = _MIKROTIK.fullmatch(text.strip())
    return None if found is None else int(float(found[1]) * _FACTOR[found[2].lower()])


def _cisco(value: str) -> Rate | None:
    found = dict(_RATE_LIMIT.findall(value))
    if found:
        down, up = found.get("output"), found.get("input")
        return Rate(None if down is None else int(down), None if up is None else int(up))
    info = _ACCOUNT_INFO.search(value)
    if info:
        return Rate(None if info[2] is None else int(info[2]), int(info[1]))
    return None


__all__ = ["NAMES", "Rate", "rate"]
