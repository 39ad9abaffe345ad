"""Dumps read row by row."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.imports.freeradius import dump
from demarc.imports.freeradius.dump import Broken, DumpRow, rows

VALUES = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
TABLES = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=8)


def as_copy(value):
    if value is None:
        return "\\N"
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(plain, escaped)
    return value


def as_postgresql(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def as_mysql(value):
    if value is None:
        return "NULL"
    for plain, escaped in (
        ("\\", "\\\\"),
        ("'", "\\'"),
        ('"', '\\"'),
        ("\n", "\\n"),
        ("\r", "\\r"),
    ):
        value = value.replace(plain, escaped)
    return f"'{value}'"


def pg_copy(table):
    lines = "".join("\t".join(map(as_copy, row)) + "\n" for row in table)
    return (
        "--\n-- PostgreSQL database dump\n--\n\nSET x = 'y;';\n"
        "CREATE FUNCTION f() RETURNS text AS $a$ BEGIN; '; END $a$ LANGUAGE sql;\n"
        f"COPY public.t (a, b, c) FROM stdin;\n{lines}\\.\n\nSELECT pg_catalog.setval('s', 1);\n"
    )


def pg_insert(table):
    made = (
        "-- PostgreSQL database dump\nCREATE TABLE public.t (\n  a text,\n  b numeric(4,2),"
        "\n  c text DEFAULT ','::text,\n  CONSTRAINT k PRIMARY KEY (a)\n);\n"
    )
    return made + "".join(
        f"INSERT INTO public.t VALUES ({', '.join(map(as_postgresql, row))});\n" for row in table
    )


def mysql(table):
    values = ",".join(f"({','.join(map(as_mysql, row))})" for row in table)
    return (
        "-- MySQL dump 10.13  Distrib 8.0\n/*!40101 SET NAMES utf8 */;\n"
        "CREATE TABLE `t` (\n  `a` varchar(9) COMMENT 'it\\'s, a',\n  `b` int,\n  `c` text,\n"
        "  PRIMARY KEY (`a`)\n) ENGINE=InnoDB;\n/*!40000 ALTER TABLE `t` DISABLE KEYS */;\n"
        + (f"INSERT INTO `t` VALUES {values};\n" if table else "")
        + "UNLOCK TABLES;\n"
    )


@pytest.mark.parametrize("written", [pg_copy, pg_insert, mysql])
@given(table=TABLES, piece=st.sampled_from([1, 7, 64, 4096]))
def test_what_was_dumped_is_read_in_pieces_of_any_size(written, table, piece):
    whole = dump._PIECE, dump._CERTAIN
    dump._PIECE, dump._CERTAIN = piece, 512
    try:
        # the head tells the dialect, and is read first
        text = io.StringIO(written(table), newline="")
        reader = dump._Reader(text, None)
        reader._dialect = dump._MYSQL if written is mysql else dump._POSTGRESQL
        found = list(reader.rows())
    finally:
        dump._PIECE, dump._CERTAIN = whole
    assert [tuple(row.values[name] for name in "abc") for row in found] == table


@given(st.text(max_size=300))
def test_anything_at_all_can_be_read(text):
    for found in rows(io.StringIO(text)):
        assert isinstance(found, DumpRow | Broken)


@given(
    st.text("COPYINSERTVALUES`'\"(),;\\ \nNULLt0-/*$e", max_size=200),
    st.sampled_from(["", "INSERT INTO `t` VALUES (1,'", "COPY t (a) FROM stdin;\n"]),
)
def test_what_is_almost_a_dump_can_be_read(text, head):
    for found in rows(io.StringIO(head + text)):
        assert isinstance(found, DumpRow | Broken)


def test_rows_are_told_with_their_lines():
    text = pg_copy([("a\nb", None, "c"), ("d", "e", "f")])
    assert [row.line for row in rows(io.StringIO(text))] == [8, 9]


def test_a_row_that_does_not_fit_its_columns_is_told_and_the_others_are_read():
    text = "COPY t (a, b) FROM stdin;\n1\t2\n3\n4\t5\n\\.\nCOPY u (x) FROM stdin;\n7\n\\.\n"
    found = list(rows(io.StringIO(text)))
    assert [type(one) for one in found] == [DumpRow, Broken, DumpRow, DumpRow]
    assert found[1].line == 3


def test_tables_that_are_not_wanted_are_passed_over():
    text = pg_copy([("a", "b", "c")]) + "COPY u (x) FROM stdin;\n7\n\\.\n"
    assert [row.table for row in rows(io.StringIO(text), {"u"})] == ["u"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("_binary 'ab'", "ab"),
        ("0x4142", "AB"),
        ("X'4142'", "AB"),
        ("-1.5", "-1.5"),
        ("E'a\\'b\\n'", "a'b\n"),
        ("'2024-01-01'::timestamp with time zone", "2024-01-01"),
        ("'a'::character varying(9)", "a"),
        ("now()", "now()"),
        ("TRUE", "TRUE"),
        ("null", None),
        ("NULLABLE", "NULLABLE"),
    ],
)
def test_values_in_all_their_writings(written, read):
    text = f"INSERT INTO t (a, b) VALUES ({written} , 'x');"
    assert next(iter(rows(io.StringIO(text)))).values == {"a": read, "b": "x"}
