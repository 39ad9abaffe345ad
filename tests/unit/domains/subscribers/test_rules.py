"""What may be entered for customers and places."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.errors import Invalid
from demarc.domains.subscribers import rules
from demarc.domains.subscribers.model import Place


@pytest.mark.parametrize(
    "good",
    [
        "joe@example.net",
        " joe.hobbit+isp@mail.example.co.za ",
        "o'brien@example.ie",
        "josé@exämple.org",
        "a@b-c.io",
        "1@1.de",
    ],
)
def test_email_addresses(good):
    assert rules.email(good) == good.strip()


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "joe",
        "@example.net",
        "joe@",
        "joe@example",
        "joe@@example.net",
        "joe@example..net",
        ".joe@example.net",
        "joe.@example.net",
        "j..oe@example.net",
        "joe hobbit@example.net",
        "joe@-example.net",
        "joe@example.net, ann@example.net",
        "joe@example.net\0",
        "x" * 65 + "@example.net",
        "joe@" + "x" * 250 + ".net",
    ],
)
def test_what_is_no_email_address(bad):
    with pytest.raises(Invalid, match="email"):
        rules.email(bad)


@pytest.mark.parametrize("good", ["0612345789", "+27 82 555 0101", "(11) 95555-0101", "1234567"])
def test_telephone_numbers(good):
    assert rules.phone(good) == good


@pytest.mark.parametrize(
    "bad", ["", "123456", "1" * 16, "call me", "+", "0612345789x", "٠٦١٢٣٤٥٧٨٩"]
)
def test_what_is_no_telephone_number(bad):
    with pytest.raises(Invalid, match="mobile_number"):
        rules.phone(bad)


@given(st.text(max_size=40))
def test_rules_never_break(text):
    for rule in (rules.email, rules.phone, rules.tax_id):
        with suppress(Invalid):
            assert rule(text)


@pytest.mark.parametrize(
    ("given_number", "bare"),
    [
        ("529.982.247-25", "52998224725"),
        ("12.345.678/0001-95", "12345678000195"),
        ("de 123", "DE123"),
    ],
)
def test_tax_numbers_lose_their_punctuation(given_number, bare):
    assert rules.tax_id(given_number) == bare


def test_consents_are_in_the_past_and_have_an_offset():
    moment = datetime(2024, 12, 17, 9, 6, tzinfo=UTC)
    assert rules.consent_time("fno_opt_in", moment) == moment
    for wrong in (moment.replace(tzinfo=None), datetime.now(UTC) + timedelta(days=2)):
        with pytest.raises(Invalid, match="fno_opt_in"):
            rules.consent_time("fno_opt_in", wrong)


def test_an_address_is_made_of_its_parts_when_it_is_not_given_whole():
    parts = Place(
        number=" 7 ", street="Seme Street", city="Randfontein", postcode="1759", region=""
    )
    assert rules.place(parts).full_address == "7, Seme Street, Randfontein, 1759"
    assert rules.place(Place(full_address=" 1 Main ", city="X")).full_address == "1 Main"


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (Place(), "full_address"),
        (Place(number="7"), "full_address"),
        (Place(full_address=" "), "full_address"),
        (Place(full_address="x" * 401), "full_address"),
        (Place(full_address="a\nb"), "full_address"),
        (Place(full_address="x", latitude=1.0), "longitude"),
        (Place(full_address="x", latitude=90.1, longitude=0), "latitude"),
        (Place(full_address="x", latitude=0, longitude=-180.1), "longitude"),
        (Place(full_address="x", latitude=float("nan"), longitude=0), "latitude"),
        (Place(full_address="x", country="Z1"), "country"),
    ],
)
def test_what_is_no_address(place, field):
    with pytest.raises(Invalid) as refused:
        rules.place(place)
    assert refused.value.field == field
