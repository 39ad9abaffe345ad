"""Whether somebody who has proved who they are may log in now, and on what terms."""

from datetime import datetime

import msgspec

from demarc.domains.aaa.logins import Login

SUSPENDED = "service suspended"
CLOSED = "service closed"
EXPIRED = "service expired"
OTHER_STATION = "bound to another station"
OTHER_LINE = "bound to another line"


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What a session may do.

    Attributes:
        download_bps: bit/s towards the subscriber.
        upload_bps: bit/s from the subscriber.
        session_seconds: after so many the NAS is to end the session; None for no end.
    """

    download_bps: int
    upload_bps: int
    session_seconds: int | None = None


class Denied(msgspec.Struct, frozen=True, gc=False):
    """It may not log in now, and why, as the subscriber may be told."""

    reason: str


def authorise(
    login: Login, *, station: str | None, circuit: str | None, now: datetime
) -> Terms | Denied:
    """Tell whether a log-in may be used now, from there.

    How many stations may use it at a time, and with which addresses, is told by ``Stations``.

    Args:
        login: proved by its password or otherwise.
        station: Calling-Station-Id.
        circuit: the line, as the access node names it.
        now: UTC.
    """
    if login.access != "allowed":
        return Denied(SUSPENDED if login.access == "suspended" else CLOSED)
    session_seconds = None
    if login.expires_at is not None:
        session_seconds = int((login.expires_at - now).total_seconds())
        if session_seconds <= 0:
            return Denied(EXPIRED)
    if login.station_binding != "none" and login.station not in {None, station}:
        return Denied(OTHER_STATION)
    if login.circuit_binding != "none" and login.circuit_id not in {None, circuit}:
        return Denied(OTHER_LINE)
    return Terms(login.download_bps, login.upload_bps, session_seconds)


__all__ = ["Denied", "Terms", "authorise"]
