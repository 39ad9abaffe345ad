"""The SOAP envelope around a message (TR-069 Amendment 6, 3.4.7)."""

import re
from typing import Final

import msgspec

from demarc.protocols.cwmp import decoding, encoding, xml
from demarc.protocols.cwmp.errors import Malformed
from demarc.protocols.cwmp.messages import Message

VERSIONS: Final = ("1-0", "1-1", "1-2", "1-3", "1-4")
"""Of the name space ``urn:dslforum-org:cwmp-X-Y``; the protocol's own version is another matter."""

_CWMP: Final = re.compile(r"urn:dslforum-org:cwmp-(\d+-\d+)")
_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_LONGEST_ID: Final = 256


class Envelope(msgspec.Struct, frozen=True):
    """A message with what stands around it.

    Attributes:
        id: ties an answer to its request; None where the sender gave none.
        version: of the name space, one of ``VERSIONS``.
        hold_requests: the other side is to send no request of its own for now.
        no_more_requests: the sender has no request of its own any more (CWMP 1.0).
    """

    message: Message
    id: str | None = None
    version: str = "1-0"
    hold_requests: bool = False
    no_more_requests: bool = False


def decode(body: bytes) -> Envelope:
    """Read an envelope and the message in it.

    Name spaces are not insisted upon, beyond telling the version; unknown headers are passed over.

    Raises:
        Malformed: it is no envelope, or there is no message that is known in it.
    """
    root = xml.read(body)
    if xml.local(root) != "Envelope":
        raise Malformed("it is not a SOAP envelope")
    content = xml.child(root, "Body")
    if content is None:
        raise Malformed("the envelope has no body")
    if not len(content):
        raise Malformed("the envelope's body is empty")
    name, hold, no_more = _header(xml.child(root, "Header"))
    return Envelope(
        message=decoding.message(content[0]),
        id=name,
        version=_version(root, content),
        hold_requests=hold,
        no_more_requests=no_more,
    )


def _header(header: xml.Element | None) -> tuple[str | None, bool, bool]:
    if header is None:
        return None, False, False
    name = xml.text(xml.child(header, "ID")).strip()[:_LONGEST_ID]
    hold = xml.truth(header, "HoldRequests")
    return name or None, hold, xml.truth(header, "NoMoreRequests")


def _version(root: xml.Element, content: xml.Element) -> str:
    """Tell the version by the name space of the message; a fault's is declared somewhere above."""
    match = _CWMP.fullmatch(xml.space(content[0]))
    if match is None:
        declared = (*root.nsmap.values(), *content[0].nsmap.values())
        match = next((found for uri in declared if (found := _CWMP.fullmatch(str(uri)))), None)
    if match is None:
        return VERSIONS[0]
    return match[1] if match[1] in VERSIONS else VERSIONS[-1]


def encode(envelope: Envelope) -> bytes:
    """Write an envelope, UTF-8."""
    head = ""
    if envelope.id is not None:
        head += f'<cwmp:ID soap:mustUnderstand="1">{xml.escape(envelope.id)}</cwmp:ID>'
    if envelope.hold_requests:
        head += '<cwmp:HoldRequests soap:mustUnderstand="1">1</cwmp:HoldRequests>'
    if envelope.no_more_requests:
        head += "<cwmp:NoMoreRequests>1</cwmp:NoMoreRequests>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soap:Envelope xmlns:soap="{_SOAP}"'
        ' xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:cwmp="urn:dslforum-org:cwmp-{envelope.version}">'
        f"{f'<soap:Header>{head}</soap:Header>' if head else ''}"
        f"<soap:Body>{encoding.body(envelope.message)}</soap:Body></soap:Envelope>"
    ).encode()


__all__ = ["VERSIONS", "Envelope", "decode", "encode"]
