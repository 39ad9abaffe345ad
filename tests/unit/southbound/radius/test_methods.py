"""Each way to prove a password against each way it may be stored, over real sockets."""

import hashlib
import os
from functools import partial

import pytest

from demarc.platform.secrets.keys import row_binding
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.mschap import (
    Response2,
    authenticator_response,
    challenge_response,
    encode_response1,
    encode_response2,
    mppe_keys,
    mppe_keys1,
    nt_hash,
    nt_response2,
)
from demarc.protocols.radius.packet import Code
from demarc.protocols.radius.password import decrypt_pap, decrypt_salted
from demarc.southbound.radius.failures import ALLOWED
from support.house import NAS_SECRET, build
from support.radius_process import running, until

PASSWORD = b"correct horse"
SALT = b"saltsalt"
# openssl passwd -6 -salt saltsalt
SHA512_CRYPT = (
    b"$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv"
    b"/uamSo5z0"
)
MD5_CRYPT = b"$1$saltsalt$NuzA7WTAelpl95xgBGWN60"

_md5 = partial(hashlib.md5, usedforsecurity=False)
_sha1 = partial(hashlib.sha1, usedforsecurity=False)

STORED = [
    ("cleartext", PASSWORD),
    ("nt", nt_hash(PASSWORD)),
    ("crypt", SHA512_CRYPT),
    ("crypt", MD5_CRYPT),
    ("md5", _md5(PASSWORD).digest()),
    ("smd5", _md5(PASSWORD + SALT).digest() + SALT),
    ("sha", _sha1(PASSWORD).digest()),
    ("ssha", _sha1(PASSWORD + SALT).digest() + SALT),
    ("sha2", hashlib.sha256(PASSWORD).digest()),
    ("sha2", hashlib.sha512(PASSWORD).digest()),
    ("ssha2", hashlib.sha256(PASSWORD + SALT).digest() + SALT),
    ("ssha2", hashlib.sha384(PASSWORD + SALT).digest() + SALT),
]


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def process(house):
    async with running(house.db, house.keys) as process:
        yield process


@pytest.fixture
async def nas(process):
    return process.nas(NAS_SECRET)


@pytest.fixture
async def service(house):
    return await house.service()


@pytest.fixture
async def store(house, service):
    """Keep the password of the service in some way; give its log-in."""
    async with house.as_isp() as tx:
        (credential,) = await house.aaa.credentials_of(tx, service.id)

    async def store(kind, octets):
        row = row_binding("credential", "secret", credential.id)
        async with house.db.system() as tx:
            await tx.conn.execute(
                "UPDATE credential SET secret = %s, secret_kind = %s WHERE id = %s",
                (house.keys.encrypt(octets, row=row), kind, credential.id),
            )
        return f"{credential.username}@acme"

    return store


@pytest.fixture
def newest_attempt(house, process, service):
    """What the ISP is told of the last log-in."""

    async def newest():
        await until(lambda: not process.server.status().attempts_waiting)
        async with house.as_isp() as tx:
            return (await house.aaa.radius_status(tx, service.id)).attempts[0].reply

    return newest


def ms_chap1(password):
    challenge = os.urandom(8)
    return challenge, [
        ("MS-CHAP-Challenge", challenge),
        ("MS-CHAP-Response", encode_response1(3, challenge_response(challenge, nt_hash(password)))),
    ]


def ms_chap2(username, password):
    challenge, peer = os.urandom(16), os.urandom(16)
    response = Response2(
        3, peer, nt_response2(peer, challenge, username.encode(), nt_hash(password))
    )
    return (
        challenge,
        response,
        [
            ("MS-CHAP-Challenge", challenge),
            ("MS-CHAP2-Response", encode_response2(3, peer, response.nt_response)),
        ],
    )


@pytest.mark.parametrize(("kind", "octets"), STORED)
async def test_pap_is_checked_against_every_kind(nas, store, kind, octets):
    username = await store(kind, octets)
    for _ in range(2):
        assert (await nas.login(username, PASSWORD.decode())).code == Code.ACCESS_ACCEPT
        assert (await nas.login(username, "correct horsf")).code == Code.ACCESS_REJECT


@pytest.mark.parametrize(("kind", "octets"), STORED[1:])
async def test_chap_says_why_it_cannot_be_checked(nas, store, newest_attempt, kind, octets):
    username = await store(kind, octets)
    assert (await nas.login(username, PASSWORD.decode(), chap=True)).code == Code.ACCESS_REJECT
    assert "CHAP needs a readable password; it is stored as" in await newest_attempt()


@pytest.mark.parametrize(("kind", "octets"), STORED[:2])
async def test_ms_chap_1_is_taken_and_gives_keys(nas, store, kind, octets):
    username = await store(kind, octets)
    _, pairs = ms_chap1(PASSWORD)
    sent = nas.send(Code.ACCESS_REQUEST, [("User-Name", username), *pairs])
    reply = await nas.answer(sent)
    assert reply.code == Code.ACCESS_ACCEPT
    hidden = reply.value(DICTIONARY["MS-CHAP-MPPE-Keys"])
    keys = decrypt_pap(hidden, NAS_SECRET.encode(), sent[4:20])
    assert keys == mppe_keys1(nt_hash(PASSWORD))


@pytest.mark.parametrize(("kind", "octets"), STORED[:2])
async def test_ms_chap_2_is_taken_proves_the_server_and_gives_keys(nas, store, kind, octets):
    username = await store(kind, octets)
    challenge, response, pairs = ms_chap2(username, PASSWORD)
    sent = nas.send(Code.ACCESS_REQUEST, [("User-Name", username), *pairs])
    reply = await nas.answer(sent)
    assert reply.code == Code.ACCESS_ACCEPT
    proof = authenticator_response(challenge, response, username.encode(), nt_hash(PASSWORD))
    assert reply.value(DICTIONARY["MS-CHAP2-Success"]) == b"\x03" + proof
    send, receive = (
        decrypt_salted(reply.value(DICTIONARY[name]), NAS_SECRET.encode(), sent[4:20])
        for name in ("MS-MPPE-Send-Key", "MS-MPPE-Recv-Key")
    )
    assert (send, receive) == mppe_keys(nt_hash(PASSWORD), response.nt_response)


@pytest.mark.parametrize("version", [1, 2])
async def test_a_wrong_password_by_ms_chap_gets_its_error(nas, store, version):
    username = await store("cleartext", PASSWORD)
    pairs = ms_chap1(b"guess")[1] if version == 1 else ms_chap2(username, b"guess")[2]
    reply = await nas.ask(Code.ACCESS_REQUEST, [("User-Name", username), *pairs])
    assert reply.code == Code.ACCESS_REJECT
    error = reply.value(DICTIONARY["MS-CHAP-Error"])
    assert error.startswith(b"\x03E=691 R=0 C=")
    assert (b" V=3 " if version == 2 else b" V=2 ") in error


async def test_a_suspended_service_is_told_by_ms_chap_to_be_disabled(house, nas, store, service):
    username = await store("cleartext", PASSWORD)
    async with house.as_isp() as tx:
        await house.aaa.set_access(tx, service.id, "suspended")

    async def refused():
        reply = await nas.ask(
            Code.ACCESS_REQUEST, [("User-Name", username), *ms_chap2(username, PASSWORD)[2]]
        )
        return reply.value(DICTIONARY["MS-CHAP-Error"])

    error = await until(refused)
    assert error.startswith(b"\x03E=647 ")


@pytest.mark.parametrize("kind_and_octets", [STORED[2], STORED[4]])
async def test_ms_chap_says_why_it_cannot_be_checked(nas, store, newest_attempt, kind_and_octets):
    username = await store(*kind_and_octets)
    pairs = ms_chap2(username, PASSWORD)[2]
    reply = await nas.ask(Code.ACCESS_REQUEST, [("User-Name", username), *pairs])
    assert reply.code == Code.ACCESS_REJECT
    assert "MS-CHAP needs a readable password or its NT hash" in await newest_attempt()


async def test_an_unknown_hash_is_said_to_be_one(nas, store, newest_attempt):
    username = await store("crypt", b"$99$x$y")
    assert (await nas.login(username, PASSWORD.decode())).code == Code.ACCESS_REJECT
    assert "cannot be checked" in await newest_attempt()


async def test_a_lan_manager_response_is_not_enough(nas, store):
    username = await store("cleartext", PASSWORD)
    reply = await nas.ask(
        Code.ACCESS_REQUEST,
        [
            ("User-Name", username),
            ("MS-CHAP-Challenge", bytes(8)),
            ("MS-CHAP-Response", bytes(50)),
        ],
    )
    assert reply.text(DICTIONARY["Reply-Message"]) == "LAN Manager responses are not accepted"


async def test_who_guesses_too_often_is_refused_unheard_until_the_password_changes(
    nas, store, newest_attempt
):
    username = await store("cleartext", PASSWORD)
    for _ in range(ALLOWED):
        reply = await nas.login(username, "guess", station="AA-01")
        assert reply.text(DICTIONARY["Reply-Message"]) == "unknown user or wrong password"
    reply = await nas.login(username, PASSWORD.decode(), station="AA-01")
    assert reply.code == Code.ACCESS_REJECT
    assert "too many wrong passwords" in await newest_attempt()
    # another line of the same subscriber is not locked out by it
    assert (await nas.login(username, PASSWORD.decode(), station="AA-02")).code == 2
    await store("cleartext", b"another password")

    async def accepted():
        reply = await nas.login(username, "another password", station="AA-01")
        return reply.code == Code.ACCESS_ACCEPT

    await until(accepted)
