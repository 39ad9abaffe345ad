def test_a_premise_is_entered_and_found_however_it_is_typed(house):
    added = house(
        *("premise", "add", "Avenida São João 7, Exemplo", "--unit", "loja 2"),
        *("--area", "centro", "--latitude=-3.1", "--longitude=-60.0", "--json"),
    ).json
    assert added["area"] == "centro"
    assert added["latitude"] == -3.1
    (found,) = house("premise", "search", "sao joao 7", "--json").json
    assert found["id"] == added["id"]
    assert "loja 2" in found["address"]
    assert house("premise", "search", "nowhere at all").out == "none\n"


def test_premises_are_listed_in_pages(house):
    house("premise", "add", "Rua Nova 1, Exemplo", "--area", "centro")
    every = house("premise", "list", "--json").json
    assert len(every) == 2
    assert house("premise", "list", "--page", "2", "--limit", "1", "--json").json == every[1:]
    assert [
        one["predefined"] for one in house("premise", "list", "--predefined", "--json").json
    ] == [True]


def test_a_premise_is_not_entered_twice(house):
    refused = house("premise", "add", "rua das FLORES, 10 - exemplo", code=1)
    assert "exists already" in refused.err


def test_half_a_position_is_refused(house):
    refused = house("premise", "add", "Rua Nova 1, Exemplo", "--latitude=-3.1", code=1)
    assert "belong together" in refused.err
    assert house("premise", "add", "Rua Nova 1", "--latitude=-91", "--longitude=0", code=2)
