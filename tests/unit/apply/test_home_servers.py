"""An ISP's own AAA in the network file."""

from pathlib import Path

import msgspec
import pytest

from demarc.apply.applying import apply
from demarc.apply.home_servers import HomeServerTable
from demarc.apply.parse import Mistaken, parse
from demarc.apply.plan import MASK
from demarc.apply.work import Domains
from demarc.domains.aaa.service import Aaa
from demarc.domains.access.service import Access
from demarc.domains.catalog.service import Catalog
from demarc.domains.identity.service import Identity
from demarc.domains.subscribers.service import Subscribers
from demarc.platform.secrets import KeyRing, PasswordPool

PAGE = (Path(__file__).parents[3] / "docs" / "network-file.md").read_text(encoding="utf-8")
REALM = """
[[tenant]]
slug = "veloz"
name = "Veloz"

[[realm]]
name = "veloz.example"
tenant = "veloz"
"""
SERVERS = """
[[realm.home_server]]
name = "aaa-1"
address = "203.0.113.10"
secret_env = "AAA_SECRET"

[[realm.home_server]]
name = "aaa-2"
address = "203.0.113.11"
transport = "radsec"
certificate = "AAA-2.veloz.example"
serves = "acct"
priority = 20
timeout = 1.5
"""


@pytest.fixture
def domains(tmp_path):
    keys = KeyRing.open(tmp_path / "keys.toml")
    return Domains(
        identity=Identity(PasswordPool()),
        catalog=Catalog(),
        subscribers=Subscribers(),
        access=Access(keys),
        aaa=Aaa(keys),
    )


@pytest.fixture
def applied(db, domains):
    async def applied(text, secret="testing-one", **more):
        document = parse(text, {"AAA_SECRET": secret})
        async with db.system() as tx:
            return await apply(tx, domains, document, **more)

    return applied


@pytest.fixture
def realm(db, domains):
    async def realm():
        async with db.system() as tx:
            (tenant,) = await domains.identity.tenants(tx)
            (realm,) = await domains.aaa.realms(tx, tenant.id)
            return await domains.aaa.proxies.of_realm(tx, realm.id)

    return realm


async def test_home_servers_are_made_changed_and_taken_back(applied, realm, domains):
    made = await applied(REALM + SERVERS)
    assert "testing-one" not in msgspec.json.encode(made).decode()
    proxy, (first, second) = await realm()
    assert (proxy.books_locally, "Framed-IP-Address" in proxy.allowed) == (False, True)
    assert (first.auth_port, first.acct_port, first.timeout_ms) == (1812, 1813, 3000)
    assert domains.aaa.proxies.secret(first) == "testing-one"
    assert (second.auth_port, second.acct_port, second.timeout_ms) == (None, 2083, 1500)
    assert (second.certificate, second.priority) == ("aaa-2.veloz.example", 20)

    again = await applied(REALM + SERVERS)
    assert {change.action for change in again.changes} == {"unchanged"}

    renewed = await applied(REALM + SERVERS, secret="testing-two")
    (change,) = [change for change in renewed.changes if change.action == "update"]
    assert (change.fields["secret"].before, change.fields["secret"].after) == (MASK, MASK)
    _, (kept, _) = await realm()
    assert kept.id == first.id
    assert domains.aaa.proxies.secret(kept) == "testing-two"

    more = REALM + "books_locally = true\nallow = ['Filter-Id']\n" + SERVERS.partition("\n\n")[0]
    await applied(more)
    proxy, servers = await realm()
    assert (proxy.books_locally, proxy.allowed) == (True, ["Filter-Id"])
    assert [server.name for server in servers] == ["aaa-1"]

    tried = await applied(REALM, dry_run=True)
    assert [change.action for change in tried.changes] == ["unchanged", "update"]
    assert await realm() is not None
    await applied(REALM)
    assert await realm() is None
    assert {change.action for change in (await applied(REALM)).changes} == {"unchanged"}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", "needs either secret or secret_env"),
        ("secret = 'x'\nsecret_env = 'AAA_SECRET'", "needs either secret or secret_env"),
        ("secret_env = 'NOT_THERE'", "names NOT_THERE, which is not set"),
        ("secret = 'x'\ntransport = 'radsec'", "takes no secret"),
        ("secret = 'x'\ncertificate = 'x.example'", "takes a certificate with transport"),
        ("transport = 'radsec'\nauth_port = 1\nacct_port = 2", "has one port over RadSec"),
        ("secret = 'x'\ntimeout = 0", "0.1"),
        ("secret = 'x'\nsecrets = 'x'", "unknown field `secrets`"),
    ],
)
def test_a_home_server_that_cannot_be_is_refused(keys, said):
    head = "[[realm.home_server]]\nname = 'aaa-1'\naddress = '203.0.113.10'\n"
    with pytest.raises(Mistaken, match=said):
        parse(f"{REALM}{head}{keys}\n", {"AAA_SECRET": "testing"})


def test_what_a_realm_allows_is_known_and_its_servers_are_named_once():
    one = "[[realm.home_server]]\nname = 'aaa'\naddress = '203.0.113.10'\nsecret = 'x'\n"
    with pytest.raises(Mistaken) as refused:
        parse(f"{REALM}allow = ['Filter-Id', 'Filter-It']\n{one}{one}", {})
    said = str(refused.value)
    assert "Filter-It" in said
    assert "names one server twice" in said


def test_every_key_of_a_home_server_is_documented():
    part = PAGE.split("### `[[realm.home_server]]`")[1].split("###")[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")]
    missing = [
        field.name
        for field in msgspec.structs.fields(HomeServerTable)
        if not any(f"`{field.name}`" in row.split("|")[1] for row in rows)
    ]
    assert missing == []
