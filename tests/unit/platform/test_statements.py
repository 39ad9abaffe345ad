"""Every statement of the platform, against the schema it is meant for."""

import importlib
import pkgutil

import msgspec
import psycopg
import pytest

import demarc
from demarc.platform.statements import Scalar, Statement


def every_module() -> None:
    for module in pkgutil.walk_packages(demarc.__path__, "demarc."):
        if module.name.startswith(("demarc.lab", "demarc.edge")) or module.name.endswith(
            "__main__"
        ):
            continue
        importlib.import_module(module.name)


def test_every_statement_can_be_prepared(database_url):
    every_module()
    assert len(Statement.registry) > 50
    wrong = {}
    with psycopg.connect(database_url, autocommit=True) as conn:
        for name, statement in Statement.registry.items():
            try:
                conn.execute(f'PREPARE "{name}" AS {statement.sql}'.encode())
            except psycopg.Error as error:
                wrong[name] = str(error)
            else:
                columns = (
                    conn.execute(
                        "SELECT coalesce(result_types::text[], '{}') FROM pg_prepared_statements"
                        " WHERE name = %s",
                        [name],
                    ).fetchone()[0]
                    if conn.info.server_version >= 160000
                    else None
                )
                if columns is not None and len(columns) != len(statement.row.__struct_fields__):
                    wrong[name] = f"{len(columns)} columns for {statement.row.__struct_fields__}"
    assert wrong == {}


def test_two_statements_of_one_name_are_refused():
    Statement("test.once", "SELECT 1 AS value", Scalar)
    with pytest.raises(ValueError, match=r"test\.once"):
        Statement("test.once", "SELECT 2 AS value", Scalar)
    del Statement.registry["test.once"]


class Pair(msgspec.Struct, frozen=True):
    first: int
    second: str


async def test_rows_are_typed_and_parameters_named(db):
    statement = Statement(
        "test.pair", "SELECT %(n)s::int AS first, %(t)s::text || %(t)s::text AS second", Pair
    )
    try:
        async with db.system() as tx:
            assert await statement.one(tx, t="ab", n=3) == Pair(3, "abab")
            assert await statement.all(tx, n=1, t="c") == [Pair(1, "cc")]
            with pytest.raises(TypeError, match="unknown"):
                await statement.one(tx, n=1, t="c", unknown=2)
            with pytest.raises(KeyError):
                await statement.one(tx, n=1)
    finally:
        del Statement.registry["test.pair"]


async def test_a_row_whose_columns_are_not_the_statements_is_noticed(db):
    statement = Statement("test.swapped", "SELECT 'x' AS second, 1 AS first", Pair)
    try:
        async with db.system() as tx:
            with pytest.raises(TypeError, match="its row has"):
                await statement.one(tx)
    finally:
        del Statement.registry["test.swapped"]


async def test_a_long_answer_comes_in_pieces_and_the_transaction_goes_on_meanwhile(db):
    statement = Statement(
        "test.series",
        "SELECT n AS first, 'x' AS second FROM generate_series(1, %(n)s::int) AS n",
        Pair,
    )
    try:
        async with db.system() as tx:
            sizes, seen = [], []
            async for piece in statement.in_pieces(tx, 3, n=7):
                sizes.append(len(piece))
                seen += [pair.first for pair in piece]
                assert len(await statement.all(tx, n=2)) == 2
            assert (sizes, seen) == ([3, 3, 1], [1, 2, 3, 4, 5, 6, 7])
            assert [piece async for piece in statement.in_pieces(tx, 3, n=0)] == []
    finally:
        del Statement.registry["test.series"]
