"""Every socket that is listened on: which setting says where, and whose it is."""

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import msgspec

from demarc.platform.processes import tcp, udp
from demarc.platform.settings import Settings

PARENT = "parent"
"""Whose sockets are handed to no child."""


class Listening(msgspec.Struct, frozen=True):
    """A socket there may be.

    Attributes:
        name: as children ask for it.
        role: which machines open it, and which children get it; or `PARENT`.
        make: opens it.
        host: the setting with its address.
        port: the setting with its port; where that is None the socket is not opened.
    """

    name: str
    role: str
    make: Callable[[str, int], socket.socket]
    host: str
    port: str


LISTENING = (
    Listening("http", "web", tcp, "http_host", "http_port"),
    Listening("https", "web", tcp, "http_host", "https_port"),
    Listening("cwmp", "acs", tcp, "cwmp_host", "cwmp_port"),
    Listening("cwmps", "acs", tcp, "cwmp_host", "cwmp_https_port"),
    Listening("auth", "radius", udp, "radius_host", "radius_auth_port"),
    Listening("acct", "radius", udp, "radius_host", "radius_acct_port"),
    Listening("radsec", "radius", tcp, "radius_host", "radsec_port"),
    Listening("metrics", PARENT, tcp, "metrics_host", "metrics_port"),
)


def handed_to(role: str) -> list[str]:
    """Name the sockets that the children of a role get."""
    return [each.name for each in LISTENING if each.role == role]


class Listeners:
    """The sockets of this machine.

    Attributes:
        settings: with the ports really taken.
    """

    def __init__(self, sockets: Mapping[str, socket.socket], settings: Settings) -> None:
        self._sockets = dict(sockets)
        self.settings = settings

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the sockets of the machine's roles.

        Raises:
            OSError: an address cannot be listened on; the text names it. None is left open.
        """
        opened: dict[str, socket.socket] = {}
        taken: dict[str, Any] = {}
        try:
            for each in LISTENING:
                port = getattr(settings, each.port)
                if port is None or each.role not in (*settings.roles, PARENT):
                    continue
                opened[each.name] = each.make(getattr(settings, each.host), port)
                taken[each.port] = opened[each.name].getsockname()[1]
        except BaseException:
            for made in opened.values():
                made.close()
            raise
        if settings.public_url.endswith(":0"):
            taken["public_url"] = ""  # it was made of port 0, and is made again of the port taken
        return cls(opened, msgspec.structs.replace(settings, **taken))

    def of_children(self) -> dict[str, Sequence[socket.socket]]:
        """Give the sockets by name, as they are handed down."""
        return {name: [made] for name, made in self._sockets.items() if name != "metrics"}

    def get(self, name: str) -> socket.socket | None:
        """Give a socket; None if it was not asked for."""
        return self._sockets.get(name)

    def close(self, role: str | None = None) -> None:
        """Close our copies of the sockets of a role, or of all."""
        for each in LISTENING:
            if role in (None, each.role) and each.name in self._sockets:
                self._sockets[each.name].close()


__all__ = ["LISTENING", "PARENT", "Listeners", "Listening", "handed_to"]
