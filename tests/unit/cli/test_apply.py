import pytest

FILE = """
[[tenant]]
slug = "fibra"
name = "Fibra Norte"

[[network]]
slug = "norte"
name = "Norte"
owner = "fibra"

[[nas]]
name = "bng-1"
address = "192.0.2.1"
secret_env = "BNG_SECRET"
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("BNG_SECRET", "testing-secret")
    path = tmp_path / "network.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_dry_run_shows_the_difference_and_changes_nothing(demarc, file):
    shown = demarc("apply", str(file), "--dry-run").out
    assert "+ tenant fibra\n    name: Fibra Norte\n" in shown
    assert "    secret: ***\n" in shown
    assert "3 would be created, 0 would be updated, 0 as described already." in shown
    assert demarc("tenant", "list").out == "none\n"


def test_a_file_is_applied_once(demarc, file):
    assert "3 created, 0 updated" in demarc("apply", str(file)).out
    assert demarc("apply", str(file)).out == (
        "Nothing to do: the database is as the file describes.\n"
    )
    assert [one["name"] for one in demarc("nas", "list", "--json").json] == ["bng-1"]


def test_what_changes_is_shown_as_it_was_and_will_be(demarc, file, monkeypatch):
    demarc("apply", str(file))
    monkeypatch.setenv("BNG_SECRET", "another-secret")
    file.write_text(FILE + "coa_port = 1700\n", encoding="utf-8")
    shown = demarc("apply", str(file)).out
    assert "~ nas norte/bng-1\n    secret: *** -> ***\n    coa_port: 3799 -> 1700\n" in shown


def test_the_plan_is_there_for_programs(demarc, file):
    plan = demarc("apply", str(file), "--dry-run", "--json").json
    assert plan["carried_out"] is False
    assert [change["kind"] for change in plan["changes"]] == ["tenant", "network", "nas"]
    assert plan["changes"][2]["fields"]["secret"] == {"before": None, "after": "***"}
    assert "testing-secret" not in str(plan)


def test_mistakes_are_told_with_their_lines_and_nothing_is_done(demarc, file):
    file.write_text(FILE.replace("owner =", "onwer ="), encoding="utf-8")
    refused = demarc("apply", str(file), code=1)
    assert refused.out == ""
    assert refused.err.splitlines() == [
        "demarc: nothing was changed:",
        "  line 6: [[network]] norte: owner is missing",
        "  line 9: [[network]] norte: onwer is not a key of [[network]]; did you mean owner?",
    ]
    assert demarc("tenant", "list").out == "none\n"


def test_what_the_database_refuses_is_one_line(demarc, file):
    file.write_text(FILE.replace('owner = "fibra"', 'owner = "nobody"'), encoding="utf-8")
    refused = demarc("apply", str(file), code=1)
    assert refused.err == (
        "demarc: line 9: [[network]] norte: owner names nobody, which is no tenant\n"
    )


def test_a_file_can_be_piped_in(demarc, file):
    assert "3 created" in demarc("apply", "-", typed=FILE).out


def test_a_file_that_is_not_there_is_named(demarc, tmp_path):
    refused = demarc("apply", str(tmp_path / "nothing.toml"), code=1)
    assert "nothing.toml: No such file" in refused.err


def test_verbose_tells_what_is_in_the_database_alone(demarc, file):
    demarc("apply", str(file))
    demarc("tenant", "add", "veloz", "Veloz")
    shown = demarc("apply", str(file), "-v").out
    assert "  tenant fibra\n" in shown
    assert "? tenant veloz is in the database alone; it stays\n" in shown
