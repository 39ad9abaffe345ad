"""eapol_test as supplicant and NAS: every method, both versions of TLS, fragments both ways."""

import asyncio

import pytest

from demarc.platform.secrets.keys import row_binding
from demarc.protocols.radius.mschap import nt_hash
from demarc.southbound.radius.eap.tls import Files
from support import certificates, eapol
from support.house import NAS_SECRET, build
from support.radius_process import running, until

pytestmark = [
    pytest.mark.peer("eapol_test"),
    pytest.mark.skipif(eapol.MISSING, reason=eapol.WHY),
]

PASSWORD = "correct horse battery"

TUNNELLED = {
    "TTLS/PAP": ("TTLS", "auth=PAP"),
    "TTLS/CHAP": ("TTLS", "auth=CHAP"),
    "TTLS/MSCHAP": ("TTLS", "auth=MSCHAP"),
    "TTLS/MSCHAPv2": ("TTLS", "auth=MSCHAPV2"),
    "TTLS/EAP-MSCHAPv2": ("TTLS", "autheap=MSCHAPV2"),
    "TTLS/EAP-GTC": ("TTLS", "autheap=GTC"),
    "TTLS/EAP-MD5": ("TTLS", "autheap=MD5"),
    "PEAP/MSCHAPv2": ("PEAP", "auth=MSCHAPV2"),
    "PEAP/GTC": ("PEAP", "auth=GTC"),
    "PEAP/MD5": ("PEAP", "auth=MD5"),
}
TLS = {
    "TLSv1.2": "tls_disable_tlsv1_3=1",
    "TLSv1.3": "tls_disable_tlsv1_3=0",
}


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
def certificate(tmp_path):
    return certificates.pair(tmp_path, "eap")


@pytest.fixture
async def process(house, certificate):
    files = Files(certificate.cert, certificate.key)
    async with running(house.db, house.keys, eap=files) as process:
        yield process


@pytest.fixture
async def service(house):
    return await house.service()


@pytest.fixture
async def username(house, service):
    async with house.as_isp() as tx:
        (credential,) = await house.aaa.credentials_of(tx, service.id)
        await house.aaa.set_password(tx, credential, PASSWORD)
    return f"{credential.username}@acme"


@pytest.fixture
async def store(house, service):
    """Keep the password as a hash."""

    async def store(kind, octets):
        async with house.as_isp() as tx:
            (credential,) = await house.aaa.credentials_of(tx, service.id)
        row = row_binding("credential", "secret", credential.id)
        async with house.db.system() as tx:
            await tx.conn.execute(
                "UPDATE credential SET secret = %s, secret_kind = %s WHERE id = %s",
                (house.keys.encrypt(octets, row=row), kind, credential.id),
            )

    return store


@pytest.fixture
def newest_attempt(house, process, service):
    """What the ISP is told of the last log-in."""

    async def newest():
        await until(lambda: not process.server.status().attempts_waiting)
        async with house.as_isp() as tx:
            return (await house.aaa.radius_status(tx, service.id)).attempts[0].reply

    return newest


@pytest.fixture
def authenticate(process, certificate, tmp_path):
    def authenticate(method, identity, *lines, options=(), password=PASSWORD, secret=NAS_SECRET):
        network = [
            f"eap={method}",
            f'identity="{identity}"',
            f'password="{password}"',
            *([] if method == "MD5" else [f'ca_cert="{certificate.cert}"']),
            *lines,
        ]
        return eapol.run(process.auth, secret, tmp_path, "\n".join(network), *options)

    return authenticate


@pytest.mark.parametrize("tls", TLS)
@pytest.mark.parametrize("method", TUNNELLED)
async def test_each_method_in_a_tunnel_and_its_keys(authenticate, username, method, tls):
    outer, inner = TUNNELLED[method]
    lines = [f'phase2="{inner}"', f'phase1="{TLS[tls]}"', 'anonymous_identity="anonymous@acme"']
    result = await authenticate(outer, username, *lines)
    assert result.succeeded, result.printed[-6000:]
    assert f"Using TLS version {tls}\n" in result.printed
    assert "MPPE keys OK: 1  mismatch: 0" in result.printed


async def test_md5(authenticate, username):
    result = await authenticate("MD5", username, options=("-n",))
    assert result.succeeded, result.printed[-4000:]


async def test_mschapv2_without_a_tunnel(authenticate, username):
    result = await authenticate("MSCHAPV2", username)
    assert result.succeeded, result.printed[-4000:]


@pytest.mark.parametrize("size", [64, 150, 400, 1200])
@pytest.mark.parametrize("method", ["TTLS", "PEAP"])
async def test_fragments_of_every_size_both_ways(authenticate, username, method, size):
    inner = "auth=PAP" if method == "TTLS" else "auth=MSCHAPV2"
    result = await authenticate(
        method,
        username,
        f'phase2="{inner}"',
        f"fragment_size={size}",
        # Framed-MTU
        options=("-N", f"12:d:{size + 60}"),
    )
    assert result.succeeded, result.printed[-6000:]


@pytest.mark.parametrize("method", ["TTLS/PAP", "TTLS/MSCHAPv2", "PEAP/MSCHAPv2", "PEAP/GTC"])
async def test_a_wrong_password_is_rejected_and_recorded(
    authenticate, username, newest_attempt, method
):
    outer, inner = TUNNELLED[method]
    result = await authenticate(outer, username, f'phase2="{inner}"', password="guess")
    assert not result.succeeded
    assert "Access-Reject" in result.printed or "code=3 (Access-Reject)" in result.printed
    assert await newest_attempt() == "Access-Reject: unknown user or wrong password"


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("PEAP/MSCHAPv2", "nt"),
        ("TTLS/MSCHAPv2", "nt"),
        ("TTLS/PAP", "nt"),
        ("TTLS/PAP", "crypt"),
        ("PEAP/GTC", "crypt"),
    ],
)
async def test_hashed_passwords_are_enough_where_the_method_lets_them(
    authenticate, store, username, method, kind
):
    await store(kind, nt_hash(PASSWORD.encode()) if kind == "nt" else await _crypt(PASSWORD))
    outer, inner = TUNNELLED[method]
    result = await authenticate(outer, username, f'phase2="{inner}"')
    assert result.succeeded, result.printed[-6000:]


async def _crypt(password):
    process = await asyncio.create_subprocess_exec(
        "openssl", "passwd", "-6", password, stdout=asyncio.subprocess.PIPE
    )
    made, _ = await process.communicate()
    return made.strip()


async def test_a_server_without_a_certificate_offers_no_tunnel(house, username, tmp_path):
    async with running(house.db, house.keys) as process:
        for method, expected in (("PEAP", False), ("MD5", True)):
            lines = f'eap={method}\nidentity="{username}"\npassword="{PASSWORD}"'
            options = ("-n",) if method == "MD5" else ()
            result = await eapol.run(process.auth, NAS_SECRET, tmp_path, lines, *options)
            assert result.succeeded is expected, result.printed[-3000:]
            assert ("Access-Reject" in result.printed) is not expected


async def test_who_does_not_trust_the_certificate_stays_out(authenticate, username, tmp_path):
    other = certificates.pair(tmp_path, "other")
    result = await authenticate("TTLS", username, 'phase2="auth=PAP"', f'ca_cert="{other.cert}"')
    assert not result.succeeded
    assert "Access-Reject" in result.printed
