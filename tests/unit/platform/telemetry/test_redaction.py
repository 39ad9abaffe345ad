import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import quote
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demarc.platform.secrets import new_token
from demarc.platform.telemetry.redaction import is_secret_name, redact, redact_items, redact_text

MARK = "S3cr3tM4rk"

# A secret is a mark that nothing else contains, with anything around it.
secrets = st.text(max_size=12).map(lambda tail: MARK + tail)
words = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="&\"'\\"), max_size=12
).map(lambda tail: MARK + tail)
base64s = st.text("abcXYZ019+/=_-.~", max_size=20).map(lambda tail: MARK + tail)
base62s = st.text("abcXYZ019", max_size=20).map(lambda tail: MARK + tail)

NAMES = [
    *("password", "wifi_password", "Password", "userPassword", "USER-PASSWORD", "password_hash"),
    *("secret", "client_secret", "clientSecret", "sharedSecret", "token", "access_token"),
    *("Authorization", "Proxy-Authorization", "cookie", "Set-Cookie", "community", "snmpCommunity"),
    *("api_key", "x-api-key", "apiKey", "private_key", "psk", "wifi.psk", "senha", "pwd", "passwd"),
    *("passphrase", "WPA2 Passphrase", "credentials", "pin"),
]
names = st.sampled_from(NAMES)


@dataclasses.dataclass
class Login:
    name: str
    password: object


class Radius(msgspec.Struct):
    name: str
    secret: object


HOLDERS = [
    lambda name, secret: {name: secret},
    lambda name, secret: {name.encode(): secret},
    lambda name, secret: {"headers": [(name, secret)]},
    lambda name, secret: {"headers": [[name.lower().encode(), secret.encode("utf-8", "replace")]]},
    lambda name, secret: {name: {"value": [secret]}},
    lambda _name, secret: Login("ana", secret),
    lambda _name, secret: Radius("nas", [secret]),
]
holders = st.builds(
    lambda hold, name, secret: hold(name, secret), st.sampled_from(HOLDERS), names, secrets
)

# A text that gives a secret away by its form.
TEXTS = [
    base64s.map("Bearer {}".format),
    base64s.map("authorization: bearer {}".format),
    base64s.map("Basic {}".format),
    base64s.map("basic%20{}".format),
    base64s.map("Authorization: Basic {} and more".format),
    words.map("Authorization: Custom one {}".format),
    words.map("Cookie: a=b; session={}".format),
    base62s.map("dmk_{}".format),
    words.map(lambda secret: f"postgresql://demarc:{quote(secret, safe='')}@db.example.net/demarc"),
    words.map(lambda secret: f"https://{quote(secret, safe='')}@example.net"),
    base64s.map("http://ana:a@b{}@example.net/x".format),
    words.map("host=db password={} dbname=demarc".format),
    secrets.map("host=db password={!r} dbname=demarc".format),
    secrets.map("Radius(name='nas', secret={!r})".format),
    secrets.map(lambda secret: f"Radius(secret={secret.encode('utf-8', 'replace')!r})"),
    secrets.map(lambda secret: json.dumps({"wifi_password": secret, "channel": 6})),
    secrets.map(lambda secret: repr({"X-Api-Key": secret, "channel": 6})),
    base62s.map(lambda secret: json.dumps(json.dumps({"senha": secret}))),
    words.map(lambda secret: f"GET /login?access_token={quote(secret, safe='')}&page=2 HTTP/1.1"),
    words.map("community: {}".format),
    base62s.map("ALTER ROLE demarc PASSWORD '{}'".format),
    base62s.map("DETAIL:  Key (secret)=({}) already exists.".format),
    base62s.map("DETAIL:  Failing row contains (7, null, {}, 2025-01-01).".format),
    base62s.map("CONTEXT:  unnamed portal parameter $2 = 'it''s {}'".format),
    base64s.map("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${}".format),
    base64s.map("-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----".format),
]
harmless = st.text(st.characters(exclude_characters="\"'\\", codec="utf-8"), max_size=20)
telling = st.builds("{} {}\n{}".format, harmless, st.one_of(TEXTS), harmless)

others = st.text().filter(lambda text: MARK not in text)
leaves = st.one_of(holders, telling, telling.map(ValueError), st.none(), st.integers(), others)
events = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=6), st.integers()), inner, max_size=4),
        st.builds(Login, st.text(max_size=4), inner),
        st.builds(Radius, st.text(max_size=4), inner),
    ),
    max_leaves=12,
)


@settings(max_examples=500)
@given(event=events)
def test_a_secret_anywhere_in_an_event_never_comes_out(event):
    assert MARK not in json.dumps(redact(event))


@pytest.mark.parametrize("form", TEXTS, ids=range(len(TEXTS)))
@given(data=st.data(), before=harmless, after=harmless)
def test_a_secret_in_a_text_never_comes_out(form, data, before, after):
    assert MARK not in redact_text(f"{before} {data.draw(form)}\n{after}")


@given(telling=telling)
def test_a_secret_in_the_name_of_a_value_never_comes_out(telling):
    assert MARK not in json.dumps(redact_items({telling: 1}))


@given(event=events)
def test_what_comes_out_is_json(event):
    assert json.loads(json.dumps(redact(event), allow_nan=False)) == redact(event)


@given(text=st.text())
def test_redacting_twice_changes_nothing_more(text):
    once = redact_text(text)
    assert redact_text(once) == once


@pytest.mark.parametrize("name", NAMES)
def test_names_of_secrets(name):
    assert is_secret_name(name)
    assert is_secret_name(f"old_{name}")
    assert is_secret_name(name.upper())


@pytest.mark.parametrize(
    "name",
    [
        *("token_id", "tokenId", "secret_count", "password_changed", "token_hint", "password_at"),
        *(
            "username",
            "session_id",
            "ping",
            "passed",
            "bypass_count",
            "spin",
            "author",
            "auth_port",
        ),
        *("event", "key", "", "nas", "description", "topskill", "compass"),
    ],
)
def test_names_that_are_not(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "connection to postgresql://demarc:hunter2@db.example.net:5432/demarc?x=1 failed",
            "connection to postgresql://***@db.example.net:5432/demarc?x=1 failed",
        ),
        ("see https://example.net/a@b", "see https://example.net/a@b"),
        ("see http://example.net:8080/a@b", "see http://example.net:8080/a@b"),
        ("mail ana@example.net", "mail ana@example.net"),
        ("GET /x?token=abc&page=2 HTTP/1.1", "GET /x?token=***&page=2 HTTP/1.1"),
        ("host=db password=hunter2 dbname=demarc", "host=db password=*** dbname=demarc"),
        ('{"password": "a\\"b", "port": 1}', '{"password": ***, "port": 1}'),
        ("Nas(name='a', secret=b'x\\'y', port=1)", "Nas(name='a', secret=***, port=1)"),
        ("used dmk_0123456789abc, then left", "used dmk_***, then left"),
        ("Basic YW5hOnB3, again", "Basic ***, again"),
        (
            'password authentication failed for user "ana"',
            'password authentication failed for user "ana"',
        ),
        ("the token has expired", "the token has expired"),
    ],
)
def test_what_is_left_can_be_understood(text, shown):
    assert redact_text(text) == shown


def test_our_own_tokens_are_recognised():
    token = new_token()
    assert redact_text(f"x{token}y") == "xdmk_***"


class Colour(StrEnum):
    RED = "red"


def test_what_is_no_secret_is_shown_as_it_is():
    at = datetime(2025, 1, 1, tzinfo=UTC)
    assert redact(
        {
            "id": UUID(int=7),
            "at": at,
            "address": ip_address("192.0.2.1"),
            "amount": Decimal("1.50"),
            "colour": Colour.RED,
            "packet": b"\x01\x02",
            "list": (1, 2.5, True, None),
            "login": Login("ana", "pw"),
            5: "five",
        }
    ) == {
        "id": "00000000-0000-0000-0000-000000000007",
        "at": "2025-01-01 00:00:00+00:00",
        "address": "192.0.2.1",
        "amount": "1.50",
        "colour": "red",
        "packet": "<2 octets>",
        "list": [1, 2.5, True, None],
        "login": {"name": "ana", "password": "***"},
        "5": "five",
    }


def test_whether_there_is_a_secret_may_be_told():
    assert redact({"wifi_password": None, "token": True, "secret": ""}) == {
        "wifi_password": None,
        "token": True,
        "secret": "***",
    }


class Broken:
    def __repr__(self):
        raise RuntimeError("no")


def test_what_cannot_be_shown_is_said_so():
    assert redact([Broken()]) == ["<Broken that cannot be shown>"]


def test_numbers_json_does_not_have_are_texts():
    assert redact([float("nan"), float("-inf"), 2**64]) == ["nan", "-inf", str(2**64)]


def test_a_terminal_is_told_nothing_and_odd_characters_can_be_written():
    shown = redact_text("ana\x1b[31m\x00\r\x9b\udcff\ttab\nline")
    assert shown == "ana\\x1b[31m\\x00\\x0d\\x9b\\udcff\ttab\nline"


def test_what_contains_itself_ends():
    loop = []
    loop.extend([loop] * 3)
    ring = {}
    ring["ring"] = [ring, ring]
    assert len(json.dumps(redact([loop, ring]))) < 100_000


def test_what_is_endless_is_cut():
    shown = redact_items({"many": list(range(100_000)), "after": 1})
    assert len(shown["many"]) == 1001
    assert shown["many"][-1] == "… more"
    assert shown["after"] == 1
    assert len(redact({str(number): number for number in range(100_000)})) == 1001
    assert len(redact_text("x" * 1_000_000)) < 33_000


@pytest.mark.parametrize(
    "text",
    [
        "password" * 20_000,
        "password-" * 20_000,
        "password=\\" * 20_000,
        "password" + "\\" * 200_000,
        "password" + " " * 200_000,
        "basic " * 30_000,
        "basic" + " " * 200_000,
        "a://" * 50_000,
        "://" + "@" * 200_000 + "/",
        "://" + "a" * 200_000,
        "a://b:c" * 30_000,
        "://" + ":" * 200_000,
        "authorization" * 15_000,
        "-----BEGIN " * 15_000,
        "-----BEGIN " + "A" * 200_000,
        "$argon2" * 20_000,
        "digest " * 30_000,
        "digest" + " " * 200_000,
        "parameter $1 = '" + "'" * 200_000,
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.timeout(20)
def test_no_text_takes_long(text):
    # quadratic behaviour would take minutes
    assert redact_text(text)
