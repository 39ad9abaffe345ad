"""Files of rows, as people and programs write them."""

import gzip
import json
from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.errors import Invalid
from demarc.imports import values
from demarc.imports.entry import Bad, Refused
from demarc.imports.files import Table, _sniff


def read(tmp_path, name, octets, **options):
    path = tmp_path / name
    path.write_bytes(octets if isinstance(octets, bytes) else octets.encode())
    return list(Table(path, **options).rows())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_out(tmp_path, delimiter):
    text = delimiter.join(["customer_ref", '"first_name"', "email"]) + "\n"
    text += delimiter.join(["C1", f'"Ana{delimiter} Maria"', ""]) + "\n"
    ((source, row),) = read(tmp_path, "x.csv", text)
    assert row == {"customer_ref": "C1", "first_name": f"Ana{delimiter} Maria"}
    assert source.line == 2


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(tmp_path):
    ((_, row),) = read(tmp_path, "x.csv", b"\xef\xbb\xbfname,email\r\nJo\xc3\xa3o,\r\n\r\n")
    assert row == {"name": "João"}


def test_lines_are_told_as_an_editor_counts_them(tmp_path):
    rows = read(tmp_path, "x.csv", 'name,email\n"a\nb",\n\nc,\nd\n')
    assert [one.source.line if isinstance(one, Bad) else one[0].line for one in rows] == [2, 5, 6]
    assert isinstance(rows[2], Bad)


def test_json_lines_and_lists_and_gzip(tmp_path):
    objects = [{"name": "Ana", "latitude": -1.5, "email": None}, {"name": "João"}]
    wanted = [{"name": "Ana", "latitude": "-1.5"}, {"name": "João"}]
    lines = "\n".join(json.dumps(one) for one in objects)
    for name, octets in (
        ("x.json", json.dumps(objects).encode()),
        ("x.jsonl", lines.encode()),
        ("x.jsonl.gz", gzip.compress(lines.encode())),
    ):
        assert [row for _, row in read(tmp_path, name, octets)] == wanted, name


def test_things_within_things_are_named_by_a_point(tmp_path):
    text = json.dumps([{"customer": {"name": "Ana"}}])
    rows = read(tmp_path, "x.json", text, names={"customer.name": "name"})
    assert rows[0][1] == {"name": "Ana"}


@pytest.mark.parametrize(
    ("name", "octets", "reason"),
    [
        ("x.csv", b"name\n\xff\n", "is not utf-8 text"),
        ("x.csv", b"name,name\na,b\n", "the column name twice"),
        ("x.csv", b"nonsense\na\n", "is not known"),
        ("x.csv", b"", "no header"),
        ("x.csv", b'name\n"a\n', "is broken at line"),
        ("x.json", b"{", "is no JSON"),
        ("x.json", b"{}", "a list of objects"),
        ("x.csv.gz", b"name\na\n", "no whole gzip file"),
    ],
)
def test_files_that_cannot_be_read_are_refused_as_a_whole(tmp_path, name, octets, reason):
    with pytest.raises(Invalid, match=reason):
        read(tmp_path, name, octets)


@pytest.mark.parametrize("line", ["{", "[]", '{"nonsense": 1}', '{"name": [1]}', "\x00"])
def test_a_line_of_json_that_cannot_be_read_is_refused_alone(tmp_path, line):
    rows = read(tmp_path, "x.jsonl", f'{{"name": "a"}}\n{line}\n{{"name": "b"}}\n')
    assert [isinstance(one, Bad) for one in rows] == [False, True, False]


@given(st.binary(max_size=300))
def test_any_octets_at_all_are_read_or_refused(tmp_path_factory, octets):
    for name in ("x.csv", "x.jsonl", "x.json"):
        with suppress(Invalid):
            read(tmp_path_factory.mktemp("any"), name, octets)


@pytest.mark.parametrize(
    ("header", "delimiter"), [("a,b;c;d", ";"), ('"a,b,c";d', ";"), ("alone", ",")]
)
def test_what_stands_most_often_outside_of_quotes_is_the_delimiter(header, delimiter):
    assert _sniff(header) == delimiter


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9
    )
)
def test_decimals_are_taken_as_they_are_written(number):
    assert values.decimal("x", str(number)) == number


@pytest.mark.parametrize("text", ["1,5", "1.234,5", "1e3", "NaN", "", " 1", "\u0661"])
def test_what_could_be_another_number_is_none(text):
    with pytest.raises(Refused):
        values.decimal("x", text)


@pytest.mark.parametrize("text", ["03/04/2026", "2026-13-01", "2026-1-1", "yesterday", "20260101"])
def test_what_could_be_another_day_is_none(text):
    with pytest.raises(Refused):
        values.moment("x", text, ZoneInfo("UTC"))
