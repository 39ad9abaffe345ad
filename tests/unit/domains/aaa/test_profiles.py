"""Profiles: what can be said in them, and how it is written."""

import pytest

from demarc.domains.aaa import attributes
from demarc.domains.aaa.profiles import Settings, check, of_text
from demarc.domains.errors import Invalid


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"hours": ("noon",)}, "hours"),
        ({"hours": ("mon 08:00-18:00",), "outside": "throttle"}, "outside"),
        ({"quota": 10}, "quota_reached"),
        ({"quota": 0}, "quota"),
        ({"billing_day": 31}, "billing_day"),
        ({"session_timeout": 5}, "session_timeout"),
        ({"attributes": ("Nothing = 1",)}, "attributes"),
        ({"garden_attributes": ("Class = x",)}, "garden_attributes"),
        ({"suspended": "throttle"}, "suspended"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(values, field):
    with pytest.raises(Invalid) as refused:
        check(Settings(**values))
    assert refused.value.field == field


def test_settings_are_written_as_on_a_command_line():
    written = of_text(
        [
            ("quota", "500G"),
            ("throttle_download", "2.5M"),
            ("hours", "mon-fri 08:00-18:00; sat 10:00-12:00"),
            ("outside", "garden"),
            ("billing_day", "15"),
        ]
    )
    assert (written.quota, written.throttle_download) == (500 * 10**9, 2_500_000)
    assert written.hours == ("mon-fri 08:00-18:00", "sat 10:00-12:00")
    assert written.billing_day == 15
    assert of_text([("quota", ""), ("hours", "")], written) == Settings(
        throttle_download=2_500_000, outside="garden", billing_day=15
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [("nothing", "1"), ("quota", "much"), ("quota", "xG"), ("suspended", "perhaps")],
)
def test_what_is_written_wrong_is_refused_by_name(key, value):
    with pytest.raises(Invalid) as refused:
        of_text([(key, value)])
    assert refused.value.field == key


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Filter-Id", "not of the form"),
        ("Filter-Id =", "not of the form"),
        ("No-Such-Thing = 1", "not known"),
        ("User-Password = secret", "not given by hand"),
        ("Framed-MTU = much", "does not fit"),
        ("Framed-MTU = -1", "does not fit"),
        ("Filter-Id:3 = x", "tag"),
        ("[toaster] Filter-Id = x", "none of"),
    ],
)
def test_an_attribute_that_cannot_be_given_is_refused(line, why):
    with pytest.raises(Invalid, match=why):
        attributes.read_line(line)


def test_an_attribute_for_one_make_goes_to_no_other():
    lines = ("Framed-MTU = 1492", "[mikrotik] MikroTik-Group = gold")
    assert [pair[0].name for pair in attributes.pairs("mikrotik", lines)] == [
        "Framed-MTU",
        "MikroTik-Group",
    ]
    assert [(pair[0].name, pair[1]) for pair in attributes.pairs("huawei", lines)] == [
        ("Framed-MTU", 1492)
    ]
