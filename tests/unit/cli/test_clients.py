"""Clients and roles by commands."""


def test_a_client_gets_a_role_is_narrowed_and_shut_out(house):
    house("token", "issue", "veloz", "aex", "crm")
    [one] = house("client", "list", "--tenant", "veloz", "--json").json
    assert (one["role"], one["scopes"], one["disabled"]) == ("integrator", ["read", "write"], False)
    house("client", "role", "veloz", "aex", "crm", "support")
    house("client", "scopes", "veloz", "aex", "crm", "read")
    house("client", "disable", "veloz", "aex", "crm")
    [one] = house("client", "list", "--json").json
    assert (one["role"], one["scopes"], one["disabled"]) == ("support", ["read"], True)
    assert not house(*("client", "disable", "veloz", "aex", "crm", "--enable", "--json")).json[
        "disabled"
    ]
    assert "no client aex/erp" in house("client", "role", "veloz", "aex", "erp", "noc", code=1).err


def test_an_organisations_own_role_is_made_given_and_removed(house):
    assert len(house("role", "list", "--json").json) == 7
    house("role", "put", "veloz", "sales", "customer:*", "service:create", "--title", "Sales")
    assert house("role", "list", "--tenant", "veloz", "--json").json[-1] == {
        "name": "sales",
        "tenant": "veloz",
        "title": "Sales",
        "permissions": ["customer:*", "service:create"],
    }
    assert len(house("role", "list", "--tenant", "calma", "--json").json) == 7
    house("user", "add", "rui@example.net", "--name", "Rui", "--tenant", "veloz",
          "--role", "sales", "--generate")  # fmt: skip
    assert "have the role" in house("role", "remove", "veloz", "sales", code=1).err
    assert house("user", "revoke", "rui@example.net", "veloz", "--json").json["roles"] == {}
    house("role", "remove", "veloz", "sales")
    assert "knows no service:own" in house("role", "put", "veloz", "x", "service:own", code=1).err
