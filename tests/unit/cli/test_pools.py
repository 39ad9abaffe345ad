"""Pools, CGNAT and look-ups from the command line, as an operator types them."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest


def test_an_ipv6_pool_is_leased_from_and_shown(house):
    house("pool", "add", "homes6", "2001:db8:100::/40", "--kind", "delegated_ipv6")
    shown = house("pool", "show", "homes6", "--json").json
    assert (shown["gives"], shown["total"], shown["free"]) == ("delegated_ipv6 /56", 65536, 65536)
    assert shown["state"] == "in use"
    assert "delegated_ipv6 /56" in house("pool", "list").out


def test_a_pool_of_the_nases_is_named(house):
    shown = house("pool", "add", "pd", "--kind", "delegated_ipv6", "--nas-pool", "pd1", "--json")
    assert (shown.json["nas_pool"], shown.json["prefix"], shown.json["total"]) == ("pd1", None, 0)


def test_a_pool_is_drained_resumed_and_removed(house, subscriber):
    assert house("pool", "drain", "homes", "--json").json["state"] == "draining"
    assert "leased; drain it first" in house("pool", "remove", "homes", code=1).err
    assert house("pool", "resume", "homes", "--json").json["state"] == "in use"
    house("pool", "add", "spare", "203.0.113.0/24")
    house("pool", "remove", "spare")
    assert {one["name"] for one in house("pool", "list", "--json").json} == {"homes"}
    assert "spare" in house("pool", "show", "spare", code=1).err


def test_a_rule_of_cgnat_is_exported_for_the_nat_box(house):
    house("pool", "nat-add", "cgnat", "100.64.0.0/25", "203.0.113.0/30")
    lines = house("pool", "nat-export", "cgnat").out.splitlines()
    assert lines[:2] == ["inside,public,port_from,port_to", "100.64.0.0,203.0.113.0,1024,2047"]
    assert lines[64] == "100.64.0.63,203.0.113.1,1024,2047"
    assert len(lines) == 129
    script = house("pool", "nat-export", "cgnat", "--format", "routeros").out.splitlines()
    assert script[1] == (
        "add chain=srcnat src-address=100.64.0.0-100.64.0.62 action=jump"
        ' jump-target="cgnat-203.0.113.0"'
    )
    assert (
        'add chain="cgnat-203.0.113.1" protocol=udp src-address=100.64.0.64 action=src-nat'
        " to-addresses=203.0.113.1 to-ports=2048-3071"
    ) in script
    house("pool", "nat-end", "cgnat")
    assert house("pool", "nat-list", "--json").json == []


@pytest.fixture
def session(house, subscriber, database_url):
    """A session of the subscriber behind CGNAT, an hour old."""
    house("pool", "nat-add", "cgnat", "100.64.0.0/24", "203.0.113.0/29")
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("UPDATE nat_pool SET valid_from = now() - interval '1 day'")
        conn.execute(
            """
            INSERT INTO session_live (tenant_id, owner_id, service_id, credential_id, nas_id,
                nas_address, acct_session_id, username, framed_ipv4, calling_station_id,
                nas_port_id, started_at, updated_at)
            SELECT k.tenant_id, k.owner_id, k.service_id, k.id, n.id, '192.0.2.1', 's1',
                   k.username, '100.64.0.1', 'AA-01', 'gpon 1/2', now() - interval '1 hour', now()
            FROM credential k, nas n
            """
        )


def minutes_ago(minutes, zone=UTC):
    return f"{datetime.now(zone) - timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S} +00:00"


WHY = ("--reason", "order 12/26")


def test_who_had_a_port_is_told_with_all_that_names_them(house, session):
    ask = ("lookup", "203.0.113.0", "--port", "2050", "--at", minutes_ago(5), *WHY)
    (holder,) = house(*ask, "--json").json["holders"]
    assert (holder["evidence"], holder["ports"]) == ("nat rule", "2048-3071")
    assert (holder["customer"], holder["email"]) == ("Nomsa Dlamini", "nomsa@example.net")
    assert (holder["isp"], holder["isp_reference"]) == ("veloz", "CONTRACT-7")
    assert (holder["circuit"], holder["mac"]) == ("gpon 1/2", "AA-01")
    assert holder["nas"] == "bng-1 192.0.2.1"
    assert "Rua das Flores" in holder["address"]
    assert "Nomsa Dlamini" in house(*ask).out


def test_a_port_that_nobody_had_is_nobodys(house, session):
    shown = house("lookup", "203.0.113.0", "--port", "80", "--at", minutes_ago(5), *WHY)
    assert "nobody that is known of" in shown.out


def test_an_organisation_is_told_of_its_own(house, session):
    ask = ("lookup", "203.0.113.0", "--port", "2050", "--at", minutes_ago(5), *WHY, "--json")
    assert len(house(*ask, "--tenant", "veloz").json["holders"]) == 1
    (seen,) = house(*ask, "--tenant", "fibra").json["holders"]
    # the owner of the network knows a customer with consent alone
    assert (seen["customer"], seen["nas"]) == (None, "bng-1 192.0.2.1")


@pytest.mark.parametrize(
    ("at", "said"),
    [("yesterday", "is no time"), ("2026-11-20 21:13:05", "has no time zone")],
)
def test_a_time_that_is_not_clear_is_refused(house, at, said):
    assert said in house("lookup", "203.0.113.0", "--at", at, *WHY, code=1).err


def test_a_lookup_needs_a_reason(house):
    assert "reason" in house("lookup", "203.0.113.0", "--at", minutes_ago(1), code=2).err
