"""What the domain of devices needs from the sockets towards the network."""

from typing import Protocol


class Unreached(Exception):
    """A device could not be called; its text says why, in words for those who look after it."""


class Caller(Protocol):
    """Calls devices, so that they begin a session."""

    async def call(self, *, url: str, username: str, password: str) -> None:
        """Have a device begin a session (TR-069 Amendment 6, 3.2.2).

        Args:
            url: as the device told it.
            username: with which we prove ourselves.
            password: to that.

        Raises:
            Unreached: it is not there, or not to be called, or did not want to.
        """
        ...


__all__ = ["Caller", "Unreached"]
