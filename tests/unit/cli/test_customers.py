NOMSA = ("--first-name", "Nomsa", "--last-name", "Dlamini", "--email", "nomsa@example.net")


def test_a_person_and_a_company_are_added_and_found(house):
    house("customer", "add", "--tenant", "veloz", *NOMSA, "--mobile", "+27 82 555 0101")
    house(
        *("customer", "add", "--tenant", "veloz", "--company", "Padaria Exemplo"),
        *("--tax-id", "cnpj:11.222.333/0001-81"),
    )
    names = [one["name"] for one in house("customer", "list", "--tenant", "veloz", "--json").json]
    assert names == ["Nomsa Dlamini", "Padaria Exemplo"]
    (found,) = house("customer", "search", "dlam", "--tenant", "veloz", "--json").json
    assert found["email"] == "nomsa@example.net"
    (found,) = house("customer", "search", "11222333", "--tenant", "veloz", "--json").json
    assert found["kind"] == "company"


def test_another_isps_customers_are_not_shown(house):
    house("customer", "add", "--tenant", "veloz", *NOMSA)
    assert house("customer", "list", "--tenant", "calma").out == "none\n"
    assert house("customer", "search", "nomsa", "--tenant", "calma").out == "none\n"


def test_the_isp_must_be_said_where_there_are_two(house):
    assert "which ISP is meant (calma, veloz)" in house("customer", "list", code=1).err


def test_a_customer_that_cannot_be_is_refused(house):
    of = ("customer", "add", "--tenant", "veloz")
    assert "KIND:NUMBER" in house(*of, *NOMSA, "--tax-id", "123", code=1).err
    assert "no first and last name" in house(*of, *NOMSA, "--company", "X", code=1).err
    assert house("customer", "list", "--tenant", "veloz").out == "none\n"
