"""What notes state that is worth asking, with the words that would be the answer and what rivals them.

Every fact is verbatim: its sentence stands in a passage, and the key is a part of it or the heading
or row that it stands under. Rivals are of the same kind by the notes' own structure: the other
headings of a section, items of a list, cells of a column, terms, years. That is the concept map that
guides stems and distractors. What is not here: what they date and whose work they name
(rag/items/events.py), and a question about the fact (rag/items/writing.py).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from ingest.sentences import is_row
from ingest.types import Passage
from ingest.words import tokens
from rag.followup import content_stems
from rag.items.events import people, years
from rag.items.fact import Fact, FactKind, Rival
from rag.items.names import (
    ELSEWHERE,
    POINTS,
    Named,
    Near,
    alike,
    bare,
    beside,
    clean,
    defined,
    distinct,
    headings,
    labelled,
    nearness,
    person,
    same,
    stated,
    tells,
)
from rag.items.shapes import VERBS, is_thing, leads_with_verb, of_several, plural
from rag.retrieve import asks

_OPENING = 6  # words of what is said of a thing, in which it is told what kind of thing it is
_NOTHING = ("none", "yes", "no", "n/a", "unknown", "any", "all")  # cells that answer nothing by themselves
MOST = 80  # rivals of a fact, nearest first: the closest in meaning often stands in another section
FEW = 3  # headings under which a label stands that tells a property and not a name
# The head of a first column whose cells are what things are compared by.
_ATTRIBUTES = re.compile(
    r"(?i)[-–—.]*|(?:basis|aspects?|features?|criteri(?:on|a)|propert(?:y|ies)|characteristics?|attributes?|"
    r"dimensions?|parameters?|points?|categor(?:y|ies)|factors?|questions?)(?: of (?:comparison|difference))?"
)
# The head of a column whose cells mostly hold for other rows as well, though the table does not say so.
_SHARED = re.compile(
    r"(?i)(?:[\w-]+ )*(?:applications?|uses?|use cases?|used(?: for| in)?|features?|strengths?|"
    r"advantages?|benefits?|produces|weakness(?:es)?|limitations?|challenges?|capabilit(?:y|ies)|examples?)"
)
# Where what is said of one thing ends, as in 'makes data, and the other judges it'.
_CLAUSES = re.compile(
    r"[;:.]\s|\s[–-]\s|,? (?:and|but|while|whereas|so) (?:the|an?|it|they|this|these|each|both)\b"
    r"|[,:] \$|, (?:such as|like)\b"
)
# What is no answer by itself: it holds a formula, ends in the middle or points at what stands elsewhere.
_UNFINISHED = re.compile(
    r"(?i)[$=|]|\b(?:of|to|in|for|with|by|and|or|than|from|including|the|an?)$"
    rf"|\b(?:the|that|this) (?:{ELSEWHERE}|distribution|case)\b"
)


def facts(passages: Iterable[Passage]) -> tuple[Fact, ...]:
    """What the passages state, in their order; review questions and orders to a model state nothing."""
    kept = [one for one in passages if not asks(one)]
    found: list[Fact] = []
    labels = list(labelled(kept))
    spread: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for one in labels:
        spread[one.name.lower()].add(one.passage.heading)
    named = [one for one in labels if len(spread[one.name.lower()]) < FEW and distinct(one)]
    terms = defined(kept)
    found += _terms([*named, *headings(kept), *terms])
    found += _meanings(terms)
    found += _properties([one for one in labels if len(spread[one.name.lower()]) >= FEW])
    found += _cells(kept)
    found += years(kept)
    found += people(kept)
    order = {passage.id: place for place, passage in enumerate(kept)}
    return tuple(sorted(_once(found), key=lambda one: (order[one.passage.id], one.row, one.kind)))


def _terms(named: Sequence[Named]) -> Iterator[Fact]:
    """Asked for: the name, given what is said of it."""
    near = Near(named)
    for one in named:
        if set(tokens(one.name)) & content_stems(one.said) and one.name.lower() in one.said.lower():
            continue  # it gives its name away
        if not tells(one):
            continue
        rivals = _rivals(one, near)
        kind: FactKind = "person" if person(one) else "term"
        yield Fact(kind, one.passage, one.row, "", one.name, f": {one.said}", one.name, rivals)


def _meanings(named: Sequence[Named]) -> Iterator[Fact]:
    """Asked for: what is said, given the name; what is said of others in the same form rivals it."""
    forms: dict[str, list[Named]] = defaultdict(list)
    for one in named:
        if form := _form(one):
            forms[form].append(one)
    for group in forms.values():
        near = Near(group)
        for one in group:
            others = (  # what is said of another names neither of the two
                o
                for o in near(one)
                if not same(one.name, o.name)
                and not _kind_of(o, one.name)
                and not _kind_of(one, o.name)
                and not any(_words(name) in _words(_core(o.said)) for name in (one.name, o.name))
            )
            rivals = tuple(
                replace(_rival(other, _core(other.said)), beside=beside(one, other))
                for other in islice(others, MOST)
            )
            said = _core(one.said)
            yield Fact("meaning", one.passage, one.row, f"{one.name}: ", said, "", one.name, rivals)


def _core(said: str) -> str:
    """What is said of a thing without a formula, a second clause or what it says of another thing."""
    return _CLAUSES.split(said, maxsplit=1)[0].strip(" .,:;")


def _form(one: Named) -> str:
    """How an answer to 'What is it?' or 'What does it do?' begins; '' for another sentence.

    Things of which there is one do not rival those of which there are several: the name tells which is asked.
    """
    said = one.said
    if POINTS.match(said) or _UNFINISHED.search(_core(said)) or not tells(one):
        return ""
    if re.match(r"(?i)(?:an?|the|one|any)\s", said):
        if not is_thing(_core(said)):
            return ""
        return "things" if of_several(_core(said)) else "thing"
    first = said.split()[0].lower() if said.split() else ""
    return "" if not leads_with_verb(said) else "deed" if re.fullmatch(VERBS, first) else "order"


def _properties(labels: Sequence[Named]) -> Iterator[Fact]:
    """Asked for: what a label such as 'Developer' says under this heading."""
    by_name: dict[str, list[Named]] = defaultdict(list)
    for one in labels:
        by_name[one.name.lower()].append(one)
    for one in labels:
        if not one.passage.heading or len(one.said.split()) > 14:
            continue
        subject = clean(one.passage.heading[-1])
        others = [
            other for other in by_name[one.name.lower()] if other.passage.heading != one.passage.heading
        ]
        others.sort(key=lambda other: -nearness(one, other))
        rivals = tuple(
            _rival(other, other.said.rstrip(" .;")) for other in others if not same(one.said, other.said)
        )
        before = f"The {one.name.lower()} of {subject} is: "
        yield Fact("property", one.passage, one.row, before, one.said.rstrip(" .;"), "", subject, rivals)


def _cells(passages: Sequence[Passage]) -> Iterator[Fact]:
    """Asked for: a cell of a table, given the row's first cell and the column's head."""
    for passage in passages:
        rows = [(row, [cell.strip() for cell in s.split("|")]) for row, s in stated(passage, 1) if is_row(s)]
        if len(rows) < 5 or len({len(cells) for _, cells in rows}) != 1:
            continue
        (_, head), *body = rows
        if _ATTRIBUTES.fullmatch(head[0]):
            continue  # rows are what things are compared by: cells of a column answer different questions
        for column in (at for at in range(1, len(head)) if not _SHARED.fullmatch(head[at])):
            shown = [cells[column] for _, cells in body]
            if any(not re.search(r"[^\W\d_]{2}", cell) or len(cell.split()) > 8 for cell in shown):
                continue
            for row, cells in body:
                told = content_stems(cells[column])
                # A mere number says nothing by itself: 'What is the meaning of 403?'
                subject = cells[0] if re.search(r"[^\W\d_]", cells[0]) else f"{head[0].lower()} {cells[0]}"
                if cells[column].lower() in _NOTHING or told & content_stems(cells[0]):
                    continue  # it answers nothing, or the row's name gives it away
                rivals = tuple(
                    Rival(other[column], " | ".join(other), passage.source, passage.page)
                    for _, other in body
                    if not same(other[column], cells[column]) and not content_stems(other[column]) & told
                )
                before = f"{subject}, {head[column]}: "
                yield Fact("cell", passage, row, before, cells[column], "", subject, rivals)


def _rivals(one: Named, near: Near) -> tuple[Rival, ...]:
    """Other names, those of its own group first.

    None that may be the same, or a kind of it or the kind that it is of: 'Chroma', with 'vector database'
    asked for, would be right as well. None that stands in the sentence, or is of several things beside one.
    """
    found: dict[str, Rival] = {}
    for other in near(one):
        name = other.name
        if same(name, one.name) or name.lower() in one.said.lower() or not alike(name, one.name):
            continue
        if _kind_of(other, one.name) or _kind_of(one, name) or person(other) != person(one):
            continue
        if not person(one) and plural(name) != plural(one.name):
            continue
        if not any(same(name, known.text) for known in found.values()):
            found[name.lower()] = replace(_rival(other, name), beside=beside(one, other))
        if len(found) == MOST:
            break
    return tuple(found.values())


def _kind_of(one: Named, name: str) -> bool:
    """Whether the notes explain it under a heading with this name, or say that it is one."""
    words = _words(bare(name))
    told = [_words(text) for text in (*one.passage.heading, " ".join(one.said.split()[:_OPENING]))]
    return any(words in text or f"{words[:-1]}s " in text for text in told)


@lru_cache(maxsize=20_000)  # each name is compared with every other one
def _words(text: str) -> str:
    """The words of a text with a blank around each, to look for others in."""
    found = re.findall(r"[^\W_]+", text.lower())
    return f" {' '.join(found)} "


def _rival(other: Named, text: str) -> Rival:
    return Rival(text, other.passage.sentences[other.row], other.passage.source, other.passage.page)


def _once(found: Iterable[Fact]) -> Iterator[Fact]:
    seen: set[tuple[str, str, int, bool]] = set()
    for one in found:
        mark = (one.key.lower(), one.passage.id, one.row, one.kind == "meaning")
        if mark not in seen:
            seen.add(mark)
            yield one
