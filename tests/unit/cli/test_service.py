import psycopg
import pytest


def test_a_service_is_created_with_a_login_that_is_shown(subscriber):
    assert subscriber["state"] == "pending_installation"
    assert subscriber["login"] == "u0001@veloz.example"
    assert len(subscriber["password"]) >= 8
    assert subscriber["customer"] == "Nomsa Dlamini"
    assert subscriber["product"] == "home-100"


@pytest.mark.parametrize("by", ["id", "isp_reference", "login", "user"])
def test_a_service_is_named_by_whatever_is_known_of_it(house, subscriber, by):
    named = subscriber["login"].split("@")[0] if by == "user" else subscriber[by]
    assert house("service", "show", named, "--json").json["id"] == subscriber["id"]


def test_the_password_is_shown_only_when_asked_for(house, subscriber):
    assert subscriber["password"] not in house("service", "show", subscriber["id"]).out
    assert subscriber["password"] in house("service", "show", subscriber["id"], "--password").out


def test_a_service_lives_through_its_states(house, subscriber):
    login = subscriber["login"]
    assert house("service", "activate", login, "--json").json["state"] == "active"
    suspended = house("service", "suspend", login, "--reason", "unpaid", "--json").json
    assert (suspended["state"], suspended["reason"]) == ("suspended", "unpaid")
    assert house("service", "resume", login, "--json").json["state"] == "active"
    assert house("service", "change-product", login, "home-200", "--json").json["product"] == (
        "home-200"
    )
    leaving = house("service", "cancel", login, "--at", "2090-01-31T12:00:00Z", "--json").json
    assert leaving["state"] == "pending_cancellation"
    assert house("service", "cancel", login, "--json").json["state"] == "cancelled"
    history = house("service", "history", login, "--json").json
    assert [step["to_state"] for step in history] == [
        *("pending_installation", "active", "suspended", "active"),
        *("pending_cancellation", "cancelled"),
    ]
    assert history[2]["actor_name"].startswith("cli:")


def test_what_a_state_does_not_allow_is_refused(house, subscriber):
    refused = house("service", "resume", subscriber["login"], code=1)
    assert refused.err == "demarc: a service that is pending installation cannot be resumed\n"
    assert (
        "is not a time"
        in house("service", "cancel", subscriber["login"], "--at", "tomorrow", code=1).err
    )
    assert (
        "there is no product gold"
        in house("service", "change-product", subscriber["login"], "gold", code=1).err
    )


def test_a_suspension_refuses_log_ins_and_tells_the_nas(house, subscriber, database_url):
    house("service", "activate", subscriber["login"])
    with psycopg.connect(database_url) as conn:
        conn.execute(
            """
            INSERT INTO session_live (tenant_id, owner_id, service_id, credential_id, nas_id,
                nas_address, acct_session_id, username, framed_ipv4, started_at, updated_at)
            SELECT k.tenant_id, k.owner_id, k.service_id, k.id, n.id, '192.0.2.1', 's1',
                   k.username, '198.51.100.2', now(), now() FROM credential k, nas n
            """
        )
    shown = house("service", "suspend", subscriber["login"], "--json").json
    assert [one["address"] for one in shown["sessions"]] == ["198.51.100.2"]
    (command,) = house("service", "commands", subscriber["login"], "--json").json
    assert (command["kind"], command["state"]) == ("radius.disconnect", "queued")
    with psycopg.connect(database_url) as conn:
        assert conn.execute("SELECT access FROM credential").fetchone() == ("suspended",)


def test_an_onu_is_given_taken_over_and_released(house, subscriber):
    login = subscriber["login"]
    given = house("service", "device", login, "hwtc-0000a1b2", "--model", "HG8145V5", "--json").json
    assert given["onu"] == "HWTC0000A1B2"
    other = house(
        *("service", "create", "--tenant", "veloz", "--customer", "nomsa@example.net"),
        *("--product", "home-100", "--premise", "Rua das Flores 10, Exemplo", "--json"),
    ).json["login"]
    taken = house("service", "device", other, "HWTC0000A1B2", code=1)
    assert "serves another service" in taken.err
    assert house("service", "release-device", login, "--json").json["onu"] is None
    assert house("service", "device", other, "HWTC0000A1B2", "--json").json["onu"] == (
        "HWTC0000A1B2"
    )
    assert "there is no device" in house("service", "release-device", login, code=1).err
    assert "serial_number" in house("service", "device", login, "nonsense", code=1).err
    house("service", "cancel", login)
    assert "cancelled" in house("service", "device", login, "HWTC0000A1B3", code=1).err


def test_the_same_login_at_two_isps_must_be_told_apart(house, subscriber):
    house("customer", "add", "--tenant", "calma", "--first-name", "Rui", "--last-name", "Melo",
          "--email", "rui@example.net")  # fmt: skip
    house(
        *("service", "create", "--tenant", "calma", "--customer", "rui@example.net"),
        *("--product", "home-100", "--premise", "Rua das Flores 10, Exemplo"),
    )
    refused = house("service", "show", "u0001", code=1)
    assert "may mean several services" in refused.err
    assert subscriber["id"] in refused.err
    assert (
        house("service", "show", "u0001", "--tenant", "veloz", "--json").json["id"]
        == (subscriber["id"])
    )
    assert house("service", "show", "u0001@calma.example", "--json").json["tenant"] == "calma"


def test_services_are_listed_by_isp_and_state(house, subscriber):
    (listed,) = house("service", "list", "--tenant", "veloz", "--json").json
    assert (listed["id"], listed["login"]) == (subscriber["id"], subscriber["login"])
    assert house("service", "list", "--state", "suspended").out == "none\n"
    assert house("service", "list", "--tenant", "calma").out == "none\n"
    assert house("service", "list", "--state", "happy", code=2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"customer": "nobody@example.net"}, "there is no customer nobody@example.net"),
        ({"product": "gold"}, "there is no product gold"),
        ({"premise": "Rua Nenhuma 1"}, "there is no premise Rua Nenhuma 1"),
    ],
)
def test_a_service_of_nothing_is_not_created(house, subscriber, given, said):
    values = {
        "customer": "nomsa@example.net",
        "product": "home-100",
        "premise": "Rua das Flores 10, Exemplo",
        **given,
    }
    flags = [part for name, value in values.items() for part in (f"--{name}", value)]
    assert said in house("service", "create", "--tenant", "veloz", *flags, code=1).err
    assert len(house("service", "list", "--json").json) == 1


def test_another_isps_service_is_not_found_as_ones_own(house, subscriber):
    refused = house("service", "show", subscriber["id"], "--tenant", "calma", code=1)
    assert refused.err == f"demarc: there is no service {subscriber['id']}\n"
