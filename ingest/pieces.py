"""How long a text is to the encoder, without asking its tokenizer."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
_FEWEST = 2  # letters of a word that make a piece


@lru_cache(4096)  # asked again and again while the parts of a passage are put together
def pieces(text: str) -> int:
    """About how many word pieces a BERT tokenizer makes of `text`, rather too many than too few."""
    return sum(map(_of_word, _WORD.findall(text)))


def fitting(text: str, room: int) -> int:
    """How many characters at the beginning of `text` make at most `room` pieces, in whole words.

    Of a first word that is too long by itself a part; 0 only for an empty text. No further is looked.
    """
    count = 0
    for found in _WORD.finditer(text):
        count += _of_word(found[0])
        if count > room:
            return found.start() or min(len(found[0]), max(1, room * _FEWEST))
    return len(text)


def _of_word(word: str) -> int:
    # Names, figures and foreign scripts fall to more pieces than plain words.
    plain = word.isascii() and not word.isdigit()
    per = 7 if plain and word.islower() else 5 if plain and word.istitle() else 3 if plain else _FEWEST
    return -(-len(word) // per) if len(word) > 1 else 1
