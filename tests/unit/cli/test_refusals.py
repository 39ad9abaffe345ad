import psycopg
import psycopg_pool
import pytest

from demarc.apply.parse import Mistake, Mistaken
from demarc.cli.refusals import explain
from demarc.domains.errors import Invalid, NotFound
from demarc.platform.migrations import ChangedMigration
from demarc.platform.postgres import NotRunning
from demarc.platform.secrets import KeyFileError
from demarc.platform.settings import SettingError


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (SettingError("DEMARC_X", "DEMARC_X is not a setting"), 2, "DEMARC_X is not a setting"),
        (NotFound("nas", "bng-1"), 1, "there is no nas bng-1"),
        (Invalid("email", "is not an e-mail address"), 1, "email is not an e-mail address"),
        (KeyFileError("there is no key file k"), 1, "there is no key file k"),
        (NotRunning("no server runs"), 1, "no server runs"),
        (ChangedMigration("was applied\nin another form"), 1, "was applied in another form"),
        (psycopg_pool.PoolTimeout("late"), 1, "the database cannot be reached: late"),
        (psycopg.OperationalError("gone\n"), 1, "the database cannot be reached: gone"),
        (
            psycopg.errors.UndefinedTable("x"),
            1,
            "the database lacks migrations; run: demarc migrate",
        ),
        (FileNotFoundError(2, "No such file", "a.toml"), 1, "a.toml: No such file"),
        (
            RuntimeError("odd"),
            1,
            "this should not happen: RuntimeError: odd (--traceback shows where)",
        ),
        (
            Mistaken([Mistake(3, "[[nas]] a", "vendor", "is none")]),
            1,
            "line 3: [[nas]] a: vendor is none",
        ),
    ],
)
def test_an_error_is_a_line_and_an_exit_code(error, code, text):
    assert explain(error) == (code, text)


def test_several_mistakes_stand_below_one_another():
    mistakes = [Mistake(9, "[[b]]", None, "x"), Mistake(3, "[[a]]", "k", "y")]
    assert explain(Mistaken(mistakes))[1] == (
        "nothing was changed:\n  line 3: [[a]]: k y\n  line 9: [[b]]: x"
    )
