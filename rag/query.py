"""What is searched for a question: typing errors put right, short forms beside long ones, parts apart.

Nothing here asks a model that writes. What is right is what the notes themselves say: their words, and
where they say what an abbreviation stands for. What is not here: what a question leans on in the
conversation before it (rag/followup.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from ingest.words import tokens
from rag.followup import content_words

SHORTEST = 5  # letters; a shorter word is too near many others
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHORT = r"([A-Z][A-Za-z]{0,4}[A-Z])s?"
_BEHIND = re.compile(rf"\(\s*{_SHORT}\s*\)")
_BEFORE = re.compile(rf"\b{_SHORT}\s*\(([^()\n]{{5,80}})\)")
_WORD = re.compile(r"[^\W\d_]+")
_WH = "what|who|whom|whose|when|where|which|why|how"
_ORDERS = "name|explain|describe|define|list|compare"
_BEGIN = f"is|are|was|were|does|do|did|can|could|{_ORDERS}"
ORDER = re.compile(rf"(?i)(?:please\s+)?(?:{_ORDERS}|give|tell|show)\b")  # begins what has no question mark
_PART = re.compile(
    r"(?:[?.]+\s+|;\s+|(?<=\w)[?,]?\s+(?:and|but)(?:\s+also)?,?\s+)" rf"(?=(?:{_WH}|{_BEGIN})\b)",
    re.IGNORECASE,
)
# What stands as a question: 'which does it use', but not 'which method', 'how many', 'what they output'.
_ASKS = re.compile(
    rf"\b(?:(?:{_WH})(?:['’]s\b|(?:\s+\S+){{0,5}}?\s+(?:is|are|was|were|do|does|did|can|could|should|would|will|has"
    r"|have|had|may|might|must)\b)|(?:who|whom|whose)\s+\S+\s+\S|which(?:\s+\S+){3}|what\s+\w+ed\b)"
    rf"|^(?:please\s+)?(?:{_BEGIN}|give|tell|show)\b",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"\b(it|its|it's|they|them|theirs?|he|she|his|hers?|him|former|latter|this|that|these|those|both|either"
    r"|neither|such|same|others?|another|ones?)\b",
    re.IGNORECASE,
)


def parts(question: str) -> tuple[str, ...]:
    """The questions in a question, where each can be understood by itself; else the question whole.

    One of several lines is whole: its last leans on the others (rag/followup.py).
    """
    found = questions(question)
    return (question,) if any(_LEANS.search(part) for part in found[1:]) else found


def questions(question: str) -> tuple[str, ...]:
    """The questions in a question, later ones perhaps about what earlier ones name; else it whole.

    'Who made it, and why?' is whole, since its second half says nothing of what it is about; so is
    'My exam is on GANs. How are they trained?', since its first half asks nothing.
    """
    if "\n" in question.strip():
        return (question,)
    found = tuple(part.strip(" ?,;") for part in _PART.split(question))
    found = tuple(part for part in found if part)
    if len(found) < 2 or not all(map(content_words, found)) or not all(map(_ASKS.match, found[1:])):
        return (question,)
    asks = _ASKS.search(found[0]) or question.strip().startswith(f"{found[0]}?")
    return found if asks else (question,)


def spelled(question: str, known: Callable[[str], int], plain: Callable[[str], bool]) -> str:
    """The question with words that the notes lack changed by one letter, where that gives one they have.

    `known`: in how many passages a stem stands; `plain`: whether a word is an English one, and no
    typing error. Two neighbours swapped, one letter lost, added or another (Damerau 1964).
    """

    def corrected(match: re.Match[str]) -> str:
        word = match[0].lower()
        if len(word) < SHORTEST or any(known(stem) for stem in tokens(word)):
            return match[0]
        near = {other: sum(map(known, tokens(other))) for other in one_letter_off(word)}
        best = max(near, key=lambda other: (near[other], -len(other), other))
        return best if near[best] and not plain(word) else match[0]

    return _WORD.sub(corrected, question)


def one_letter_off(word: str) -> Iterator[str]:
    """What the word may have been before a slip of one letter; its first is taken to be right."""
    for at in range(1, len(word) + 1):
        head, rest = word[:at], word[at:]
        yield from (head + letter + rest for letter in LETTERS)
        if rest:
            yield head + rest[1:]
            yield from (head + letter + rest[1:] for letter in LETTERS)
        if len(rest) > 1:
            yield head + rest[1] + rest[0] + rest[2:]


def with_other_forms(question: str, forms: Iterable[tuple[str, str]]) -> str:
    """The question and, behind it, the long forms of its abbreviations and the short forms of its names.

    `forms`: what abbreviations stand for in the notes, as `definitions` gives them.
    """
    asked = tokens(question)
    pairs = set(pairwise(asked))
    added: dict[str, str] = {}
    for short, long in forms:
        (stem, *_), names = tokens(short), tokens(long)
        has_short, has_long = stem in asked, set(pairwise(names)) <= pairs
        if has_short != has_long:
            added.setdefault(stem, long if has_short else short)
    return " ".join([question, *(f"({form})" for form in added.values())])


def definitions(text: str) -> Iterator[tuple[str, str]]:
    """What `text` says that abbreviations stand for: GAN, 'Generative Adversarial Network'.

    'Generative Adversarial Network (GAN)' or the other way round, where each word gives its first
    letter and perhaps some further ones, in order (after Schwartz and Hearst 2003).
    """
    for found in _BEHIND.finditer(text):
        short = found[1]
        before = re.findall(r"[^\W_]+", text[max(0, found.start() - 100) : found.start()])[-len(short) :]
        for start in range(len(before) - 1):
            if spells(short.lower(), [word.lower() for word in before[start:]]):
                yield short, " ".join(before[start:])
                break
    for found in _BEFORE.finditer(text):
        words = re.findall(r"[^\W_]+", found[2])
        if len(words) > 1 and spells(found[1].lower(), [word.lower() for word in words]):
            yield found[1], " ".join(words)


def spells(letters: str, words: Sequence[str]) -> bool:
    """Whether every word (all lower-case) gives its first letter and perhaps some further ones, in order."""
    if not words:
        return not letters
    if len(letters) < len(words) or not words[0].startswith(letters[0]):
        return False
    return any(
        _within(letters[:count], words[0]) and spells(letters[count:], words[1:])
        for count in range(1, len(letters) - len(words) + 2)
    )


def _within(letters: str, word: str) -> bool:
    """Whether the letters stand in the word, in order."""
    rest = iter(word)
    return all(letter in rest for letter in letters)
