"""Takes secrets out of whatever is about to be logged or kept in the audit log.

Two things give a secret away: the name it stands under (`wifi_password`, `Authorization`) and its
own form (`Bearer …`, a token of ours, a URL with a password). Both are looked for at any depth and
inside texts, tracebacks included. In doubt more is masked than needs to be.
"""

import dataclasses
import math
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

import msgspec

MASK: Final = "***"

_DEEPEST = 12
_MOST_ITEMS = 1000  # of one event, at all depths
_LARGEST = 1 << 63  # what every reader of JSON holds
_LONGEST_TEXT = 32_768

# A name holds a secret if one of these is in it, however it is written ("wifiPassword",
# "WIFI-PASSWORD", "x_api_key") …
_IN_NAME = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "cookie",
    "community",
    "apikey",
    "privatekey",
    "senha",
    "credentials",
)
# … or if one of these, too short for that, is a whole word of it …
_WORD_OF_NAME = frozenset({"pwd", "psk", "pass", "pin", "otp"})
# … unless it ends so, and is something about the secret.
_ABOUT = frozenset({"id", "ids", "count", "hint", "at", "kind", "length", "changed"})

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_OTHER = re.compile(r"[^a-z0-9]+")

_PLAIN = (
    *(type(None), str, int, float, bytes, bytearray, memoryview),
    *(UUID, date, time, timedelta, Decimal, PurePath),
    *(IPv4Address, IPv6Address, IPv4Network, IPv6Network),
)

_VALUE = r"""
    (?: \\+["'].*                           # in quotes that are escaped: to the end of the line
      | [bru]{0,2}"(?:\\.|[^"\\])*+"?       # in quotes, or from one that is never closed
      | [bru]{0,2}'(?:\\.|[^'\\])*+'?
"""
_SIGN = r"""(?: \\*["'])? [)\]]? \s{0,8} (?: => | [:=] | %3[adAD] ) \s{0,8} \(? """

_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END[^-]*-----|\Z)", re.DOTALL),
        MASK,
    ),
    (re.compile(r"\$argon2[a-z]{0,2}\$[^\s\"']*"), MASK),
    (re.compile(r"dmk_[0-9A-Za-z]+"), f"dmk_{MASK}"),
    # a URL's user and password: all of it before the @ (RFC 3986, 3.2.1), also where a password
    # was put in without encoding its slashes, unless what follows the colon looks like a port
    (re.compile(r"://[^\s/?#\"'<>@:]*:(?!\d{1,5}[/?#])[^\s\"'<>]{0,256}@"), f"://{MASK}@"),
    (re.compile(r"://[^\s/?#\"'<>@]*(?:@[^\s/?#\"'<>@]*)*@"), f"://{MASK}@"),
    # what a header holds may have blanks
    (
        re.compile(
            rf"((?:authorization|cookie)[\w-]{{0,64}}+ {_SIGN}) {_VALUE} | .* )",
            re.IGNORECASE | re.VERBOSE,
        ),
        rf"\1{MASK}",
    ),
    (
        re.compile(r"(bearer|basic)((?:\s|%20|\+|[:=])+[\"']?)[^\s\"',;]+", re.IGNORECASE),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"(digest\s+username\s*=).*", re.IGNORECASE), rf"\1{MASK}"),
    (
        re.compile(
            rf"""((?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key
                    |community|senha|psk)[\w-]{{0,64}}+
                  (?:{_SIGN} | \s{{1,8}}(?=["']) ))
                 {_VALUE} | [^\s&]+ )""",
            re.IGNORECASE | re.VERBOSE,
        ),
        rf"\1{MASK}",
    ),
    # PostgreSQL shows rows and parameters in the details of its errors
    (re.compile(r"(Failing row contains \().*"), rf"\1{MASK})"),
    (re.compile(r"(parameter \$\d+ = )'(?:''|[^'])*+'?"), rf"\1{MASK}"),
)

# Terminals obey some of these.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}


def is_secret_name(name: str) -> bool:
    """Tell whether what stands under a name is a secret."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if words and words[-1] in _ABOUT:
        return False
    flat = _OTHER.sub("", name.lower())
    return any(part in flat for part in _IN_NAME) or not _WORD_OF_NAME.isdisjoint(words)


def redact_text(text: str) -> str:
    """Mask the secrets in a text and make it fit to be printed.

    Control characters but line feed and tab, and lone surrogates, are written as escapes; what is
    longer than 32 Ki characters is cut.
    """
    for pattern, mask in _IN_TEXT:
        text = pattern.sub(mask, text)
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]}… ({len(text) - _LONGEST_TEXT} more)"
    text = text.translate(_CONTROLS)
    return text.encode("utf-8", "backslashreplace").decode()


def redact(value: Any) -> Any:
    """Give a copy of a value without secrets, made of what JSON knows.

    Mappings, structs, dataclasses and sequences keep their form (a sequence becomes a list), also
    pairs of a name and a value (`("authorization", "Bearer …")`). Octets are shown by their number
    only. Anything else is shown as text. Depth and number of items are bounded, so that what
    contains itself ends.
    """
    return _Redaction().of(value, 0)


def redact_items(items: Mapping[str, Any]) -> dict[str, Any]:
    """Give a copy of a mapping of names to values without secrets; see `redact`.

    Each item has the bounds to itself, so that a large one does not hide those after it.
    """
    return {redact_text(name): _Redaction().under(name, value, 0) for name, value in items.items()}


class _Redaction:
    """One value on its way; knows how much more of it will be shown."""

    def __init__(self) -> None:
        self._left = _MOST_ITEMS

    def of(self, value: Any, depth: int) -> Any:
        if isinstance(value, _PLAIN):
            return _plain(value)
        items = _items(value)
        if items is not None:
            return self.of_items(items, depth) if depth < _DEEPEST else "…"
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._of_sequence(value, depth) if depth < _DEEPEST else "…"
        return redact_text(_shown(value))

    def of_items(self, items: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in items:
            if not self._take():
                found["…"] = "more"
                break
            name = _name(key)
            found[redact_text(name)] = self.under(name, value, depth)
        return found

    def _of_sequence(self, items: Collection[Any], depth: int) -> list[Any]:
        if len(items) == 2 and isinstance(items, (list, tuple)):  # noqa: PLR2004 - a pair
            first, second = items
            if isinstance(first, (str, bytes)) and is_secret_name(_name(first)):
                return [redact_text(_name(first)), self.under(_name(first), second, depth)]
        found: list[Any] = []
        for item in items:
            if not self._take():
                found.append("… more")
                break
            found.append(self.of(item, depth + 1))
        return found

    def under(self, name: str, value: Any, depth: int) -> Any:
        # whether there is one may be told
        if is_secret_name(name) and not (value is None or isinstance(value, bool)):
            return MASK
        return self.of(value, depth + 1)

    def _take(self) -> bool:
        self._left -= 1
        return self._left >= 0


def _plain(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return redact_text(value.value if isinstance(value, Enum) else value)
    if isinstance(value, int):
        return int(value) if abs(value) < _LARGEST else str(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} octets>"
    return redact_text(str(value))


def _items(value: Any) -> Iterable[tuple[Any, Any]] | None:
    """Give the items of a mapping, or the fields of a record."""
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = tuple(field.name for field in dataclasses.fields(value))
    else:
        return None
    return [(name, getattr(value, name, None)) for name in names]


def _name(key: Any) -> str:
    if isinstance(key, str):
        return key.value if isinstance(key, Enum) else key
    if isinstance(key, bytes):
        return key.decode("latin-1")
    return _shown(key)


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a log line must not fail for what it shows
        return f"<{type(value).__name__} that cannot be shown>"


__all__ = ["MASK", "is_secret_name", "redact", "redact_items", "redact_text"]
