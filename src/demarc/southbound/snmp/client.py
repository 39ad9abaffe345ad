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

from demarc.protocols.snmp.ber import Malformed, Oid, decode_oid, encode_oid, format_oid
from demarc.protocols.snmp.message import (
    Binding,
    ErrorStatus,
    Message,
    Pdu,
    PduType,
    Version,
    encode,
)
from demarc.protocols.snmp.response import Response, decode_response, encode_get_bulk
from demarc.protocols.snmp.values import NULL, Missing, Value
from demarc.southbound.snmp.errors import BadAnswer, ErrorAnswer, NoAnswer, SnmpError
from demarc.southbound.snmp.walk import Astray, Walk

Table: TypeAlias = Mapping[Oid, Sequence[Value | None]]
"""Rows by index, each with a cell for each column asked for; None where the agent has none."""

MAX_CELLS: Final = 200_000
"""The most cells one table may have; a walk that finds more is taken for endless."""

ATTEMPTS: Final = 2
BINDINGS_PER_BULK: Final = 48
"""How many bindings one GetBulk asks for: about 1,700 octets of a usual table."""

_MAX_REQUEST_ID: Final = 2**31 - 1


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
        try:
            answer = await self._question(PduType.GET, oids)
        except ErrorAnswer as error:
            if error.status is not ErrorStatus.TOO_BIG or len(oids) == 1:
                raise
            middle = len(oids) // 2
            return await self.get(oids[:middle]) | await self.get(oids[middle:])
        if answer.names != [encode_oid(oid) for oid in oids]:
            raise BadAnswer(f"{self._where} answered with other variables than it was asked for")
        return dict(zip(oids, answer.values, strict=True))

    async def next(self, oid: Oid) -> Binding | None:
        """Give the first variable after a name; None if there is none.

        Raises:
            NoAnswer: nothing came back in time.
            BadAnswer: what came back is no answer to this.
            ErrorAnswer: the agent refused.
        """
        answer = await self._question(PduType.GET_NEXT, [oid])
        if len(answer.names) != 1:
            raise BadAnswer(f"{self._where} answered with {len(answer.names)} variables, not one")
        if answer.values[0] is Missing.END_OF_MIB_VIEW:
            return None
        try:
            found = Binding(decode_oid(answer.names[0]), answer.values[0])
        except Malformed as wrong:
            raise BadAnswer(f"{self._where} gave no name: {wrong}") from wrong
        if isinstance(found.value, Missing):
            raise BadAnswer(f"{self._where} gave a successor without a value")
        if found.oid <= oid:
            raise BadAnswer(f"{self._where} does not advance: {format_oid(found.oid)} came again")
        return found

    async def table(self, columns: Sequence[Oid], index: Oid = ()) -> Table:
        """Read columns of a table, all in the same GetBulks.

        Args:
            columns: their names; none may be part of another.
            index: only rows whose index begins so and goes on.

        Returns:
            The rows in the order of their index, cells in that of the columns. The index given
            is part of a row's.

        Raises:
            NoAnswer: nothing came back in time.
            BadAnswer: what came back is no answer to this, does not advance or does not end.
            ErrorAnswer: the agent refused.
        """
        walk = Walk(columns, index)
        room = BINDINGS_PER_BULK
        while walk.open_columns:
            try:
                answer = await self._bulk(walk.asked(), max(room // walk.open_columns, 1))
            except ErrorAnswer as error:
                if error.status is not ErrorStatus.TOO_BIG or room <= walk.open_columns:
                    raise
                room //= 2
                continue
            try:
                walk.take(answer)
            except (Astray, Malformed) as wrong:
                raise BadAnswer(f"{self._where} {wrong}") from wrong
            if walk.cells > MAX_CELLS:
                raise BadAnswer(f"{self._where} gave more than {MAX_CELLS} cells")
        return walk.rows()

    async def _bulk(self, names: Sequence[bytes], repetitions: int) -> Response:
        request_id = self._request_id()
        octets = encode_get_bulk(self._community, request_id, repetitions, names)
        answer = await self._ask(request_id, octets, names)
        found = len(answer.names)
        if not 0 < found <= repetitions * len(names):
            raise BadAnswer(f"{self._where} answered a GetBulk with {found} variables")
        return answer

    async def _question(self, kind: PduType, oids: Sequence[Oid]) -> Response:
        pdu = Pdu(kind, self._request_id(), tuple(Binding(oid, NULL) for oid in oids))
        octets = encode(Message(Version.V2C, self._community, pdu))
        return await self._ask(pdu.request_id, octets, [encode_oid(oid) for oid in oids])

    async def _ask(self, request_id: int, octets: bytes, names: Sequence[bytes]) -> Response:
        """Send a question until it is answered.

        Raises:
            NoAnswer, BadAnswer: nothing came, or nothing but noise.
            ErrorAnswer: the agent refused; it tells which of the names it is about.
        """
        endpoint = self._endpoint
        if endpoint is None:
            raise RuntimeError("the client is not open")
        waiter = endpoint.expect(request_id)
        loop = asyncio.get_running_loop()
        sent = 0
        timer: asyncio.TimerHandle | None = None

        def send() -> None:
            nonlocal sent, timer
            if sent == ATTEMPTS:
                if not waiter.done():
                    waiter.set_exception(self._silence(endpoint))
                return
            sent += 1
            endpoint.send(octets)
            timer = loop.call_later(self._timeout_s / ATTEMPTS, send)

        try:
            send()
            answer = await waiter
        except OSError as wrong:
            raise NoAnswer(f"{self._where} cannot be reached: {wrong}") from wrong
        finally:
            if timer is not None:
                timer.cancel()
            endpoint.forget(request_id)
        if answer.error_status:
            index = answer.error_index
            named = decode_oid(names[index - 1]) if 0 < index <= len(names) else None
            raise ErrorAnswer(ErrorStatus(answer.error_status), named)
        return answer

    def _silence(self, endpoint: _Endpoint) -> SnmpError:
        if endpoint.noise is None:
            return NoAnswer(f"{self._where} did not answer within {self._timeout_s:g} s")
        return BadAnswer(f"{self._where} sent nothing but noise: {endpoint.noise}")

    def _request_id(self) -> int:
        self._next_id = self._next_id % _MAX_REQUEST_ID + 1
        return self._next_id


class _Endpoint(asyncio.DatagramProtocol):
    """The socket, and who waits for which answer."""

    def __init__(self, community: bytes) -> None:
        self._community = community
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[int, asyncio.Future[Response]] = {}
        self.noise: str | None = None
        """Why the last datagram that belonged to no question was dropped."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's
        try:
            response = decode_response(data)
        except Malformed as wrong:
            self.noise = str(wrong)
            return
        if response.version is not Version.V2C or response.community != self._community:
            self.noise = "an answer of another version or community"
            return
        waiter = self._waiting.get(response.request_id)
        if waiter is not None and not waiter.done():
            waiter.set_result(response)

    def error_received(self, exc: Exception) -> None:
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(exc)

    def send(self, octets: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(octets)

    def expect(self, request_id: int) -> asyncio.Future[Response]:
        if not self._waiting:
            self.noise = None
        waiter: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = waiter
        return waiter

    def forget(self, request_id: int) -> None:
        waiter = self._waiting.pop(request_id)
        if not waiter.cancel() and not waiter.cancelled():
            waiter.exception()  # looked at, even if the asker was cancelled meanwhile

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
