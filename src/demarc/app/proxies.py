"""Who a call comes from when proxies stand before Demarc."""

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

from demarc.app.dispatch import Scope

_FOR = b"x-forwarded-for"
_PROTO = b"x-forwarded-proto"

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """The proxies whose word is taken.

    Args:
        networks: their addresses, as prefixes. Without any nobody's word is.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: list[_Network] = [ipaddress.ip_network(each) for each in networks]
        self._trusts = lru_cache(4096)(self._look)

    def see_through(self, scope: Scope) -> None:
        """Put the caller's address and scheme in the place of the proxy's.

        Each proxy adds the address it was called from at the right of X-Forwarded-For, and anybody
        may have written anything to the left of that. So the caller is the first from the right
        that is no proxy of ours. The header X-Forwarded-Proto is believed of the proxy that called us.
        """
        peer = scope.get("client")
        if not self._networks or peer is None or not self._trusts(peer[0]):
            return
        headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
        forwarded = b",".join(value for name, value in headers if name == _FOR)
        client = peer[0]
        for entry in reversed(forwarded.split(b",")):
            address = _address(entry)
            if address is None:
                break
            client = address
            if not self._trusts(client):
                break
        if client != peer[0]:
            scope["client"] = (client, 0)
        for name, value in headers:
            if name == _PROTO:
                scheme = value.rpartition(b",")[2].strip().lower()
                if scheme in (b"http", b"https"):
                    scope["scheme"] = scheme.decode()

    def _look(self, text: str) -> bool:
        try:
            address = _plain(ipaddress.ip_address(text.partition("%")[0]))
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _address(entry: bytes) -> str | None:
    """Read an entry of X-Forwarded-For: an address, perhaps with a port; None of anything else."""
    text = entry.decode("ascii", "replace").strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(_plain(ipaddress.ip_address(text)))
    except ValueError:
        return None


def _plain(address: _Address) -> _Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


__all__ = ["Proxies"]
