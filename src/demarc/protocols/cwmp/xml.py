"""XML as devices send it, read without obeying anything in it.

Entities are not followed, a document type is refused, sizes and depths are bounded, and nothing is
fetched. What devices get wrong is put right where it can be: characters XML does not know (they
come out of network names), an encoding other than the one declared.
"""

import re
import sys
from typing import Final, TypeAlias

from lxml import etree

from demarc.protocols.cwmp.errors import Malformed

Element: TypeAlias = etree._Element  # noqa: SLF001 - the class has no other name

LARGEST: Final = 8 * 1024 * 1024
"""Octets of the largest body that is read."""

_DOCTYPE: Final = re.compile(rb"<!\s*(?:doctype|entity)", re.IGNORECASE)
_DECLARATION: Final = re.compile(rb"^\s*<\?xml[^>]{0,200}\?>")
_ENCODING: Final = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ILLEGAL_REFERENCE: Final = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_BARE: Final = re.compile(r"&(?!(?:[A-Za-z_][\w.-]*|#[0-9]+|#x[0-9A-Fa-f]+);)")
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00")
_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    load_dtd=False,
    no_network=True,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
    collect_ids=False,
)
_SINGLE_OCTET: Final = frozenset({"iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252"})


def read(body: bytes) -> Element:
    """Read a document.

    Args:
        body: as it was sent.

    Raises:
        Malformed: it is none, or one that is not to be read.
    """
    if len(body) > LARGEST:
        raise Malformed("the body is too large")
    if body.startswith(_WIDE) or b"\0" in body[:64]:
        raise Malformed("the encoding is neither UTF-8 nor of single octets")
    if _DOCTYPE.search(body) is not None:
        raise Malformed("a document type is not allowed")
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        root = _mended(body)
    if root.getroottree().docinfo.internalDTD is not None:
        raise Malformed("a document type is not allowed")
    return root


def _mended(body: bytes) -> Element:
    """Read a document once more, with what devices get wrong put right."""
    declared = _DECLARATION.match(body)
    encoding = _ENCODING.search(declared[0]) if declared is not None else None
    rest = body[declared.end() :] if declared is not None else body
    name = encoding[1].decode("ascii").lower() if encoding is not None else "utf-8"
    try:
        text = rest.decode("utf-8")
    except UnicodeDecodeError:
        # names that were typed on a router's page are as often as not of its own code page
        single = name in _SINGLE_OCTET or name == "utf-8"
        text = rest.decode("cp1252" if single else "latin-1", errors="replace")
    text = _ILLEGAL_REFERENCE.sub(_legal_reference, _ILLEGAL.sub("", text))
    text = _BARE.sub("&amp;", text)
    try:
        return etree.fromstring(text.encode(), _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed("it is not well-formed XML") from error


def _legal_reference(match: "re.Match[str]") -> str:
    number = int(match[1], 16) if match[1] is not None else int(match[2])
    if number > sys.maxunicode or _ILLEGAL.match(chr(number)):
        return ""
    return match[0]


def local(element: Element) -> str:
    """Give an element's name without its name space."""
    tag = element.tag
    return tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""


def space(element: Element) -> str:
    """Give an element's name space; empty where it has none."""
    tag = element.tag
    return tag[1 : tag.find("}")] if isinstance(tag, str) and tag.startswith("{") else ""


def text(element: Element | None) -> str:
    """Give what stands in an element, as it stands; empty for none."""
    return "" if element is None else element.text or ""


def child(element: Element, name: str) -> Element | None:
    """Give the first child of a name, whatever its name space."""
    for each in element:
        if local(each) == name:
            return each
    return None


def word(element: Element, name: str) -> str:
    """Give the text of a child without the space around it; empty where there is none."""
    return text(child(element, name)).strip()


def number(element: Element, name: str, otherwise: int = 0) -> int:
    """Give the number in a child; another one where there is none."""
    try:
        found = int(word(element, name), 10)
    except ValueError:
        return otherwise
    return found if -(2**63) <= found < 2**63 else otherwise


def truth(element: Element, name: str) -> bool:
    """Give the truth value in a child; no where there is none."""
    return word(element, name).lower() in {"1", "true", "yes"}


_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def escape(value: str) -> str:
    """Give text as it stands in an element; characters XML does not know are left out."""
    if not value.isprintable():
        value = _ILLEGAL.sub("", value)
    return value.translate(_ESCAPES)
