"""Connection requests over HTTP (TR-069 Amendment 6, 3.2.2): one GET that a device answers.

The URL comes from the device, so that it may say anything: it is called only where devices are, by
the address that was looked at, and nothing of what answers is used.
"""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from demarc.domains.cpe.ports import Unreached
from demarc.protocols import http_digest

_WITHIN: Final = 5.0
_LARGEST: Final = 16_384
_TAKEN: Final = frozenset({200, 204})
_CHALLENGE: Final = 401
_BUSY: Final = 503

Network = IPv4Network | IPv6Network


class HttpCaller:
    """Calls devices by HTTP with Digest.

    Args:
        allowed: networks in which devices are called, as CIDR.
        within: seconds a device may take.
    """

    def __init__(self, allowed: Sequence[str], *, within: float = _WITHIN) -> None:
        self._allowed: tuple[Network, ...] = tuple(ip_network(each) for each in allowed)
        self._within = within

    async def call(self, *, url: str, username: str, password: str) -> None:
        """Have a device begin a session; see ``Caller``.

        Raises:
            Unreached: it is not there, or not to be called, or did not want to.
        """
        try:
            async with asyncio.timeout(self._within):
                host, port, path = await self._place(url)
                await _call(host, port, path, username, password)
        except TimeoutError:
            raise Unreached("the device did not answer the connection request in time") from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise Unreached(f"the device cannot be reached: {reason}") from None

    async def _place(self, url: str) -> tuple[str, int, str]:
        """Give the address, the port and the path to ask for."""
        try:
            parts = urlsplit(url)
            port = parts.port or 7547
        except ValueError:
            raise Unreached("the device gave no URL that can be called") from None
        if parts.scheme != "http" or not parts.hostname:
            raise Unreached("the device gave no URL that can be called")
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except socket.gaierror:
            raise Unreached("the name in the device's URL is not known") from None
        for *_, place in found:
            address = ip_address(str(place[0]).partition("%")[0])
            if self._may_call(address):
                path = parts.path or "/"
                return str(address), port, f"{path}?{parts.query}" if parts.query else path
        raise Unreached("the device's URL lies outside the networks in which devices are called")

    def _may_call(self, address: IPv4Address | IPv6Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None)
        looked_at = mapped or address
        return any(looked_at in each for each in self._allowed if each.version == looked_at.version)


async def _call(host: str, port: int, path: str, username: str, password: str) -> None:
    status, challenge = await _get(host, port, path, None)
    if status == _CHALLENGE:
        if challenge is None:
            raise Unreached("the device asks for a proof in a way that is not known")
        try:
            asked = http_digest.read_challenge(challenge)
        except http_digest.Malformed as reason:
            raise Unreached(f"the device's challenge cannot be answered: {reason}") from None
        answer = http_digest.answer_to(
            asked,
            method="GET",
            uri=path,
            username=username,
            password=password,
            cnonce=secrets.token_hex(8),
        )
        status, _ = await _get(host, port, path, http_digest.answer_header(answer))
    if status in _TAKEN:
        return
    if status == _CHALLENGE:
        raise Unreached("the device does not take our password for connection requests")
    if status == _BUSY:
        raise Unreached("the device is busy: it is in a session, or was called too often")
    raise Unreached(f"the device answered the connection request with {status}")


async def _get(
    host: str, port: int, path: str, authorization: str | None
) -> tuple[int, str | None]:
    """Ask, and give the status and a challenge of Digest, where there is one."""
    reader, writer = await asyncio.open_connection(host, port, limit=_LARGEST)
    try:
        name = f"[{host}]" if ":" in host else host
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {name}:{port}",
            "Connection: close",
            *([] if authorization is None else [f"Authorization: {authorization}"]),
        ]
        request = "\r\n".join([*lines, "", ""])
        if any(sign in path for sign in "\r\n \t"):
            raise Unreached("the device gave no URL that can be called")
        writer.write(request.encode("latin-1", errors="replace"))
        await writer.drain()
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as cut:
            # some devices close right after the status line
            head = cut.partial
        except asyncio.LimitOverrunError:
            raise Unreached("the device's answer is too long") from None
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return _read_head(head)


def _read_head(head: bytes) -> tuple[int, str | None]:
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split()
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():  # noqa: PLR2004
        raise Unreached("what answers at the device's URL does not speak HTTP")
    challenges = [
        line.partition(":")[2].strip()
        for line in rest
        if line.lower().startswith("www-authenticate:")
    ]
    digest = [each for each in challenges if each.lower().startswith("digest")]
    return int(words[1]), digest[0] if digest else None


__all__ = ["HttpCaller"]
