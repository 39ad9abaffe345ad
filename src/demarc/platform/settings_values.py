"""How the text of a setting is read.

Each kind knows how to say what it expects, so that a wrong value is answered with what a right one
looks like.
"""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_HIGHEST_PORT = 65_535


class Kind(msgspec.Struct, frozen=True):
    """A kind of value.

    Attributes:
        expected: completes the sentence "… is not …".
        read: gives the value of a text without blanks around it; raises ValueError.
    """

    expected: str
    read: Callable[[str], Any]


def whole(lowest: int, highest: int, what: str = "a whole number") -> Kind:
    """Give the kind of the whole numbers in a range, both ends included."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()):
            raise ValueError
        number = int(text)
        if not lowest <= number <= highest:
            raise ValueError
        return number

    return Kind(f"{what} from {lowest} to {highest}", read)


def one_of(*choices: str) -> Kind:
    """Give the kind of a choice between words."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return Kind(f"one of {', '.join(choices)}", read)


def some_of(*choices: str) -> Kind:
    """Give the kind of a choice of one or more words, given back in the order they have here."""

    def read(text: str) -> tuple[str, ...]:
        chosen = {part.strip() for part in text.split(",")}
        if not chosen <= set(choices):
            raise ValueError
        return tuple(choice for choice in choices if choice in chosen)

    return Kind(f"one or more of {', '.join(choices)}, with commas between", read)


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        # digits and dots alone are a mistyped address, not a name
        numeric = text.replace(".", "").isdigit()
        if numeric or not all(map(_LABEL.fullmatch, text.removesuffix(".").split("."))):
            raise
        return text


def _url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
        raise ValueError
    if url.username is not None or any(character.isspace() for character in text):
        raise ValueError
    _ = url.port  # raises ValueError where it is none
    return text.rstrip("/")


def _database(text: str) -> str:
    try:
        conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        raise ValueError from None
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError
    return text


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_name(part.strip()) for part in text.split(",")))


def _networks(text: str) -> tuple[str, ...]:
    # an address with bits beyond its prefix is a mistake, not a network
    found = (str(ipaddress.ip_network(part.strip())) for part in text.split(","))
    return tuple(dict.fromkeys(found))


def _path(text: str) -> Path:
    if "\0" in text:
        raise ValueError
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError from None


HOST = Kind("an IP address or host name", _host)
PORT = whole(0, _HIGHEST_PORT, "a port")
PATH = Kind("a path", _path)
URL = Kind("a URL like https://isp.example.net, without user or query", _url)
DATABASE = Kind(
    "a URL like postgresql://user@host/database or a libpq connection string", _database
)
NAME = Kind("a name of letters, digits, dots, dashes and underscores", _name)
NAMES = Kind("names of letters, digits, dots, dashes and underscores, with commas between", _names)
NETWORKS = Kind("addresses or prefixes like 192.0.2.0/24, with commas between", _networks)

__all__ = [
    "DATABASE",
    "HOST",
    "NAME",
    "NAMES",
    "NETWORKS",
    "PATH",
    "PORT",
    "URL",
    "Kind",
    "one_of",
    "some_of",
    "whole",
]
