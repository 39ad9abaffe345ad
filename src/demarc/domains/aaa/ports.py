"""What the AAA domain needs from the sockets towards the network."""

from typing import Protocol

import msgspec

from demarc.domains.aaa.authorisation import Terms
from demarc.domains.aaa.model import Nas


class SessionKeys(msgspec.Struct, frozen=True):
    """What names a session to its NAS (RFC 5176, 3); NASes differ in what they match by."""

    username: str
    acct_session_id: str
    nas_address: str
    framed_ipv4: str | None = None
    calling_station_id: str | None = None
    nas_port_id: str | None = None


class NasAnswer(msgspec.Struct, frozen=True):
    """What a NAS answered to a Disconnect- or CoA-Request.

    Attributes:
        code: as RFC 5176 calls it, "CoA-ACK".
        acknowledged: it is an ACK; else a NAK.
        error_cause: of a NAK (RFC 5176, 3.5), e.g. 503 for a session it does not have.
        error_cause_name: its name in the RFC, e.g. "Session-Context-Not-Found".
        attempts: requests sent until it answered.
        milliseconds: from the first request to the answer.
    """

    code: str
    acknowledged: bool
    error_cause: int | None
    error_cause_name: str | None
    attempts: int
    milliseconds: float


class NoAnswer(Exception):
    """A NAS did not answer in time, or cannot be reached."""


class Untellable(Exception):
    """There is no way to tell a NAS of this make what a session is to have."""


class SessionDriver(Protocol):
    """Changes and ends sessions on NASes."""

    async def disconnect(self, *, nas: Nas, secret: bytes, keys: SessionKeys) -> NasAnswer:
        """Ask a NAS to end a session.

        Args:
            nas: whose port and make it is; its address is that of the keys.
            secret: shared with it.
            keys: which session.

        Raises:
            NoAnswer: no valid answer came in time.
        """
        ...

    async def change(
        self, *, nas: Nas, secret: bytes, keys: SessionKeys, terms: Terms
    ) -> NasAnswer:
        """Ask a NAS to give a session other terms.

        Args:
            nas: whose port and make it is; its address is that of the keys.
            secret: shared with it.
            keys: which session.
            terms: what it is to have.

        Raises:
            NoAnswer: no valid answer came in time.
            Untellable: nothing was asked.
        """
        ...


__all__ = ["NasAnswer", "NoAnswer", "SessionDriver", "SessionKeys", "Untellable"]
