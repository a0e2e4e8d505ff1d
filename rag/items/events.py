"""What notes date and whose work they name: facts whose answer is a year or a person.

What is not here: other facts (rag/items/facts.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.sentences import is_row
from ingest.types import Passage
from rag.items.fact import Fact, FactKind, Rival
from rag.items.names import POINTS, clean, same, stated

LIFETIME = 60  # years between two works above which nobody takes one's author for the other's
# What was still to come when the notes were written.
_TO_COME = re.compile(r"(?i)\b(?:planned|expected|scheduled|projected|predicted|forecast|hoped|will|shall)\b")
_NOT_THEN = re.compile(r"(?i)\b(?:(?:by|until|till|since)(?: \w+)?|before|after|(?:as )?reported in) $")
_YEAR = re.compile(r"(?<![\d.,$-])(?:1[5-9]|20)\d\d(?![\d,]|\.\d|-)")
_BY = re.compile(r"\bby (?P<name>(?:[A-Z][\w'’.-]+ )+[A-Z][\w'’-]+)(?= and colleagues|[.,;)]| in | at )")
_THE = re.compile(  # what it is stands in a sentence before
    r"(?:the|its|their|his|her) (?:method|model|approach|idea|paper|work|network|system|program|technique|"
    r"term|name|author|company|project|book|result|same|first|second|last|other)s?\b",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"^(?P<name>(?:[A-Z][\w'’.-]+ )+[A-Z][\w'’-]+)(?: and colleagues)? "
    r"(?:proposed|introduced|developed|described|invented|discovered|published|coined|showed|founded|built)\b"
)


def years(passages: Sequence[Passage]) -> Iterator[Fact]:
    """Asked for: the one year in a sentence; the nearest others in the notes rival it."""
    every = sorted({int(year) for one in passages for year in _YEAR.findall(one.text)})
    for passage in passages:
        for row, sentence in stated(passage):
            found = list(_YEAR.finditer(sentence))
            if len(found) != 1 or is_row(sentence) or POINTS.match(sentence) or _THE.match(sentence):
                continue
            if _NOT_THEN.search(sentence[: found[0].start()]) or _TO_COME.search(sentence):
                continue  # it happened at another time, as in 'as reported in 2018', or not at all
            year = int(found[0].group())
            near = sorted((one for one in every if one != year), key=lambda one: abs(one - year))
            others = [year + step for step in (-3, 2, -5, 4, -7) if year + step not in every]
            near += [other for other in others if other <= every[-1]]  # nobody takes one to come
            rivals = tuple(Rival(str(one)) for one in dict.fromkeys(near))
            yield _part("number", passage, row, found[0].span(), rivals)


def people(passages: Sequence[Passage]) -> Iterator[Fact]:
    """Asked for: who did something; others who did something else at about that time rival them."""
    found = [
        (passage, row, match.span("name"))
        for passage in passages
        for row, sentence in stated(passage)
        for match in [*_BY.finditer(sentence), *_DOES.finditer(sentence)]
        if not is_row(sentence)
    ]
    names = {passage.sentences[row][slice(*span)]: (passage, row) for passage, row, span in found}
    for passage, row, span in found:
        name = passage.sentences[row][slice(*span)]
        rivals = tuple(
            Rival(other, at.sentences[line], at.source, at.page)
            for other, (at, line) in names.items()
            if not same(other, name)
            and other not in passage.sentences[row]
            and _met(passage.sentences[row], at.sentences[line])
        )
        yield _part("person", passage, row, span, rivals)


def _met(one: str, other: str) -> bool:
    """Whether what two sentences tell of may be one person's work, as far as they hold years."""
    first, second = ([int(year) for year in _YEAR.findall(text)] for text in (one, other))
    return not (first and second) or min(abs(a - b) for a in first for b in second) <= LIFETIME


def _part(
    kind: FactKind, passage: Passage, row: int, span: tuple[int, int], rivals: tuple[Rival, ...]
) -> Fact:
    sentence = passage.sentences[row]
    start, end = span
    topic = clean(passage.heading[-1]) if passage.heading else passage.source
    return Fact(kind, passage, row, sentence[:start], sentence[start:end], sentence[end:], topic, rivals)
