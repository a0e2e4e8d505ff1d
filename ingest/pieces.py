"""How long a text is to the encoder, without asking its tokenizer."""

from __future__ import annotations

import re


def pieces(text: str) -> int:
    """About how many word pieces a BERT tokenizer makes of `text`, rather too many than too few."""
    count = 0
    for word in re.findall(r"[^\W_]+|[^\w\s]|_", text):
        # Names, figures and foreign scripts fall to more pieces than plain words.
        plain = word.isascii() and not word.isdigit()
        per = 7 if plain and word.islower() else 5 if plain and word.istitle() else 3 if plain else 2
        count += -(-len(word) // per) if len(word) > 1 else 1
    return count
