from hypothesis import given
from hypothesis import strategies as st

from demarc.apply.plan import MASK, Difference, compare
from demarc.apply.values import Hidden

FIELDS = st.dictionaries(st.sampled_from("abc"), st.none() | st.integers() | st.text(), min_size=1)


@given(FIELDS)
def test_what_is_as_it_is_to_be_stays(fields):
    change = compare("nas", "bng-1", fields, fields)
    assert (change.action, change.fields) == ("unchanged", {})


@given(FIELDS, st.data())
def test_only_what_differs_is_told(before, data):
    after = {key: data.draw(st.integers() | st.text()) for key in before}
    change = compare("nas", "bng-1", before, after)
    assert set(change.fields) == {key for key in after if after[key] != before[key]}
    assert (change.action == "update") == bool(change.fields)


def test_what_is_new_is_told_without_its_empty_fields():
    change = compare("pop", "norte/a", None, {"name": "A", "latitude": None, "areas": []})
    assert change.action == "create"
    assert change.fields == {"name": Difference(None, "A")}


def test_secrets_are_masked_but_their_change_is_told():
    change = compare("nas", "n", {"secret": Hidden("old")}, {"secret": Hidden("new")})
    assert change.fields == {"secret": Difference(MASK, MASK)}
