"""Disconnect-Requests over UDP (RFC 5176)."""

import asyncio
import os
from datetime import UTC, datetime
from time import monotonic

from demarc.domains.aaa.ports import DisconnectAnswer, NoAnswer, SessionKeys
from demarc.protocols.radius.attributes import Pair
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import BadAuthenticator, Malformed
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.request import encode_request, verify_response

_USER_NAME = DICTIONARY["User-Name"]
_NAS_IP_ADDRESS = DICTIONARY["NAS-IP-Address"]
_ACCT_SESSION_ID = DICTIONARY["Acct-Session-Id"]
_FRAMED_IP_ADDRESS = DICTIONARY["Framed-IP-Address"]
_CALLING_STATION_ID = DICTIONARY["Calling-Station-Id"]
_NAS_PORT_ID = DICTIONARY["NAS-Port-Id"]
_EVENT_TIMESTAMP = DICTIONARY["Event-Timestamp"]
_ERROR_CAUSE = DICTIONARY["Error-Cause"]

# Seconds until a request is sent again, and in the end given up (RFC 5176, 2.3; RFC 5080, 2.2.1).
PATIENCE = (1.0, 2.0, 4.0)


class UdpDisconnectDriver:
    """Ends sessions on NASes by Disconnect-Request.

    Args:
        patience: seconds to wait after each sending; as many sendings as there are.
    """

    def __init__(self, patience: tuple[float, ...] = PATIENCE) -> None:
        self._patience = patience

    async def disconnect(
        self, *, address: str, port: int, secret: bytes, keys: SessionKeys
    ) -> DisconnectAnswer:
        """Ask a NAS to end a session; see ``DisconnectDriver``.

        The same octets are sent again, so that a NAS that keeps its replies answers a repeated
        request with the first one's.

        Raises:
            NoAnswer: no valid answer came in time, or there is no way to the NAS.
        """
        # a socket of its own: its Identifier cannot be in use, and only the NAS can answer on it
        request = encode_request(
            Code.DISCONNECT_REQUEST, os.urandom(1)[0], _attributes(keys), secret
        )
        loop = asyncio.get_running_loop()
        began = monotonic()
        answers: asyncio.Queue[bytes] = asyncio.Queue(maxsize=16)
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Answers(answers), remote_addr=(address, port)
            )
        except OSError as error:
            raise NoAnswer(f"no way to {address}:{port}: {error.strerror}") from None
        try:
            for attempt, patience in enumerate(self._patience, 1):
                transport.sendto(request)
                found = await _await_answer(answers, request, secret, patience)
                if found is not None:
                    return _answer(*found, attempts=attempt, seconds=monotonic() - began)
        finally:
            transport.close()
        raise NoAnswer(f"no answer from {address}:{port}")


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, answers: "asyncio.Queue[bytes]") -> None:
        self._answers = answers

    def datagram_received(self, data: bytes, addr: object) -> None:
        _ = addr
        if not self._answers.full():
            self._answers.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        # a port that is closed now may be open when the request is sent again
        _ = exc


async def _await_answer(
    answers: "asyncio.Queue[bytes]", request: bytes, secret: bytes, patience: float
) -> tuple[int, int | None] | None:
    """Give code and Error-Cause of the first valid answer; forged and damaged ones do not count."""
    try:
        async with asyncio.timeout(patience):
            while True:
                try:
                    packet = decode(await answers.get())
                    verify_response(packet, request, secret)
                    return packet.code, packet.number(_ERROR_CAUSE)
                except (Malformed, BadAuthenticator):
                    continue
    except TimeoutError:
        return None


def _answer(code: int, cause: int | None, *, attempts: int, seconds: float) -> DisconnectAnswer:
    return DisconnectAnswer(
        acknowledged=code == Code.DISCONNECT_ACK,
        error_cause=cause,
        error_cause_name=None if cause is None else _ERROR_CAUSE.label(cause),
        attempts=attempts,
        milliseconds=round(seconds * 1000, 1),
    )


def _attributes(keys: SessionKeys) -> list[Pair]:
    pairs: list[Pair] = [(_EVENT_TIMESTAMP, datetime.now(UTC)), (_USER_NAME, keys.username)]
    if ":" not in keys.nas_address:
        pairs.append((_NAS_IP_ADDRESS, keys.nas_address))
    if keys.acct_session_id:
        pairs.append((_ACCT_SESSION_ID, keys.acct_session_id))
    for attribute, value in (
        (_FRAMED_IP_ADDRESS, keys.framed_ipv4),
        (_CALLING_STATION_ID, keys.calling_station_id),
        (_NAS_PORT_ID, keys.nas_port_id),
    ):
        if value is not None:
            pairs.append((attribute, value))
    return pairs


__all__ = ["PATIENCE", "UdpDisconnectDriver"]
