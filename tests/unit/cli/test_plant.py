from typing import get_args

import psycopg
import pytest

from demarc.cli.plant import Make
from demarc.domains.aaa.model import Vendor


def test_a_nas_of_any_make_can_be_added():
    assert get_args(Make) == get_args(Vendor)


def test_a_nas_is_added_without_its_secret_on_the_command_line(house):
    added = house("nas", "add", "bng-2", "192.0.2.16/28", typed="testing-secret-2\n")
    assert "testing-secret-2" not in added.out + added.err
    listed = house("nas", "list", "--json").json
    assert [(one["name"], one["prefix"]) for one in listed] == [
        ("bng-1", "192.0.2.1/32"),
        ("bng-2", "192.0.2.16/28"),
    ]
    assert "testing-secret" not in house("nas", "list").out


def test_a_nas_without_a_secret_is_refused(house):
    assert "Secret is missing" in house("nas", "add", "bng-2", "192.0.2.2", code=1).err


def test_a_nas_cannot_stand_where_another_does(house):
    refused = house("nas", "add", "bng-2", "192.0.2.1", typed="x\n", code=1)
    assert "192.0.2.1" in refused.err
    assert "Traceback" not in refused.err


def test_a_nas_is_shown_with_its_policy_and_clients_and_can_be_unlocked(house, database_url):
    house(
        *("nas", "add", "bng-2", "192.0.2.16/28", "--certificate", "BNG-2.example"),
        *("--require-message-authenticator", "auto", "--limit-proxy-state", "no"),
        typed="testing-secret-2\n",
    )
    with psycopg.connect(database_url) as conn:
        conn.execute(
            """
            INSERT INTO nas_client (nas_id, address, owner_id, first_signed_at, last_seen_at)
            SELECT id, ('192.0.2.1' || last)::inet, owner_id, now(), now()
            FROM nas, generate_series(7, 9) last WHERE name = 'bng-2'
            """
        )
    listed = {one["name"]: one for one in house("nas", "list", "--json").json}
    assert (listed["bng-1"]["signing"], listed["bng-2"]["signing"]) == (0, 3)
    assert listed["bng-2"]["limit_proxy_state"] == "no"
    assert listed["bng-2"]["certificate"] == "bng-2.example"
    (unlocked,) = house("nas", "unlock", "bng-2", "192.0.2.18", "--json").json
    assert unlocked["address"] == "192.0.2.18"
    shown = house("nas", "show", "bng-2", "--json").json
    assert [one["signs_since"] is None for one in shown["clients"]] == [False, True, False]
    assert len(house("nas", "unlock", "bng-2", "--json").json) == 2
    assert "192.0.2.18" in house("nas", "show", "bng-2").out
    assert "no IP address" in house("nas", "unlock", "bng-2", "there", code=1).err
    assert "bng-3" in house("nas", "unlock", "bng-3", code=1).err


def test_how_a_nas_does_is_told_from_its_sessions_and_attempts(house, subscriber, database_url):
    with psycopg.connect(database_url) as conn:
        conn.execute(
            """
            INSERT INTO session_live (tenant_id, owner_id, service_id, credential_id, nas_id,
                nas_address, acct_session_id, username, started_at, updated_at)
            SELECT k.tenant_id, k.owner_id, k.service_id, k.id, n.id, '192.0.2.1', 's1',
                   k.username, now(), now() FROM credential k, nas n
            """
        )
        conn.execute(
            """
            INSERT INTO auth_attempt (at, tenant_id, owner_id, credential_id, nas_id, accepted, reply)
            SELECT now() - a.ago, k.tenant_id, k.owner_id, k.id, n.id, a.accepted, 'x'
            FROM credential k, nas n, (VALUES (interval '1 minute', true),
                (interval '2 minutes', false), (interval '3 minutes', false),
                (interval '2 hours', true)) a (ago, accepted)
            """
        )
    (status,) = house("nas", "status", "--json").json
    assert (status["name"], status["sessions"]) == ("bng-1", 1)
    assert (status["accepted"], status["rejected"]) == (1, 2)
    assert status["last_accounting_at"] is not None


def test_a_pool_tells_what_is_used_and_free(house, subscriber):
    house("pool", "add", "veloz", "203.0.113.0/30", "--isp", "veloz", "--exclude", "203.0.113.1")
    pools = {one["name"]: one for one in house("pool", "list", "--json").json}
    homes, veloz = pools["homes"], pools["veloz"]
    # the /29 has six hosts' addresses, and the subscriber took one of one of the two pools
    assert (homes["total"], veloz["total"], veloz["isp"]) == (6, 1, "veloz")
    assert homes["used"] + veloz["used"] == 1
    assert all(one["free"] == one["total"] - one["used"] for one in pools.values())


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("198.51.100.4/30", "overlaps the pool homes"),
        ("203.0.113.1/24", "is not an IPv4 prefix"),
        ("10.0.0.0/8", "is larger than a /16"),
        ("2001:db8::/64", "is not an IPv4 prefix"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(house, prefix, said):
    assert said in house("pool", "add", "other", prefix, code=1).err


def test_the_network_must_be_said_where_there_are_two(house):
    house("tenant", "add", "sul", "Sul", "--owns", "sul")
    refused = house("pool", "add", "other", "203.0.113.0/24", code=1)
    assert "must say which network is meant (norte, sul)" in refused.err
    house("pool", "add", "other", "203.0.113.0/24", "--network", "sul")
    assert {one["network"] for one in house("pool", "list", "--json").json} == {"norte", "sul"}
