"""What walls a subscriber in: a filter by its name, a page that web requests are sent to."""

from __future__ import annotations

from typing import Final

import msgspec

from demarc.lab.nas.vendors import Make
from demarc.protocols.radius.dictionary import DICTIONARY, Attribute
from demarc.protocols.radius.packet import Packet

_FILTER_ID: Final = DICTIONARY["Filter-Id"]
_FILTERS: Final[dict[Make, Attribute | None]] = {
    "mikrotik": DICTIONARY["MikroTik-Address-List"],
    "nokia": DICTIONARY["Alc-SLA-Prof-Str"],
    # its Filter-Id is the shaper's
    "accel-ppp": None,
}
_REDIRECTS: Final[dict[Make, Attribute]] = {
    "mikrotik": DICTIONARY["WISPr-Redirection-URL"],
    "huawei": DICTIONARY["Huawei-HTTP-Redirect-URL"],
    "nokia": DICTIONARY["Alc-Portal-Url"],
}
_AVPAIR: Final = DICTIONARY["Cisco-AVPair"]
_CISCO_REDIRECT: Final = b"url-redirect="


class Walls(msgspec.Struct, frozen=True):
    """What a session is behind.

    Attributes:
        filter: its name on the NAS; None for none.
        redirect: where web requests are sent; None for nowhere.
    """

    filter: str | None = None
    redirect: str | None = None


def read_walls(make: Make, packet: Packet) -> Walls | None:
    """The walls a reply or CoA sets; None if it says nothing of them."""
    attribute = _FILTERS.get(make, _FILTER_ID)
    name = None if attribute is None else packet.text(attribute)
    page = _redirect(make, packet)
    return None if name is None and page is None else Walls(name, page)


def _redirect(make: Make, packet: Packet) -> str | None:
    if make == "cisco":
        for value in packet.values(_AVPAIR):
            if value.startswith(_CISCO_REDIRECT):
                return value[len(_CISCO_REDIRECT) :].decode(errors="replace")
        return None
    attribute = _REDIRECTS.get(make)
    return None if attribute is None else packet.text(attribute)
