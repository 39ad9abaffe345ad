"""Disconnect- and CoA-Requests over UDP (RFC 5176)."""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic
from types import MappingProxyType
from typing import Final

from demarc.domains.aaa.authorisation import Terms
from demarc.domains.aaa.model import Nas
from demarc.domains.aaa.ports import NasAnswer, NoAnswer, SessionKeys, Untellable
from demarc.protocols.radius.attributes import Pair
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import BadAuthenticator, Malformed
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.request import encode_request, verify_response
from demarc.southbound.radius.granting import change_pairs

_USER_NAME: Final = DICTIONARY["User-Name"]
_NAS_IP_ADDRESS: Final = DICTIONARY["NAS-IP-Address"]
_ACCT_SESSION_ID: Final = DICTIONARY["Acct-Session-Id"]
_FRAMED_IP_ADDRESS: Final = DICTIONARY["Framed-IP-Address"]
_CALLING_STATION_ID: Final = DICTIONARY["Calling-Station-Id"]
_NAS_PORT_ID: Final = DICTIONARY["NAS-Port-Id"]
_EVENT_TIMESTAMP: Final = DICTIONARY["Event-Timestamp"]
_ERROR_CAUSE: Final = DICTIONARY["Error-Cause"]

# By what a make finds a session. A key more than it looks for may make it say no: NAS-IP-Address
# is not always the address its packets come from, and some take no key they do not know.
_KEYS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "mikrotik": frozenset({"user", "session", "address"}),
        "huawei": frozenset({"user", "session"}),
        "juniper": frozenset({"session"}),
        "cisco": frozenset({"session"}),
        "nokia": frozenset({"session", "port", "address"}),
        "zte": frozenset({"user", "session"}),
        "accel-ppp": frozenset({"user", "session"}),
        "wispr": frozenset({"user", "session", "address"}),
    }
)
_ALL_KEYS: Final = frozenset({"user", "session", "address", "station", "port", "nas"})
_CODES: Final = {
    Code.DISCONNECT_ACK: "Disconnect-ACK",
    Code.DISCONNECT_NAK: "Disconnect-NAK",
    Code.COA_ACK: "CoA-ACK",
    Code.COA_NAK: "CoA-NAK",
}

# Seconds until a request is sent again, and in the end given up (RFC 5176, 2.3; RFC 5080, 2.2.1).
PATIENCE = (1.0, 2.0, 4.0)


class UdpSessionDriver:
    """Changes and ends sessions on NASes by CoA- and Disconnect-Request.

    Args:
        patience: seconds to wait after each sending; as many sendings as there are.
    """

    def __init__(self, patience: tuple[float, ...] = PATIENCE) -> None:
        self._patience = patience

    async def disconnect(self, *, nas: Nas, secret: bytes, keys: SessionKeys) -> NasAnswer:
        """Ask a NAS to end a session; see ``SessionDriver``.

        Raises:
            NoAnswer: no valid answer came in time, or there is no way to the NAS.
        """
        return await self._ask(Code.DISCONNECT_REQUEST, nas, secret, keys, [])

    async def change(
        self, *, nas: Nas, secret: bytes, keys: SessionKeys, terms: Terms
    ) -> NasAnswer:
        """Ask a NAS to give a session other terms; see ``SessionDriver``.

        Raises:
            NoAnswer: no valid answer came in time, or there is no way to the NAS.
            Untellable: the NAS is of a make that has no attributes for them.
        """
        pairs = change_pairs(nas, terms)
        if not pairs:
            raise Untellable(f"a NAS of the make {nas.vendor} cannot be told a speed")
        return await self._ask(Code.COA_REQUEST, nas, secret, keys, pairs)

    async def _ask(
        self, code: Code, nas: Nas, secret: bytes, keys: SessionKeys, pairs: list[Pair]
    ) -> NasAnswer:
        """Send a request until it is answered.

        The same octets are sent again, so that a NAS that keeps its replies answers a repeated
        request with the first one's.
        """
        # a socket of its own: its Identifier cannot be in use, and only the NAS can answer on it
        request = encode_request(
            code,
            os.urandom(1)[0],
            [*session_pairs(nas.vendor, keys), *pairs],
            secret,
            # one that is never to require it may be too old to know it
            message_authenticator=nas.require_message_authenticator != "no",
        )
        address, port = keys.nas_address, nas.coa_port
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


def _answer(code: int, cause: int | None, *, attempts: int, seconds: float) -> NasAnswer:
    return NasAnswer(
        code=_CODES[Code(code)],
        acknowledged=code in {Code.DISCONNECT_ACK, Code.COA_ACK},
        error_cause=cause,
        error_cause_name=None if cause is None else _ERROR_CAUSE.label(cause),
        attempts=attempts,
        milliseconds=round(seconds * 1000, 1),
    )


def session_pairs(vendor: str, keys: SessionKeys) -> list[Pair]:
    """Give what names a session to a NAS of a make, with the time, which guards against replay.

    A session without Acct-Session-Id is named by all there is.
    """
    wanted = _KEYS.get(vendor, _ALL_KEYS) if keys.acct_session_id else _ALL_KEYS
    known: tuple[tuple[str, Pair | None], ...] = (
        ("user", (_USER_NAME, keys.username)),
        ("nas", None if ":" in keys.nas_address else (_NAS_IP_ADDRESS, keys.nas_address)),
        ("session", (_ACCT_SESSION_ID, keys.acct_session_id) if keys.acct_session_id else None),
        ("address", None if keys.framed_ipv4 is None else (_FRAMED_IP_ADDRESS, keys.framed_ipv4)),
        (
            "station",
            None
            if keys.calling_station_id is None
            else (_CALLING_STATION_ID, keys.calling_station_id),
        ),
        ("port", None if keys.nas_port_id is None else (_NAS_PORT_ID, keys.nas_port_id)),
    )
    found = [pair for name, pair in known if name in wanted and pair is not None]
    return [(_EVENT_TIMESTAMP, datetime.now(UTC)), *found]


__all__ = ["PATIENCE", "UdpSessionDriver", "session_pairs"]
