import pytest

ANA = ("user", "add", "ana@example.net", "--name", "Ana", "--tenant", "fibra", "--role", "admin")


def test_a_password_is_piped_in_and_never_shown(house):
    shown = house(*ANA, typed="correct horse battery\n")
    assert "correct horse" not in shown.out + shown.err
    assert house("user", "list", "--json").json == [
        {"email": "ana@example.net", "name": "Ana", "roles": {"fibra": "admin"}, "disabled": False}
    ]


def test_a_password_can_be_made_and_is_shown_once(house):
    made = house(*ANA, "--generate", "--json").json["password"]
    assert len(made) == 16
    assert made not in house("user", "list").out


def test_a_password_can_come_from_the_environment(house, monkeypatch):
    monkeypatch.setenv("ANAS_PASSWORD", "correct horse battery")
    house(*ANA, "--password-env", "ANAS_PASSWORD")
    refused = house("user", "password", "ana@example.net", "--password-env", "NOBODYS", code=1)
    assert "NOBODYS" in refused.err


def test_a_short_password_is_refused_and_nobody_is_added(house):
    assert "10 characters" in house(*ANA, typed="short\n", code=1).err
    assert house("user", "list").out == "none\n"


def test_nobody_is_added_twice(house):
    house(*ANA, "--generate")
    assert "is known" in house(*ANA, "--generate", code=1).err


def test_roles_are_by_organisation(house):
    house(*ANA, "--generate")
    house("user", "grant", "ana@example.net", "veloz", "support")
    assert house("user", "list", "--tenant", "veloz", "--json").json[0]["roles"] == {
        "fibra": "admin",
        "veloz": "support",
    }
    assert house("user", "list", "--tenant", "calma").out == "none\n"
    assert (
        "role must be one of"
        in house("user", "grant", "ana@example.net", "veloz", "king", code=1).err
    )


def test_a_person_is_shut_out_and_let_in_again(house):
    house(*ANA, "--generate")
    assert house("user", "disable", "ana@example.net", "--json").json["disabled"] is True
    assert (
        house("user", "disable", "ana@example.net", "--enable", "--json").json["disabled"] is False
    )


@pytest.mark.parametrize(
    "args",
    [
        ("user", "grant", "nobody@example.net", "fibra", "admin"),
        ("user", "list", "--tenant", "nobody"),
        ("token", "issue", "nobody", "aex", "crm"),
        ("token", "revoke", "00000000-0000-4000-8000-000000000000"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(house, args):
    refused = house(*args, code=1)
    assert refused.out == ""
    assert refused.err.startswith("demarc: there is no ")
    assert len(refused.err.splitlines()) == 1
