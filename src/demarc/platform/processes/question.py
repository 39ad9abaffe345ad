"""The one question a parent has for its children: how are you?

A child answers with whatever octets it was given a function for. Each question has a number, so
that an answer that comes late is not taken for the answer to a later one.
"""

import asyncio
import contextlib
import itertools
import socket
import struct
from collections.abc import Callable

_ASKED = struct.Struct("!I")
_ANSWERED = struct.Struct("!II")  # the question's number, and how many octets follow
_LARGEST = 16 * 1024 * 1024


class Asking:
    """The parent's side.

    Args:
        end: our end of a pair of stream sockets.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[bytes]] = {}
        self._connecting = asyncio.Lock()
        self._over = False

    async def ask(self, within: float) -> bytes | None:
        """Give the child's answer; None if there is none in time, or no child any more."""
        if self._over:
            return None
        number = next(self._numbers) & 0xFFFFFFFF
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            async with asyncio.timeout(within):
                writer = await self._connected()
                writer.write(_ASKED.pack(number))
                await writer.drain()
                return await answer
        except (TimeoutError, OSError, EOFError):
            return None
        finally:
            del self._open[number]

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                reader, self._writer = await asyncio.open_unix_connection(sock=self._end)
                self._listening = asyncio.create_task(self._listen(reader))
            return self._writer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                number, length = _ANSWERED.unpack(await reader.readexactly(_ANSWERED.size))
                if length > _LARGEST:
                    break
                octets = await reader.readexactly(length)
                answer = self._open.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(octets)
        # it is gone, or speaks what we do not
        self._over = True
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(EOFError())

    async def close(self) -> None:
        """Ask no more."""
        self._over = True
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
        else:
            self._end.close()


async def answering(end: socket.socket, answer: Callable[[], bytes]) -> None:
    """Answer whoever holds the other end, until it is gone.

    Args:
        end: our end of a pair of stream sockets.
        answer: gives the answer, at once.
    """
    reader, writer = await asyncio.open_unix_connection(sock=end)
    try:
        with contextlib.suppress(OSError, EOFError):
            while True:
                (number,) = _ASKED.unpack(await reader.readexactly(_ASKED.size))
                octets = answer()
                writer.write(_ANSWERED.pack(number, len(octets)) + octets)
                await writer.drain()
    finally:
        writer.close()


__all__ = ["Asking", "answering"]
