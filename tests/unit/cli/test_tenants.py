def test_an_owner_and_an_isp_are_made_by_hand(demarc):
    demarc("tenant", "add", "fibra", "Fibra Norte", "--owns", "norte", "--currency", "BRL")
    demarc("tenant", "add", "veloz", "Veloz", "--sells-on", "norte", "--realm", "Veloz.example")
    fibra, veloz = demarc("tenant", "list", "--json").json
    assert (fibra["realms"], veloz["realms"]) == ([], ["veloz.example"])
    assert (fibra["owns"], fibra["sells_on"]) == (["norte"], [])
    assert (veloz["owns"], veloz["sells_on"]) == ([], ["norte"])


def test_a_tenant_is_not_made_over_another(demarc):
    demarc("tenant", "add", "fibra", "Fibra Norte")
    assert "there is a tenant fibra" in demarc("tenant", "add", "fibra", "Other", code=1).err
    assert demarc("tenant", "list", "--json").json[0]["name"] == "Fibra Norte"


def test_nothing_is_made_where_its_network_is_not(demarc):
    demarc("tenant", "add", "veloz", "Veloz", "--sells-on", "nowhere", code=1)
    assert demarc("tenant", "list").out == "none\n"


def test_a_name_cannot_steer_the_terminal(demarc):
    refused = demarc("tenant", "add", "veloz", "Vel\x1b[31moz", code=1)
    assert "\x1b" not in refused.err
