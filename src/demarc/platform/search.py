"""Text as it is searched: folded, and cut into trigrams.

What is to be found keeps the trigrams of its words in a ``text[]`` under a GIN index; a search
asks for the rows whose array contains those of the words sought (``search @> ...``). Accents,
case and punctuation do not matter, and a part of a word finds the word.
"""

import re
import unicodedata

_NOT_DIGIT = re.compile(r"[^0-9]+")
_NUMBER = re.compile(r"[\d\s().,/+-]+")
_SHORTEST_NUMBER = 5
_GRAM = 3
_ASCII = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
# Longer input is cut: nobody types more, and a row's array stays within a page.
_LONGEST = 512


def fold(text: str) -> str:
    """Give the text as it is compared: words of letters and digits, lower case, no accents.

    Letters of other scripts have no Latin form here and count as themselves.
    """
    if text.isascii():
        # the same, a tenth of the time
        return " ".join(text.translate(_ASCII).split())
    # twice: what is decomposed may have a case, and what is folded an accent
    plain = text
    for _ in range(2):
        plain = unicodedata.normalize("NFKD", plain).casefold()
    kept = "".join(
        letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter)
    )
    return " ".join(kept.split())


def trigrams(*texts: str | None) -> list[str]:
    """Give what a row keeps so that these texts find it, sorted, each once.

    A number written with punctuation (``529.982.247-25``) is found with it and without.
    """
    found: set[str] = set()
    for text in texts:
        if not text:
            continue
        for word in _words(text):
            padded = f"  {word} "
            found.update(padded[at : at + _GRAM] for at in range(len(padded) - _GRAM + 1))
    return sorted(found)


def sought(text: str) -> list[str]:
    """Give the trigrams that a row must contain to be found by this text.

    Words of three letters and more are found anywhere within a word, shorter ones at its
    beginning. No words at all give an empty list, which every row contains.
    """
    found: set[str] = set()
    words = [joined] if (joined := _joined_number(text)) else fold(text[:_LONGEST]).split()
    for word in words:
        # padded on the left only when there is nothing else to go by
        cut = f"  {word}"[: _GRAM - 1 + len(word)] if len(word) < _GRAM else word
        found.update(cut[at : at + _GRAM] for at in range(len(cut) - _GRAM + 1))
    return sorted(found)


def _words(text: str) -> list[str]:
    text = text[:_LONGEST]
    words = fold(text).split()
    joined = _joined_number(text)
    return [*words, joined] if joined else words


def _joined_number(text: str) -> str | None:
    """Give a written number's digits, when the text is nothing but a longer number."""
    if not _NUMBER.fullmatch(text):
        return None
    digits = _NOT_DIGIT.sub("", text)
    return digits if len(digits) >= _SHORTEST_NUMBER else None
