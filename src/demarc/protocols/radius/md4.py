"""MD4 (RFC 1320), which the NT hash of a password is made with.

It is broken as a digest and good for nothing else; libraries have dropped it.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

_WORD: Final = 0xFFFFFFFF
_BLOCK: Final = Struct("<16I")
_STATE: Final = Struct("<4I")
_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
# the order of a block's words, and the rotations, of each of the three rounds (RFC 1320, 3.4)
_FIRST: Final = tuple((at, (3, 7, 11, 19)[at % 4]) for at in range(16))
_SECOND: Final = tuple((at % 4 * 4 + at // 4, (3, 5, 9, 13)[at % 4]) for at in range(16))
_THIRD: Final = tuple(
    (word, (3, 9, 11, 15)[at % 4])
    for at, word in enumerate((0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15))
)


def md4(octets: bytes) -> bytes:
    """MD4 of the octets, 16 octets."""
    padding = b"\x80" + bytes((55 - len(octets)) % 64) + (len(octets) * 8).to_bytes(8, "little")
    padded = octets + padding
    state = _START
    for start in range(0, len(padded), 64):
        state = _digest(state, _BLOCK.unpack_from(padded, start))
    return _STATE.pack(*state)


def _digest(state: tuple[int, int, int, int], words: tuple[int, ...]) -> tuple[int, int, int, int]:
    a, b, c, d = state
    for word, turn in _FIRST:
        mixed = (a + (b & c | ~b & d) + words[word]) & _WORD
        a, b, c, d = d, (mixed << turn | mixed >> 32 - turn) & _WORD, b, c
    for word, turn in _SECOND:
        mixed = (a + (b & c | b & d | c & d) + words[word] + 0x5A827999) & _WORD
        a, b, c, d = d, (mixed << turn | mixed >> 32 - turn) & _WORD, b, c
    for word, turn in _THIRD:
        mixed = (a + (b ^ c ^ d) + words[word] + 0x6ED9EBA1) & _WORD
        a, b, c, d = d, (mixed << turn | mixed >> 32 - turn) & _WORD, b, c
    return (
        (state[0] + a) & _WORD,
        (state[1] + b) & _WORD,
        (state[2] + c) & _WORD,
        (state[3] + d) & _WORD,
    )
