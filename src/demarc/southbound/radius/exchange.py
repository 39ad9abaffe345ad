"""A request that was verified and waits for its answer."""

from collections.abc import Callable
from datetime import datetime

from demarc.protocols.radius.packet import Packet
from demarc.protocols.radius.reply import encode_reply
from demarc.southbound.radius.clients import Client


class Exchange:
    """One request, its sender and the way back.

    Args:
        packet: the request.
        client: whose it is.
        host: the address it came from.
        received: when, UTC.
        send: sends the reply, and keeps it for those who ask again.
        forget: lets the request be tried again; called instead of ``send``.
    """

    __slots__ = ("_forget", "_send", "client", "host", "packet", "received", "settled")

    def __init__(
        self,
        packet: Packet,
        client: Client,
        host: str,
        received: datetime,
        *,
        send: Callable[[bytes], None],
        forget: Callable[[], None],
    ) -> None:
        self.packet = packet
        self.client = client
        self.host = host
        self.received = received
        self._send = send
        self._forget = forget
        self.settled = False

    def reply(self, code: int, attributes: bytes = b"") -> None:
        """Answer."""
        self.settled = True
        self._send(encode_reply(self.packet, code, attributes, self.client.secret))

    def drop(self) -> None:
        """Give no answer; when the NAS asks again it is a new request."""
        self.settled = True
        self._forget()


__all__ = ["Exchange"]
