"""A user of FreeRADIUS made a subscriber: a log-in, its service, and the product it has.

FreeRADIUS knows log-ins, not people: customer and premise are made by the name of the log-in, for
a file of subscribers to say later who and where they are.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import msgspec

from demarc.domains.aaa.profiles import Settings
from demarc.domains.errors import Invalid
from demarc.domains.subscribers import bulk
from demarc.domains.subscribers.model import Place
from demarc.imports.entry import (
    Bad,
    CustomerEntry,
    Entry,
    Note,
    PremiseEntry,
    ProductEntry,
    Read,
    Refused,
    ServiceEntry,
)
from demarc.imports.freeradius.items import Effective, Group, User, effective
from demarc.imports.freeradius.login import Login, Wishes

_LONGEST_CODE = 64


class Mapper:
    """Makes entries of users.

    Args:
        groups: by name.
        people: what is known of the person behind a log-in, by user name, as columns.
        wishes: what else is to be known.
    """

    def __init__(
        self, groups: Mapping[str, Group], people: Mapping[str, Mapping[str, str]], wishes: Wishes
    ) -> None:
        self._groups = groups
        self._people = people
        self._wishes = wishes
        self._products: dict[tuple[int, int, bytes], str] = {}
        self._codes: dict[str, tuple[int, int, bytes]] = {}

    def entries(self, user: User) -> Iterator[Read]:
        """Give what becomes of a user: one entry, and notes on what has no place in it."""
        notes: list[Note] = []
        try:
            entry = self._entry(user, notes)
        except Refused as refused:
            yield Bad(
                user.source, Refused(refused.field, f"{refused.reason} ({user.name})", refused.hint)
            )
            return
        except Invalid as wrong:
            yield Bad(user.source, Refused(None, f"{wrong} ({user.name})"))
            return
        yield entry
        yield from notes

    def _entry(self, user: User, notes: list[Note]) -> Entry:
        held = effective(user, self._groups)
        login = Login(user, held, self._wishes, notes)
        credential = login.credential()
        for group in held.left_out:
            login.note(
                user.source, f"the group {group} is behind one that does not fall through",
                "it was never come to; it is left out",
            )  # fmt: skip
        download, upload = login.speeds()
        settings = login.settings()
        login.rest()
        code = self._code(held, download, upload, settings)
        product = ProductEntry(
            code,
            {
                "name": code,
                "description": None,
                "technology": "other",
                "download_bps": download,
                "upload_bps": upload,
                "monthly_price": None,
                "currency": None,
            },
            profile=None if settings == Settings() else (code, settings),
        )
        ref = f"user:{user.name}"
        customer, premise = self._person(user, ref, login)
        return Entry(
            source=user.source,
            customer=customer,
            premise=premise,
            product=product,
            service=ServiceEntry(
                ref,
                state="suspended" if login.suspended else "active",
                reason=login.suspended or None,
            ),
            credential=credential,
        )

    def _code(self, held: Effective, download: int, upload: int, settings: Settings) -> str:
        """Give the code of the product with these speeds and settings: its group's, if it can be."""
        key = (download, upload, msgspec.json.encode(settings))
        known = self._products.get(key)
        if known is not None:
            return known
        groups = [name for name in held.groups if not self._groups.get(name, Group(name)).suspends]
        speed = f"{_short(download)}-{_short(upload)}"
        named = groups[0] if groups else speed
        candidates = [named, f"{named} {speed}", *(f"{named} {speed} {n}" for n in range(2, 1000))]
        for candidate in candidates:
            code = (self._wishes.prefix + candidate)[:_LONGEST_CODE]
            if self._codes.setdefault(code, key) == key:
                self._products[key] = code
                return code
        raise Refused(None, f"has one of too many variants of the group {named}")

    def _person(self, user: User, ref: str, login: Login) -> tuple[CustomerEntry, PremiseEntry]:
        known = dict(self._people.get(user.name, {}))
        for column in ("email", "mobile_number"):
            if column in known:
                try:
                    bulk.customer(uuid4(), {"name": "x", column: known[column]})
                except Invalid as wrong:
                    login.note(user.source, f"the {column} in userinfo {wrong.reason}", "left out")
                    del known[column]
        fields: dict[str, Any] = {"kind": "person"}
        for column in ("first_name", "last_name", "email", "mobile_number"):
            if column in known:
                fields[column] = known[column]
        if "first_name" not in fields and "last_name" not in fields:
            fields["name"] = user.name
        customer = CustomerEntry(ref, fields, bulk.customer(uuid4(), fields))
        place: dict[str, Any] = {
            name: known[name] for name in ("street", "city", "region", "postcode") if name in known
        }
        if "street" in place:
            return customer, PremiseEntry(
                None, bulk.premise(Place(full_address=None, **place), unit=None)
            )
        address = Place(full_address=self._wishes.address)
        return customer, PremiseEntry(None, bulk.premise(address, unit=user.name[:60]))


def _short(bps: int) -> str:
    for factor, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if bps % factor == 0:
            return f"{bps // factor}{letter}"
    return str(bps)


__all__ = ["Mapper"]
