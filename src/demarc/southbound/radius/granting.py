"""What a session is given, as attributes: in an Accept, and in a change of a session that lives."""

from functools import lru_cache

from demarc.domains.aaa.attributes import filter_pairs, pairs, redirect_pairs
from demarc.domains.aaa.authorisation import Terms
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.profiles import Extras
from demarc.domains.aaa.speeds import speed_pairs
from demarc.protocols.radius.attributes import Pair, encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY

IDLE_TIMEOUT = DICTIONARY["Idle-Timeout"]
SESSION_TIMEOUT = DICTIONARY["Session-Timeout"]
LARGEST = 2**32 - 1


@lru_cache(maxsize=1024)
def extra_attributes(vendor: str, extras: Extras) -> bytes:
    """Give what an Accept carries beside speed and end, ready to be sent."""
    return encode_attributes(extra_pairs(vendor, extras))


def extra_pairs(vendor: str, extras: Extras) -> list[Pair]:
    """Give what a session is given beside speed and end, as a make of NAS understands it."""
    idle: list[Pair] = []
    if extras.idle_seconds is not None:
        idle = [(IDLE_TIMEOUT, extras.idle_seconds)]
    return [
        *filter_pairs(vendor, extras.filter),
        *redirect_pairs(vendor, extras.redirect),
        *idle,
        *pairs(vendor, extras.lines),
    ]


def change_pairs(nas: Nas, terms: Terms) -> list[Pair]:
    """Give the attributes that bring a session that lives to other terms.

    Returns:
        None at all where the NAS is of a make that cannot be told them.
    """
    given = [
        *speed_pairs(nas.vendor, nas.speed_attributes, terms.download_bps, terms.upload_bps),
        *extra_pairs(nas.vendor, terms.extras),
    ]
    if given and terms.session_seconds is not None:
        given.append((SESSION_TIMEOUT, min(terms.session_seconds, LARGEST)))
    return given


__all__ = ["change_pairs", "extra_attributes", "extra_pairs"]
