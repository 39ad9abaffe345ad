"""Reads the vector files of the RADIUS codec: what is written there, and what octets it means."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path

from demarc.protocols.radius.dictionary import DICTIONARY, Attribute, Kind
from demarc.protocols.radius.values import Plain, Tagged, Value


def lines(file: Path) -> list[str]:
    written = file.read_text().splitlines()
    return [line for line in written if line.strip() and not line.startswith("#")]


def literal(attribute: Attribute, text: str) -> Value:
    """The value a vector file writes, `tag:value` for a tagged one."""
    tag, colon, rest = text.partition(":")
    if attribute.tagged and colon and tag.isdigit():
        return Tagged(int(tag), _plain(attribute, rest))
    return _plain(attribute, text)


def _plain(attribute: Attribute, text: str) -> Plain:
    match attribute.kind:
        case Kind.STRING:
            return text
        case Kind.INTEGER | Kind.INTEGER64:
            return attribute.values[text] if text in attribute.values else int(text)
        case Kind.IPADDR:
            return IPv4Address(text)
        case Kind.IPV6ADDR:
            return IPv6Address(text)
        case Kind.IPV6PREFIX:
            return IPv6Network(text)
        case Kind.DATE:
            return datetime.fromisoformat(text)
        case _:
            return bytes.fromhex(text)


def pair(text: str) -> tuple[Attribute, Value]:
    """`Name = value`."""
    name, _, value = text.partition(" = ")
    attribute = DICTIONARY[name.strip()]
    return attribute, literal(attribute, value)


def exchanges(file: Path) -> dict[str, list[tuple[str, str]]]:
    """Blocks under `[title]`: lines of a word and what follows it, continued by indented lines."""
    blocks: dict[str, list[tuple[str, str]]] = {}
    for line in lines(file):
        if line.startswith("["):
            block = blocks.setdefault(line.strip("[]"), [])
        elif line[0].isspace():
            word, text = block.pop()
            block.append((word, f"{text} {line.strip()}"))
        else:
            word, text = line.split(maxsplit=1)
            block.append((word, text))
    return blocks
