"""What e-mail addresses, phone numbers, tax numbers, names and places may look like."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from demarc.domains.errors import Invalid
from demarc.domains.subscribers.model import Place
from demarc.platform.search import trigrams

_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\\\"]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W_](?:[\w-]*[^\W_])")
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]*")
_TAX_ID = re.compile(r"[0-9A-Z]{3,20}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LONGEST_EMAIL = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
_LONGEST_LOCAL_PART = 64
_LONGEST_NAME = 200
_LONGEST_ADDRESS = 400
# ITU-T E.164: at most 15 digits; the shortest numbers with an area code have 7 or so
_PHONE_DIGITS = range(7, 16)
# clocks differ; more than this ahead is a mistake
_FUTURE = timedelta(hours=24)


def email(value: str) -> str:
    """Give the address trimmed.

    Raises:
        Invalid: it is not an e-mail address.
    """
    value = value.strip()
    local = value.partition("@")[0]
    if (
        len(value) > _LONGEST_EMAIL
        or len(local) > _LONGEST_LOCAL_PART
        or local.startswith(".")
        or local.endswith(".")
        or ".." in local
        or not value.isprintable()
        or not _EMAIL.fullmatch(value)
    ):
        raise Invalid("email", "is not an e-mail address")
    return value


def phone(value: str, field: str = "mobile_number") -> str:
    """Give the number trimmed, written as it was given.

    Raises:
        Invalid: it is not a telephone number.
    """
    value = value.strip()
    digits = sum(letter.isdigit() for letter in value)
    if not value.isascii() or not _PHONE.fullmatch(value) or digits not in _PHONE_DIGITS:
        raise Invalid(field, "is not a telephone number of 7 to 15 digits")
    return value


def tax_id(value: str) -> str:
    """Give the tax number without punctuation, in capitals.

    Raises:
        Invalid: nothing like a tax number is left.
    """
    bare = re.sub(r"[\s./-]+", "", value).upper()
    if not _TAX_ID.fullmatch(bare):
        raise Invalid("tax_id", "is not a tax number")
    return bare


def text(field: str, value: str, longest: int = _LONGEST_NAME) -> str:
    """Give a name or another line of text, trimmed.

    Raises:
        Invalid: it is empty, too long, or not printable.
    """
    value = value.strip()
    if not value:
        raise Invalid(field, "must not be empty")
    if len(value) > longest:
        raise Invalid(field, f"must have at most {longest} characters")
    if not value.isprintable():
        raise Invalid(field, "must be one line of printable text")
    return value


def consent_time(field: str, given_at: datetime) -> datetime:
    """Give the time in UTC.

    Raises:
        Invalid: it is naive, or lies in the future.
    """
    if given_at.tzinfo is None:
        raise Invalid(field, "must have its offset from UTC")
    try:
        instant = given_at.astimezone(UTC)
    except OverflowError as overflow:
        raise Invalid(field, "is out of range") from overflow
    if instant > datetime.now(UTC) + _FUTURE:
        raise Invalid(field, "lies in the future")
    return instant


def place(given: Place) -> Place:
    """Give an address complete: trimmed, and whole where only its parts were given.

    Raises:
        Invalid: there is neither a whole address nor a street or city, a part is too long, the
            country is no ISO 3166 code, or the position is none.
    """
    parts = {
        field: text(field, value)
        for field in ("street", "number", "district", "city", "region", "postcode")
        if (value := getattr(given, field)) is not None and value.strip()
    }
    country = given.country and given.country.strip().upper()
    if country and not _COUNTRY.fullmatch(country):
        raise Invalid("country", "must be a code of ISO 3166, as ZA")
    whole = given.full_address
    if whole is None or not whole.strip():
        if "street" not in parts and "city" not in parts:
            raise Invalid("full_address", "is needed, or the street and city")
        whole = ", ".join(
            parts[field]
            for field in ("number", "street", "district", "city", "postcode", "region")
            if field in parts
        )
    if (given.latitude is None) != (given.longitude is None):
        raise Invalid("longitude", "and latitude belong together")
    if given.latitude is not None and not -90 <= given.latitude <= 90:  # noqa: PLR2004 - degrees
        raise Invalid("latitude", "must be from -90 to 90 degrees")
    if given.longitude is not None and not -180 <= given.longitude <= 180:  # noqa: PLR2004 - degrees
        raise Invalid("longitude", "must be from -180 to 180 degrees")
    return Place(
        full_address=text("full_address", whole, _LONGEST_ADDRESS),
        country=country or None,
        latitude=given.latitude,
        longitude=given.longitude,
        **parts,
    )


def customer(fields: dict[str, Any]) -> dict[str, Any]:
    """Give the fields of a customer trimmed, the name whole, the tax number bare.

    Raises:
        Invalid: a value cannot be taken.
    """
    checked = dict(fields)
    for field in ("first_name", "last_name"):
        if checked[field] is not None:
            checked[field] = text(field, checked[field])
    if checked["name"] is None:
        parts = [checked[field] for field in ("first_name", "last_name") if checked[field]]
        if not parts:
            raise Invalid("name" if fields["kind"] == "company" else "first_name", "is needed")
        checked["name"] = " ".join(parts)
    else:
        checked["name"] = text("name", checked["name"], 400)
    if (checked["tax_id"] is None) != (checked["tax_id_kind"] is None):
        raise Invalid("tax_id", "and its kind belong together")
    if checked["tax_id"] is not None:
        checked["tax_id"] = tax_id(checked["tax_id"])
        checked["tax_id_kind"] = checked["tax_id_kind"].lower()
    if checked["email"] is not None:
        checked["email"] = email(checked["email"])
    if checked["mobile_number"] is not None:
        checked["mobile_number"] = phone(checked["mobile_number"])
    return checked


def search(fields: dict[str, Any]) -> list[str]:
    """Give the trigrams by which a customer is found."""
    return trigrams(fields["name"], fields["tax_id"], fields["email"], fields["mobile_number"])
