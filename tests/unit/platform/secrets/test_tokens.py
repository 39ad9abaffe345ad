import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.platform.secrets import digest, generate_password, hint, is_token, new_token, tokens


def test_a_token_is_recognisable_and_fit_for_a_header_or_url():
    token = new_token()
    assert re.fullmatch(r"dmk_[0-9A-Za-z]{43}", token)
    assert is_token(token)


def test_tokens_differ():
    assert len({new_token() for _ in range(100)}) == 100


@given(octets=st.binary(min_size=32, max_size=32))
def test_a_token_holds_all_its_random_octets(octets):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens.secrets, "token_bytes", lambda _count: octets)
        token = new_token()
    number = 0
    for character in token.removeprefix("dmk_"):
        number = number * 62 + tokens._BASE62.index(character)
    assert number.to_bytes(32, "big") == octets


@given(text=st.text())
def test_other_texts_are_no_tokens(text):
    assert not is_token(text)
    assert not is_token("dmk_" + text) or re.fullmatch(r"[0-9A-Za-z]{43}", text)


def test_what_is_stored_is_the_sha256():
    token = new_token()
    assert digest(token) == hashlib.sha256(token.encode()).digest()


def test_a_hint_is_the_end_of_the_token():
    assert hint("dmk_abcdefgh") == "efgh"


@pytest.mark.parametrize("length", [8, 12, 63])
def test_a_password_can_be_read_out(length):
    password = generate_password(length)
    assert len(password) == length
    assert not set(password) & set("0O1lIio")
    assert password == password.lower()
    assert password.isalnum()


def test_passwords_differ_and_use_the_whole_alphabet():
    passwords = [generate_password() for _ in range(200)]
    assert len(set(passwords)) == 200
    assert set("".join(passwords)) == set(tokens.READABLE)


def test_a_password_too_short_for_wifi_is_not_made():
    with pytest.raises(ValueError, match="8 characters or more"):
        generate_password(7)
