"""Files of subscribers brought into a real database."""

import asyncio
from zoneinfo import ZoneInfo

import pytest

from demarc.domains.errors import Conflict
from demarc.imports import ledger, running
from demarc.imports.files import Table
from demarc.imports.rows import Context
from demarc.imports.subscribers import SubscriberFiles
from demarc.platform.secrets.keys import row_binding

HEADER = (
    "customer_ref,first_name,last_name,email,full_address,latitude,longitude,area,product,"
    "download,upload,service_ref,state,username,password,static_ip,aex_service_id,"
    "hubsoft_customer_id\n"
)


def line(n, **changed):
    cells = {
        "customer_ref": f"C{n}",
        "first_name": "Nomsa",
        "last_name": "Dlamini",
        "email": f"n{n}@example.net",
        "full_address": f"{n} Long Street",
        "latitude": "-33.9",
        "longitude": "18.4",
        "area": "north",
        "product": "home-100",
        "download": "100M",
        "upload": "50M",
        "service_ref": f"S{n}",
        "state": "active",
        "username": f"user{n}@acme",
        "password": f"password-{n}",
        "static_ip": "",
        "aex_service_id": f"svc-{n}",
        "hubsoft_customer_id": str(1000 + n),
    }
    cells.update(changed)
    assert list(cells) == HEADER.strip().split(",")
    return ",".join(f'"{cell}"' for cell in cells.values()) + "\n"


@pytest.fixture
def bring(tmp_path, house, ground, carry_out):
    async def bring(*lines, tenant=None, text=None, options=None, **ground_options):
        file = tmp_path / "subscribers.csv"
        file.write_text(text or HEADER + "".join(lines), encoding="utf-8")
        stands_on = ground(tenant, **ground_options)
        async with house.db.system() as tx:
            realms = await house.aaa.realms(tx, stands_on.tenant.id)
        context = Context(
            stands_on.tenant.slug, ZoneInfo("UTC"), frozenset(realm.name for realm in realms)
        )
        return await carry_out(
            stands_on, SubscriberFiles([Table(file)], context), **(options or {})
        )

    return bring


async def everything(db):
    """All rows that an import can write, but those that tell of runs."""
    tables = (
        *("customer", "address", "premise", "product", "service", "service_transition"),
        *("credential", "ip_address", "wire_id", "import_item", "wire_sequence", "change"),
    )
    found = {}
    async with db.system() as tx:
        for table in tables:
            rows = await tx.conn.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")
            found[table] = [row[0] for row in await rows.fetchall()]
    return found


def counts(report, action):
    return {kind: counted[action] for kind, counted in report.counts.items() if counted[action]}


ONE_EACH = {"customer": 1, "premise": 1, "service": 1, "credential": 1}


async def the_service(house, username):
    async with house.db.system() as tx:
        rows = await tx.conn.execute(
            "SELECT service_id FROM credential WHERE username = %s", [username]
        )
        return (await rows.fetchone())[0]


async def test_a_line_becomes_a_subscriber_who_is_known_by_the_old_ids(bring, house):
    report = await bring(line(1, static_ip="203.0.113.7"))
    assert counts(report, "created") == {"product": 1, **ONE_EACH}
    service_id = await the_service(house, "user1")
    async with house.as_isp() as tx:
        service = await house.services.get(tx, service_id)
        customer = await house.subscribers.customer(tx, service.customer_id)
        status = await house.aaa.radius_status(tx, service_id)
        (credential,) = await house.aaa.credentials_of(tx, service_id)
        wire = await ledger.wire_ids_taken(
            tx, [("aex", "service", "svc-1"), ("hubsoft", "customer", "1001")]
        )
    assert (service.state, service.number) == ("active", 1)
    assert (customer.name, customer.email) == ("Nomsa Dlamini", "n1@example.net")
    assert (status.username, status.password) == ("user1@acme", "password-1")
    assert (credential.download_bps, credential.upload_bps) == (100_000_000, 50_000_000)
    assert list(wire.values()) == [service.id, customer.id]
    async with house.db.system() as tx:
        rows = await tx.conn.execute(
            "SELECT host(address), kind FROM ip_address WHERE credential_id = %s", [credential.id]
        )
        assert await rows.fetchall() == [("203.0.113.7", "static")]


async def test_ids_given_later_are_above_those_that_were_brought(bring, house):
    await bring(line(41))
    async with house.as_isp() as tx:
        assert await ledger.next_number(tx, "hubsoft", "customer") == 1042
        assert await ledger.next_number(tx, "hubsoft", "customer") == 1043
        assert await ledger.next_number(tx, "hubsoft", "service") == 1
    async with house.as_other_isp() as tx:
        assert await ledger.next_number(tx, "hubsoft", "customer") == 1


async def test_a_second_run_changes_nothing_at_all(bring, house):
    lines = [line(n) for n in range(1, 8)]
    await bring(*lines)
    before = await everything(house.db)
    report = await bring(*lines)
    assert counts(report, "created") == counts(report, "changed") == {}
    assert counts(report, "unchanged")["service"] == 7
    assert await everything(house.db) == before


async def test_what_the_source_has_changed_is_changed_and_nothing_else(bring, house):
    await bring(line(1), line(2))
    report = await bring(
        line(1, email="new@example.net", password="another", state="suspended"), line(2)
    )
    assert counts(report, "changed") == {"customer": 1, "service": 1, "credential": 1}
    assert counts(report, "unchanged")["customer"] == 1
    service_id = await the_service(house, "user1")
    async with house.as_isp() as tx:
        service = await house.services.get(tx, service_id)
        customer = await house.subscribers.customer(tx, service.customer_id)
        (credential,) = await house.aaa.credentials_of(tx, service_id)
    assert (service.state, customer.email) == ("suspended", "new@example.net")
    assert (house.aaa.password(credential), credential.access) == ("another", "suspended")


async def test_what_was_changed_here_stays_while_the_source_says_the_same(bring, house):
    await bring(line(1))
    service_id = await the_service(house, "user1")
    async with house.as_isp() as tx:
        await house.services.suspend(tx, service_id, reason="unpaid")
    await bring(line(1))
    async with house.as_isp() as tx:
        assert (await house.services.get(tx, service_id)).state == "suspended"


async def test_a_product_and_a_premise_of_the_source_can_change(bring, house):
    await bring(line(1))
    await bring(line(1, product="home-200", download="200M", full_address="9 Kloof Street"))
    service_id = await the_service(house, "user1")
    async with house.as_isp() as tx:
        service = await house.services.get(tx, service_id)
        premise = await house.subscribers.premise(tx, service.premise_id)
        (credential,) = await house.aaa.credentials_of(tx, service_id)
    assert premise.full_address == "9 Kloof Street"
    assert credential.download_bps == 200_000_000


async def test_a_dry_run_tells_the_same_and_leaves_nothing(bring, house):
    before = await everything(house.db)
    lines = [line(n) for n in range(1, 5)] + [line(1, service_ref="S9", username="bad\tname")]
    dry = await bring(*lines, dry_run=True)
    assert await everything(house.db) == before
    async with house.as_isp() as tx:
        assert await ledger.runs(tx) == []
    wet = await bring(*lines)
    assert dry.counts == wet.counts
    assert dry.count("refused") == 1


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ({"email": "no address"}, "email", "is not an e-mail address"),
        ({"latitude": "1,5"}, "latitude", "'1,5' is no decimal"),
        ({"longitude": "200"}, "longitude", "must be from -180 to 180 degrees"),
        ({"state": "alive"}, "state", "'alive' is none"),
        ({"area": "south"}, "area", "south is no area of metro"),
        ({"static_ip": "10.0.0.256"}, "static_ip", "is not an IPv4 address"),
        ({"product": "x", "download": "", "upload": ""}, "product", "x is no product of metro"),
        ({"download": "fast"}, "download", "'fast' is no speed"),
        ({"password": "x" * 129}, "password", "has 1 to 128 octets, none of them zero"),
        ({"aex_service_id": "svc-1"}, "aex_service_id", "svc-1 is that of another service"),
        ({"static_ip": "203.0.113.7"}, "static_ip", "203.0.113.7 is taken"),
    ],
)
async def test_a_line_that_cannot_be_taken_is_told_and_stops_no_other(
    bring, house, wrong, field, reason
):
    lines = [line(1, static_ip="203.0.113.7"), line(2, **wrong), line(3)]
    report = await bring(*lines)
    (refused,) = report.refused
    assert (refused.source.line, refused.field, refused.reason) == (3, field, reason)
    assert counts(report, "created")["service"] == 2
    # and the same against what is in the database already
    again = await bring(*lines)
    assert [one.reason for one in again.refused] == [reason]


async def test_strict_stops_there(bring, house):
    report = await bring(line(1, email="no address"), line(2), options={"strict": True})
    assert report.state == "stopped"
    async with house.as_isp() as tx:
        assert [run.state for run in await ledger.runs(tx)] == ["stopped"]


async def test_what_only_the_database_can_refuse_costs_that_line_alone(bring, house):
    text = "customer_ref,first_name,full_address,product,username,service_number\n" + "".join(
        f"C{n},Ana,{n} Loop,f50,u{n}@acme,{7 if n in (3, 6) else 100 + n}\n" for n in range(1, 9)
    )
    report = await bring(text=text)
    (refused,) = report.refused
    assert refused.source.line == 7
    assert "service_tenant_id_number_key" in refused.reason
    assert counts(report, "created")["service"] == 7


async def test_services_made_later_get_numbers_above_those_brought(bring, house):
    await bring(
        text="customer_ref,first_name,full_address,product,username,service_number\n"
        "C1,Ana,1 Loop,f50,u1@acme,5001\n"
    )
    assert (await house.service()).number == 5002


async def test_a_run_that_was_killed_half_way_is_finished_by_the_next(bring, house, monkeypatch):
    monkeypatch.setattr(running, "PORTION", 3)
    lines = [line(n) for n in range(1, 12)]
    portions = 0

    def die(_progress):
        nonlocal portions
        portions += 1
        if portions == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await bring(*lines, options={"tell": die})
    async with house.as_isp() as tx:
        (run,) = await ledger.runs(tx)
    assert (run.lines, run.counts["service"]) == (6, {"created": 6})
    report = await bring(*lines)
    assert counts(report, "created")["service"] == 5
    assert counts(report, "unchanged")["service"] == 6
    async with house.db.system() as tx:
        rows = await tx.conn.execute("SELECT count(*), count(DISTINCT username) FROM credential")
        assert await rows.fetchone() == (11, 11)


async def test_exhausted_pools_stop_the_run_and_more_of_them_let_it_go_on(
    bring, house, monkeypatch
):
    monkeypatch.setattr(running, "PORTION", 100)
    lines = [line(n) for n in range(1, 301)]
    with pytest.raises(Conflict, match="pools are exhausted"):
        await bring(*lines)
    async with house.as_isp() as tx:
        (run,) = await ledger.runs(tx)
    assert (run.state, run.counts["service"]) == ("stopped", {"created": 200})
    async with house.db.system() as tx:
        await house.aaa.create_pool(
            tx,
            owner_id=house.fno.id,
            network_id=house.network.id,
            name="more",
            prefix="100.64.8.0/25",
        )
    report = await bring(*lines)
    assert counts(report, "created")["service"] == 100
    async with house.db.system() as tx:
        rows = await tx.conn.execute(
            "SELECT count(DISTINCT credential_id), count(*) FROM ip_address"
            " WHERE credential_id IS NOT NULL"
        )
        assert await rows.fetchone() == (300, 300)


async def test_two_imports_for_one_isp_do_not_run_at_once(bring, house):
    async with running._alone(house.db, house.isp.id):
        with pytest.raises(Conflict, match="is at work"):
            await bring(line(1))
        # another ISP's is no hindrance
        await bring(line(1, username="user1@beta"), tenant=house.other_isp)


async def test_things_of_separate_files_find_each_other_by_their_references(bring, house):
    await bring(text="customer_ref,name,customer_kind\nC1,Padaria Exemplo,company\n")
    await bring(text="premise_ref,street,number,city\nP1,Rua das Flores,10,Exemplo\n")
    report = await bring(
        text="service_ref,customer_ref,premise_ref,product,username,password,password_kind\n"
        "S1,C1,P1,f50,padaria@acme,8846F7EAEE8FB117AD06BDD830B7586C,nt\n"
        "S2,C2,P1,f50,other@acme,,\n"
    )
    assert counts(report, "created") == {"service": 1, "credential": 1}
    (refused,) = report.refused
    assert (refused.field, refused.reason) == ("customer_ref", "C2 is not known")
    async with house.db.system() as tx:
        rows = await tx.conn.execute("SELECT secret_kind, id, secret FROM credential")
        kind, credential_id, secret = await rows.fetchone()
    row = row_binding("credential", "secret", credential_id)
    assert kind == "nt"
    assert house.keys.decrypt(secret, row=row).hex() == "8846f7eaee8fb117ad06bdd830b7586c"


async def test_a_log_in_that_is_there_already_gets_its_customer_from_the_file(bring, house):
    service = await house.service()
    report = await bring(
        text="customer_ref,first_name,last_name,username\nC1,Zanele,Nkosi,u0001@acme\n"
    )
    assert counts(report, "created") == {"customer": 1}
    async with house.as_isp() as tx:
        after = await house.services.get(tx, service.id)
        assert (await house.subscribers.customer(tx, after.customer_id)).name == "Zanele Nkosi"
        assert (await house.aaa.radius_status(tx, service.id)).username == "u0001@acme"


async def test_an_import_for_one_isp_touches_nothing_of_another(bring, house):
    await bring(line(1, username="user1@beta"), tenant=house.other_isp)
    before = await everything(house.db)
    # the same references, tax numbers and ids are the other ISP's own; its log-ins, realms and
    # addresses cannot be had
    stolen = await bring(
        line(1, username="x1@acme", static_ip="100.64.0.1"),
        text="tenant,customer_ref,first_name\nbeta,C1,Thief\n",
    )
    assert stolen.refused[0].reason == "beta is not the ISP of this run, acme"
    report = await bring(
        text="service_ref,customer_ref,realm,username,product,full_address\n"
        "S1,C1,beta,user1,f50,1 Long Street\n"
    )
    assert report.refused[0].reason == "beta is no realm of the ISP"
    assert await everything(house.db) == before
    report = await bring(line(1, static_ip="100.64.0.1"))
    assert report.refused[0].reason == "100.64.0.1 is taken"
    await bring(line(1))
    after = await everything(house.db)
    for table in ("customer", "service", "credential", "wire_id", "import_item"):
        kept = [row for row in after[table] if str(house.other_isp.id) in row]
        assert kept == [row for row in before[table] if str(house.other_isp.id) in row], table


async def test_a_product_of_all_isps_is_not_changed_by_one(bring, house):
    report = await bring(line(1, product="f50"))
    (note,) = report.notes.values()
    assert "stays as it is" in note.reason
    async with house.db.system() as tx:
        product = await house.catalog.product_named(tx, house.network.id, "f50")
    assert product.download_bps == house.product.download_bps
    assert product.isp_id is None


async def test_who_keeps_log_ins_in_memory_is_told_of_each_once(bring, house):
    await bring(*(line(n) for n in range(1, 6)))
    async with house.db.system() as tx:
        rows = await tx.conn.execute(
            "SELECT kind, count(*), count(DISTINCT key) FROM change"
            " WHERE kind IN ('service', 'credential') GROUP BY kind ORDER BY kind"
        )
        assert await rows.fetchall() == [("credential", 5, 5), ("service", 5, 5)]
        rows = await tx.conn.execute("SELECT count(*) FROM audit WHERE action = 'import'")
        assert (await rows.fetchone())[0] == 1
