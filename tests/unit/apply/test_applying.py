"""A network file against a real database."""

import msgspec
import pytest

from demarc.apply.applying import apply
from demarc.apply.parse import Mistaken, parse
from demarc.apply.plan import MASK, Absent
from demarc.apply.work import Domains
from demarc.domains.aaa.service import Aaa
from demarc.domains.access.service import Access
from demarc.domains.catalog.service import Catalog
from demarc.domains.identity.service import Identity
from demarc.domains.subscribers.service import Subscribers
from demarc.platform.secrets import KeyRing, PasswordPool

NETWORK = """
[[tenant]]
slug = "fibra"
name = "Fibra Norte"
timezone = "America/Sao_Paulo"

[[tenant]]
slug = "veloz"
name = "Veloz"

[[network]]
slug = "norte"
name = "Norte"
owner = "fibra"
isps = ["veloz"]

[[realm]]
name = "veloz.example"
tenant = "veloz"

[[area]]
slug = "centro"
name = "Centro"

[[product]]
code = "home-100"
name = "Home 100"
download = "100M"
upload = "50M"
areas = ["centro"]
price = 49.90
currency = "EUR"

[[pop]]
code = "CTR"
name = "Centro"
latitude = -3.1
longitude = -60.0

[[nas]]
name = "bng-1"
address = "192.0.2.1"
secret = "testing-secret"
vendor = "mikrotik"
pop = "CTR"
default_realm = "veloz.example"

[[pool]]
name = "pool-1"
prefix = "198.51.100.0/24"

[[olt]]
name = "olt-1"
address = "192.0.2.9"
community = "testing-community"
pop = "CTR"

[[premise]]
street = "Rua das Flores"
number = "10"
city = "Exemplo"
unit = "apt 1"
area = "centro"
predefined = true

[[user]]
email = "ana@example.net"
name = "Ana"
password = "correct horse battery"
roles = { fibra = "admin", veloz = "readonly" }

[[client]]
tenant = "veloz"
api = "aex"
name = "crm"
"""


@pytest.fixture
async def domains(tmp_path):
    keys = KeyRing.open(tmp_path / "keys.toml")
    passwords = PasswordPool()
    yield Domains(
        identity=Identity(passwords),
        catalog=Catalog(),
        subscribers=Subscribers(),
        access=Access(keys),
        aaa=Aaa(keys),
    )
    await passwords.close()


@pytest.fixture
def bring(db, domains):
    async def bring(text, **options):
        async with db.system() as tx:
            return await apply(tx, domains, parse(text, {}), **options)

    return bring


async def counts(db):
    """How many rows every table has that a file can write to."""
    tables = (
        *("tenant", "network", "network_isp", "realm", "area", "product", "product_area", "pop"),
        *("nas", "ip_pool", "ip_address", "olt", "address", "premise", "person", "person_role"),
        *("api_client", "audit"),
    )
    found = {}
    async with db.system() as tx:
        for table in tables:
            cursor = await tx.conn.execute(f"SELECT count(*) FROM {table}".encode())
            found[table] = (await cursor.fetchone())[0]
    return found


async def test_a_file_makes_everything_it_describes(bring, db):
    plan = await bring(NETWORK)
    assert {change.action for change in plan.changes} == {"create"}
    assert len(plan.changes) == 13
    found = await counts(db)
    assert found["ip_address"] == 254
    assert [found[one] for one in ("tenant", "nas", "olt", "premise", "api_client")] == [
        2,
        1,
        1,
        1,
        1,
    ]


async def test_a_second_time_nothing_is_to_do_and_nothing_is_written(bring, db):
    await bring(NETWORK)
    before = await counts(db)
    async with db.system() as tx:
        last = await (await tx.conn.execute("SELECT max(id) FROM change")).fetchone()
    plan = await bring(NETWORK)
    assert [change for change in plan.changes if change.action != "unchanged"] == []
    assert await counts(db) == before
    async with db.system() as tx:
        assert await (await tx.conn.execute("SELECT max(id) FROM change")).fetchone() == last


async def test_a_dry_run_tells_the_same_and_changes_nothing(bring, db):
    before = await counts(db)
    planned = await bring(NETWORK, dry_run=True)
    assert await counts(db) == before
    assert not planned.carried_out
    assert (await bring(NETWORK)).changes == planned.changes


async def test_only_what_differs_is_changed(bring):
    await bring(NETWORK)
    edited = (
        NETWORK.replace('"Home 100"', '"Home 100+"')
        .replace("49.90", "59.90")
        .replace('name = "Veloz"', 'name = "Veloz Telecom"')
    )
    plan = await bring(edited)
    changed = {
        (change.kind, change.name): sorted(change.fields)
        for change in plan.changes
        if change.action != "unchanged"
    }
    assert changed == {
        ("tenant", "veloz"): ["name"],
        ("product", "norte/home-100"): ["name", "price"],
    }


@pytest.mark.parametrize(
    ("was", "becomes", "kind", "key"),
    [
        ("testing-secret", "another-secret", "nas", "secret"),
        ("testing-community", "another-community", "olt", "community"),
        ("correct horse battery", "staple battery horse", "user", "password"),
    ],
)
async def test_a_changed_secret_is_seen_and_never_shown(bring, was, becomes, kind, key):
    await bring(NETWORK)
    plan = await bring(NETWORK.replace(was, becomes))
    (change,) = [change for change in plan.changes if change.action == "update"]
    assert (change.kind, list(change.fields)) == (kind, [key])
    assert change.fields[key].after == MASK
    for secret in (was, becomes):
        assert secret not in msgspec.json.encode(plan).decode()
    again = await bring(NETWORK.replace(was, becomes))
    assert again.count("update") == 0


async def test_a_password_left_out_stays(bring, db, domains):
    await bring(NETWORK)
    plan = await bring(NETWORK.replace('password = "correct horse battery"', ""))
    assert plan.count("update") == 0
    async with db.system() as tx:
        ana = await domains.identity.person_named(tx, "ana@example.net")
        assert await domains.identity.has_password(tx, ana.id, "correct horse battery")
        assert not await domains.identity.has_password(tx, ana.id, "wrong horse battery")


async def test_everything_that_is_refused_is_told_and_nothing_is_changed(bring, db):
    before = await counts(db)
    wrong = (
        NETWORK.replace('"America/Sao_Paulo"', '"America/Nowhere"')
        .replace('password = "correct horse battery"', 'password = "short"')
        .replace('areas = ["centro"]', 'areas = ["centro", "praia"]')
        .replace('roles = { fibra = "admin", veloz = "readonly" }', "")
        + '[[client]]\ntenant = "nobody"\napi = "aex"\nname = "x"\n'
    )
    with pytest.raises(Mistaken) as refused:
        await bring(wrong)
    # what stands on the refused organisation is not told of again
    assert [(m.table, m.key, m.reason) for m in refused.value.mistakes] == [
        ("[[tenant]] fibra", "timezone", "'America/Nowhere' is not a time zone"),
        ("[[user]] ana@example.net", "password", "must have at least 10 characters"),
        ("[[client]] x", "tenant", "names nobody, which is no tenant"),
    ]
    assert await counts(db) == before


@pytest.mark.parametrize("pattern", ["{nubmer}", "constant", "{number", "{number.real.x}"])
async def test_a_pattern_that_makes_no_log_ins_is_refused(bring, pattern):
    tenant = f'[[tenant]]\nslug = "a"\nname = "A"\nlogin_pattern = "{pattern}"\n'
    with pytest.raises(Mistaken, match=r"line 4: .* login_pattern"):
        await bring(tenant)


async def test_what_is_written_in_many_ways_is_the_same_thing_again(bring):
    loosely = (
        NETWORK
        + """
[[nas]]
name = "bng-6"
prefix = "2001:DB8:0:0::/64"
secret = "testing-secret"

[[olt]]
name = "olt-6"
address = "2001:db8:0::9"
community = "testing-community"

[[product]]
code = "biz"
name = " Business "
download = 1000000000
upload = "1G"
areas = ["centro", "centro"]
price = 10
currency = "EUR"

[[user]]
email = " Rui@Example.net"
name = "Rui"
password = "correct horse battery"

[[realm]]
name = "Fibra.Example"
tenant = "fibra"
"""
    )
    assert (await bring(loosely)).count("create") == len((await bring(loosely)).changes)
    assert (await bring(loosely)).count("unchanged") == 18


async def test_a_name_of_another_section_that_is_not_there_is_told_with_its_line(bring):
    with pytest.raises(Mistaken) as refused:
        await bring(NETWORK.replace('pop = "CTR"', 'pop = "XXX"', 1))
    (only,) = refused.value.mistakes
    line = NETWORK.splitlines().index('pop = "CTR"') + 1
    assert str(only) == f"line {line}: [[nas]] bng-1: pop names XXX, which is no pop"


async def test_a_pool_that_overlaps_is_refused_in_a_dry_run_too(bring):
    overlapping = NETWORK + '[[pool]]\nname = "pool-2"\nprefix = "198.51.100.128/25"\n'
    for dry_run in (True, False):
        with pytest.raises(Mistaken, match="overlaps the pool pool-1"):
            await bring(overlapping, dry_run=dry_run)


async def test_a_pool_keeps_its_prefix(bring):
    await bring(NETWORK)
    with pytest.raises(Mistaken, match=r"prefix of a pool stays as it is, 198\.51\.100\.0/24"):
        await bring(NETWORK.replace("198.51.100.0/24", "203.0.113.0/24"))


async def test_two_networks_cannot_share_a_nas_prefix(bring):
    other = """
[[network]]
slug = "sul"
name = "Sul"
owner = "fibra"
[[nas]]
network = "sul"
name = "bng-9"
address = "192.0.2.1"
secret = "testing-secret"
"""
    await bring(NETWORK)
    with pytest.raises(Mistaken) as refused:
        await bring(other)
    assert "192.0.2.1" in str(refused.value)


async def test_a_file_may_name_what_another_file_described(bring):
    await bring(NETWORK)
    plan = await bring('[[area]]\nnetwork = "norte"\nslug = "praia"\nname = "Praia"\n')
    assert [(change.action, change.name) for change in plan.changes] == [("create", "norte/praia")]


async def test_what_the_file_does_not_describe_stays_and_can_be_told(bring, db):
    await bring(NETWORK)
    before = await counts(db)
    less = NETWORK[: NETWORK.index("[[client]]")].replace('isps = ["veloz"]', "")
    plan = await bring(less, tell_absent=True)
    assert plan.absent == [Absent("client", "veloz/aex/crm")]
    assert plan.count("unchanged") == len(plan.changes)
    assert await counts(db) == before


async def test_a_premise_is_known_by_its_address_however_it_is_written(bring):
    await bring(NETWORK)
    premise = """
[[premise]]
network = "norte"
full_address = "10, rua das flores - EXEMPLO"
unit = "apt 1"
latitude = -3.11
longitude = -60.02
predefined = true
"""
    plan = await bring(premise)
    (change,) = plan.changes
    assert change.action == "update"
    assert set(change.fields) == {"latitude", "longitude"}
    assert (await bring(premise)).count("unchanged") == 1


async def test_another_owner_cannot_take_a_network_by_describing_it(bring):
    await bring(NETWORK)
    with pytest.raises(Mistaken, match="another organisation's network"):
        await bring('[[network]]\nslug = "norte"\nname = "Mine"\nowner = "veloz"\n')


async def test_ipv6_pools_and_rules_of_cgnat_are_made_once_and_stay(bring):
    more = """
[[pool]]
name = "homes6"
kind = "delegated_ipv6"
prefix = "2001:db8:100::/40"

[[pool]]
name = "pd"
kind = "framed_ipv6"
nas_pool = "lines"

[[nat_pool]]
name = "cgnat"
inside = "198.51.100.0/24"
public = "203.0.113.0/28"
block_size = 2016
"""
    made = await bring(NETWORK + more)
    assert {change.name: change.action for change in made.changes}["norte/cgnat"] == "create"
    again = await bring(NETWORK + more)
    assert {change.action for change in again.changes} == {"unchanged"}
    for old, new, said in (
        ('kind = "delegated_ipv6"', 'kind = "framed_ipv6"', "kind of a pool stays"),
        ('"lines"', '"others"', "nas_pool of a pool stays"),
        ("2016", "1008", "block_size of a NAT pool stays"),
    ):
        with pytest.raises(Mistaken, match=said):
            await bring(NETWORK + more.replace(old, new))
    with pytest.raises(Mistaken, match="needs either a prefix or nas_pool"):
        await bring(NETWORK + '[[pool]]\nname = "none"\n')
