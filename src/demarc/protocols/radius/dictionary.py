"""What attributes are called, and how their values are written: tables read from data files.

A file of `dictionaries/` holds one attribute a line, `number name kind [flag ...]`, and under it,
indented, the names of its values, `number name`. `#` begins a comment. A line `vendor number name`
makes what follows attributes of that vendor (RFC 2865 section 5.26). Flags:

- `tagged`: the value may carry a tag that ties it to others (RFC 2868 section 3).
- `concat`: a value too long for one attribute continues in the next (RFC 3579 section 3.1).
- `user-password`, `tunnel-password`, `ms-mppe`: how the value is hidden on the wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec

VENDOR_BITS: Final = 8
"""An attribute's key is its vendor, shifted by this, and its type."""

_TYPE_MAX: Final = 255


class Kind(Enum):
    """How a value is written on the wire, and the Python type it is read as."""

    STRING = "string"
    """UTF-8 text; `str`."""
    OCTETS = "octets"
    """`bytes`."""
    INTEGER = "integer"
    """Unsigned, 32 bits; `int`."""
    INTEGER64 = "integer64"
    """Unsigned, 64 bits (RFC 6929 section 2.5); `int`."""
    IPADDR = "ipaddr"
    """`ipaddress.IPv4Address`."""
    IPV6ADDR = "ipv6addr"
    """`ipaddress.IPv6Address`."""
    IPV6PREFIX = "ipv6prefix"
    """A reserved octet, the length, the prefix (RFC 3162 section 2.3); `IPv6Network`."""
    DATE = "date"
    """Seconds since 1970, 32 bits; an aware `datetime` in UTC."""
    IFID = "ifid"
    """An IPv6 interface identifier; 8 `bytes`."""
    VSA = "vsa"
    """A Vendor-Specific attribute as it stands; `bytes` that begin with the vendor's number."""


class Encryption(Enum):
    """How a value is hidden from those who do not know the shared secret."""

    USER_PASSWORD = "user-password"  # noqa: S105 - the name of a method
    """RFC 2865 section 5.2; only in requests."""
    TUNNEL_PASSWORD = "tunnel-password"  # noqa: S105 - the name of a method
    """Tag, salt, and length with value (RFC 2868 section 3.5); only in replies."""
    MS_MPPE = "ms-mppe"
    """Salt, and length with value (RFC 2548 section 2.4.2); only in replies."""


class Attribute(msgspec.Struct, frozen=True, eq=False):
    """One entry of the dictionary; compares by identity.

    Attributes:
        name: as the RFC or the vendor writes it.
        vendor: the vendor's enterprise number, 0 for standard attributes.
        type: the attribute's or the vendor's type, 1 to 255.
        kind: how its value is written.
        key: vendor and type as one number, which `Packet` looks up by.
        values: the numbers its named values stand for.
        encryption: how the value is hidden, None where it is not.
        tagged: whether it may carry a tag.
        concat: whether a long value is spread over several attributes.
    """

    name: str
    vendor: int
    type: int
    kind: Kind
    key: int
    values: Mapping[str, int] = MappingProxyType({})
    encryption: Encryption | None = None
    tagged: bool = False
    concat: bool = False

    def label(self, value: int) -> str:
        """Name a value; a value without a name is its number in digits."""
        for name, number in self.values.items():
            if number == value:
                return name
        return str(value)


class Dictionary(Mapping[str, Attribute]):
    """Attributes by name, whatever its case, and by vendor and type."""

    def __init__(self, attributes: Iterator[Attribute]) -> None:
        self._by_name: dict[str, Attribute] = {}
        self._by_key: dict[int, Attribute] = {}
        for attribute in attributes:
            folded = attribute.name.lower()
            if folded in self._by_name or attribute.key in self._by_key:
                raise ValueError(f"{attribute.name} or its number is there twice")
            self._by_name[folded] = attribute
            self._by_key[attribute.key] = attribute

    def __getitem__(self, name: str) -> Attribute:
        return self._by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (attribute.name for attribute in self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def find(self, vendor: int, kind: int) -> Attribute | None:
        """The attribute of this vendor (0: standard) and type, None if it is not known."""
        return self._by_key.get(vendor << VENDOR_BITS | kind)


def parse(text: str) -> Iterator[Attribute]:
    """Read one file of the dictionary.

    Raises:
        ValueError: a line does not follow the format; it names the line.
    """
    vendor = 0
    attribute: Attribute | None = None
    values: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            if line[0].isspace():
                values[words[1]] = int(words[0])
                continue
            if attribute is not None:
                yield attribute
            attribute, values = None, {}
            if words[0] == "vendor":
                vendor = int(words[1])
            else:
                attribute = _attribute(vendor, words, values)
        except (IndexError, ValueError) as error:
            raise ValueError(f"line {number}: {line.strip()!r} is no dictionary entry") from error
    if attribute is not None:
        yield attribute


def _attribute(vendor: int, words: list[str], values: dict[str, int]) -> Attribute:
    number, name, kind, *flags = words
    encryption = None
    tagged = concat = False
    for flag in flags:
        if flag == "tagged":
            tagged = True
        elif flag == "concat":
            concat = True
        else:
            encryption = Encryption(flag)
    type_ = int(number)
    if not 1 <= type_ <= _TYPE_MAX:
        raise ValueError("a type is one octet")
    return Attribute(
        name=name,
        vendor=vendor,
        type=type_,
        kind=Kind(kind),
        key=vendor << VENDOR_BITS | type_,
        values=MappingProxyType(values),
        encryption=encryption,
        tagged=tagged,
        concat=concat,
    )


def _load() -> Iterator[Attribute]:
    folder = files("demarc.protocols.radius.dictionaries")
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.name.endswith(".txt"):
            yield from parse(entry.read_text(encoding="utf-8"))


DICTIONARY: Final = Dictionary(_load())
"""Every attribute this codec knows by name."""
