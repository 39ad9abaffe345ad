"""FreeRADIUS's tables made subscribers, without a database."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from demarc.domains.aaa.profiles import Settings
from demarc.imports.entry import Bad, Entry, Note, Source
from demarc.imports.freeradius.items import Group, Item, Membership, User, merged
from demarc.imports.freeradius.login import Wishes
from demarc.imports.freeradius.login_time import hours_of
from demarc.imports.freeradius.mapping import Mapper
from demarc.imports.freeradius.rates import rate
from demarc.imports.freeradius.secrets import secret_of
from demarc.imports.freeradius.source import Bring, FreeRadius
from demarc.imports.freeradius.tables import TableRow
from demarc.imports.nases import NasEntry
from demarc.imports.sessions import SessionEntry

HERE = Source("dump.sql", 1)


def item(text, group=None):
    attribute, op, value = text.split(" ", 2)
    return Item(HERE, attribute, op, value, group)


def user(name, check=(), reply=(), groups=()):
    return User(
        name,
        HERE,
        [item(one) for one in check],
        [item(one) for one in reply],
        [Membership(HERE, group, place) for place, group in enumerate(groups)],
    )


def group(name, check=(), reply=()):
    return Group(name, [item(one, name) for one in check], [item(one, name) for one in reply])


def wishes(**changed):
    values = {"zone": ZoneInfo("America/Sao_Paulo"), "realms": frozenset({"isp.example"})}
    return Wishes(**(values | changed))


def mapped(*users, groups=(), people=None, **wished):
    mapper = Mapper({one.name: one for one in groups}, people or {}, wishes(**wished))
    return [found for one in users for found in mapper.entries(one)]


PASSWORD = "Cleartext-Password := hello"
GOLD = group("gold", reply=["Mikrotik-Rate-Limit := 50M/100M"])


def the_entry(*arguments, **options):
    (entry,) = [one for one in mapped(*arguments, **options) if not isinstance(one, Note)]
    assert isinstance(entry, Entry), entry
    return entry


def test_a_user_of_a_group_is_a_log_in_with_the_groups_speed_for_a_product():
    entry = the_entry(user("ana@isp.example", [PASSWORD], groups=["gold"]), groups=[GOLD])
    assert (entry.credential.username, entry.credential.realm) == ("ana", "isp.example")
    assert (entry.credential.secret_kind, entry.credential.secret) == ("cleartext", b"hello")
    assert entry.product.code == "gold"
    # rx is what the router receives: the upload
    assert entry.product.values["download_bps"] == 100_000_000
    assert entry.product.values["upload_bps"] == 50_000_000
    assert (entry.service.state, entry.customer.fields["name"]) == ("active", "ana@isp.example")


def test_a_realm_that_is_none_of_ours_stays_a_part_of_the_name_and_is_told():
    found = mapped(user("ana@other.example", [PASSWORD], groups=["gold"]), groups=[GOLD])
    assert found[0].credential.username == "ana@other.example"
    assert "other.example is none of the ISP's" in found[1].reason


@pytest.mark.parametrize(
    ("check", "reply", "expected"),
    [
        (["Simultaneous-Use := 2"], [], {"max_sessions": 2}),
        (["Calling-Station-Id == AA:BB:CC:DD:EE:FF"], [], {"station": "AA:BB:CC:DD:EE:FF"}),
        (["NAS-Port-Id == eth 0/1"], [], {"circuit_id": "eth 0/1"}),
        ([], ["Framed-IP-Address = 203.0.113.9"], {"static_ipv4": "203.0.113.9"}),
        ([], ["Framed-IP-Address = 255.255.255.254"], {"static_ipv4": None}),
        ([], ["Delegated-IPv6-Prefix = 2001:db8::/56"], {"delegated_prefix": "2001:db8::/56"}),
        ([], ["Framed-IPv6-Prefix = 2001:db8::/64"], {"framed_prefix": "2001:db8::/64"}),
        (
            ["Expiration := 12 Sep 2026"],
            [],
            {"expires_at": datetime(2026, 9, 12, 3, tzinfo=UTC)},
        ),
        (
            ["Expiration := September 12 2026 10:30:00"],
            [],
            {"expires_at": datetime(2026, 9, 12, 13, 30, tzinfo=UTC)},
        ),
        (
            ["Expiration := 2026-09-12T10:00:00Z"],
            [],
            {"expires_at": datetime(2026, 9, 12, 10, tzinfo=UTC)},
        ),
    ],
)
def test_what_a_log_in_is_bound_to(check, reply, expected):
    entry = the_entry(user("ana", [PASSWORD, *check], reply, ["gold"]), groups=[GOLD])
    assert {name: getattr(entry.credential, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("line", "kind", "octets"),
    [
        ("Cleartext-Password := {md5}x", "cleartext", b"{md5}x"),
        ("User-Password == hello", "cleartext", b"hello"),
        ("NT-Password := 8846F7EAEE8FB117AD06BDD830B7586C", "nt", "8846f7eaee8fb117ad06bdd830b7586c"),
        ("NT-Password := 0x8846f7eaee8fb117ad06bdd830b7586c", "nt", "8846f7eaee8fb117ad06bdd830b7586c"),
        ("MD5-Password := XUFAKrxLKna5cZ2REBfFkg==", "md5", "5d41402abc4b2a76b9719d911017c592"),
        ("SHA-Password := aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "sha", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
        ("SSHA-Password := " + "aa" * 24, "ssha", "aa" * 24),
        ("SMD5-Password := " + "aa" * 20, "smd5", "aa" * 20),
        ("SHA2-Password := " + "aa" * 32, "sha2", "aa" * 32),
        ("SSHA2-512-Password := " + "aa" * 72, "ssha2", "aa" * 72),
        ("Password-With-Header := {SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=", "sha", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
        ("Password-With-Header := plain", "cleartext", b"plain"),
        ("Crypt-Password := $6$salt$" + "a" * 86, "crypt", b"$6$salt$" + b"a" * 86),
        ("Crypt-Password := abJnggxhB/yWI", "crypt", b"abJnggxhB/yWI"),
    ],
)  # fmt: skip
def test_passwords_of_every_kind(line, kind, octets):
    found = secret_of([item(line)])
    assert found.kind == kind
    assert found.octets == (octets if isinstance(octets, bytes) else bytes.fromhex(octets))


def test_of_several_passwords_the_one_that_allows_most_is_taken():
    nt = item("NT-Password := 8846F7EAEE8FB117AD06BDD830B7586C")
    crypt = item("Crypt-Password := abJnggxhB/yWI")
    assert secret_of([crypt, nt]).kind == "nt"
    assert secret_of([crypt, nt]).others == [crypt]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["NT-Password := 8846"], "is no nt hash"),
        (["LM-Password := 00"], "cannot be taken over"),
        (["Cleartext-Password != x"], "has the operator !="),
        (["SSHA-Password := " + "aa" * 20], "is no ssha hash"),
        (["Auth-Type := Accept"], "lets anybody in without a password"),
        (["Simultaneous-Use := 1"], "has no password that is known"),
    ],
)
def test_passwords_that_cannot_be_taken_are_refused(lines, reason):
    (bad,) = mapped(user("ana", lines, groups=["gold"]), groups=[GOLD])
    assert isinstance(bad, Bad)
    assert reason in str(bad.refused)
    assert "ana" in str(bad.refused)


@pytest.mark.parametrize(
    ("one", "others", "reason"),
    [
        (user("ana", [PASSWORD, "Auth-Type := Reject"], groups=["gold"]), [GOLD], "rejected"),
        (
            user("ana", [PASSWORD], groups=["late payers", "gold"]),
            [group("late payers", ["Auth-Type := Reject"], ["Fall-Through = Yes"]), GOLD],
            "group late payers",
        ),
        (
            user("ana", [PASSWORD], groups=["gold", "daloRADIUS-Disabled-Users"]),
            [GOLD],
            "group daloRADIUS-Disabled-Users",
        ),
    ],
)
def test_who_may_not_log_in_is_suspended(one, others, reason):
    entry = the_entry(one, groups=others)
    assert entry.service.state == "suspended"
    assert reason in entry.service.reason


@pytest.mark.parametrize(
    "first",
    [
        group("owing", ["Auth-Type := Reject"], ["Reply-Message := pay"]),
        group("blocked", [], ["Mikrotik-Rate-Limit := 64k/64k"]),
    ],
    ids=lambda one: one.name,
)
def test_who_is_suspended_by_a_group_comes_back_with_the_product_of_the_one_behind_it(first):
    found = mapped(user("ana", [PASSWORD], groups=[first.name, "gold"]), groups=[first, GOLD])
    (entry,) = found  # and nothing is noted
    assert (entry.service.state, entry.service.reason) == ("suspended", f"group {first.name}")
    assert (entry.product.code, entry.product.values["download_bps"]) == ("gold", 100_000_000)


def test_who_is_in_no_other_group_than_one_that_suspends_has_what_that_one_says():
    slow = group("blocked", [], ["Mikrotik-Rate-Limit := 64k/64k"])
    entry = the_entry(user("ana", [PASSWORD], groups=["blocked"]), groups=[slow])
    assert (entry.service.state, entry.product.values["download_bps"]) == ("suspended", 64_000)


@pytest.mark.parametrize("spelling", ["aabbccddeeff", "AA-BB-CC-DD-EE-FF", "aabb.ccdd.eeff"])
def test_a_mac_address_that_is_its_own_password_logs_in_by_itself(spelling):
    for check in (f"Cleartext-Password := {spelling}", "Auth-Type := Accept"):
        credential = the_entry(user(spelling, [check], groups=["gold"]), groups=[GOLD]).credential
        assert (credential.kind, credential.username) == ("mac", "aa:bb:cc:dd:ee:ff")
        assert (credential.secret, credential.secretless) == (None, True)


def test_a_mac_address_with_a_password_of_its_own_is_a_name():
    credential = the_entry(user("aabbccddeeff", [PASSWORD], groups=["gold"]), groups=[GOLD])
    assert (credential.credential.kind, credential.credential.secret) == ("pppoe", b"hello")


@pytest.mark.parametrize(
    ("attribute", "value", "down", "up"),
    [
        ("Mikrotik-Rate-Limit", "10M/20M", 20_000_000, 10_000_000),
        ("Mikrotik-Rate-Limit", "512k", 512_000, 512_000),
        ("Mikrotik-Rate-Limit", "1.5M/3M 2M/6M 1M/2M 16/16 8", 3_000_000, 1_500_000),
        ("WISPr-Bandwidth-Max-Down", "2000000", 2_000_000, None),
        ("WISPr-Bandwidth-Max-Up", "1000000", None, 1_000_000),
        ("Huawei-Output-Average-Rate", "3000000", 3_000_000, None),
        ("Huawei-Input-Average-Rate", "3000000", None, 3_000_000),
        ("Cisco-AVPair", "lcp:interface-config#1=rate-limit output 8000 1 2 conform-action x", 8000, None),
        ("ChilliSpot-Bandwidth-Max-Down", "512", 512_000, None),
        ("PPPD-Upstream-Speed-Limit", "1024", None, 1_024_000),
    ],
)  # fmt: skip
def test_speeds_of_every_make(attribute, value, down, up):
    found = rate(attribute, value)
    assert (found.download_bps, found.upload_bps) == (down, up)


@pytest.mark.parametrize("value", ["", "fast", "0/0", "10M/20M/30M", "/5M"])
def test_what_is_no_speed_is_none(value):
    assert rate("Mikrotik-Rate-Limit", value) is None


def test_a_user_without_a_speed_is_refused_or_has_the_one_that_is_wished():
    (bad,) = mapped(user("ana", [PASSWORD]))
    assert "has no speed" in bad.refused.reason
    entry = the_entry(user("ana", [PASSWORD]), download_bps=10**7, upload_bps=10**6)
    assert (entry.product.code, entry.product.values["upload_bps"]) == ("10M-1M", 10**6)


def test_users_of_one_group_share_its_product_and_others_get_their_own():
    entries = mapped(
        user("a", [PASSWORD], groups=["gold"]),
        user("b", [PASSWORD], ["Mikrotik-Rate-Limit := 5M/5M"], ["gold"]),
        user("c", [PASSWORD], ["Mikrotik-Rate-Limit := 5M/5M"], ["gold"]),
        user("d", [PASSWORD], groups=["gold"]),
        # the group's ":=" comes after the user's own
        groups=[group("gold", reply=["Mikrotik-Rate-Limit = 50M/100M"])],
    )
    assert [one.product.code for one in entries] == ["gold", "gold 5M-5M", "gold 5M-5M", "gold"]


def test_what_a_group_says_beside_the_speed_is_its_products_profile():
    silver = group(
        "silver",
        ["Login-Time := Wk0800-1800"],
        [
            "Mikrotik-Rate-Limit := 5M/5M",
            "Session-Timeout := 86400",
            "Idle-Timeout := 600",
            "Filter-Id := homes",
            "Mikrotik-Group := basic",
            "Framed-Protocol := PPP",
            "Reply-Message := Welcome",
            "No-Such-Attribute := 1",
        ],
    )
    entry, *notes = mapped(user("a", [PASSWORD], groups=["silver"]), groups=[silver])
    name, settings = entry.product.profile
    assert name == "silver"
    assert settings == Settings(
        session_timeout=86400,
        idle_timeout=600,
        filter="homes",
        hours=("mon-fri 08:00-18:00",),
        attributes=settings.attributes,
    )
    reasons = [note.reason for note in notes]
    assert "Framed-Protocol is not needed" in reasons
    assert any("Reply-Message" in reason for reason in reasons)
    assert any("No-Such-Attribute" in reason for reason in reasons)


def test_nothing_of_a_user_is_dropped_in_silence():
    one = user(
        "a",
        [PASSWORD, "NAS-IP-Address == 192.0.2.1", "Huntgroup-Name =~ x.*", "Foo := 1"],
        ["Mikrotik-Rate-Limit := 5M/5M 6M/6M", "Bar += 2", "Pool-Name := x"],
    )
    said = " ".join(note.reason for note in mapped(one) if isinstance(note, Note))
    for what in ("NAS-IP-Address", "Huntgroup-Name", "Foo", "burst", "Bar", "Pool-Name"):
        assert what in said


@pytest.mark.parametrize(
    ("before", "further", "after"),
    [
        (["A := 1"], ["A := 2"], ["A := 2"]),
        (["A := 1"], ["A = 2"], ["A := 1"]),
        ([], ["A = 2"], ["A = 2"]),
        (["A := 1"], ["A += 2"], ["A := 1", "A += 2"]),
        (["A := 1"], ["A == 2"], ["A := 1"]),
        (["A := 1", "A += 2"], ["A -= 2"], ["A := 1"]),
    ],
)
def test_operators_of_replies(before, further, after):
    found = merged([item(one) for one in before], [item(one) for one in further])
    assert found == [item(one) for one in after]


def test_groups_are_come_to_by_priority_while_they_fall_through():
    first = group("first", reply=["Mikrotik-Rate-Limit := 1M/1M", "Fall-Through = Yes"])
    second = group("second", reply=["Idle-Timeout := 900"])
    third = group("third", reply=["Mikrotik-Rate-Limit := 3M/3M"])
    entry, *notes = mapped(
        user("a", [PASSWORD], groups=["first", "second", "third"]), groups=[first, second, third]
    )
    assert entry.product.values["download_bps"] == 1_000_000
    assert entry.product.profile[1].idle_timeout == 900
    assert ["third" in note.reason for note in notes] == [True]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("Wk0855-2305", ("mon-fri 08:55-23:05",)),
        ("Wk0855-2305,Sa,Su2305-1655", ("mon-fri 08:55-23:05", "sat 00:00-24:00", "sun 23:05-16:55")),
        ("Any", ()),
        ("Al0800-2359", ("daily 08:00-24:00",)),
        ("MoWeFr0900-1700", ("mon,wed,fri 09:00-17:00",)),
        ("Mo-Fr0900-1700", ("mon-fri 09:00-17:00",)),
        ("whenever", None),
        ("Wk9900-0100", None),
    ],
)  # fmt: skip
def test_login_times(text, hours):
    assert hours_of(text) == hours


class Held:
    """Tables in memory."""

    where = None

    def __init__(self, **tables):
        self.tables = tables

    def rows(self, wanted):
        for table, held in self.tables.items():
            if table in wanted:
                for place, row in enumerate(held, 1):
                    yield TableRow(table, Source(table, place), row)


def read(*parts, since=datetime(2020, 1, 1, tzinfo=UTC), **tables):
    bring = Bring(frozenset(parts or ("nas", "users", "accounting")), since)
    return list(FreeRadius(Held(**tables), wishes(), bring).read())


def test_nases_come_with_their_secrets_and_makes():
    rows = [
        {"nasname": "192.0.2.1", "shortname": "bng-1", "type": "mikrotik", "secret": "s1"},
        {"nasname": "198.51.100.0/24", "shortname": "olts", "type": "other", "secret": "s2"},
        {"nasname": "192.0.2.2", "shortname": "x", "type": "cisco", "secret": ""},
    ]
    found = read("nas", nas=rows)
    nases = [one for one in found if isinstance(one, NasEntry)]
    assert [(one.address, one.name, one.secret, one.vendor) for one in nases] == [
        ("192.0.2.1", "bng-1", "s1", "mikrotik"),
        ("198.51.100.0/24", "olts", "s2", "generic"),
    ]
    assert [one.refused.field for one in found if isinstance(one, Bad)] == ["secret"]


def accounting(**changed):
    row = {
        "acctsessionid": "s1",
        "acctuniqueid": "u1",
        "username": "ana@isp.example",
        "nasipaddress": "192.0.2.1",
        "acctstarttime": "2026-01-01 10:00:00+00",
        "acctstoptime": "2026-01-01 11:00:00+00",
        "acctsessiontime": "3600",
        "acctinputoctets": "10",
        "acctoutputoctets": "5000000000",
        "acctterminatecause": "User-Request",
        "framedipaddress": "203.0.113.9/32",
    }
    return row | changed


def test_a_session_with_its_octets_and_its_end():
    (found,) = read("accounting", radacct=[accounting()])
    assert isinstance(found, SessionEntry)
    assert (found.username, found.realm, found.ended) == ("ana", "isp.example", True)
    assert (found.output_octets, found.terminate_cause) == (5_000_000_000, "User-Request")
    assert found.framed_ipv4 == "203.0.113.9"


def test_a_session_that_was_never_ended_ends_where_it_was_heard_of_last():
    row = accounting(acctstoptime="", acctupdatetime="2026-01-01 10:30:00")
    (found,) = read("accounting", radacct=[row])
    # a time without an offset is of the ISP's zone
    assert found.updated_at == datetime(2026, 1, 1, 13, 30, tzinfo=UTC)
    assert not found.ended


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"nasipaddress": "x"}, "is no address"),
        ({"acctstarttime": "", "acctstoptime": ""}, "is missing"),
        ({"acctstoptime": "2025-01-01 00:00:00+00"}, "lies before the start"),
        ({"acctstoptime": "2999-01-01 00:00:00+00"}, "lies in the future"),
        ({"acctoutputoctets": "many"}, "is no number"),
        ({"username": ""}, "is empty"),
    ],
)
def test_sessions_that_cannot_be(changed, reason):
    (bad,) = read("accounting", radacct=[accounting(**changed)])
    assert reason in str(bad.refused)


def test_old_sessions_are_left_out_and_counted():
    rows = [accounting(acctuniqueid=f"u{n}") for n in range(3)]
    (note,) = read("accounting", since=datetime(2026, 6, 1, tzinfo=UTC), radacct=rows)
    assert note.ref == "3 sessions"
