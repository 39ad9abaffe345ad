"""Keys rotated, retired and kept apart by commands."""

import time


def test_keys_are_rotated_and_the_old_one_goes(house, tmp_path, monkeypatch):
    [first] = house("keys", "list", "--json").json
    assert first["current"]
    assert first["columns"] == {"nas.secret": 1}
    done = house("keys", "rotate", "--json").json
    assert done["reencrypted"] == {"nas.secret": 1}
    old, new = house("keys", "list", "--json").json
    assert (old["current"], old["values"]) == (False, 0)
    assert (new["current"], new["values"]) == (True, 1)
    soon = house("keys", "retire", old["id"], code=1)
    assert "try again in" in soon.err
    monkeypatch.setattr(time, "time", lambda: 4e9)
    house("keys", "retire", old["id"])
    assert [one["id"] for one in house("keys", "list", "--json").json] == [new["id"]]
    assert "still needed" in house("keys", "retire", new["id"], code=1).err
    assert house("nas", "list").out.count("bng-1") == 1


def test_a_key_is_added_first_and_used_later(house):
    added = house("keys", "add", "--json").json
    assert [one["current"] for one in house("keys", "list", "--json").json] == [True, False]
    house("keys", "use", added["id"])
    assert house("keys", "rotate", "--resume", "--json").json["current"] == added["id"]
    written = house("audit", "search", "--kind", "key", "--json").json["entries"]
    assert [one["action"] for one in written] == ["reencrypt", "use_key", "add_key"]


def test_an_export_makes_the_same_keys_elsewhere(house, tmp_path, monkeypatch):
    monkeypatch.setattr("demarc.platform.secrets.exported._MEMORY_KIB", 1024)
    file = str(tmp_path / "safe.json")
    assert "at least 12" in house("keys", "export", file, typed="short\n", code=1).err
    house("keys", "export", file, typed="a long passphrase\n")
    there = str(tmp_path / "other/keys.toml")
    house("keys", "import", file, "--key-file", there, typed="a long passphrase\n")
    assert house("keys", "list", "--key-file", there, "--json").json == (
        house("keys", "list", "--json").json
    )
