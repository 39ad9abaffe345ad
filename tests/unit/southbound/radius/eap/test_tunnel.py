"""TTLS and PEAP from the station's side: what is said within, and what is not let through."""

import asyncio
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from demarc.platform.telemetry.counters import COUNTERS
from demarc.protocols.eap.avp import Avp, encode_avps
from demarc.protocols.eap.fragments import Fragment
from demarc.protocols.eap.packet import Code as EapCode
from demarc.protocols.eap.packet import Packet as EapPacket
from demarc.protocols.eap.packet import Type, decode
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from demarc.protocols.radius.password import decrypt_salted
from demarc.southbound.radius.eap.tls import Certificate, Files, TlsFailed
from support import certificates
from support.eap_peer import TlsPeer, identity, nak
from support.eap_wire import PASSWORD, SECRET, People, Wire, said

VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
PAP = encode_avps([Avp(1, 0, b"ana"), Avp(2, 0, PASSWORD.ljust(16, b"\0"))])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return certificates.pair(tmp_path_factory.mktemp("eap"), "eap")


@pytest.fixture
def files(certificate):
    return Files(certificate.cert, certificate.key)


@pytest.fixture
async def wire(files):
    wire = Wire(files=files)
    yield wire
    await wire.server.stop()


async def speak(wire, peer, kind=Type.TTLS, most=80):
    """Carry a conversation to its end; give the last reply."""
    request, state = said(await wire.ask(identity("anonymous@isp")))
    if decode(request).type != kind:
        request, state = said(await wire.ask(nak(request, kind), state))
    for _ in range(most):
        reply = await wire.ask(peer.answer(request), state)
        if reply is None or reply.code != Code.ACCESS_CHALLENGE:
            return reply
        request, state = said(reply)
    raise AssertionError("it does not end")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("room", [40, 200, 1000])
async def test_pap_in_ttls_and_the_keys_of_both_ends(wire, version, room):
    peer = TlsPeer(Type.TTLS, lambda _: PAP, room, VERSIONS[version])
    reply = await speak(wire, peer)
    assert reply.code == Code.ACCESS_ACCEPT
    if version == "1.2":
        made = peer.tls.export_keying_material(b"ttls keying material", 128)
    else:
        made = peer.tls.export_keying_material(b"EXPORTER_EAP_TLS_Key_Material", 128, b"\x15")
    receive, send = (
        decrypt_salted(reply.value(DICTIONARY[name]), SECRET, wire.raw[4:20])
        for name in ("MS-MPPE-Recv-Key", "MS-MPPE-Send-Key")
    )
    assert receive + send == made[:64]
    assert reply.text(DICTIONARY["User-Name"]) == "ana"
    assert wire.people.asked[-1] == ("ana", "anonymous@isp")


async def test_a_wrong_password_in_ttls(wire):
    wrong = encode_avps([Avp(1, 0, b"ana"), Avp(2, 0, b"guess")])
    reply = await speak(wire, TlsPeer(Type.TTLS, lambda _: wrong))
    assert reply.code == Code.ACCESS_REJECT
    assert wire.refused == ["unknown user or wrong password"]


@pytest.mark.parametrize(
    "plain",
    [
        encode_avps([Avp(1, 0, b"ana")]),
        encode_avps([Avp(2, 0, PASSWORD)]),
        encode_avps([Avp(1, 0, b"ana"), Avp(3, 0, bytes(17)), Avp(60, 0, bytes(16))]),
        encode_avps([Avp(1, 0, b"ana"), Avp(25, 311, bytes(50)), Avp(11, 311, bytes(16))]),
        encode_avps([Avp(79, 0, b"\x02\x00\x00\x05\x04")]),
        encode_avps([Avp(79, 0, b"\x02")]),
        b"\0\0\0\x01\x40\xff\xff\xff",
    ],
)
async def test_what_proves_nothing_in_ttls_is_rejected(wire, plain):
    assert (await speak(wire, TlsPeer(Type.TTLS, lambda _: plain))).code == Code.ACCESS_REJECT
    assert wire.admitted == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_password_by_gtc_in_peap_and_the_result_both_agree_to(wire, version):
    heard = []

    def inside(plain):
        heard.append(plain)
        if plain == b"":
            return b""
        if plain == b"\x01":
            return b"\x01ana"
        if plain[:1] == bytes((Type.MSCHAPV2,)):
            return bytes((Type.NAK, Type.GTC))
        if plain[:1] == bytes((Type.GTC,)):
            return bytes((Type.GTC,)) + PASSWORD
        packet = decode(plain)
        return EapPacket(EapCode.RESPONSE, packet.identifier, Type.TLV, packet.data).encode()

    peer = TlsPeer(Type.PEAP, inside, version=VERSIONS[version])
    assert (await speak(wire, peer, Type.PEAP)).code == Code.ACCESS_ACCEPT
    assert heard[-1].endswith(b"\x80\x03\x00\x02\x00\x01")


async def test_who_does_not_agree_to_the_result_stays_out(wire):
    def inside(plain):
        if plain in {b"", b"\x01"}:
            return plain and b"\x01ana"
        if plain[:1] == bytes((Type.MSCHAPV2,)):
            return bytes((Type.NAK, Type.GTC))
        return bytes((Type.GTC,)) + PASSWORD

    reply = await speak(wire, TlsPeer(Type.PEAP, inside), Type.PEAP)
    assert reply.code == Code.ACCESS_REJECT


async def test_a_hash_is_asked_for_by_gtc_at_once(files):
    wire = Wire(People("crypt"), files)
    first = []

    def inside(plain):
        first.append(plain)
        return b"" if plain == b"" else b"\x01ana"

    await speak(wire, TlsPeer(Type.PEAP, inside), Type.PEAP)
    assert first[2][:1] == bytes((Type.GTC,))
    await wire.server.stop()


async def test_while_the_database_is_away_tls_goes_on_where_it_was(wire):
    peer = TlsPeer(Type.TTLS, lambda _: PAP)
    request, state = said(await wire.ask(identity("anonymous@isp")))
    request, state = said(await wire.ask(nak(request, Type.TTLS), state))
    for _ in range(10):
        answer = peer.answer(request)
        wire.people.away = 1
        reply = await wire.ask(answer, state)
        if reply is None:
            break
        request, state = said(reply)
    assert (await wire.ask(answer, state)).code == Code.ACCESS_ACCEPT


async def test_a_station_that_never_ends_is_ended(wire):
    with_nothing = EapPacket(EapCode.RESPONSE, 0, Type.TTLS, Fragment(b"").encode())
    request, state = said(await wire.ask(identity("anonymous@isp")))
    request, state = said(await wire.ask(nak(request, Type.TTLS), state))
    for _ in range(100):
        answer = EapPacket(
            EapCode.RESPONSE, decode(request).identifier, Type.TTLS, with_nothing.data
        )
        reply = await wire.ask(answer.encode(), state)
        if reply.code == Code.ACCESS_REJECT:
            break
        request, state = said(reply)
    assert wire.refused == ["the EAP conversation does not end"]


async def test_another_version_of_peap_is_not_spoken(wire):
    request, state = said(await wire.ask(identity("anonymous@isp")))
    answer = EapPacket(EapCode.RESPONSE, decode(request).identifier, Type.PEAP, b"\x01")
    assert (await wire.ask(answer.encode(), state)).code == Code.ACCESS_REJECT


async def test_old_tls_is_told_so_and_rejected(wire):
    peer = TlsPeer(Type.TTLS, lambda _: PAP, version=SSL.TLS1_1_VERSION)
    request, state = said(await wire.ask(identity("anonymous@isp")))
    request, state = said(await wire.ask(nak(request, Type.TTLS), state))
    # a ClientHello of TLS 1.1, by hand: OpenSSL will not make one any more
    hello = b"\x03\x02" + bytes(32) + b"\0" + b"\0\x02\xc0\x14" + b"\x01\0"
    record = b"\x01" + len(hello).to_bytes(3, "big") + hello
    record = b"\x16\x03\x01" + len(record).to_bytes(2, "big") + record
    answer = EapPacket(
        EapCode.RESPONSE, decode(request).identifier, Type.TTLS, Fragment(record).encode()
    )
    request, state = said(await wire.ask(answer.encode(), state))
    assert decode(request).data[1:2] == b"\x15"  # an alert
    answer = EapPacket(EapCode.RESPONSE, decode(request).identifier, Type.TTLS, b"\0")
    assert (await wire.ask(answer.encode(), state)).code == Code.ACCESS_REJECT
    assert "TLS failed" in wire.refused[0]
    del peer


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=120), min_size=1, max_size=4), st.sampled_from([21, 25]))
def test_any_octets_for_tls_end_in_a_reply_or_in_silence(certificate, packets, kind):
    before = COUNTERS.value("radius_dropped", reason="error")

    async def talk():
        wire = Wire(files=Files(certificate.cert, certificate.key))
        request, state = said(await wire.ask(identity("ana")))
        if kind != Type.PEAP:
            request, state = said(await wire.ask(nak(request, kind), state))
        for data in packets:
            answer = EapPacket(EapCode.RESPONSE, decode(request).identifier, kind, data)
            reply = await wire.ask(answer.encode(), state)
            if reply is None or reply.code != Code.ACCESS_CHALLENGE:
                break
            request, state = said(reply)
        assert wire.admitted == []
        await wire.server.stop()

    asyncio.run(talk())
    assert COUNTERS.value("radius_dropped", reason="error") == before


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=120), min_size=1, max_size=5), st.sampled_from([21, 25]))
def test_any_octets_within_the_tunnel_end_in_a_reply_or_in_silence(certificate, said_inside, kind):
    before = COUNTERS.value("radius_dropped", reason="error")

    async def talk():
        wire = Wire(files=Files(certificate.cert, certificate.key))
        rest = iter(said_inside)
        await speak(wire, TlsPeer(kind, lambda _: next(rest, b"\x01ana")), kind, most=100)
        assert wire.admitted == []
        await wire.server.stop()

    asyncio.run(talk())
    assert COUNTERS.value("radius_dropped", reason="error") == before


def test_a_new_certificate_is_shown_and_one_that_cannot_be_used_is_not(tmp_path):
    pair = certificates.pair(tmp_path)
    now = [0.0]
    shown = Certificate(Files(pair.cert, pair.key), lambda: now[0])

    def serial():
        peer = TlsPeer(Type.TTLS, lambda _: b"")
        server = shown.session()
        hello = b""
        with pytest.raises(SSL.WantReadError):
            peer.tls.do_handshake()
        hello = peer.tls.bio_read(16_384)
        peer.tls.bio_write(server.take(hello).out)
        peer.tls.do_handshake()
        return peer.tls.get_peer_certificate(as_cryptography=True).serial_number

    first = serial()
    second = pair.renew()
    assert serial() == first != second
    now[0] += 60
    assert serial() == second
    pair.key.write_text("nothing")
    os.utime(pair.key, (1, 1))
    now[0] += 60
    assert serial() == second


def test_files_that_do_not_belong_together_are_told(tmp_path):
    one, other = certificates.pair(tmp_path, "a"), certificates.pair(tmp_path, "b")
    with pytest.raises(TlsFailed, match=r"a\.crt with .*b\.key cannot be used"):
        Certificate(Files(one.cert, other.key))
