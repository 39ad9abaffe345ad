"""An SNMP agent that answers whatever a test wants it to, on a real UDP port."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, cast

from demarc.protocols.snmp.ber import Oid
from demarc.protocols.snmp.message import Binding, Message, Pdu, PduType, Version, decode, encode
from demarc.protocols.snmp.values import Value

Script = Callable[[Message], Iterable[bytes]]


def answer(
    request: Message,
    bindings: Iterable[tuple[Oid, Value]],
    *,
    status: int = 0,
    index: int = 0,
    request_id: int | None = None,
    community: bytes | None = None,
    version: Version = Version.V2C,
) -> bytes:
    """Give the octets of a response, right in all that is not said otherwise."""
    return encode(
        Message(
            version,
            request.community if community is None else community,
            Pdu(
                PduType.RESPONSE,
                request.pdu.request_id if request_id is None else request_id,
                tuple(Binding(oid, value) for oid, value in bindings),
                status,
                index,
            ),
        )
    )


class ScriptedAgent(asyncio.DatagramProtocol):
    """Keeps what it was asked, and answers by a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Message] = []
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        request = decode(data)
        self.requests.append(request)
        for octets in self.script(request):
            self._transport.sendto(octets, addr)


@asynccontextmanager
async def scripted_agent(script: Script) -> AsyncIterator[ScriptedAgent]:
    """Run an agent on a free loopback port."""
    transport, agent = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: ScriptedAgent(script), local_addr=("127.0.0.1", 0)
    )
    try:
        yield agent
    finally:
        transport.close()
