"""``demarc profile``, and what ``demarc service`` says and does of what a log-in may."""

import pytest


@pytest.fixture
def profile(house):
    return house(
        *("profile", "set", "home", "--tenant", "veloz", "--default"),
        *("suspended=garden", "garden_filter=unpaid", "garden_download=512k", "--json"),
    ).json


def test_a_profile_is_made_changed_and_shown(house, profile):
    assert profile["settings"] == {
        "suspended": "garden",
        "garden_filter": "unpaid",
        "garden_download": 512_000,
    }
    changed = house(
        *("profile", "set", "home", "--tenant", "veloz", "garden_download="),
        *("hours=mon-fri 08:00-18:00; sat 09:00-12:00", "--json"),
    ).json
    assert changed["default"] is True
    assert changed["settings"] == {
        "suspended": "garden",
        "garden_filter": "unpaid",
        "hours": ["mon-fri 08:00-18:00", "sat 09:00-12:00"],
    }
    assert house("profile", "show", "home", "--tenant", "veloz", "--json").json == changed
    assert house("profile", "list", "--json").json == [changed]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("suspended", "not of the form KEY=VALUE"),
        ("colour=blue", "no setting of a profile"),
        ("hours=always", "hours"),
        ("quota=10G", "throttle"),
    ],
)
def test_what_cannot_be_said_is_refused(house, value, told):
    assert told in house("profile", "set", "home", value, "--tenant", "veloz", code=1).err


def test_a_profile_in_use_is_not_removed(house, subscriber, profile):
    login = subscriber["login"]
    assert "default" in house("profile", "remove", "home", "--tenant", "veloz", code=1).err
    house("profile", "set", "nights", "--tenant", "veloz", "session_timeout=3600")
    house("service", "set-profile", login, "nights")
    assert "services have" in house("profile", "remove", "nights", "--tenant", "veloz", code=1).err
    assert house("service", "set-profile", login, "--json").json["profile"] == "home"
    house("profile", "remove", "nights", "--tenant", "veloz")
    assert [one["name"] for one in house("profile", "list", "--json").json] == ["home"]


def test_a_service_says_what_it_may_now_and_why(house, subscriber, profile):
    login = subscriber["login"]
    shown = house("service", "show", login, "--json").json
    assert (shown["profile"], shown["terms"]) == ("home", "100000000/50000000")
    house("service", "suspend", login)
    shown = house("service", "show", login, "--json").json
    assert shown["terms"].startswith("512000/50000000 garden ")
    assert shown["terms_why"] == "service suspended"


def test_it_is_told_how_many_sessions_wait(house):
    assert house("profile", "waiting", "--json").json == {"waiting": 0}


def test_a_service_expires(house, subscriber):
    login = subscriber["login"]
    assert "offset" in house("service", "expires", login, "2020-01-31T12:00:00", code=1).err
    gone = house("service", "expires", login, "2020-01-31T12:00:00Z", "--json").json
    assert (gone["terms"], gone["why"]) == (None, "service expired")
    assert house("service", "expires", login, "--json").json["terms"] == "100000000/50000000"


def test_a_service_is_bound_and_let_loose(house, subscriber):
    login = subscriber["login"]
    bound = house("service", "bind", login, "station", "02:00:00:00:00:01", "--json").json
    assert bound["station"] == "02:00:00:00:00:01 (fixed)"
    bound = house("service", "bind", login, "line", "--json").json
    assert bound["line"] == "the first that comes (learned)"
    # what was said beforehand stays
    assert house("service", "reset-binding", login, "--json").json["station"] == bound["station"]
    assert house("service", "bind", login, "station", "--off", "--json").json["station"] is None


def test_more_is_bought_of_a_quota(house, subscriber):
    assert "no number" in house("service", "top-up", subscriber["login"], "much", code=1).err
    assert house("service", "top-up", subscriber["login"], "50G", "--json").json["quota"] is None


def test_a_product_has_a_profile(house):
    house("profile", "set", "gold", "session_timeout=3600", "--tenant", "fibra")
    made = house(
        *("product", "add", "gold-1g", "1G", "1G", "--name", "Gold", "--area", "centro"),
        *("--profile", "gold", "--json"),
    ).json
    assert made["profile"] == "gold"
    refused = house(
        *("product", "add", "x", "1G", "1G", "--name", "X", "--profile", "none"), code=1
    )
    assert "there is no profile none" in refused.err
