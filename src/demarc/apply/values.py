"""The values of a network file that TOML has no type for."""

import re
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Self

import msgspec

_SPEED = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([kKmMgGtT]?)(?:bps|bit/s)?")
_FACTOR = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
# what the database's bigint holds, with room to add
_FASTEST = 10**15


class Place(msgspec.Struct, frozen=True):
    """Where in the file a table stands.

    Attributes:
        number: which one of its section, from 1.
        line: the line of its header; None where it cannot be told.
        keys: the line of each of its keys.
    """

    number: int = 0
    line: int | None = None
    keys: Mapping[str, int] = {}


class Hidden(str):
    """A secret: usable as the text it is, never shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Hidden(***)"

    @classmethod
    def read(cls, given: object) -> Self:
        """Take a secret from the file.

        Raises:
            ValueError: it is no text, or empty.
        """
        if not isinstance(given, str):
            raise ValueError("must be text in quotation marks")  # noqa: TRY004 - msgspec's hook
        if not given:
            raise ValueError("must not be empty")
        return cls(given)


class Speed(int):
    """Bit/s: a whole number, or text such as ``"100M"``, ``"2.5G"``, ``"512k"`` (powers of 1000)."""

    __slots__ = ()

    @classmethod
    def read(cls, given: object) -> Self:
        """Take a speed from the file.

        Raises:
            ValueError: it is none, or less than 1 bit/s, or not a whole number of bit/s.
        """
        if isinstance(given, bool) or not isinstance(given, int | str):
            raise ValueError('must be bit/s, or text such as "100M"')  # noqa: TRY004 - likewise
        if isinstance(given, int):
            speed = Decimal(given)
        else:
            found = _SPEED.fullmatch(given.strip())
            if found is None:
                raise ValueError(f'{given!r} is no speed; write "100M", "2.5G", "512k" or bit/s')
            speed = Decimal(found[1]) * _FACTOR[found[2].lower()]
        if speed != int(speed) or not 1 <= speed <= _FASTEST:
            raise ValueError(f"{given!r} is not a whole number of bit/s that a line can have")
        return cls(speed)


class Octets(int):
    """Octets: a whole number, or text such as ``"500G"``, ``"1.5T"`` (powers of 1000)."""

    __slots__ = ()

    @classmethod
    def read(cls, given: object) -> Self:
        """Take a number of octets from the file.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(Speed.read(given))
        except ValueError:
            raise ValueError(f'{given!r} is no number of octets; write "500G" or octets') from None


class Address(str):
    """An IPv4 or IPv6 address in its shortest form."""

    __slots__ = ()

    @classmethod
    def read(cls, given: object) -> Self:
        """Take an address from the file.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(ip_address(str(given)))
        except ValueError:
            raise ValueError(f"{given!r} is no IP address") from None

    @property
    def alone(self) -> "Prefix":
        """The prefix that holds it alone."""
        return Prefix(ip_network(self))


class Prefix(str):
    """An IPv4 or IPv6 prefix as CIDR, in its shortest form."""

    __slots__ = ()

    @classmethod
    def read(cls, given: object) -> Self:
        """Take a prefix from the file.

        Raises:
            ValueError: it is none, or has bits set beyond its length.
        """
        text = str(given)
        try:
            return cls(ip_network(text))
        except ValueError:
            try:
                meant = ip_network(text, strict=False)
            except ValueError:
                raise ValueError(f"{given!r} is no prefix; write one as 192.0.2.0/24") from None
            raise ValueError(f"{given!r} is an address of {meant}; write {meant}") from None


class Prefix4(Prefix):
    """An IPv4 prefix as CIDR."""

    __slots__ = ()

    @classmethod
    def read(cls, given: object) -> Self:
        """Take an IPv4 prefix from the file.

        Raises:
            ValueError: it is none.
        """
        prefix = super().read(given)
        if not isinstance(ip_network(prefix), IPv4Network):
            raise ValueError(f"{given!r} is not an IPv4 prefix")  # noqa: TRY004 - msgspec's hook
        return prefix


def read(kind: type, given: object) -> object:
    """Take a value of one of these types, as msgspec's hook.

    Raises:
        ValueError: it is none; the text says why.
    """
    if issubclass(kind, Hidden | Speed | Octets | Address | Prefix):
        return kind.read(given)
    raise TypeError(f"a network file has no values of type {kind.__name__}")


__all__ = ["Address", "Hidden", "Octets", "Place", "Prefix", "Prefix4", "Speed", "read"]
