"""Retention, erasure and the audit log by commands."""


def test_rules_are_listed_set_and_unset(house):
    rules = {one["kind"]: one for one in house("retention", "list", "--json").json}
    assert (rules["session_closed"]["days"], rules["session_closed"]["at_least"]) == (400, 396)
    assert rules["customer"]["days"] is None
    assert house("retention", "set", "session_closed", "760", "--json").json["days"] == 760
    own = house("retention", "set", "session_closed", "ever", "--tenant", "veloz", "--json").json
    assert own["tenants"] == {"veloz": None}
    assert "396" in house("retention", "set", "session_closed", "30", code=1).err
    assert "ever" in house("retention", "set", "session_closed", "x", code=1).err
    house("retention", "unset", "session_closed", "--tenant", "veloz")
    assert house("retention", "unset", "session_closed", "--json").json["days"] == 400


def test_a_customer_is_erased_after_a_look(subscriber, house):
    refused = house("customer", "erase", "nomsa@example.net", "--tenant", "veloz", code=1)
    assert "cancel them first" in refused.err
    house("service", "cancel", subscriber["id"], "--reason", "moved")
    told = house(
        *("customer", "erase", "nomsa@example.net", "--tenant", "veloz", "--dry-run", "--json")
    ).json
    assert (told["services"], told["logins"]) == (1, 1)
    assert "Nomsa" in house("customer", "search", "nomsa", "--tenant", "veloz").out
    done = house("customer", "erase", told["customer_id"], "--json").json
    assert done == told
    assert "Nomsa" not in house("customer", "search", "nomsa", "--tenant", "veloz").out
    [entry] = house("audit", "search", "--action", "erase", "--json").json["entries"]
    assert entry["key"] == told["customer_id"]


def test_the_audit_log_is_searched_in_pages(house):
    first = house("audit", "search", "--limit", "2", "--json").json
    assert len(first["entries"]) == 2
    second = house("audit", "search", "--limit", "2", "--following", first["following"], "--json")
    assert second.json["entries"][0]["id"] != first["entries"][0]["id"]
    shown = house("audit", "search", "--kind", "nas", "--tenant", "fibra").out
    assert "create nas" in shown
    assert "secret: - -> ***" in shown
    assert "testing-secret" not in house("audit", "search", "--limit", "1000").out
    assert house("audit", "search", "--tenant", "calma", "--kind", "nas").out == "none\n"
    assert "is no time" in house("audit", "search", "--since", "monday", code=1).err
