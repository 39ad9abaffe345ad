import traceback
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.console import Console
from rich.pretty import Pretty

from demarc.platform.settings import (
    SettingError,
    Settings,
    describe,
    flag_of,
    variable_of,
)

NAMES = [setting.name for setting in describe()]


def test_without_anything_said_it_runs_on_this_machine_alone():
    settings = Settings.load({})
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8080)
    assert settings.radius_host == "127.0.0.1"
    assert (settings.radius_auth_port, settings.radius_acct_port) == (1812, 1813)
    assert settings.data == Path("data")
    assert settings.key_file == Path("data/keys.toml")
    assert settings.database_url is None
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.credential_cache_max_age == 30
    assert settings.reach == ("default",)
    assert settings.subscribers == 50
    assert settings.node


def test_a_flag_beats_a_variable_beats_the_default():
    environ = {"DEMARC_HTTP_PORT": "8081", "DEMARC_RADIUS_AUTH_PORT": "11812"}
    settings = Settings.load(environ, http_port=8082, radius_acct_port=None)
    assert settings.http_port == 8082
    assert settings.radius_auth_port == 11812
    assert settings.radius_acct_port == 1813


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("DEMARC_HTTP_HOST", "::1", "::1"),
        ("DEMARC_HTTP_HOST", "[2001:DB8::1]", "2001:db8::1"),
        ("DEMARC_HTTP_HOST", "api.isp.example.net", "api.isp.example.net"),
        ("DEMARC_HTTP_PORT", " 0 ", 0),
        ("DEMARC_DATA", "/srv/demarc", Path("/srv/demarc")),
        ("DEMARC_KEY_FILE", "/etc/demarc/keys.toml", Path("/etc/demarc/keys.toml")),
        ("DEMARC_PG_BIN", "/usr/lib/postgresql/15/bin", Path("/usr/lib/postgresql/15/bin")),
        ("DEMARC_PUBLIC_URL", "https://isp.example.net/demarc/", "https://isp.example.net/demarc"),
        ("DEMARC_LOG_FORMAT", "json", "json"),
        ("DEMARC_LOG_LEVEL", "warning", "warning"),
        ("DEMARC_REACH", "north, south,north", ("north", "south")),
        ("DEMARC_NODE", "bng-1.example.net", "bng-1.example.net"),
        ("DEMARC_DATABASE_URL", "host=db dbname=demarc", "host=db dbname=demarc"),
        ("DEMARC_OLT_POLL_INTERVAL", "60", 60),
        (
            "DEMARC_TRUSTED_PROXIES",
            "192.0.2.0/24, 2001:db8::1",
            ("192.0.2.0/24", "2001:db8::1/128"),
        ),
        ("DEMARC_ROLES", "worker,radius , web", ("web", "radius", "worker")),
        ("DEMARC_METRICS_PORT", "0", 0),
    ],
)
def test_what_can_be_said(variable, text, value):
    name = variable.removeprefix("DEMARC_").lower()
    assert getattr(Settings.load({variable: text}), name) == value
    assert getattr(Settings.load({}, **{name: text}), name) == value
    assert getattr(Settings.load({}, **{name: value}), name) == value


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("DEMARC_HTTP_PORT", "http", "a port from 0 to 65535"),
        ("DEMARC_HTTP_PORT", "65536", "a port from 0 to 65535"),
        ("DEMARC_HTTP_PORT", "-1", "a port from 0 to 65535"),
        ("DEMARC_HTTP_PORT", "8_080", "a port from 0 to 65535"),
        ("DEMARC_HTTP_PORT", "٨٠", "a port from 0 to 65535"),
        ("DEMARC_HTTP_HOST", "256.1.1.1", "an IP address or host name"),
        ("DEMARC_HTTP_HOST", "a b", "an IP address or host name"),
        ("DEMARC_HTTP_HOST", "http://x", "an IP address or host name"),
        ("DEMARC_SUBSCRIBERS", "0", "a whole number from 1 to 100000"),
        ("DEMARC_CREDENTIAL_CACHE_MAX_AGE", "1.5", "a whole number from 1 to 3600"),
        ("DEMARC_LOG_FORMAT", "JSON", "one of json, console, auto"),
        ("DEMARC_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("DEMARC_PUBLIC_URL", "isp.example.net", "a URL like https://isp.example.net"),
        ("DEMARC_PUBLIC_URL", "https://u:p@isp.example.net", "without user or query"),
        ("DEMARC_PUBLIC_URL", "https://isp.example.net?x=1", "without user or query"),
        ("DEMARC_PUBLIC_URL", "https://isp.example.net:http", "a URL like"),
        ("DEMARC_REACH", "north,,south", "names of letters"),
        ("DEMARC_NODE", "a/b", "a name of letters"),
        ("DEMARC_TRUSTED_PROXIES", "192.0.2.1/24", "addresses or prefixes"),
        ("DEMARC_ROLES", "radius,wrker", "one or more of web, acs, radius, worker"),
        ("DEMARC_ROLES", ",", "one or more of web, acs, radius, worker"),
        ("DEMARC_DATA", "~nobody-of-that-name/data", "a path"),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_expected(variable, text, expected):
    with pytest.raises(SettingError) as refused:
        Settings.load({variable: text})
    assert str(refused.value).startswith(f"{variable}: {text!r} is not ")
    assert expected in str(refused.value)
    assert refused.value.name == variable
    name = variable.removeprefix("DEMARC_").lower()
    with pytest.raises(SettingError, match=f"^{flag_of(name)}: "):
        Settings.load({}, **{name: text})


@pytest.mark.parametrize("unset", ["", "  "])
def test_an_empty_variable_is_one_not_set(unset):
    assert Settings.load({variable_of(name): unset for name in NAMES}) == Settings.load({})


def test_a_misspelt_variable_is_named_with_what_was_meant():
    with pytest.raises(SettingError) as refused:
        Settings.load({"DEMARC_HTTP_PROT": "8081"})
    assert str(refused.value) == "DEMARC_HTTP_PROT is not a setting; did you mean DEMARC_HTTP_PORT?"


def test_a_misspelt_flag_is_named_with_what_was_meant():
    with pytest.raises(SettingError) as refused:
        Settings.load({}, http_prot=8081)
    assert str(refused.value) == "--http-prot is not a setting; did you mean --http-port?"


def test_nothing_is_suggested_where_nothing_is_near():
    with pytest.raises(SettingError) as refused:
        Settings.load({"DEMARC_COLOUR_OF_THE_SKY": "blue"})
    assert str(refused.value) == "DEMARC_COLOUR_OF_THE_SKY is not a setting"


@given(rest=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20))
def test_every_unknown_variable_of_ours_is_an_error_that_names_it(rest):
    variable = f"DEMARC_{rest}"
    assume(variable not in map(variable_of, NAMES) and not rest.startswith("TEST_"))
    with pytest.raises(SettingError) as refused:
        Settings.load({variable: "1", "PATH": "/bin"})
    assert refused.value.name == variable
    assert str(refused.value).startswith(f"{variable} is not a setting")


@given(name=st.text(max_size=20), value=st.text(max_size=20))
def test_variables_of_others_are_none_of_our_business(name, value):
    assume(not name.startswith("DEMARC_"))
    environ = {name: value, f"DEMARC_TEST_{name}": value, "DEMARCATION": value}
    assert Settings.load(environ) == Settings.load({})


@given(
    ports=st.lists(st.integers(0, 65535), min_size=3, max_size=3, unique=True),
    reach=st.lists(st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True), min_size=1, unique=True),
    data=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20),
)
def test_a_child_process_gets_the_same_settings(ports, reach, data):
    assume(data.strip() and not data.strip().startswith("~"))
    settings = Settings.load(
        {"DEMARC_DATABASE_URL": "postgresql://u:p@db/x"},
        http_port=ports[0],
        radius_auth_port=ports[1],
        radius_acct_port=ports[2],
        reach=reach,
        data=data,
    )
    assert Settings.from_json(settings.to_json()) == settings


def test_a_port_for_both_kinds_of_radius_is_refused():
    with pytest.raises(SettingError, match="a port each"):
        Settings.load({}, radius_auth_port=1812, radius_acct_port=1812)
    free = Settings.load({}, radius_auth_port=0, radius_acct_port=0)
    assert free.radius_acct_port == 0


def test_https_takes_both_files_and_a_port_of_its_own():
    with pytest.raises(SettingError, match="DEMARC_TLS_KEY: HTTPS takes both") as refused:
        Settings.load({}, tls_cert="a.crt")
    assert refused.value.name == "DEMARC_TLS_KEY"
    both = {"tls_cert": "a.crt", "tls_key": "a.key"}
    with pytest.raises(SettingError, match="leave out DEMARC_HTTPS_PORT"):
        Settings.load({}, **both, http_port=8080, https_port=8080)
    # one port speaks HTTPS; of two, links go by the request
    assert Settings.load({}, **both).public_url == "https://127.0.0.1:8080"
    assert Settings.load({}, **both, https_port=8443).public_url == "http://127.0.0.1:8080"


def test_some_roles_need_a_database_that_others_can_reach():
    with pytest.raises(SettingError, match="needs DEMARC_DATABASE_URL") as refused:
        Settings.load({"DEMARC_ROLES": "radius"})
    assert refused.value.name == "DEMARC_ROLES"
    shared = Settings.load({"DEMARC_ROLES": "radius", "DEMARC_DATABASE_URL": "host=db"})
    assert shared.roles == ("radius",)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104 - replaced
        ("::", "http://[::1]:8080"),
        ("2001:db8::1", "http://[2001:db8::1]:8080"),
        ("api.example.net", "http://api.example.net:8080"),
    ],
)
def test_where_clients_reach_the_apis_follows_from_the_host(host, url):
    assert Settings.load({}, http_host=host).public_url == url


def test_what_follows_from_others_is_worked_out_again():
    settings = Settings.load({}, http_port=0, data="elsewhere")
    assert settings.key_file == Path("elsewhere/keys.toml")
    known = msgspec.structs.replace(settings, http_port=40123, public_url="")
    assert known.public_url == "http://127.0.0.1:40123"


@pytest.mark.parametrize(
    "conninfo",
    [
        "postgresql://demarc:hunter2@db.example.net/demarc",
        "host=db.example.net user=demarc password=hunter2",
        "host=db.example.net user=demarc password='hunter2 \\' and more'",
        "postgresql://db.example.net/demarc?user=demarc&password=hunter2",
        "postgresql://demarc:hunter2@db.example.net/demarc?sslpassword=hunter2",
    ],
)
def test_the_password_of_the_database_is_never_shown(conninfo):
    settings = Settings.load({"DEMARC_DATABASE_URL": conninfo})
    assert settings.database_url == conninfo
    out = StringIO()
    Console(file=out, width=4000).print(Pretty(settings))
    for shown in (repr(settings), str(settings), f"{[settings]}", out.getvalue()):
        assert "hunter2" not in shown
        assert "db.example.net" in shown


@pytest.mark.parametrize("text", ["postgresql://u:hunter2@[db/x", "hunter2", "password 'hunter2"])
def test_a_database_that_is_none_is_refused_without_showing_it(text):
    with pytest.raises(
        SettingError, match=r"^DEMARC_DATABASE_URL: its value is not a URL"
    ) as refused:
        Settings.load({"DEMARC_DATABASE_URL": text})
    shown = "".join(traceback.format_exception(refused.value))
    assert "hunter2" not in shown


def test_the_help_says_of_each_setting_what_it_means_and_expects():
    described = {setting.name: setting for setting in describe()}
    assert set(described) == set(Settings.__struct_fields__)
    for setting in described.values():
        assert setting.variable == f"DEMARC_{setting.name.upper()}"
        assert setting.meaning.endswith(".")
        assert setting.expected
    assert described["http_port"].default == "8080"
    assert described["key_file"].default == "<data>/keys.toml"
    assert described["reach"].default == "default"


def test_the_page_on_operations_names_each_setting():
    page = (Path(__file__).parents[3] / "docs/operations.md").read_text(encoding="utf-8")
    table = page.partition("## Settings")[2].partition("\n## ")[0]
    assert not [each.variable for each in describe() if f"`{each.variable}`" not in table]


GIVEN = [setting for setting in describe() if not set(setting.default) & set("<' ")]


@pytest.mark.parametrize("setting", GIVEN, ids=lambda setting: setting.name)
def test_the_default_that_is_shown_is_one_that_can_be_given(setting):
    assert Settings.load({setting.variable: setting.default}) == Settings.load({})


def test_radius_over_tls_is_on_where_its_three_files_are_given():
    assert Settings.load({}).radsec_port is None
    files = {"radsec_cert": "c", "radsec_key": "k", "radsec_ca": "a"}
    assert Settings.load({}, **files).radsec_port == 2083
    assert Settings.load({}, **files, radsec_port=0).radsec_port == 0
    for missing in files:
        given = {name: path for name, path in files.items() if name != missing}
        with pytest.raises(SettingError, match=f"DEMARC_{missing.upper()} is missing"):
            Settings.load({}, **given)
    with pytest.raises(SettingError, match="DEMARC_RADSEC_CERT is missing"):
        Settings.load({}, radsec_port=2083)


@pytest.mark.parametrize(("given", "lacking"), [("eap_cert", "EAP_KEY"), ("eap_key", "EAP_CERT")])
def test_a_certificate_for_eap_needs_its_key(given, lacking):
    with pytest.raises(SettingError, match=f"DEMARC_{lacking}"):
        Settings.load({}, **{given: "file"})
