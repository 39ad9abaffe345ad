"""Packets through a proxy: what is hidden for one hop can be read by the next, the rest stays."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.attributes import encode_attributes
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.forward import PROXY_STATE, forward_request, returned_attributes
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.password import chap_response, decrypt_pap, decrypt_salted, verify_chap
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.request import encode_request
from demarc.protocols.radius.values import Tagged
from demarc.protocols.radius.verify import verify_request

NAS, HOME = b"of-the-nas", b"of-the-home-server"
OURS = b"our-mark"


def named(*pairs):
    return [(DICTIONARY[name], value) for name, value in pairs]


def request(*pairs, code=Code.ACCESS_REQUEST, **more):
    return decode(encode_request(code, 7, named(*pairs), NAS, **more))


def forwarded(packet, identifier=9):
    octets = forward_request(packet, identifier, NAS, HOME, OURS)
    sent = decode(octets)
    verify_request(sent, HOME)
    return octets, sent


@given(st.text(min_size=1, max_size=30).filter(lambda text: not text.endswith("\0")))
def test_a_password_is_hidden_anew(password):
    packet = request(("User-Name", "ana@isp"), ("User-Password", password))
    _, sent = forwarded(packet)
    hidden = sent.value(DICTIONARY["User-Password"])
    assert decrypt_pap(hidden, HOME, sent.authenticator) == password.encode()


@given(st.booleans())
def test_the_challenge_of_chap_survives_the_new_authenticator(explicit):
    challenge = b"c" * 16
    authenticator = os.urandom(16)
    response = chap_response(3, b"a password", challenge if explicit else authenticator)
    pairs = [("User-Name", "ana@isp"), ("CHAP-Password", response)]
    if explicit:
        pairs.append(("CHAP-Challenge", challenge))
    _, sent = forwarded(request(*pairs, authenticator=authenticator))
    assert verify_chap(sent, b"a password")
    assert len(sent.values(DICTIONARY["CHAP-Challenge"])) == 1


@pytest.mark.parametrize("signed", [True, False])
def test_what_is_not_hidden_goes_on_as_it_came(signed):
    vendor = encode_attributes(named(("MikroTik-Rate-Limit", "1M/2M")))
    body = encode_attributes(
        named(("User-Name", "ana@isp"), ("Proxy-State", b"first"), ("State", b"s"))
    )
    packet = decode(encode_request(1, 7, vendor + body, NAS, message_authenticator=signed))
    _, sent = forwarded(packet)
    assert sent.identifier == 9
    assert sent.raw[20] == 80  # Message-Authenticator first, whether it had one or not
    assert sent.authenticator != packet.authenticator
    assert vendor + body in sent.raw
    assert sent.values(PROXY_STATE) == [b"first", OURS]


def test_accounting_goes_on_with_a_digest_of_its_own():
    packet = request(
        ("User-Name", "ana@isp"),
        ("Acct-Status-Type", "Start"),
        ("Acct-Session-Id", "s1"),
        code=Code.ACCOUNTING_REQUEST,
    )
    _, sent = forwarded(packet)
    assert not sent.signature
    assert sent.attributes == [*packet.attributes, (0, PROXY_STATE.type, OURS)]


def test_a_request_that_would_be_too_long_is_not_sent():
    pairs = [("User-Name", "ana@isp"), *[("Reply-Message", "x" * 253)] * 15, ("State", b"s" * 215)]
    with pytest.raises(Malformed, match="too long"):
        forward_request(request(*pairs), 1, NAS, HOME, OURS)


KEYS = named(
    ("MS-MPPE-Send-Key", b"k" * 32),
    ("MS-MPPE-Recv-Key", b"r" * 32),
    ("Tunnel-Password", Tagged(3, "of the tunnel")),
    ("Reply-Message", "hello"),
    ("MikroTik-Rate-Limit", "1G/1G"),
    ("Filter-Id", "all"),
)


def test_keys_are_hidden_anew_and_only_what_may_pass_goes_back():
    packet = request(("User-Name", "ana@isp"), ("Proxy-State", b"first"))
    asked, sent = forwarded(packet)
    reply = decode(encode_reply(sent, Code.ACCESS_ACCEPT, KEYS, HOME))
    hidden = {
        (DICTIONARY[name].vendor, DICTIONARY[name].type)
        for name in ("MS-MPPE-Send-Key", "MS-MPPE-Recv-Key", "Tunnel-Password", "Reply-Message")
    }
    octets = returned_attributes(
        reply,
        asked,
        HOME,
        request=packet,
        client_secret=NAS,
        passes=lambda vendor, kind: (vendor, kind) in hidden,
    )
    back = decode(encode_reply(packet, Code.ACCESS_ACCEPT, octets, NAS))
    assert {(vendor, kind) for vendor, kind, _ in back.attributes} == hidden | {(0, 80), (0, 33)}
    assert back.values(PROXY_STATE) == [b"first"]
    send = back.value(DICTIONARY["MS-MPPE-Send-Key"])
    assert decrypt_salted(send, NAS, packet.authenticator) == b"k" * 32
    tunnel = back.value(DICTIONARY["Tunnel-Password"])
    assert tunnel[0] == 3
    assert decrypt_salted(tunnel[1:], NAS, packet.authenticator) == b"of the tunnel"


def test_a_key_hidden_by_another_secret_does_not_go_back():
    packet = request(("User-Name", "ana@isp"))
    asked, sent = forwarded(packet)
    short = encode_attributes(named(("Reply-Message", "x")))
    broken = bytes((26, 12)) + (311).to_bytes(4, "big") + bytes((16, 6)) + b"abcd"
    reply = decode(encode_reply(sent, Code.ACCESS_ACCEPT, short + broken, HOME))
    with pytest.raises(Malformed):
        returned_attributes(
            reply, asked, HOME, request=packet, client_secret=NAS, passes=lambda *_: True
        )


@given(st.binary(max_size=300))
def test_any_attributes_go_on_or_are_refused(body):
    octets = bytes((1, 7)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
    try:
        packet = decode(octets)
        sent = decode(forward_request(packet, 1, NAS, HOME, OURS))
    except Malformed:
        return
    assert sent.values(PROXY_STATE)[-1] == OURS
