"""The RADIUS codec alone on one core, pyrad beside it in the same run."""

import io
import time
from collections.abc import Callable

import msgspec
from pyrad import packet as pyrad_packet
from pyrad.dictionary import Dictionary as PyradDictionary

from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.password import decrypt_pap
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.verify import verify_request
from figures import Figure
from ground import Ground
from load import packets, subscriber

_SECRET = subscriber.NAS_SECRET
_ROUNDS = 5
_DATAGRAMS = 500

_ATTRIBUTES = """
ATTRIBUTE User-Name 1 string
ATTRIBUTE User-Password 2 string encrypt=1
ATTRIBUTE NAS-IP-Address 4 ipaddr
ATTRIBUTE NAS-Port 5 integer
ATTRIBUTE Service-Type 6 integer
ATTRIBUTE Framed-Protocol 7 integer
ATTRIBUTE Framed-IP-Address 8 ipaddr
ATTRIBUTE Class 25 octets
ATTRIBUTE Called-Station-Id 30 string
ATTRIBUTE Calling-Station-Id 31 string
ATTRIBUTE NAS-Identifier 32 string
ATTRIBUTE Acct-Status-Type 40 integer
ATTRIBUTE Acct-Input-Octets 42 integer
ATTRIBUTE Acct-Output-Octets 43 integer
ATTRIBUTE Acct-Session-Id 44 string
ATTRIBUTE Acct-Session-Time 46 integer
ATTRIBUTE Acct-Input-Gigawords 52 integer
ATTRIBUTE Acct-Output-Gigawords 53 integer
ATTRIBUTE Event-Timestamp 55 date
ATTRIBUTE NAS-Port-Type 61 integer
ATTRIBUTE Message-Authenticator 80 octets
ATTRIBUTE Acct-Interim-Interval 85 integer
ATTRIBUTE NAS-Port-Id 87 string
"""

_ACCEPT: dict[str, str | int] = {
    "Service-Type": 2,
    "Framed-Protocol": 1,
    "Acct-Interim-Interval": 300,
    "Framed-IP-Address": "100.64.0.16",
}

Work = Callable[[bytes], bytes]


class Comparison(msgspec.Struct, frozen=True):
    """Packets a second, the best of several turns, ours and pyrad's by turns."""

    ours: float
    pyrad: float


def run(ground: Ground) -> list[Figure]:
    """Measure decoding, verifying and answering, for authentication and accounting."""
    make = packets.AccessRequests(_SECRET)
    auth = [make.encode(n, n & 255, chap=False) for n in range(_DATAGRAMS)]
    acct = [
        packets.accounting_request(_SECRET, n, n & 255, session=0, place=3, at=1_700_000_000)
        for n in range(_DATAGRAMS)
    ]
    seconds = ground.options.seconds / 8
    dictionary = PyradDictionary(io.StringIO(_ATTRIBUTES))
    figures = []
    for name, datagrams, ours, theirs in (
        ("Access-Request (PAP, signed)", auth, _our_access(), _pyrad_access(dictionary)),
        ("Accounting-Request", acct, _our_accounting(), _pyrad_accounting(dictionary)),
    ):
        _agree(datagrams[0], ours, theirs)
        found = _compare(datagrams, ours, theirs, seconds)
        figures.append(
            Figure(
                case="codec",
                what=f"RADIUS codec, {name}: decode, verify, encode the reply",
                value=round(found.ours),
                unit="packets/s a core",
                goal="5 to 9 times pyrad",
                beside={"pyrad": round(found.pyrad), "ratio": round(found.ours / found.pyrad, 1)},
                conditions=f"one process, no I/O, {len(datagrams[0])} octets, "
                f"best of {_ROUNDS} turns of {seconds:g} s each",
            )
        )
    return figures


def _our_access() -> Work:
    attributes = encode_attributes((DICTIONARY[name], value) for name, value in _ACCEPT.items())
    user_password = DICTIONARY["User-Password"]

    def answer(datagram: bytes) -> bytes:
        packet = decode(datagram)
        verify_request(packet, _SECRET, require_message_authenticator=True)
        decrypt_pap(packet.value(user_password) or b"", _SECRET, packet.authenticator)
        return encode_reply(packet, Code.ACCESS_ACCEPT, attributes, _SECRET)

    return answer


def _our_accounting() -> Work:
    names = ("User-Name", "Acct-Session-Id", "Calling-Station-Id")
    numbers = ("Acct-Status-Type", "Acct-Input-Octets", "Acct-Output-Octets", "Acct-Session-Time")
    texts = [DICTIONARY[name] for name in names]
    integers = [DICTIONARY[name] for name in numbers]

    def answer(datagram: bytes) -> bytes:
        packet = decode(datagram)
        verify_request(packet, _SECRET)
        for attribute in texts:
            packet.text(attribute)
        for attribute in integers:
            packet.number(attribute)
        return encode_reply(packet, Code.ACCOUNTING_RESPONSE, b"", _SECRET)

    return answer


def _pyrad_access(dictionary: PyradDictionary) -> Work:
    def answer(datagram: bytes) -> bytes:
        packet = pyrad_packet.AuthPacket(packet=datagram, secret=_SECRET, dict=dictionary)
        if not packet.verify_message_authenticator():
            raise ValueError("not signed")
        packet.PwDecrypt(packet["User-Password"][0])
        reply = packet.CreateReply(
            **{name.replace("-", "_"): value for name, value in _ACCEPT.items()}
        )
        reply.code = pyrad_packet.AccessAccept
        reply.add_message_authenticator()
        return bytes(reply.ReplyPacket())

    return answer


def _pyrad_accounting(dictionary: PyradDictionary) -> Work:
    names = (
        *("User-Name", "Acct-Session-Id", "Calling-Station-Id", "Acct-Status-Type"),
        *("Acct-Input-Octets", "Acct-Output-Octets", "Acct-Session-Time"),
    )

    def answer(datagram: bytes) -> bytes:
        packet = pyrad_packet.AcctPacket(packet=datagram, secret=_SECRET, dict=dictionary)
        if not packet.VerifyAcctRequest():
            raise ValueError("not of the secret")
        for name in names:
            packet[name]
        return bytes(packet.CreateReply().ReplyPacket())

    return answer


def _agree(datagram: bytes, ours: Work, theirs: Work) -> None:
    """See that both do the work: the replies say the same."""
    found = [decode(work(datagram)) for work in (ours, theirs)]
    ignored = DICTIONARY["Message-Authenticator"].type
    told = [
        (packet.code, sorted(each for each in packet.attributes if each[1] != ignored))
        for packet in found
    ]
    if told[0] != told[1]:
        raise RuntimeError(f"the codecs disagree: {told}")


def _compare(datagrams: list[bytes], ours: Work, theirs: Work, seconds: float) -> Comparison:
    best = [0.0, 0.0]
    for _ in range(_ROUNDS):
        for place, work in enumerate((ours, theirs)):
            best[place] = max(best[place], _rate(datagrams, work, seconds))
    return Comparison(*best)


def _rate(datagrams: list[bytes], work: Work, seconds: float) -> float:
    begun = time.perf_counter()
    done = 0
    while (passed := time.perf_counter() - begun) < seconds:
        for datagram in datagrams:
            work(datagram)
        done += len(datagrams)
    return done / passed
