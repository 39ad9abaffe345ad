MAC = "aa:bb:cc:00:11:22"


def test_credentials_are_added_listed_and_taken_away(house, subscriber):
    login = subscriber["login"]
    added = house("service", "credential", "add", login, "mac", "AABB.CC00.1122", "--json").json
    assert (added["kind"], added["name"], added["stored"]) == ("mac", MAC, None)
    named = house("service", "credential", "add", login, "dot1x", "ana", "--json").json
    assert len(named["password"]) >= 8
    listed = house("service", "credential", "list", login, "--json").json
    assert [one["kind"] for one in listed] == ["pppoe", "mac", "dot1x"]
    assert all("password" not in one for one in listed)
    removed = house("service", "credential", "remove", login, "AA-BB-CC-00-11-22", "--json").json
    assert (removed["id"], removed["access"]) == (added["id"], "closed")
    again = house("service", "credential", "add", login, "mac", MAC, "--json").json
    assert (again["id"], again["access"]) == (added["id"], "allowed")


def test_a_password_comes_from_the_environment(house, subscriber, monkeypatch):
    monkeypatch.setenv("HOTSPOT", "of the hotspot")
    options = ("--password-env", "HOTSPOT", "--json")
    added = house("service", "credential", "add", subscriber["login"], "mac", MAC, *options).json
    assert "password" not in added
    listed = house(
        "service", "credential", "list", subscriber["login"], "--password", "--json"
    ).json
    assert listed[1]["password"] == "of the hotspot"


def test_what_cannot_be_is_refused(house, subscriber):
    login = subscriber["login"]
    refused = house("service", "credential", "add", login, "mac", "aa:bb", code=1)
    assert "aa:bb is not a MAC address" in refused.err
    refused = house("service", "credential", "remove", login, MAC, code=1)
    assert "there is no credential" in refused.err
    refused = house("service", "credential", "remove", login, login.split("@")[0], code=1)
    assert "keeps one credential" in refused.err
