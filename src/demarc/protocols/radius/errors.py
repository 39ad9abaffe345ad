"""Why a packet is not to be answered. Reasons are few and fixed, so that they can be counted."""

from __future__ import annotations


class Malformed(Exception):
    """Octets that are no RADIUS packet, or a value that does not fit its attribute.

    Attributes:
        reason: what is wrong, in words that never hold anything from the packet.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadAuthenticator(Exception):
    """A packet that was not made with the shared secret, or not signed where it must be.

    Attributes:
        reason: what is wrong, in words that never hold anything from the packet.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
