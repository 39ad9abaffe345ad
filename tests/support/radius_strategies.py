"""What hypothesis draws for the RADIUS codec: attributes of the dictionary with fitting values."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from demarc.protocols.radius.dictionary import DICTIONARY, Attribute, Kind
from demarc.protocols.radius.packet import Packet
from demarc.protocols.radius.values import Value

NUMBER = st.integers(0, 2**32 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def _fits(text: str) -> bool:
    return len(text.encode()) <= 240


_VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.STRING: TEXT.filter(_fits),
    Kind.OCTETS: st.binary(max_size=240),
    Kind.INTEGER: NUMBER,
    Kind.INTEGER64: st.integers(0, 2**64 - 1),
    Kind.IPADDR: st.ip_addresses(v=4),
    Kind.IPV6ADDR: st.ip_addresses(v=6),
    Kind.IPV6PREFIX: st.ip_addresses(v=6, network="2001:db8::/32").flatmap(
        lambda address: st.just(address).map(lambda each: _network(each, int(each) % 129))
    ),
    Kind.DATE: NUMBER.map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    Kind.IFID: st.binary(min_size=8, max_size=8),
}


def _network(address: Any, length: int) -> Any:
    from ipaddress import IPv6Network

    return IPv6Network((address, length), strict=False)


PLAIN = [
    each
    for each in DICTIONARY.values()
    if each.encryption is None
    and not each.tagged
    and not each.concat
    and each.kind is not Kind.VSA
    and each.name not in {"Message-Authenticator", "Proxy-State"}
]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Attribute, Value]:
    attribute = draw(st.sampled_from(PLAIN))
    return attribute, draw(_VALUES[attribute.kind])


def read_back(packet: Packet) -> list[tuple[Attribute, Any]]:
    """Each attribute the dictionary knows, with its value, in the packet's order."""
    from demarc.protocols.radius.values import decode_value

    found = []
    for vendor, kind, octets in packet.attributes:
        attribute = DICTIONARY.find(vendor, kind)
        assert attribute is not None
        found.append((attribute, decode_value(attribute, octets)))
    return found
