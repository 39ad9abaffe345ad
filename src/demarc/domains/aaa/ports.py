"""What the AAA domain needs from the sockets towards the network."""

from typing import Protocol

import msgspec


class SessionKeys(msgspec.Struct, frozen=True):
    """What names a session to its NAS (RFC 5176, 3); NASes differ in what they match by."""

    username: str
    acct_session_id: str
    nas_address: str
    framed_ipv4: str | None = None
    calling_station_id: str | None = None
    nas_port_id: str | None = None


class DisconnectAnswer(msgspec.Struct, frozen=True):
    """What a NAS answered to a Disconnect-Request.

    Attributes:
        acknowledged: Disconnect-ACK; else Disconnect-NAK.
        error_cause: of a NAK (RFC 5176, 3.5), e.g. 503 for a session it does not have.
        error_cause_name: its name in the RFC, e.g. "Session-Context-Not-Found".
        attempts: requests sent until it answered.
        milliseconds: from the first request to the answer.
    """

    acknowledged: bool
    error_cause: int | None
    error_cause_name: str | None
    attempts: int
    milliseconds: float


class NoAnswer(Exception):
    """A NAS did not answer in time, or cannot be reached."""


class DisconnectDriver(Protocol):
    """Ends sessions on NASes."""

    async def disconnect(
        self, *, address: str, port: int, secret: bytes, keys: SessionKeys
    ) -> DisconnectAnswer:
        """Ask a NAS to end a session.

        Args:
            address: of the NAS.
            port: where it listens for such requests, usually 3799.
            secret: shared with it.
            keys: which session.

        Raises:
            NoAnswer: no valid answer came in time.
        """
        ...


__all__ = ["DisconnectAnswer", "DisconnectDriver", "NoAnswer", "SessionKeys"]
