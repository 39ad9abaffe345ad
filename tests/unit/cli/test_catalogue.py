import pytest


def test_a_product_is_added_and_listed(house):
    house(
        *("product", "add", "biz-1g", "1G", "500M", "--name", "Business", "--area", "centro"),
        *("--price", "199", "--currency", "BRL", "--isp", "veloz"),
    )
    products = {one["code"]: one for one in house("product", "list", "--json").json}
    assert set(products) == {"home-100", "home-200", "biz-1g"}
    business = products["biz-1g"]
    assert (business["download_bps"], business["upload_bps"]) == (1_000_000_000, 500_000_000)
    assert business["areas"] == ["centro"]
    assert business["isp"] == "veloz"
    assert business["price"] == "199.00 BRL"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("fast", "50M", "--name", "X"), "'fast' is no speed"),
        (("100M", "50M", "--name", "X", "--area", "praia"), "there is no area praia"),
        (("100M", "50M", "--name", "X", "--price", "cheap"), "cheap is no amount"),
        (("100M", "50M", "--name", "X", "--price", "10"), "belong together"),
    ],
)
def test_a_product_that_cannot_be_is_refused(house, args, said):
    assert said in house("product", "add", "new", *args, code=1).err
    assert len(house("product", "list", "--json").json) == 2


def test_a_product_is_not_made_over_another(house):
    refused = house("product", "add", "home-100", "1G", "1G", "--name", "X", code=1)
    assert "there is a product home-100" in refused.err
