"""Profiles: what log-ins are given beyond the speed of their product, and when they are not.

A profile is a tenant's; it is named by products and by single services, or is the tenant's default.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from demarc.domains.aaa import attributes, hours
from demarc.domains.errors import Invalid

Wall = Literal["reject", "garden"]
Restraint = Literal["reject", "throttle", "garden"]
Period = Literal["day", "month", "prepaid"]
Counts = Literal["both", "down", "up"]
Learning = Literal["none", "learn"]
Bps = Annotated[int, Meta(ge=1, le=10**15)]
Seconds = Annotated[int, Meta(ge=60, le=31_536_000)]
Text = Annotated[str, Meta(min_length=1, max_length=240)]

_MOST_HOURS = 32


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a profile says; what is left out is as without a profile.

    Attributes:
        suspended: what becomes of a suspended service: refused, or let into the garden.
        expired: the same of a log-in past its time.
        hours: when it may be used (see ``hours``), in the zone of its premise; empty for always.
        outside: what becomes of it outside of them.
        quota: octets in a period; None for no quota.
        quota_period: "prepaid" has no end but what was bought.
        quota_counts: which octets count.
        quota_reached: what becomes of it once they are used up.
        billing_day: on which a month of the quota begins.
        throttle_download: bit/s where it is throttled; None for the product's.
        throttle_upload: the same from the subscriber.
        garden_download: bit/s in the garden; None for the product's.
        garden_upload: the same from the subscriber.
        garden_filter: what walls the garden, by the name the access server knows.
        garden_redirect: the page web requests are sent to in the garden.
        garden_session_timeout: seconds until a session in the garden is to begin anew.
        garden_attributes: further ones in the garden (see ``attributes``).
        filter: what sessions outside the garden are behind; with it, one is led out from behind
            ``garden_filter`` without ending.
        session_timeout: seconds until a session is to begin anew.
        idle_timeout: seconds without traffic after which a session is to end.
        max_sessions: stations at a time; None for the credential's own number.
        attributes: further ones of every session but in the garden.
        station_binding: "learn" binds a log-in to the first station that uses it.
        circuit_binding: "learn" binds a log-in to the first line it is used on.
    """

    suspended: Wall = "reject"
    expired: Wall = "reject"
    hours: tuple[str, ...] = ()
    outside: Restraint = "reject"
    quota: Annotated[int, Meta(ge=1, le=2**62)] | None = None
    quota_period: Period = "month"
    quota_counts: Counts = "both"
    quota_reached: Restraint = "throttle"
    billing_day: Annotated[int, Meta(ge=1, le=28)] = 1
    throttle_download: Bps | None = None
    throttle_upload: Bps | None = None
    garden_download: Bps | None = None
    garden_upload: Bps | None = None
    garden_filter: Text | None = None
    garden_redirect: Text | None = None
    garden_session_timeout: Seconds | None = None
    garden_attributes: tuple[str, ...] = ()
    filter: Text | None = None
    session_timeout: Seconds | None = None
    idle_timeout: Seconds | None = None
    max_sessions: Annotated[int, Meta(ge=1, le=1000)] | None = None
    attributes: tuple[str, ...] = ()
    station_binding: Learning = "none"
    circuit_binding: Learning = "none"

    @property
    def lifts(self) -> bool:
        """Whether a change leads out of the garden: all its walls have something in their place.

        What a page and further attributes did is undone by none, so that a session begins anew.
        """
        return not (
            self.garden_redirect
            or self.garden_attributes
            or (self.garden_filter and not self.filter)
            or (self.garden_session_timeout and not self.session_timeout)
        )


class Extras(msgspec.Struct, frozen=True):
    """What a session is given beside its speed and its end.

    Attributes:
        filter: by the name the access server knows.
        redirect: the page web requests are sent to.
        idle_seconds: Idle-Timeout.
        lines: attributes (see ``attributes``).
    """

    filter: str | None = None
    redirect: str | None = None
    idle_seconds: int | None = None
    lines: tuple[str, ...] = ()


NO_EXTRAS: Final = Extras()


class Profile(msgspec.Struct, eq=False, gc=False):
    """A profile as log-ins share it in memory; one object an id, brought up to date in place.

    Attributes:
        version: when it was last changed, seconds since 1970.
        open: what sessions get that are not in the garden.
        garden: what those get that are.
    """

    id: UUID
    name: str
    version: float
    settings: Settings
    open: Extras
    garden: Extras

    def take(self, name: str, version: float, settings: Settings) -> None:
        """Be what a newer version says."""
        self.name, self.version, self.settings = name, version, settings
        self.open, self.garden = _extras(settings)


# A few hundred of them at the most, however many log-ins there are.
_kept: dict[UUID, Profile] = {}


def shared(profile_id: UUID, name: str, version: float, settings: str) -> Profile:
    """Give the one object of a profile, no older than this version of it.

    Args:
        settings: as JSON.
    """
    known = _kept.get(profile_id)
    if known is None:
        read = read_settings(settings)
        open_, garden = _extras(read)
        known = _kept[profile_id] = Profile(profile_id, name, version, read, open_, garden)
    elif known.version < version:
        known.take(name, version, read_settings(settings))
    return known


def is_kept(profile_id: UUID) -> bool:
    """Tell whether some log-in in memory has had this profile."""
    return profile_id in _kept


def _extras(settings: Settings) -> tuple[Extras, Extras]:
    return (
        Extras(
            filter=settings.filter,
            idle_seconds=settings.idle_timeout,
            lines=settings.attributes,
        ),
        Extras(
            filter=settings.garden_filter,
            redirect=settings.garden_redirect,
            idle_seconds=settings.idle_timeout,
            lines=settings.garden_attributes,
        ),
    )


@lru_cache(maxsize=1024)
def read_settings(text: str) -> Settings:
    """Read settings as they are stored; keys of a later version are passed over."""
    return msgspec.json.decode(text, type=Settings)


def check(settings: Settings) -> Settings:
    """Give settings as they are stored.

    Raises:
        Invalid: some cannot be used; the field is named.
    """
    try:
        kept = msgspec.convert(msgspec.to_builtins(settings), Settings)
    except msgspec.ValidationError as wrong:
        what, _, where = str(wrong).partition(" - at `$.")
        raise Invalid(where.rstrip("`").partition("[")[0] or "settings", what) from None
    for line in kept.hours:
        try:
            hours.read(line)
        except ValueError as wrong:
            raise Invalid("hours", str(wrong)) from None
    if len(kept.hours) > _MOST_HOURS:
        raise Invalid("hours", f"are {len(kept.hours)}; there may be {_MOST_HOURS}")
    for field, reached, wanted in (
        ("outside", kept.outside, bool(kept.hours)),
        ("quota_reached", kept.quota_reached, kept.quota is not None),
    ):
        if (
            wanted
            and reached == "throttle"
            and not (kept.throttle_download or kept.throttle_upload)
        ):
            raise Invalid(field, "throttles, which needs throttle_download or throttle_upload")
    return msgspec.structs.replace(
        kept,
        attributes=attributes.check("attributes", kept.attributes),
        garden_attributes=attributes.check("garden_attributes", kept.garden_attributes),
    )


def of_text(given: Iterable[tuple[str, str]], before: Settings | None = None) -> Settings:
    """Bring settings to values written as text, as on a command line.

    Args:
        given: keys and values; lists are separated by ";", an empty value takes the key back.
        before: what stays where nothing is given.

    Raises:
        Invalid: there is no such key, or a value cannot be used.
    """
    values = msgspec.to_builtins(before or Settings())
    for key, text in given:
        if key not in Settings.__struct_fields__:
            raise Invalid(key, "is no setting of a profile")
        if not text:
            values.pop(key, None)
        elif key in _LISTS:
            values[key] = [part.strip() for part in text.split(";")]
        else:
            values[key] = _number(key, text)
    try:
        return check(msgspec.convert(values, Settings, strict=False))
    except msgspec.ValidationError as wrong:
        what, _, where = str(wrong).partition(" - at `$.")
        raise Invalid(where.rstrip("`") or "settings", what) from None


_LISTS = frozenset({"hours", "attributes", "garden_attributes"})
_SCALED = frozenset(
    {"quota", "throttle_download", "throttle_upload", "garden_download", "garden_upload"}
)
_FACTOR = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def _number(key: str, text: str) -> str | int:
    factor = _FACTOR.get(text[-1].lower())
    if key in _SCALED and factor is not None:
        try:
            return round(float(text[:-1]) * factor)
        except ValueError:
            raise Invalid(key, f"{text} is not a number as 500G or 2.5M") from None
    return text


__all__ = [
    "NO_EXTRAS",
    "Extras",
    "Profile",
    "Restraint",
    "Settings",
    "check",
    "is_kept",
    "of_text",
    "read_settings",
    "shared",
]
