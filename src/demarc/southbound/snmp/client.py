"""An SNMPv2c manager over one UDP socket.

Answers are matched by request id, so a repeated question takes the answer to either copy.
What does not belong (another community, another id, noise) is dropped and only named if no
answer comes at all. Every answer that does belong is checked before it is used: an agent can
be broken or hostile, and a walk must end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import SystemRandom
from types import TracebackType
from typing import Final, Self, TypeAlias, cast

from demarc.protocols.snmp.ber import Malformed, Oid, format_oid
from demarc.protocols.snmp.message import (
    Binding,
    BulkRequest,
    ErrorStatus,
    Message,
    Pdu,
    PduType,
    Version,
    decode,
    encode,
)
from demarc.protocols.snmp.values import NULL, Missing, Value

Table: TypeAlias = Mapping[Oid, Mapping[Oid, Value]]
"""Rows by index, each with its cells by column; a cell the agent does not have is absent."""

MAX_CELLS: Final = 200_000
"""The most cells one table may have; a walk that finds more is taken for endless."""

ATTEMPTS: Final = 2
BINDINGS_PER_BULK: Final = 48
"""How many bindings one GetBulk asks for: about 1,700 octets of a usual table."""

_MAX_REQUEST_ID: Final = 2**31 - 1


class SnmpError(Exception):
    """The agent could not be asked, or did not answer as it must."""


class NoAnswer(SnmpError):
    """Nothing came back in time, or the address cannot be reached."""


class BadAnswer(SnmpError):
    """What came back cannot be understood, or is not an answer to what was asked."""


class ErrorAnswer(SnmpError):
    """The agent refused.

    Attributes:
        status: why.
        oid: which variable it names, if any.
    """

    def __init__(self, status: ErrorStatus, oid: Oid | None) -> None:
        where = f" at {format_oid(oid)}" if oid else ""
        super().__init__(f"the agent answered {status.name.lower()}{where}")
        self.status = status
        self.oid = oid


class SnmpClient:
    """Asks one agent. Several questions may be open at once.

    Example:
        ```python
        async with SnmpClient("192.0.2.1", 161, "public", timeout_s=2) as agent:
            values = await agent.get([SYS_NAME])
        ```

    Args:
        address: IP address or name.
        port: UDP port.
        community: a secret; no error names it.
        timeout_s: seconds for each question; it is sent twice within them.
    """

    def __init__(self, address: str, port: int, community: str, *, timeout_s: float) -> None:
        self._where = f"{address}:{port}"
        self._address = (address, port)
        self._community = community.encode()
        self._timeout_s = timeout_s
        self._next_id = SystemRandom().randrange(_MAX_REQUEST_ID)
        self._endpoint: _Endpoint | None = None

    async def __aenter__(self) -> Self:
        """Open the socket.

        Raises:
            NoAnswer: the name is not known, or there is no way to the address.
        """
        loop = asyncio.get_running_loop()
        try:
            _, self._endpoint = await loop.create_datagram_endpoint(
                lambda: _Endpoint(self._community), remote_addr=self._address
            )
        except (OSError, UnicodeError) as wrong:  # the latter: a name no host can have
            raise NoAnswer(f"{self._where} cannot be reached: {wrong}") from wrong
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the socket."""
        if self._endpoint is not None:
            self._endpoint.close()
            self._endpoint = None

    async def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """Read variables by name.

        Returns:
            Every name asked for, with its value or with why it has none (`Missing`). Where the
            agent says that this is too much for one answer, it is asked in halves.

        Raises:
            NoAnswer: nothing came back in time.
            BadAnswer: what came back is no answer to this.
            ErrorAnswer: the agent refused.
        """
        pdu = Pdu(PduType.GET, self._request_id(), _unspecified(oids))
        try:
            bindings = await self._ask(pdu)
        except ErrorAnswer as error:
            if error.status is not ErrorStatus.TOO_BIG or len(oids) == 1:
                raise
            middle = len(oids) // 2
            return await self.get(oids[:middle]) | await self.get(oids[middle:])
        if [binding.oid for binding in bindings] != list(oids):
            raise BadAnswer(f"{self._where} answered with other variables than it was asked for")
        return {binding.oid: binding.value for binding in bindings}

    async def next(self, oid: Oid) -> Binding | None:
        """Give the first variable after a name; None if there is none.

        Raises:
            NoAnswer: nothing came back in time.
            BadAnswer: what came back is no answer to this.
            ErrorAnswer: the agent refused.
        """
        bindings = await self._ask(Pdu(PduType.GET_NEXT, self._request_id(), _unspecified([oid])))
        if len(bindings) != 1:
            raise BadAnswer(f"{self._where} answered with {len(bindings)} variables, not one")
        (found,) = bindings
        if found.value is Missing.END_OF_MIB_VIEW:
            return None
        self._check_successor(found, oid)
        return found

    async def table(self, columns: Sequence[Oid], index: Oid = ()) -> Table:
        """Read columns of a table, all in the same GetBulks.

        Args:
            columns: their names; none may be part of another.
            index: only rows whose index begins so and goes on.

        Returns:
            The rows in the order of their index. The index given is part of a row's.

        Raises:
            NoAnswer: nothing came back in time.
            BadAnswer: what came back is no answer to this, does not advance or does not end.
            ErrorAnswer: the agent refused.
        """
        cells: dict[Oid, dict[Oid, Value]] = {}
        # Each column not yet at its end, with the last name seen of it.
        cursors = {column: (*column, *index) for column in columns}
        room = BINDINGS_PER_BULK
        read = 0
        while cursors:
            try:
                bindings = await self._bulk(list(cursors.values()), room)
            except ErrorAnswer as error:
                if error.status is not ErrorStatus.TOO_BIG or room <= len(cursors):
                    raise
                room //= 2
                continue
            open_columns = list(cursors)
            for place, binding in enumerate(bindings):
                column = open_columns[place % len(open_columns)]
                cursor = cursors.get(column)
                if cursor is None:
                    continue
                prefix = (*column, *index)
                if binding.value is Missing.END_OF_MIB_VIEW:
                    del cursors[column]
                    continue
                self._check_successor(binding, cursor)
                if binding.oid[: len(prefix)] != prefix:
                    del cursors[column]
                    continue
                cursors[column] = binding.oid
                cells.setdefault(binding.oid[len(column) :], {})[column] = binding.value
                read += 1
            if read > MAX_CELLS:
                raise BadAnswer(f"{self._where} gave more than {MAX_CELLS} cells")
        return dict(sorted(cells.items()))

    async def _bulk(self, cursors: Sequence[Oid], room: int) -> Sequence[Binding]:
        repetitions = max(room // len(cursors), 1)
        pdu = BulkRequest(self._request_id(), 0, repetitions, _unspecified(cursors))
        bindings = await self._ask(pdu)
        if not bindings or len(bindings) > repetitions * len(cursors):
            raise BadAnswer(f"{self._where} answered a GetBulk with {len(bindings)} variables")
        return bindings

    async def _ask(self, pdu: Pdu | BulkRequest) -> Sequence[Binding]:
        """Send a question until it is answered; give the answer's bindings."""
        endpoint = self._endpoint
        if endpoint is None:
            raise RuntimeError("the client is not open")
        octets = encode(Message(Version.V2C, self._community, pdu))
        waiter = endpoint.expect(pdu.request_id)
        try:
            for _ in range(ATTEMPTS):
                endpoint.send(octets)
                await asyncio.wait((waiter,), timeout=self._timeout_s / ATTEMPTS)
                if waiter.done():
                    break
            else:
                raise self._silence(endpoint)
        finally:
            endpoint.forget(pdu.request_id)
        if waiter.exception() is not None:
            raise NoAnswer(f"{self._where} cannot be reached: {waiter.exception()}")
        answer = waiter.result()
        if answer.error_status:
            index = answer.error_index
            named = pdu.bindings[index - 1].oid if 0 < index <= len(pdu.bindings) else None
            raise ErrorAnswer(ErrorStatus(answer.error_status), named)
        return answer.bindings

    def _silence(self, endpoint: _Endpoint) -> SnmpError:
        if endpoint.noise is None:
            return NoAnswer(f"{self._where} did not answer within {self._timeout_s:g} s")
        return BadAnswer(f"{self._where} sent nothing but noise: {endpoint.noise}")

    def _check_successor(self, found: Binding, oid: Oid) -> None:
        if isinstance(found.value, Missing):
            raise BadAnswer(f"{self._where} gave a successor without a value")
        if found.oid <= oid:
            raise BadAnswer(f"{self._where} does not advance: {format_oid(found.oid)} came again")

    def _request_id(self) -> int:
        self._next_id = self._next_id % _MAX_REQUEST_ID + 1
        return self._next_id


class _Endpoint(asyncio.DatagramProtocol):
    """The socket, and who waits for which answer."""

    def __init__(self, community: bytes) -> None:
        self._community = community
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[int, asyncio.Future[Pdu]] = {}
        self.noise: str | None = None
        """Why the last datagram that belonged to no question was dropped."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's
        try:
            message = decode(data)
        except Malformed as wrong:
            self.noise = str(wrong)
            return
        pdu = message.pdu
        if message.version is not Version.V2C or message.community != self._community:
            self.noise = "an answer of another version or community"
            return
        if not isinstance(pdu, Pdu) or pdu.kind is not PduType.RESPONSE:
            self.noise = "a message that is no response"
            return
        waiter = self._waiting.get(pdu.request_id)
        if waiter is not None and not waiter.done():
            waiter.set_result(pdu)

    def error_received(self, exc: Exception) -> None:
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(exc)

    def send(self, octets: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(octets)

    def expect(self, request_id: int) -> asyncio.Future[Pdu]:
        if not self._waiting:
            self.noise = None
        waiter: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = waiter
        return waiter

    def forget(self, request_id: int) -> None:
        waiter = self._waiting.pop(request_id)
        if not waiter.cancel() and not waiter.cancelled():
            waiter.exception()  # looked at, even if the asker was cancelled meanwhile

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _unspecified(oids: Sequence[Oid]) -> tuple[Binding, ...]:
    return tuple(Binding(oid, NULL) for oid in oids)
