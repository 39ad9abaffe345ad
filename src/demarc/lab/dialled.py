"""The line of a router whose subscriber dials in at a simulated NAS: one session, seen by both."""

from datetime import UTC, datetime

from demarc.lab.cpe import Online, Rates
from demarc.lab.nas import Subscriber


class Dialled:
    """What a router has of its subscriber's session; see ``Line``.

    Args:
        subscriber: who dials.
    """

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber

    def dial(self, username: str, password: str) -> None:
        """Dial with what the router has now; a session that is up with something else ends."""
        subscriber = self._subscriber
        if (subscriber.username, subscriber.password) == (username, password):
            return
        subscriber.username, subscriber.password = username, password
        if subscriber.session is not None:
            subscriber.session.end("User-Request")
        subscriber.dial_now()

    def hang_up(self) -> None:
        """Lose the session; the subscriber dials again after a while."""
        if self._subscriber.session is not None:
            self._subscriber.session.end("Lost-Carrier")

    def session(self) -> Online | None:
        """Give the session as it is now; None while there is none."""
        session = self._subscriber.session
        if session is None or not session.up or session.framed_ip is None:
            return None
        session.count()
        counters = session.counters
        return Online(
            str(session.framed_ip),
            (datetime.now(UTC) - session.started_at).total_seconds(),
            counters.down_octets,
            counters.up_octets,
        )

    def rates(self) -> Rates:
        """Give what the session is limited to."""
        session = self._subscriber.session
        if session is None:
            return Rates()
        return Rates(session.limits.down_bps, session.limits.up_bps)


__all__ = ["Dialled"]
