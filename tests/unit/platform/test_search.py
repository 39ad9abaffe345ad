"""What is searched for is found, whatever its accents, case and punctuation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.platform.search import fold, sought, trigrams

WORDS = st.text(st.characters(codec="utf-8"), max_size=60)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  São   João ", "sao joao"),
        ("Straße 12-A", "strasse 12 a"),
        ("O'Brien", "o brien"),
        ("№ 5", "no 5"),
        ("Łódź", "łodz"),
        ("Ελλάδα", "ελλαδα"),
        ("", ""),
        ("...", ""),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "sought_for", "found"),
    [
        ("12 Long Street, Cape Town", "long st", True),
        ("12 Long Street, Cape Town", "ong reet", True),
        ("12 Long Street, Cape Town", "street 12", True),
        ("12 Long Street, Cape Town", "1", True),
        ("12 Long Street, Cape Town", "2", False),  # short words are found at a word's beginning
        ("12 Long Street, Cape Town", "longer", False),
        ("José da Silva", "jose SILVA", True),
        ("529.982.247-25", "52998224725", True),
        ("52998224725", "529.982.247-25", True),
        ("529.982.247-25", "982", True),
        ("+27 82 555 0101", "0825550101", False),
        ("+27 82 555 0101", "27825550101", True),
        ("+27 82 555 0101", "555 0101", True),
        ("joe.hobbit@example.net", "hobbit@example", True),
    ],
)
def test_what_is_found(text, sought_for, found):
    assert (set(sought(sought_for)) <= set(trigrams(text))) is found


@given(WORDS)
def test_folding_again_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(WORDS)
def test_a_text_is_found_by_itself(text):
    assert set(sought(text)) <= set(trigrams(text))


@given(st.lists(WORDS, max_size=4), st.data())
def test_a_row_is_found_by_any_of_its_texts_words(texts, data):
    words = [word for text in texts for word in fold(text).split()]
    if words:
        chosen = data.draw(st.sampled_from(words))
        assert set(sought(chosen)) <= set(trigrams(*texts))


@given(WORDS)
def test_trigrams_are_sorted_and_each_once(text):
    found = trigrams(text, text, None)
    assert found == sorted(set(found))
    assert all(len(gram) == 3 for gram in found)


def test_very_long_input_is_cut():
    assert len(sought("abc" * 10_000)) <= 512
    assert len(trigrams("".join(chr(0x4E00 + at) for at in range(5000)))) <= 1024
