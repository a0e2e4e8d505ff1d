"""Whether an answer to an item is right: the option chosen, or words compared as a teacher would.

Written answers may differ from the key in case, blanks, punctuation, a leading article, a plural s and
how a number is written; nothing else is forgiven, so no wrong answer is taken for a near one.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from rag.items.types import Item

LONGEST = 300  # characters of a written answer
WRITTEN = ("short-answer", "fill-in")
# A number, with its sign where none could be a hyphen; a word, as in C++ and C#; a sign that means something.
_TOKENS = re.compile(
    r"(?:(?<![\w)\]])[-+])?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\d)"
    r"|[^\W\d_]+(?:\+\+|\#)?|[%°$€£=<>*/^+]"
)
_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}
_SAME = {"percent": "%", "per cent": "%"}
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")


def right(item: Item, chosen: int | None, text: str = "") -> bool:
    """Whether the option at the 0-based place `chosen`, or what was written, answers the item."""
    if item.kind in WRITTEN:
        return any(same(text, option.text) for option in item.options)
    return chosen is not None and chosen == item.key


def same(given: str, wanted: str) -> bool:
    """Whether two answers say the same in the same words."""
    if not given.strip() or len(given) > LONGEST:
        return False
    one, other = tokens(given), tokens(wanted)
    if not one or not other:  # signs alone
        return "".join(given.split()) == "".join(wanted.split())
    return len(one) == len(other) and all(_match(a, b) for a, b in zip(one, other, strict=True))


def tokens(text: str) -> list[str]:
    """The words, numbers and signs of an answer, without its leading article."""
    text = unicodedata.normalize("NFKC", text).translate(_DASHES).casefold()
    for said, sign in _SAME.items():
        text = re.sub(rf"\b{said}\b", sign, text)
    text = re.sub(r"\\[,;:! ]|\$(?=[^\d\s])|(?<=\S)\$", " ", text)  # of formulas only the letters count
    found = [_NUMBERS.get(token, token) for token in _TOKENS.findall(text)]
    rest = [token for token in found if token != "the"]
    if len(rest) > 1 and rest[0] in ("a", "an"):
        rest = rest[1:]
    return rest or found


def _match(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = _number(one), _number(other)
    if first is not None or second is not None:
        return first == second
    return bool(_forms(one) & _forms(other))


def _number(token: str) -> Fraction | None:
    return Fraction(token.replace(",", "")) if token.lstrip("+-")[:1].isdigit() else None


def _forms(word: str) -> set[str]:
    """The word, and what it may be the plural of."""
    forms = {word}
    if len(word) > 2 and word.endswith("s") and not word.endswith("ss"):
        forms.add(word[:-1])
    if len(word) > 4 and word.endswith("ies"):
        forms.add(word[:-3] + "y")
    elif len(word) > 4 and word.endswith("es"):
        forms.add(word[:-2])
    return forms
