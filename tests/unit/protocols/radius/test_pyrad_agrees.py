"""pyrad, which shares nothing with this codec, reads what it writes and writes what it reads."""

from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad import packet as pyrad
from pyrad.dictionary import Dictionary as PyradDictionary

from demarc.protocols.radius.dictionary import DICTIONARY, Attribute, Encryption, Kind
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.password import (
    chap_response,
    decrypt_pap,
    decrypt_salted,
    verify_chap,
)
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.request import encode_request, verify_response
from demarc.protocols.radius.values import Plain, Tagged, Value, encode_value
from demarc.protocols.radius.verify import verify_request
from support.radius_strategies import PLAIN, pairs

SECRET = b"between-us"
USER_NAME = DICTIONARY["User-Name"]
USER_PASSWORD = DICTIONARY["User-Password"]
PASSWORD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).filter(
    lambda text: len(text.encode()) <= 128
)


def table() -> PyradDictionary:
    """This codec's dictionary in the form pyrad reads."""
    lines = []
    for attribute in DICTIONARY.values():
        if attribute.kind in {Kind.VSA, Kind.IFID}:
            continue
        flags = []
        if attribute.tagged:
            flags.append("has_tag")
        if attribute.encryption in {Encryption.TUNNEL_PASSWORD, Encryption.MS_MPPE}:
            flags.append("encrypt=2")
        line = f"ATTRIBUTE {attribute.name} {attribute.type} {attribute.kind.value}"
        line = f"{line} {','.join(flags)}"
        if attribute.vendor:
            vendor = f"Vendor-{attribute.vendor}"
            lines += [
                f"VENDOR {vendor} {attribute.vendor}",
                f"BEGIN-VENDOR {vendor}",
                line,
                f"END-VENDOR {vendor}",
            ]
        else:
            lines.append(line)
    return PyradDictionary(StringIO("\n".join(lines)))


TABLE = table()


def raw(theirs: pyrad.Packet, attribute: Attribute) -> list[bytes]:
    key: Any = (attribute.vendor, attribute.type) if attribute.vendor else attribute.type
    values = dict.get(theirs, key, [])
    return [bytes(value) for value in values]


@given(st.lists(pairs(), max_size=8))
def test_pyrad_reads_our_attributes(written: list[tuple[Attribute, Value]]) -> None:
    octets = encode_request(Code.ACCESS_REQUEST, 1, written, SECRET)
    theirs = pyrad.AuthPacket(packet=octets, secret=SECRET, dict=TABLE)
    assert theirs.verify_message_authenticator()
    for attribute, _ in written:
        expected = [encode_value(each, value) for each, value in written if each is attribute]
        assert raw(theirs, attribute) == expected


COMPARED = [
    (name, value)
    for name, value in [
        ("User-Name", "joão"),
        ("NAS-Port", 4294967295),
        ("Framed-IP-Address", "192.0.2.7"),
        ("Class", b"\0\1\2"),
        ("Event-Timestamp", 1700000000),
        ("Framed-IPv6-Prefix", "2001:db8:1:2::/64"),
        ("NAS-IPv6-Address", "2001:db8::1"),
        ("MikroTik-Rate-Limit", "50M/100M"),
        ("Huawei-Acct-IPv6-Input-Gigawords", 2),
        ("ERX-Service-Activate", "gold"),
    ]
]


@pytest.mark.parametrize(("name", "value"), COMPARED)
def test_we_read_pyrads_attributes(name: str, value: Any) -> None:
    theirs = pyrad.AuthPacket(code=1, secret=SECRET, dict=TABLE, message_authenticator=True)
    theirs.AddAttribute(name, value)
    packet = decode(theirs.RequestPacket())
    verify_request(packet, SECRET, require_message_authenticator=True)
    ours: Plain | None = packet.get(DICTIONARY[name])
    if DICTIONARY[name].kind is Kind.DATE:
        assert ours is not None
        assert not isinstance(ours, str | bytes | int)
        assert ours.timestamp() == value  # type: ignore[union-attr]
    else:
        assert ours == value or str(ours) == value


def test_every_plain_kind_is_compared() -> None:
    compared = {DICTIONARY[name].kind for name, _ in COMPARED}
    assert compared >= {each.kind for each in PLAIN} - {Kind.IFID}


@given(PASSWORD)
def test_pap_both_ways(password: str) -> None:
    if password:
        octets = encode_request(
            Code.ACCESS_REQUEST, 1, [(USER_NAME, "bob"), (USER_PASSWORD, password)], SECRET
        )
        theirs = pyrad.AuthPacket(packet=octets, secret=SECRET, dict=TABLE)
        assert theirs.PwDecrypt(raw(theirs, USER_PASSWORD)[0]) == password
    theirs = pyrad.AuthPacket(code=1, secret=SECRET, dict=TABLE)
    theirs[2] = [theirs.PwCrypt(password)]
    packet = decode(theirs.RequestPacket())
    hidden = packet.value(USER_PASSWORD)
    assert hidden is not None
    assert decrypt_pap(hidden, SECRET, packet.authenticator).decode() == password


@pytest.mark.parametrize("challenge", [None, b"sixteen octets, "])
def test_pyrad_accepts_our_chap(challenge: bytes | None) -> None:
    authenticator = bytes(range(16))
    response = chap_response(7, b"pass", challenge or authenticator)
    pairs = [(DICTIONARY["CHAP-Password"], response)]
    if challenge:
        pairs.append((DICTIONARY["CHAP-Challenge"], challenge))
    octets = encode_request(Code.ACCESS_REQUEST, 1, pairs, SECRET, authenticator=authenticator)
    theirs = pyrad.AuthPacket(packet=octets, secret=SECRET, dict=TABLE)
    assert theirs.VerifyChapPasswd(b"pass")
    assert verify_chap(decode(octets), b"pass")


@pytest.mark.parametrize("code", [Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE])
def test_pyrad_accepts_our_replies(code: Code) -> None:
    theirs = pyrad.AuthPacket(code=1, secret=SECRET, dict=TABLE, message_authenticator=True)
    theirs[33] = [b"first", b"second"]
    request = decode(theirs.RequestPacket())
    octets = encode_reply(
        request,
        code,
        [
            (DICTIONARY["Reply-Message"], "hi"),
            (DICTIONARY["Tunnel-Password"], Tagged(1, "deep")),
            (DICTIONARY["MS-MPPE-Send-Key"], b"k" * 32),
        ],
        SECRET,
    )
    reply = theirs.CreateReply(packet=octets)
    assert theirs.VerifyReply(reply, octets, enforce_ma=True)
    assert raw(reply, DICTIONARY["Proxy-State"]) == [b"first", b"second"]
    reply.request_authenticator = theirs.authenticator
    assert reply["Tunnel-Password:1"] == ["deep"]
    assert reply["MS-MPPE-Send-Key"] == [b"k" * 32]


def test_we_read_pyrads_hidden_values() -> None:
    request = encode_request(Code.ACCESS_REQUEST, 5, [(USER_NAME, "bob")], SECRET)
    theirs = pyrad.AuthPacket(packet=request, secret=SECRET, dict=TABLE)
    reply = theirs.CreateReply()
    reply.AddAttribute("Tunnel-Password:3", "deep")
    reply.AddAttribute("MS-MPPE-Recv-Key", b"k" * 32)
    answer = decode(reply.ReplyPacket())
    verify_response(answer, request, SECRET, require_message_authenticator=True)
    (tunnel,) = answer.tagged(DICTIONARY["Tunnel-Password"])
    assert tunnel.tag == 3
    assert isinstance(tunnel.value, bytes)
    assert decrypt_salted(tunnel.value, SECRET, request[4:20]) == b"deep"
    key = answer.value(DICTIONARY["MS-MPPE-Recv-Key"])
    assert key is not None
    assert decrypt_salted(key, SECRET, request[4:20]) == b"k" * 32


def test_accounting_both_ways() -> None:
    pairs: list[tuple[Attribute, Value]] = [
        (USER_NAME, "bob"),
        (DICTIONARY["Acct-Status-Type"], "Start"),
    ]
    octets = encode_request(Code.ACCOUNTING_REQUEST, 9, pairs, SECRET)
    theirs = pyrad.AcctPacket(packet=octets, secret=SECRET, dict=TABLE)
    assert theirs.VerifyAcctRequest()
    verify_response(decode(theirs.CreateReply().ReplyPacket()), octets, SECRET)

    theirs = pyrad.AcctPacket(secret=SECRET, dict=TABLE)
    theirs["User-Name"] = "bob"
    request = decode(theirs.RequestPacket())
    verify_request(request, SECRET)
    answer = encode_reply(request, Code.ACCOUNTING_RESPONSE, [], SECRET)
    assert theirs.VerifyReply(theirs.CreateReply(packet=answer), answer)


@pytest.mark.parametrize("code", [Code.DISCONNECT_REQUEST, Code.COA_REQUEST])
@pytest.mark.parametrize("sign", [True, False])
def test_dynamic_authorization_both_ways(code: Code, sign: bool) -> None:
    octets = encode_request(code, 9, [(USER_NAME, "bob")], SECRET, message_authenticator=sign)
    theirs = pyrad.CoAPacket(code=int(code), packet=octets, secret=SECRET, dict=TABLE)
    assert theirs.VerifyCoARequest()
    if sign:
        assert theirs.verify_message_authenticator()

    theirs = pyrad.CoAPacket(code=int(code), secret=SECRET, dict=TABLE, message_authenticator=sign)
    theirs["User-Name"] = "bob"
    request = decode(theirs.RequestPacket())
    verify_request(request, SECRET, require_message_authenticator=sign)
    answer = encode_reply(
        request, code + 2, [(DICTIONARY["Error-Cause"], "Session-Context-Not-Found")], SECRET
    )
    assert theirs.VerifyReply(theirs.CreateReply(packet=answer), answer)
