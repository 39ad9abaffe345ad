"""Digest authentication against the vectors of its RFCs, and against damage."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.http_digest import (
    MD5,
    SHA256,
    Answer,
    Challenge,
    Malformed,
    Nonces,
    answer_header,
    answer_to,
    challenge_header,
    proves,
    read_answer,
    read_challenge,
    secret_of,
)

RFC_7616 = Challenge(
    realm="http-auth@example.org",
    nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        (MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (SHA256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, response: str) -> None:
    challenge = Challenge(RFC_7616.realm, RFC_7616.nonce, RFC_7616.opaque, algorithm)

    answer = answer_to(
        challenge,
        method="GET",
        uri="/dir/index.html",
        username="Mufasa",
        password="Circle of Life",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )

    assert answer.response == response
    secret = secret_of("Mufasa", RFC_7616.realm, "Circle of Life", algorithm)
    assert proves(answer, method="GET", secret=secret)
    assert not proves(answer, method="POST", secret=secret)


def test_the_old_way_without_a_count() -> None:
    header = (
        'Digest username="cpe", realm="acs", nonce="abc", uri="/cwmp",'
        ' response="1b6b0b1f6b2ba6bb44ba4a09e84b7f8b"'
    )
    answer = read_answer(header)
    assert answer.qop is None
    secret = secret_of("cpe", "acs", "secret")
    made = answer_to(
        Challenge("acs", "abc", qop=False),
        method="POST",
        uri="/cwmp",
        username="cpe",
        password="secret",
        cnonce="",
    )
    assert proves(made, method="POST", secret=secret)
    assert "nc=" not in answer_header(made)


@pytest.mark.parametrize(
    "header",
    [
        'Digest realm="a b",nonce="n",qop="auth,auth-int",algorithm=MD5',
        'DIGEST  realm="a b" , nonce="n" ,qop=auth',
        'digest qop="auth-int, auth", nonce=n, realm="a b"',
    ],
)
def test_challenges_as_devices_write_them(header: str) -> None:
    assert read_challenge(header) == Challenge("a b", "n")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic abc",
        "Digest",
        "Digest nonce",
        'Digest realm="x"',
        'Digest nonce="n", algorithm=SHA-1',
        'Digest nonce="n", qop="auth-int"',
        'Digest nonce="n" realm="x"',
        "Digest nonce=" + "n" * 5000,
    ],
)
def test_what_is_no_challenge_is_refused(header: str) -> None:
    with pytest.raises(Malformed):
        read_challenge(header)


@pytest.mark.parametrize(
    "more",
    ["", ", qop=auth", ", qop=auth, nc=1, cnonce=c", ", qop=auth-int, nc=00000001, cnonce=c"],
)
def test_what_is_no_answer_is_refused(more: str) -> None:
    whole = 'Digest username="u", nonce="n", uri="/"' + (', response="r"' if more else "") + more
    with pytest.raises(Malformed):
        read_answer(whole)


_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(
    realm=_TEXT,
    username=_TEXT,
    password=st.text(max_size=20),
    qop=st.booleans(),
    algorithm=st.sampled_from(["MD5", "MD5-SESS", "SHA-256", "SHA-256-SESS"]),
    count=st.integers(1, 2**32 - 1),
)
def test_an_answer_proves_its_own_password_alone(
    *, realm: str, username: str, password: str, qop: bool, algorithm: str, count: int
) -> None:
    given_challenge = Challenge(realm, "nonce", "opaque", algorithm, qop=qop)
    challenge = read_challenge(challenge_header(given_challenge))
    assert challenge == given_challenge

    made = answer_to(
        challenge,
        method="POST",
        uri='/a?b="c"',
        username=username,
        password=password,
        cnonce="c",
        count=count,
    )
    answer = read_answer(answer_header(made))

    assert answer == made
    secret = secret_of(username, realm, password, algorithm)
    assert proves(answer, method="POST", secret=secret)
    other = secret_of(username, realm, password + "x", algorithm)
    assert not proves(answer, method="POST", secret=other)


@given(st.text(max_size=80))
def test_any_text_is_an_answer_or_refused(text: str) -> None:
    for header in (text, f"Digest {text}"):
        with contextlib.suppress(Malformed):
            assert isinstance(read_answer(header), Answer)
        with contextlib.suppress(Malformed):
            assert isinstance(read_challenge(header), Challenge)


def test_a_nonce_tells_its_age_to_those_who_know_the_key() -> None:
    nonces = Nonces(b"key")
    nonce = nonces.give(1_000_000.0, b"salt")

    assert nonces.age(nonce, 1_000_060.5) == 60.5
    assert Nonces(b"other").age(nonce, 1_000_060.0) is None
    assert nonces.age(nonce[:-2] + ("00" if nonce[-2:] != "00" else "01"), 1_000_060.0) is None
    assert nonces.age("no nonce", 0.0) is None
    assert nonces.age("", 0.0) is None
