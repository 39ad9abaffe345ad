"""Whether somebody who has proved who they are may log in now, and on what terms.

The same answers what a session that lives should have now. Nothing here asks anybody anything.
"""

from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec

from demarc.domains.aaa import hours
from demarc.domains.aaa.logins import Login
from demarc.domains.aaa.profiles import NO_EXTRAS, Extras, Profile

SUSPENDED = "service suspended"
CLOSED = "service closed"
EXPIRED = "service expired"
OTHER_STATION = "bound to another station"
OTHER_LINE = "bound to another line"
OUTSIDE_HOURS = "outside the hours of the service"
QUOTA = "quota used up"

FULL: Final = "full"
THROTTLED: Final = "throttled"
GARDEN: Final = "garden"


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What a session may do.

    Attributes:
        download_bps: bit/s towards the subscriber.
        upload_bps: bit/s from the subscriber.
        session_seconds: after so many the NAS is to end the session; None for no end.
        kind: "full", "throttled" or "garden".
        why: it is less than full: as a refusal would have said.
        extras: what is given beside.
    """

    download_bps: int
    upload_bps: int
    session_seconds: int | None = None
    kind: str = FULL
    why: str | None = None
    extras: Extras = NO_EXTRAS

    @property
    def label(self) -> str:
        """What tells these terms from others; their end does not."""
        return _label(self.download_bps, self.upload_bps, self.kind, self.extras)


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
    profile = login.profile
    terms = _plain(login, now) if profile is None else _by_profile(login, profile, now)
    if isinstance(terms, Terms):
        if login.station is not None and login.station != station and binds_station(login):
            return Denied(OTHER_STATION)
        if login.circuit_id is not None and login.circuit_id != circuit and binds_circuit(login):
            return Denied(OTHER_LINE)
    return terms


def terms_now(login: Login, now: datetime) -> Terms | Denied:
    """Tell what a session of a log-in should have now, wherever it came from.

    Args:
        login: the session's.
        now: UTC.
    """
    profile = login.profile
    return _plain(login, now) if profile is None else _by_profile(login, profile, now)


def binds_station(login: Login) -> bool:
    """Tell whether a log-in is, or is to be, bound to a station."""
    if login.station_binding != "none":
        return True
    return login.profile is not None and login.profile.settings.station_binding != "none"


def binds_circuit(login: Login) -> bool:
    """Tell whether a log-in is, or is to be, bound to a line."""
    if login.circuit_binding != "none":
        return True
    return login.profile is not None and login.profile.settings.circuit_binding != "none"


def learned(
    login: Login, terms: Terms, station: str | None, circuit: str | None
) -> tuple[str | None, str | None]:
    """Give the station and the line that an accepted log-in is bound to from now on.

    Nobody is bound by a visit to the garden.

    Returns:
        Each None where it is bound already, or is not to be.
    """
    if terms.kind == GARDEN:
        return None, None
    return (
        station if login.station is None and binds_station(login) else None,
        circuit if login.circuit_id is None and binds_circuit(login) else None,
    )


def _plain(login: Login, now: datetime) -> Terms | Denied:
    if login.access != "allowed":
        return Denied(SUSPENDED if login.access == "suspended" else CLOSED)
    session_seconds = None
    if login.expires_at is not None:
        session_seconds = _seconds(now, login.expires_at)
        if session_seconds <= 0:
            return Denied(EXPIRED)
    return Terms(login.download_bps, login.upload_bps, session_seconds)


def _by_profile(login: Login, profile: Profile, now: datetime) -> Terms | Denied:
    settings = profile.settings
    if login.access != "allowed":
        if login.access != "suspended":
            return Denied(CLOSED)
        return _restrained(login, profile, settings.suspended, SUSPENDED, None)
    expires_at = login.expires_at
    if expires_at is not None and _seconds(now, expires_at) <= 0:
        return _restrained(login, profile, settings.expired, EXPIRED, None)
    # where it is refused from then on the NAS is to end it then; else its terms are changed
    end = expires_at if settings.expired == "reject" else None
    inside = True
    if settings.hours:
        inside, border = hours.at(settings.hours, login.subscriber.timezone, now)
        if not inside and settings.outside == "reject":
            return Denied(OUTSIDE_HOURS)
        if inside and settings.outside == "reject" and border is not None:
            end = border if end is None else min(end, border)
    spent = settings.quota is not None and login.quota_until is not None and now < login.quota_until
    if spent and settings.quota_reached == "reject":
        return Denied(QUOTA)
    left = None if end is None else max(1, _seconds(now, end))
    if spent and (inside or settings.quota_reached == "garden"):
        return _restrained(login, profile, settings.quota_reached, QUOTA, left)
    if not inside:
        return _restrained(login, profile, settings.outside, OUTSIDE_HOURS, left)
    return Terms(
        login.download_bps,
        login.upload_bps,
        _least(left, settings.session_timeout),
        extras=profile.open,
    )


def _restrained(
    login: Login, profile: Profile, how: str, why: str, left: int | None
) -> Terms | Denied:
    settings = profile.settings
    if how == "reject":
        return Denied(why)
    if how == "throttle":
        return Terms(
            min(settings.throttle_download or login.download_bps, login.download_bps),
            min(settings.throttle_upload or login.upload_bps, login.upload_bps),
            _least(left, settings.session_timeout),
            THROTTLED,
            why,
            profile.open,
        )
    return Terms(
        min(settings.garden_download or login.download_bps, login.download_bps),
        min(settings.garden_upload or login.upload_bps, login.upload_bps),
        _least(left, settings.garden_session_timeout or settings.session_timeout),
        GARDEN,
        why,
        profile.garden,
    )


def _least(left: int | None, most: int | None) -> int | None:
    if left is None or most is None:
        return most if left is None else left
    return min(left, most)


def _seconds(now: datetime, until: datetime) -> int:
    return int((until - now).total_seconds())


@lru_cache(maxsize=4096)
def _label(download_bps: int, upload_bps: int, kind: str, extras: Extras) -> str:
    words = [f"{download_bps}/{upload_bps}"]
    if kind != FULL:
        words.append(kind)
    if extras != NO_EXTRAS:
        words.append(blake2b(msgspec.json.encode(extras), digest_size=4).hexdigest())
    return " ".join(words)


__all__ = [
    "FULL",
    "GARDEN",
    "THROTTLED",
    "Denied",
    "Terms",
    "authorise",
    "binds_circuit",
    "binds_station",
    "learned",
    "terms_now",
]
