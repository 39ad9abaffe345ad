"""An HTTP/1.1 connection that may neither dawdle nor send a head without end.

uvicorn waits for a request's head and body for good, and keeps as much of a head as it is sent: a
thousand connections that send an octet a minute would shut everybody else out.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Seconds from the first octet of a connection, or of a further request on it, to its empty line.
HEAD_WITHIN = 15.0
# Seconds from there to the end of the body. Bodies of our APIs are kilobytes.
BODY_WITHIN = 60.0
# Octets of request line and headers together.
LARGEST_HEAD = 64 * 1024

_LATE = (408, b"Request Timeout")
_LARGE = (431, b"Request Header Fields Too Large")


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with limits on how long and how large a request may be."""

    head_within = HEAD_WITHIN
    body_within = BODY_WITHIN

    #: whether requests may come: over TLS, once hands are shaken
    shaken = False

    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _begun = False
    _head = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        self.shaken = True
        super().connection_made(transport)
        self._expect(self.head_within)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take octets, as long as the head is not too large."""
        if self._in_head:
            self._head += len(data)
            if self._timer is None:  # uvicorn no longer waits for a connection to be used again
                self._expect(self.head_within)
        super().data_received(data)
        if self._in_head and self._head > LARGEST_HEAD:
            self._refuse(*_LARGE)

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head."""
        super().on_message_begin()
        self._begun = True
        if self._timer is None:
            self._expect(self.head_within)

    def on_headers_complete(self) -> None:
        """Begin to wait for the body."""
        self._in_head = False
        self._expect(self.body_within)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for nothing: what follows is ours to do, and then uvicorn's to time."""
        self._in_head, self._begun, self._head = True, False, 0
        self._expect(None)
        super().on_message_complete()

    def _expect(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._in_head and self._begun:
            self._refuse(*_LATE)
        else:
            # nothing was asked yet; or the answer to it may be under way
            self.transport.close() if self._in_head else self.transport.abort()

    def _refuse(self, status: int, reason: bytes) -> None:
        self._expect(None)
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(
                b"HTTP/1.1 %d %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                % (status, reason)
            )
        self.transport.close()


__all__ = ["BODY_WITHIN", "HEAD_WITHIN", "LARGEST_HEAD", "Connection"]
