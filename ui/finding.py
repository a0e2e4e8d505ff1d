"""Where a quote stands among the characters of a page, though they were cleaned on their way into it.

A page breaks words over lines, joins letters into one sign and spaces them as it likes; the quote has
whole words. So only letters and digits are compared, first all in a row, then word by word. What is
not here: files and pictures (ui/drawing.py).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Sequence

LEAST = 0.6  # of a quote's words that must stand close together, where it does not stand there as it is
ROOM = 1.5  # times a quote's words among which they are looked for
GAP = 3  # words between two found ones that are marked with them
NEAR = 60  # letters before and after a quote that tell which of several places is meant


def found(quote: str, characters: Sequence[str], around: str = "") -> list[tuple[int, int]]:
    """Spans of `characters` that say the quote, in order; [] where they do not.

    `around` is the passage that the quote was taken from: it decides where it stands more than once.
    """
    wanted, _ = _letters(quote)
    have, owner = _letters(characters)
    if not wanted:
        return []
    starts = _occurrences(wanted, have)
    if starts:
        passage, _ = _letters(around)
        start = max(starts, key=lambda at: _fits(have, at, passage, wanted))
        return [(owner[start], owner[start + len(wanted) - 1] + 1)]
    return _by_words(quote, characters)


def _letters(text: Sequence[str]) -> tuple[str, list[int]]:
    """Letters and digits, folded, and for each the place in `text` that it comes from."""
    out: list[str] = []
    owner: list[int] = []
    for at, character in enumerate(text):
        for letter in unicodedata.normalize("NFKD", character).casefold():
            if letter.isalnum():
                out.append(letter)
                owner.append(at)
    return "".join(out), owner


def _occurrences(wanted: str, have: str) -> list[int]:
    starts = []
    at = have.find(wanted)
    while at >= 0:
        starts.append(at)
        at = have.find(wanted, at + 1)
    return starts


def _fits(have: str, at: int, passage: str, wanted: str) -> int:
    """How many letters around this place are those around the quote in its passage."""
    best = 0
    for place in _occurrences(wanted, passage):
        before = zip(reversed(have[max(0, at - NEAR) : at]), reversed(passage[:place]), strict=False)
        ends = (have[at + len(wanted) :][:NEAR], passage[place + len(wanted) :])
        best = max(best, _same(before) + _same(zip(*ends, strict=False)))
    return best


def _same(pairs: zip[tuple[str, str]]) -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


def _words(text: Sequence[str]) -> list[tuple[str, int, int]]:
    """Words of letters and digits with the spans of `text` that they stand in."""
    words = []
    start = -1
    for at in range(len(text) + 1):
        inside = at < len(text) and any(c.isalnum() for c in text[at])
        if inside and start < 0:
            start = at
        elif not inside and start >= 0:
            words.append((_letters(text[start:at])[0], start, at))
            start = -1
    return [word for word in words if word[0]]


def _by_words(quote: str, characters: Sequence[str]) -> list[tuple[int, int]]:
    wanted = [word for word, _, _ in _words(quote)]
    have = _words(characters)
    names = [word for word, _, _ in have]
    room = max(len(wanted) + 1, round(ROOM * len(wanted)))
    if len(wanted) < 3 or not names:
        return []
    first = _fullest(Counter(wanted), names, room)
    matched: list[int] = []
    near = names[first : first + room]
    for block in difflib.SequenceMatcher(None, near, wanted, autojunk=False).get_matching_blocks():
        matched += range(first + block.a, first + block.a + block.size)
    if len(matched) < LEAST * len(wanted):
        return []
    spans: list[tuple[int, int]] = []
    last = -GAP - 2
    for place in matched:
        _, start, end = have[place]
        if place - last <= GAP + 1 and spans:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
        last = place
    return spans


def _fullest(wanted: Counter[str], names: list[str], room: int) -> int:
    """Where the `room` words begin that hold most of those wanted."""
    held: Counter[str] = Counter()
    best, most, sum_ = 0, -1, 0
    for at, word in enumerate(names):
        held[word] += 1
        sum_ += held[word] <= wanted[word]
        if at >= room:
            gone = names[at - room]
            sum_ -= held[gone] <= wanted[gone]
            held[gone] -= 1
        if sum_ > most:
            best, most = max(0, at - room + 1), sum_
    return best
