from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.cli.answers import Shown, as_text, cell, write
from demarc.cli.frame import laid_out


class Row(msgspec.Struct):
    name: str
    count: int | None
    tags: list[str]
    hidden: str | msgspec.UnsetType = msgspec.UNSET


def test_a_list_is_a_table_with_numbers_to_the_right():
    assert as_text([Row("a", 5, []), Row("long", 1234, ["x", "y"]), Row("b", None, [])]) == (
        "name  count  tags\na         5  -\nlong   1234  x y\nb         -  -\n"
    )


def test_an_empty_list_says_so():
    assert as_text([]) == "none\n"


def test_a_thing_is_shown_field_by_field_without_what_is_not_told():
    assert as_text(Row("a", None, ["x"])) == "name   a\ncount  -\ntags   x\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (True, "yes"),
        (datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), "2030-01-02 03:04:05Z"),
        ({"fibra": "admin"}, "fibra=admin"),
        (Row("a", 1, []), "name=a count=1 tags=- hidden=-"),
    ],
)
def test_a_cell_shows_its_value_as_people_read_it(value, shown):
    assert cell(value) == shown


@given(st.text())
def test_no_text_steers_the_terminal(text):
    assert cell(text).isprintable()


def test_json_is_of_the_data_and_text_for_people(capsys):
    answer = Shown([Row("a", 1, [])], "one row", 1)
    assert write(answer, as_json=True) == 1
    assert '"name": "a"' in capsys.readouterr().out
    assert write(answer, as_json=False) == 1
    assert capsys.readouterr().out == "one row\n"


def test_examples_keep_their_lines_and_prose_is_filled():
    assert laid_out("One\ntwo.\n\nExamples:\n    demarc x\n    demarc y") == (
        "One\ntwo.\n\n\b\nExamples:\n    demarc x\n    demarc y"
    )
