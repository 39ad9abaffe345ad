import psycopg

from demarc.platform.migrations.runner import migrations


def test_an_empty_database_is_migrated_once(bare, postgres, monkeypatch):
    with postgres.database("template1") as conninfo:
        monkeypatch.setenv("DEMARC_DATABASE_URL", conninfo)
        missing = bare("migrate", "--check", "--json")
        assert missing.code == 1
        assert len(missing.json["pending"]) == len(migrations())
        with psycopg.connect(conninfo) as conn:
            assert conn.execute("SELECT to_regclass('tenant')").fetchone() == (None,)
        assert bare("migrate", "--json").json["applied"] == missing.json["pending"]
        assert bare("migrate", "--json").json["applied"] == []
        assert bare("migrate", "--check").code == 0


def test_a_port_that_is_taken_is_one_line(bare):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = bare(
            *("serve", "--http-port", str(port), "--radius-auth-port", "0"),
            *("--radius-acct-port", "0"),
        )
    assert refused.code == 1
    assert str(port) in refused.err
    assert "Traceback" not in refused.err
