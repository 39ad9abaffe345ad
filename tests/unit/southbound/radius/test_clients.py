"""Which NAS a packet is of, and which realm a log-in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.model import Nas, Realm
from demarc.domains.aaa.nas_clients import Noted, Sighting, Signer
from demarc.platform.secrets.keys import KeyRing, row_binding
from demarc.southbound.radius.clients import Clients

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)
ACME = Realm(UUID(int=1), uuid4(), "acme", True)
OWN = Realm(UUID(int=2), uuid4(), "own", False)


@pytest.fixture
def keys(tmp_path):
    return KeyRing.open(tmp_path / "keys.toml")


def nas(keys, prefix, *, realm=None, require="auto", secret=None):
    key = uuid4()
    return Nas(
        id=key,
        owner_id=uuid4(),
        network_id=uuid4(),
        pop_id=None,
        name=prefix,
        prefix=prefix,
        vendor="generic",
        secret=keys.encrypt(prefix.encode(), row=row_binding("nas", "secret", key))
        if secret is None
        else secret,
        coa_port=3799,
        reach="default",
        default_realm_id=realm,
        require_message_authenticator=require,
        counters_reversed=False,
        interim_interval=300,
    )


async def clients(keys, *nases):
    made = Clients()
    await made.replace(nases, [ACME, OWN], keys)
    return made


async def test_the_longest_prefix_wins(keys):
    known = await clients(
        keys,
        nas(keys, "10.0.0.0/8"),
        nas(keys, "10.1.0.0/16"),
        nas(keys, "10.1.2.3/32"),
        nas(keys, "2001:db8::/32"),
    )
    for host, prefix in (
        ("10.1.2.3", b"10.1.2.3/32"),
        ("10.1.2.4", b"10.1.0.0/16"),
        ("10.200.0.1", b"10.0.0.0/8"),
        ("2001:db8::1", b"2001:db8::/32"),
        ("::ffff:10.1.2.3", b"10.1.2.3/32"),
        ("fe80::1%eth0", None),
        ("192.0.2.1", None),
    ):
        for _ in range(2):  # found, and then remembered
            found = known.find(host)
            assert (None if found is None else found.secret) == prefix


async def test_a_nas_whose_secret_cannot_be_read_is_left_out_alone(keys):
    known = await clients(keys, nas(keys, "10.0.0.1/32", secret=b"x"), nas(keys, "10.0.0.2/32"))
    assert known.find("10.0.0.1") is None
    assert known.find("10.0.0.2") is not None


async def test_a_login_is_of_the_realm_it_names_or_else_of_the_nass(keys):
    one, bare = nas(keys, "10.0.0.1/32", realm=OWN.id), nas(keys, "10.0.0.2/32")
    known = await clients(keys, one, bare)
    at_one, at_bare = known.find("10.0.0.1"), known.find("10.0.0.2")
    for login, expected in (
        ("ana@acme", (ACME.id, "ana")),
        ("ana@Acme", (ACME.id, "ana")),
        ("ana@example.net@acme", (ACME.id, "ana@example.net")),
        ("ana@own", (OWN.id, "ana")),
        ("ana@elsewhere", (OWN.id, "ana@elsewhere")),
        ("ana", (OWN.id, "ana")),
        ("@acme", (OWN.id, "@acme")),
    ):
        assert known.resolve(login, at_one) == expected
    assert known.resolve("ana", at_bare) is None
    assert known.resolve("ana@acme", at_bare) == (ACME.id, "ana")


async def test_a_signature_is_required_as_the_nas_says(keys):
    nases = [nas(keys, f"10.0.0.{at}/32", require=mode) for at, mode in enumerate(("no", "yes"))]
    known = await clients(keys, *nases, nas(keys, "10.1.0.0/16"))
    hosts = ("10.0.0.0", "10.0.0.1", "10.1.0.1", "10.1.0.2")
    assert [known.peer(host).requires for host in hosts] == [False, True, False, False]
    for host in ("10.0.0.0", "10.0.0.1", "10.1.0.1"):
        known.note(known.peer(host), signed=True, at=NOW)
    # another NAS of the prefix may be an older one
    assert [known.peer(host).requires for host in hosts] == [False, True, True, False]
    assert [known.peer(host).signs for host in hosts] == [True, True, True, False]


async def test_an_unsigned_proxy_state_is_dropped_as_the_nas_says(keys):
    cases = [(mode, limit) for mode in ("no", "yes", "auto") for limit in ("no", "yes", "auto")]
    nases = [
        msgspec.structs.replace(nas(keys, f"10.0.0.{at}/32", require=mode), limit_proxy_state=limit)
        for at, (mode, limit) in enumerate(cases)
    ]
    known = await clients(keys, *nases)
    limited = {case for at, case in enumerate(cases) if known.peer(f"10.0.0.{at}").limits}
    assert limited == {
        *((mode, "yes") for mode in ("no", "yes", "auto")),
        ("yes", "auto"),
        ("auto", "auto"),
    }


async def test_what_was_seen_of_an_address_is_given_once(keys):
    known = await clients(keys, nas(keys, "10.0.0.0/24"))
    peer = known.peer("10.0.0.1")
    known.note(peer, signed=False, at=NOW)
    known.note(peer, signed=True, at=NOW)
    peer.answered = True
    (sighting,) = known.sightings(10, LATER)
    assert sighting == Sighting(peer.client.nas.id, "10.0.0.1", NOW, LATER, LATER)
    assert known.sightings(10, LATER) == []
    known.note(peer, signed=True, at=LATER)
    (again,) = known.sightings(10, LATER)
    assert (again.signed_at, again.answered_at) == (None, None)


async def test_who_signs_is_remembered_over_a_reload_and_forgotten_when_unlocked(keys):
    one = nas(keys, "10.0.0.0/24")
    known = await clients(keys, one)
    known.note(known.peer("10.0.0.1"), signed=True, at=NOW)
    await known.replace([one], [], keys, [Signer(one.id, "10.0.0.2")])
    assert known.peer("10.0.0.1").requires  # not written yet
    assert known.peer("10.0.0.2").requires  # another node's
    known.sightings(10, NOW)
    known.noted([Noted(one.id, "10.0.0.1", signs=False), Noted(one.id, "10.0.0.2", signs=True)])
    assert not known.peer("10.0.0.1").requires
    assert known.peer("10.0.0.2").requires
    await known.replace([one], [], keys, [])
    assert known.signing == 0


async def test_a_radsec_client_is_known_by_its_certificate(keys):
    one = msgspec.structs.replace(nas(keys, "10.0.0.1/32"), certificate="bng-1.example")
    known = await clients(keys, one, nas(keys, "10.0.0.2/32"))
    assert known.certified("bng-1.example").nas is one
    assert known.certified("bng-1.example").secret == b"radsec"
    assert known.certified("bng-2.example") is None


@given(st.text())
def test_any_login_can_be_resolved(login):
    resolved = Clients().resolve(login, _bare())
    assert resolved == (OWN.id, login)


def _bare():
    from demarc.southbound.radius.clients import Client

    made = Nas(
        uuid4(), uuid4(), uuid4(), None, "n", "10.0.0.1/32", "generic", b"", 3799, "default",
        OWN.id, "auto", False, 300,
    )  # fmt: skip
    return Client(made, b"s")
