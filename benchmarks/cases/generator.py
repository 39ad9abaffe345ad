"""The load generator against the least a server can be: its own limit."""

import subprocess
import sys
from pathlib import Path

import msgspec

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import decode
from demarc.protocols.radius.password import decrypt_pap, verify_chap
from demarc.protocols.radius.verify import verify_request
from drive import drive
from figures import Figure
from ground import Ground, unsound
from load import packets, radius, subscriber
from load.phases import Phase

_HERE = Path(__file__).parent.parent
_WINDOW = 2


def run(ground: Ground) -> list[Figure]:
    """Measure how many packets a second the generator sends, receives and checks."""
    hold_against_codec()
    seconds = ground.options.seconds / 4
    echo = subprocess.Popen(
        [sys.executable, _HERE / "load" / "echo.py", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(echo.stdout.readline()) if echo.stdout is not None else 0
        wanted = radius.Orders(
            kind="auth",
            host="127.0.0.1",
            port=port,
            subscribers=ground.options.subscribers,
            window=_WINDOW,
            phases=[Phase("settle", seconds=0.5), Phase("measure", seconds=seconds)],
            # the responder accepts everything and signs nothing
            reject_every=0,
            verify_every=0,
            plain=True,
        )
        measured = drive("radius", wanted, None)["measure"]
    finally:
        echo.terminate()
        echo.wait()
        if echo.stdout is not None:
            echo.stdout.close()
    result = measured.result
    return [
        Figure(
            case="generator",
            what="the RADIUS load generator against a responder that does nothing",
            value=result.rate,
            unit="packets/s",
            goal="≥ 60 k/s, far above what is measured with it",
            beside={
                "p99 ms": result.latency["p99"],
                "CPU µs each": round(result.cpu_seconds * 1e6 / max(1, result.answered), 1),
            },
            conditions=f"closed loop, {_WINDOW * subscriber.PORTS} under way; {result.seconds:.0f} s",
            load=measured.cores,
            wrong=unsound(measured),
            detail=msgspec.to_builtins(measured),
        )
    ]


def hold_against_codec() -> None:
    """See that the packets made by hand say to the product's codec what they are to say.

    Raises:
        RuntimeError: one does not.
    """
    secret, n = subscriber.NAS_SECRET, 4_242
    make = packets.AccessRequests(secret)
    for chap in (False, True):
        for wrong in (False, True):
            packet = decode(make.encode(n, 7, chap=chap, wrong=wrong))
            verify_request(packet, secret, require_message_authenticator=True)
            password = subscriber.password(n)
            hidden = packet.value(DICTIONARY["User-Password"])
            if hidden is None:
                right = verify_chap(packet, password)
            else:
                right = decrypt_pap(hidden, secret, packet.authenticator) == password
            _see(right is not wrong, "an Access-Request has not the password it should")
            _see((hidden is None) is chap, "an Access-Request has not the method it should")
            login = packet.value(DICTIONARY["User-Name"]) or b""
            _see(subscriber.number(login) == n, "an Access-Request is not of its subscriber")
    packet = decode(
        packets.accounting_request(secret, n, 7, session=2, place=9, at=1_700_000_000, class_=b"c")
    )
    verify_request(packet, secret)
    low, high = (
        packet.number(DICTIONARY[name]) or 0
        for name in ("Acct-Output-Octets", "Acct-Output-Gigawords")
    )
    _see((high << 32) + low == packets.Life.octets(9)[1], "the octets are not those of the place")
    _see(packet.value(DICTIONARY["Class"]) == b"c", "the Class is not sent back")


def _see(right: bool, otherwise: str) -> None:
    if not right:
        raise RuntimeError(otherwise)
