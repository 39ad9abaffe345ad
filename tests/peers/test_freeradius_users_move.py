"""Users of a FreeRADIUS move in by a dump, and log in with radclient as before."""

import base64
import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest

from demarc.imports import ledger
from demarc.imports.freeradius.login import Wishes
from demarc.imports.freeradius.source import PARTS, Bring, FreeRadius
from demarc.imports.freeradius.tables import Csv, Dump, Live
from demarc.imports.ground import Domains, Ground
from demarc.imports.outcome import Report
from demarc.imports.running import Run
from demarc.platform.database import SYSTEM
from demarc.platform.postgres import locate
from demarc.protocols.radius.mschap import nt_hash
from support import radclient
from support.freeradius_sql import check, fill, of_group
from support.house import build
from support.radius_process import running

pytestmark = [
    pytest.mark.peer("radclient"),
    pytest.mark.skipif(radclient.MISSING, reason=radclient.WHY),
]

SECRET = "the-secret-the-nases-have"
NOW = datetime.now(UTC).replace(microsecond=0)
SALT = b"saltsalt"
# SHA-512 crypt of "secret-crypt"
CRYPT = (
    "$6$saltsalt$KzilzEj04H.nCJ2r/FvQvufYxXWOBogbbKsoSvzrVeNcqrAn"
    "e2aVwZem69ZYzIRcaXmAlerN60X.MfLx0OcWA0"
)


def hashed(name, password, salt=b""):
    digest = hashlib.new(name, password.encode() + salt, usedforsecurity=False).digest()
    return digest + salt


def as_base64(octets):
    return base64.b64encode(octets).decode()


PASSWORDS = {
    "clear": ("Cleartext-Password", "it's {md5}\\ täg"),
    "old": ("User-Password", "old-style"),
    "nt": ("NT-Password", nt_hash(b"secret-nt").hex().upper()),
    "md5": ("MD5-Password", hashed("md5", "secret-md5").hex()),
    "smd5": ("SMD5-Password", as_base64(hashed("md5", "secret-smd5", SALT))),
    "sha": ("SHA-Password", as_base64(hashed("sha1", "secret-sha"))),
    "ssha": ("SSHA-Password", hashed("sha1", "secret-ssha", SALT).hex()),
    "sha2": ("SHA2-Password", hashed("sha512", "secret-sha2").hex()),
    "ssha2": ("SSHA2-256-Password", as_base64(hashed("sha256", "secret-ssha2", SALT))),
    "crypt": ("Crypt-Password", CRYPT),
    "header": (
        "Password-With-Header",
        "{SSHA}" + as_base64(hashed("sha1", "secret-header", SALT)),
    ),
}
TYPED = {"clear": "it's {md5}\\ täg", "old": "old-style"}


def typed(user):
    return TYPED.get(user, f"secret-{user}")


def session(n, username, started, stopped=None, octets=1000, **changed):
    heard = stopped or started + timedelta(minutes=30)
    return {
        "acctsessionid": f"8000000{n}",
        "acctuniqueid": f"unique-{n}",
        "username": username,
        "nasipaddress": "127.0.0.1",
        "acctstarttime": started,
        "acctupdatetime": heard,
        "acctstoptime": stopped,
        "acctsessiontime": int((heard - started).total_seconds()),
        "acctinputoctets": octets,
        "acctoutputoctets": octets * 10,
        "acctterminatecause": "Lost-Carrier" if stopped else "",
        "framedipaddress": "203.0.113.50",
        **changed,
    }


def tables():
    day = NOW - timedelta(days=3)
    return {
        "nas": [
            {"nasname": "127.0.0.0/8", "shortname": "bng-1", "type": "mikrotik", "secret": SECRET},
            {"nasname": "bng.example.net", "shortname": "named", "secret": "x"},
        ],
        "radcheck": [
            *(check(f"{user}@acme", *password) for user, password in PASSWORDS.items()),
            check("nt@acme", "Simultaneous-Use", "1"),
            check("bare", "Cleartext-Password", "secret-bare"),
            check("late@acme", "Cleartext-Password", "secret-late"),
            check("late@acme", "Auth-Type", "Reject"),
            check("gone@acme", "Cleartext-Password", "secret-gone"),
            check("gone@acme", "Expiration", "01 Jan 2020"),
            check("bound@acme", "Cleartext-Password", "secret-bound"),
            check("bound@acme", "Calling-Station-Id", "AA:BB:CC:00:00:01", "=="),
            check("open@acme", "Auth-Type", "Accept"),
            check("0a-bb-cc-dd-ee-ff", "Cleartext-Password", "0a-bb-cc-dd-ee-ff"),
        ],
        "radreply": [
            check("clear@acme", "Framed-IP-Address", "203.0.113.50", "="),
            check("clear@acme", "Delegated-IPv6-Prefix", "2001:db8:77::/56", "="),
            check("clear@acme", "Reply-Message", "Welcome", "="),
        ],
        "radusergroup": [
            *({"username": f"{user}@acme", "groupname": "gold"} for user in PASSWORDS),
            *(
                {"username": user, "groupname": "gold"}
                for user in (
                    *("bare", "late@acme", "gone@acme", "bound@acme", "open@acme"),
                    "0a-bb-cc-dd-ee-ff",
                )
            ),
        ],
        "radgroupreply": [
            of_group("gold", "Mikrotik-Rate-Limit", "10M/40M"),
            of_group("gold", "Session-Timeout", "86400"),
        ],
        "radacct": [
            session(1, "clear@acme", day, day + timedelta(hours=1)),
            session(2, "clear@acme", NOW - timedelta(hours=2)),
            session(3, "stranger@acme", day, day + timedelta(hours=1)),
        ],
    }


@pytest.fixture
async def moving(db, tmp_path):
    """A house whose network is the ISP's own, without a NAS yet."""
    house = await build(db, tmp_path)
    async with db.system() as tx:
        await tx.conn.execute("DELETE FROM nas")
        own = await house.identity.put_network(tx, owner_id=house.isp.id, slug="own", name="Own")
        await house.identity.admit_isp(tx, own, house.isp.id)
    house.network = own
    return house


@pytest.fixture
def old(postgres):
    """The database of the FreeRADIUS that is moved from."""
    with postgres.database("template1") as conninfo:
        fill(conninfo, tables())
        yield conninfo


def dumped(conninfo, path, *options):
    program = locate(None).bin_dir / "pg_dump"
    done = subprocess.run(
        [program, *options, "-f", path, conninfo], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return path


async def bring(house, tables, parts=PARTS, **options):
    ground = Ground(
        Domains(
            identity=house.identity,
            catalog=house.catalog,
            subscribers=house.subscribers,
            aaa=house.aaa,
            services=house.services,
            keys=house.keys,
        ),
        tenant=house.isp,
        network=house.network,
        source="freeradius",
        run_id=uuid4(),
        **options,
    )
    wishes = Wishes(zone=ZoneInfo("UTC"), realms=frozenset({"acme"}))
    reader = FreeRadius(tables, wishes, Bring(frozenset(parts), NOW - timedelta(days=400)))
    with Report() as report:
        await Run(house.db, ground, SYSTEM, kind="freeradius", files=["dump"]).carry_out(
            reader, report
        )
    return report


async def log_in(process, username, password, **attributes):
    return await radclient.ask(
        *process.auth, "auth", SECRET,
        {"User-Name": username, "User-Password": password,
         **{name.replace("_", "-"): value for name, value in attributes.items()}},
    )  # fmt: skip


@pytest.fixture(params=["COPY", "INSERT", "live", "csv"])
def source(request, old, tmp_path):
    if request.param == "COPY":
        return Dump(dumped(old, tmp_path / "radius.sql"))
    if request.param == "INSERT":
        return Dump(dumped(old, tmp_path / "radius.sql", "--inserts"))
    if request.param == "live":
        return Live(old)
    paths = []
    with psycopg.connect(old) as conn:
        for table in tables():
            path = tmp_path / f"{table}.csv"
            with (
                path.open("wb") as file,
                conn.cursor().copy(f"COPY {table} TO STDOUT (FORMAT csv, HEADER)") as copy,
            ):
                for piece in copy:
                    file.write(piece)
            paths.append(path)
    return Csv(paths)


async def test_they_log_in_as_before_with_the_same_passwords_and_secrets(moving, source):
    report = await bring(moving, source)
    created = {kind: counted["created"] for kind, counted in report.counts.items()}
    assert created["nas"] == 1
    assert created["service"] == len(PASSWORDS) + 5
    assert created["session"] == 2
    reasons = " ".join(str(one.reason) for one in report.refused)
    assert "lets anybody in without a password (open@acme)" in reasons
    assert "stranger@acme is no log-in here" in reasons
    assert "bng.example.net is no address" in reasons
    assert any("Reply-Message" in note.reason for note in report.notes.values())
    async with running(moving.db, moving.keys) as process:
        for user in PASSWORDS:
            answer = await log_in(process, f"{user}@acme", typed(user))
            assert answer is not None, user
            assert answer.code == "Access-Accept", user
            assert answer.attributes["Mikrotik-Rate-Limit"] == "10000000/40000000"
            assert int(answer.attributes["Session-Timeout"]) == 86400
            wrong = await log_in(process, f"{user}@acme", "wrong")
            assert wrong.code == "Access-Reject", user
        answer = await log_in(process, "clear@acme", typed("clear"))
        assert answer.attributes["Framed-IP-Address"] == "203.0.113.50"
        assert answer.attributes["Delegated-IPv6-Prefix"] == "2001:db8:77::/56"
        for user, password, code in (
            ("bare", "secret-bare", "Access-Accept"),
            ("late@acme", "secret-late", "Access-Reject"),
            ("gone@acme", "secret-gone", "Access-Reject"),
            ("0a-bb-cc-dd-ee-ff", "0a-bb-cc-dd-ee-ff", "Access-Accept"),
        ):
            assert (await log_in(process, user, password)).code == code, user
        for station, code in (
            ("AA:BB:CC:00:00:01", "Access-Accept"),
            ("AA:BB:CC:00:00:02", "Access-Reject"),
        ):
            answer = await log_in(process, "bound@acme", "secret-bound", Calling_Station_Id=station)
            assert answer.code == code


async def test_history_is_there_and_an_open_session_goes_on_without_counting_twice(moving, old):
    await bring(moving, Live(old))
    async with moving.db.system() as tx:
        rows = await tx.conn.execute(
            "SELECT service_id, id FROM credential WHERE username = 'clear'"
        )
        service_id, _ = await rows.fetchone()
    async with moving.as_isp() as tx:
        sessions = (await moving.aaa.radius_status(tx, service_id)).sessions
    assert [(one.terminate_cause, one.output_octets) for one in sessions] == [
        ("Stale", 10_000),
        ("Lost-Carrier", 10_000),
    ]
    async with running(moving.db, moving.keys) as process:
        answer = await radclient.ask(
            *process.acct, "acct", SECRET,
            {"User-Name": "clear@acme", "Acct-Status-Type": "Interim-Update",
             "Acct-Session-Id": "80000002", "NAS-IP-Address": "127.0.0.1",
             "Framed-IP-Address": "203.0.113.50", "Acct-Session-Time": 7200,
             "Acct-Input-Octets": 1500, "Acct-Output-Octets": 15000},
        )  # fmt: skip
        assert answer.code == "Accounting-Response"
    async with moving.as_isp() as tx:
        days = await moving.aaa.usage(
            tx, service_id, (NOW - timedelta(days=9)).date(), (NOW + timedelta(days=1)).date()
        )
    assert sum(day.down_octets for day in days) == 25_000
    # and once more: what is up here is counted here
    report = await bring(moving, Live(old), ["accounting"])
    assert report.counts["session"] == {"unchanged": 1}
    assert any("is up here" in one.reason for one in report.refused)


async def test_a_second_run_changes_nothing_and_a_dry_run_leaves_nothing(moving, old):
    dry = await bring(moving, Live(old), dry_run=True)
    async with moving.db.system() as tx:
        for table in ("service", "nas", "session_closed", "import_item", "radius_profile"):
            rows = await tx.conn.execute(f"SELECT count(*) FROM {table}".encode())
            assert (await rows.fetchone())[0] == 0, table
    first = await bring(moving, Live(old))
    assert dry.counts == first.counts
    again = await bring(moving, Live(old))
    assert not again.count("created")
    assert not again.count("changed")
    async with moving.as_isp() as tx:
        assert [run.state for run in await ledger.runs(tx)] == ["done", "done"]


async def test_what_changes_there_changes_here(moving, old):
    await bring(moving, Live(old))
    with psycopg.connect(old) as conn:
        conn.execute("UPDATE radcheck SET value = 'newer' WHERE username = 'bare'")
        conn.execute("UPDATE radgroupreply SET value = '20M/80M' WHERE value = '10M/40M'")
        conn.execute("UPDATE nas SET secret = 'newer-secret' WHERE shortname = 'bng-1'")
        conn.execute(
            "DELETE FROM radcheck WHERE username = 'late@acme' AND attribute = 'Auth-Type'"
        )
    report = await bring(moving, Live(old))
    assert report.counts["nas"]["changed"] == 1
    assert report.counts["product"]["changed"] == 1
    async with running(moving.db, moving.keys) as process:
        for user, password in (("bare", "newer"), ("late@acme", "secret-late")):
            answer = await radclient.ask(
                *process.auth, "auth", "newer-secret",
                {"User-Name": user, "User-Password": password},
            )  # fmt: skip
            assert answer.code == "Access-Accept"
    async with moving.db.system() as tx:
        product = await moving.catalog.product_named(tx, moving.network.id, "gold")
    assert (product.download_bps, product.upload_bps) == (80_000_000, 20_000_000)


async def test_nases_of_another_owners_network_are_not_an_isps_to_bring(moving, old):
    async with moving.db.system() as tx:
        moving.network = await moving.identity.network_named(tx, "metro")
    report = await bring(moving, Live(old), ["nas"])
    assert "are not acme's to bring" in report.refused[0].reason
    async with moving.db.system() as tx:
        assert await moving.aaa.nases(tx, moving.network.id) == []
