import tomllib
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.apply.document import TABLES
from demarc.apply.parse import Mistaken, parse

WHOLE = """
[[tenant]]
slug = "fibra"
name = "Fibra Norte"

[[network]]
slug = "norte"
name = "Norte"
owner = "fibra"

[[product]]
code = "home-100"
name = "Home 100"
download = "100M"
upload = 50_000_000
price = 49.90
currency = "EUR"

[[nas]]
name = "bng-1"
address = "192.0.2.1"
secret_env = "BNG_SECRET"
"""


def mistakes(text, environment=None):
    with pytest.raises(Mistaken) as refused:
        parse(text, environment or {})
    return [str(mistake) for mistake in refused.value.mistakes]


def test_a_file_is_read_into_its_tables():
    document = parse(WHOLE, {"BNG_SECRET": "testing-secret"})
    (product,) = document.product
    assert (product.download, product.upload) == (100_000_000, 50_000_000)
    assert product.price == Decimal("49.90")
    assert product.network == "norte"
    (nas,) = document.nas
    assert nas.where == "192.0.2.1/32"
    assert nas.secret == "testing-secret"


def test_an_empty_file_describes_nothing():
    assert all(getattr(parse("", {}), section) == [] for section in TABLES)


def test_every_mistake_is_told_at_once_with_its_line():
    text = """\
[[tenant]]
slug = "fibra"
nmae = "Fibra"

[[product]]
code = "p"
name = "P"
download = "fast"
upload = true

[[poool]]
"""
    assert mistakes(text) == [
        "line 1: [[tenant]] fibra: name is missing",
        "line 3: [[tenant]] fibra: nmae is not a key of [[tenant]]; did you mean name?",
        """line 8: [[product]] p: download 'fast' is no speed; write "100M", "2.5G", "512k" or bit/s""",
        'line 9: [[product]] p: upload must be bit/s, or text such as "100M"',
        "line 11: [[poool]] is not a section of a network file; did you mean pool?",
    ]


def test_what_is_not_toml_is_said_with_its_place():
    (only,) = mistakes('[[tenant]]\nslug = "unclosed\n')
    assert "not TOML" in only
    assert "line 2" in only


def test_a_section_written_once_is_shown_how_to_be_written():
    assert mistakes('[tenant]\nslug = "a"\nname = "A"\n') == [
        "[tenant] is written [[tenant]], once for each tenant"
    ]


def test_types_are_strict_and_told_in_plain_words():
    text = '[[tenant]]\nslug = "a"\nname = 3\nactivate_on = ["accept", "magic"]\n'
    assert mistakes(text) == [
        "line 3: [[tenant]] a: name expected text, got a whole number",
        "line 4: [[tenant]] a: activate_on knows no 'magic' (at [1])",
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('secret = "testing"', "needs either an address or a prefix"),
        ('secret = "x"\naddress = "192.0.2.1"\nprefix = "192.0.2.0/24"', "needs either an address"),
        ('address = "192.0.2.1"', "needs either secret or secret_env"),
        ('address = "192.0.2.1"\nsecret = ""', "secret must not be empty"),
        ('address = "192.0.2.1"\nsecret_env = "NOWHERE"', "NOWHERE, which is not set"),
        ('address = "192.0.2.1"\nsecret = "x"\ncoa_port = 70000', "coa_port expected"),
        ('address = "192.0.2.1"\nsecret = "x"\nvendor = "acme"', "vendor knows no 'acme'"),
    ],
)
def test_a_nas_that_cannot_be_is_refused(keys, said):
    (only,) = mistakes(f'[[nas]]\nnetwork = "norte"\nname = "bng-1"\n{keys}\n')
    assert said in only


def test_a_mistake_never_shows_a_secret():
    text = '[[nas]]\nname = "n"\nnetwork = "x"\naddress = "1.2.3"\nsecret = ["testing-secret"]\n'
    assert "testing-secret" not in "\n".join(mistakes(text))


def test_the_network_may_be_left_out_where_there_is_one():
    area = '[[area]]\nslug = "centro"\nname = "Centro"\n'
    (only,) = mistakes(area)
    assert "network is missing" in only
    network = '[[network]]\nslug = "{0}"\nname = "N"\nowner = "fibra"\n'
    assert parse(area + network.format("norte"), {}).area[0].network == "norte"
    (two,) = mistakes(area + network.format("norte") + network.format("sul"))
    assert "network is missing" in two


def test_the_same_thing_twice_is_refused():
    text = '[[tenant]]\nslug = "a"\nname = "A"\n' * 2
    assert mistakes(text) == ["line 4: [[tenant]] a: is described already in line 1"]


def test_an_api_client_of_another_api_is_not_the_same():
    client = '[[client]]\ntenant = "a"\napi = "{}"\nname = "crm"\n'
    assert len(parse(client.format("aex") + client.format("fno"), {}).client) == 2


def test_lines_inside_long_text_are_not_taken_for_tables():
    text = '[[product]]\ncode = "p"\nname = "P"\ndescription = """\n[[tenant]]\nslug = 1\n"""\n'
    lines = mistakes(text + "download = 1\n[[tenant]]\nslug = 1\n")
    assert "line 1: [[product]] p: upload is missing" in lines
    assert any(line.startswith("line 10: [[tenant]]") for line in lines)


def test_tables_written_inline_have_no_line():
    assert mistakes('tenant = [{ slug = "a" }]\n') == ["[[tenant]] a: name is missing"]


@pytest.mark.parametrize("price", ["1.00001", "inf", "nan", '"cheap"'])
def test_a_price_is_an_amount_that_can_be_kept(price):
    product = '[[product]]\nnetwork = "n"\ncode = "p"\nname = "P"\ndownload = 1\nupload = 1\n'
    (only,) = mistakes(product + f'currency = "EUR"\nprice = {price}\n')
    assert only.startswith("line 8: [[product]] p: price ")


def test_a_place_is_whole_or_not_there():
    (only,) = mistakes('[[pop]]\nnetwork="n"\ncode="a"\nname="A"\nlatitude=1.5\n')
    assert "latitude and longitude, or neither" in only
    (only,) = mistakes(
        '[[premise]]\nnetwork = "n"\ncity = "Exemplo"\nlatitude = 91\nlongitude = 0\n'
    )
    assert "latitude expected a number <= 90" in only


@given(st.text())
def test_no_text_breaks_the_reading(text):
    with suppress(Mistaken):
        parse(text, {})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.decimals(allow_nan=True),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(
    st.dictionaries(
        st.sampled_from([*TABLES, "other"]),
        st.lists(
            st.dictionaries(
                st.sampled_from(
                    sorted({key for table in TABLES.values() for key in table.__struct_fields__})
                ),
                VALUES,
                max_size=6,
            ),
            max_size=2,
        )
        | VALUES,
        max_size=3,
    )
)
def test_no_shape_of_a_file_breaks_the_reading(found):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tomllib, "loads", lambda *_, **__: found)
        with suppress(Mistaken):
            parse("", {})
