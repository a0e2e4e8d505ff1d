"""Cleaned pages to passages that follow headings and sentences, small enough to read at a glance.

A section is kept whole where it fits, small sections of one subject stand together with their titles
as lines of text, a long one is cut between sentences, items or rows with its lead-in repeated in the
heading. What is not here: finding headings (ingest/headings.py) and vectors (ingest/build.py).
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.pieces import fitting, pieces
from ingest.sections import ITEM, Section, Unit, repeats, tree
from ingest.sentences import sentences
from ingest.types import Page, Passage, Place

__all__ = ["Splitter", "pieces", "sentences", "split"]

_ORDERED = re.compile(
    r"\(?(?:\d{1,3}(?:\.\d+)*|[A-Z]|[IVX]{1,5})[.):]\)?\s|\(?[A-Z]\)\s|\d{2}\s*[-–]\s|question \d|step \d",
    re.I,
)
_ANSWER = re.compile(r"\W*(?:correct )?(?:answers?|ans|solution)\b.{0,12}[:.)]", re.I)


@dataclass(frozen=True, slots=True)
class Splitter:
    """How large passages are. Words are runs of non-space; pieces are an upper guess of word pieces."""

    target: int = 130  # words of text in a full passage
    maximum: int = 250  # pieces of heading and text together; MiniLM reads 256
    small: int = 40  # words: sections below may stand with their neighbours under one heading
    outline: int = 3  # a section with so many parts in several passages gets one that names them
    outline_most: int = 24  # but no table of contents of a book


def split(pages: Sequence[Page], splitter: Splitter | None = None) -> list[Passage]:
    """The passages of one file's pages, in order; a repeated one stands once a page.

    That repeats are one passage with several places is seen to over all files (ingest/duplicates.py).
    """
    if not pages:
        return []
    settings = splitter or Splitter()
    found: dict[str, Passage] = {}
    for draft in _drafts(tree(pages), (), settings):
        passage = _passage(pages[0].source, draft)
        found.setdefault(passage.id, passage)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _Draft:
    path: tuple[str, ...]
    units: tuple[Unit, ...]


def _words(units: Sequence[Unit]) -> int:
    return sum(len(unit.text.split()) for unit in units)


def _drafts(section: Section, above: tuple[str, ...], settings: Splitter) -> Iterator[_Draft]:
    path = (*above, section.title) if section.title else above
    whole = _flat(section)
    if section.title and _mergeable(section, settings) and _fits(path, whole, settings):
        if whole:
            yield _Draft(path, tuple(whole))
        return
    # A part that is nothing but its title is a line of this section's.
    own = section.units + [
        Unit(part.title, "para", part.page)
        for part in section.parts
        if part.title and not part.units and not part.parts
    ]
    parts = [part for part in section.parts if part.units or part.parts]
    groups = list(_groups(parts, path, settings))
    # Parts that are numbered, or go no deeper, are its members; else this is a table of contents,
    # which is near every question and answers none.
    members = all(_ORDERED.match(part.title) or not part.parts for part in parts)
    names = [Unit(_bulleted(part.title), "item", section.page) for part in parts if _names(part.title)]
    said = " ".join(unit.text for unit in own)
    named = sum(_ORDERED.sub("", part.title).strip() in said for part in parts) > len(parts) / 2
    names = names if members and not named else []
    if section.title and len(groups) > 1 and settings.outline <= len(names) <= settings.outline_most:
        listed = any(unit.kind in ("item", "row") for unit in own)
        if not listed and _fits(path, own + names, settings):
            yield _Draft(path, (*own, *names))
        else:
            yield from _cut(path, own, settings)
            yield from _cut(path, names, settings)
    else:
        yield from _cut(path, own, settings)
    for group in groups:
        if len(group) == 1:
            yield from _drafts(group[0], path, settings)
        else:
            units = [unit for part in group for unit in _titled(part, 0)]
            yield _Draft(path, tuple(units))


def _names(title: str) -> bool:
    # '3.1 Structure' or 'Question 2' divides a text; it names no member of its section.
    return bool(title) and not re.match(r"\d+\.\d|q(?:uestion)?\s*\d", title, re.I)


def _bulleted(title: str) -> str:
    return title if ITEM.match(title) else f"- {title}"


def _mergeable(section: Section, settings: Splitter) -> bool:
    """Whether a section's parts are slight enough, and on its page, to be read as one."""
    if not section.parts:
        return True
    return all(_slight(part, settings) and part.page == section.page for part in section.parts)


def _slight(section: Section, settings: Splitter) -> bool:
    return _words(_flat(section)) < settings.small and all(
        unit.page == section.page for unit in _flat(section)
    )


def _groups(parts: Sequence[Section], path: tuple[str, ...], settings: Splitter) -> Iterator[list[Section]]:
    """Runs of neighbours that may stand together: slight, numbered, on one page, and fitting."""
    run: list[Section] = []
    for part in parts:
        if run and not (
            all(_slight(p, settings) and _ORDERED.match(p.title) for p in (run[-1], part))
            and run[-1].page == part.page
        ):
            yield from _shared(run, path, settings)
            run = []
        run.append(part)
    if run:
        yield from _shared(run, path, settings)


def _shared(run: list[Section], path: tuple[str, ...], settings: Splitter) -> list[list[Section]]:
    """The run in as few groups as fit, of about one size, so that none is left alone at the end."""
    best: list[list[Section]] = []
    share = settings.target
    while share > settings.small:
        groups: list[list[Section]] = [[]]
        for part in run:
            units = [unit for p in [*groups[-1], part] for unit in _titled(p, 0)]
            over = _words(units) - _words(_titled(part, 0)) // 2 > share
            if groups[-1] and (over or not _fits(path, units, settings)):
                groups.append([])
            groups[-1].append(part)
        if best and len(groups) > len(best):
            return best
        best = groups
        share -= 5
    return best


def _flat(section: Section) -> list[Unit]:
    return section.units + [unit for part in section.parts for unit in _titled(part, 0)]


def _titled(section: Section, depth: int) -> list[Unit]:
    filled = bool(section.units or section.parts)
    name = section.title + ":" if filled else section.title
    units = [Unit(name, "title", section.page, depth, lead=filled)] if section.title else []
    units += section.units
    for part in section.parts:
        units += _titled(part, depth + 1)
    return units


def _fits(path: tuple[str, ...], units: Sequence[Unit], settings: Splitter) -> bool:
    if _words(units) > settings.target:
        # A little over is better than a list cut in two, as long as the encoder reads it all.
        return _words(units) <= settings.target * 1.25 and _size(path, units) <= settings.maximum
    return _size(path, units) <= settings.maximum


def _size(path: tuple[str, ...], units: Sequence[Unit]) -> int:
    return pieces(" > ".join(path)) + sum(pieces(unit.text) + (unit.kind == "item") for unit in units)


def _cut(path: tuple[str, ...], units: Sequence[Unit], settings: Splitter) -> Iterator[_Draft]:
    """The units in as few passages as fit, cut where it hurts least, each under what introduces it."""
    every = [part for unit in units for part in _bearable(unit, path, settings)]
    # Known at once for all: a table or list may have a hundred thousand lines.
    counted = list(itertools.accumulate((len(unit.text.split()) for unit in every), initial=0))
    begins: list[int] = []  # where the run of units of one kind begins that each is in
    for at, unit in enumerate(every):
        begins.append(begins[-1] if at and every[at - 1].kind == unit.kind else at)
    start = 0
    while start < len(every):
        titles, header = _introduction(every, start, begins[start])
        here = (*path, *titles)
        if _size(here, [*header, every[start]]) > settings.maximum:
            here, header = path, ()  # rather without its introduction than without its end
        stop = _stop(here, header, every, start, counted[-1] - counted[start], settings)
        yield _Draft(here, (*header, *every[start:stop]))
        start = stop


def _stop(
    path: tuple[str, ...],
    header: tuple[Unit, ...],
    every: Sequence[Unit],
    start: int,
    words: int,
    settings: Splitter,
) -> int:
    """Where the passage that begins at `start` ends: the least harmful place near an even share.

    `words` counts those of all units from `start` on.
    """
    if start + 1 == len(every) or (
        words <= 2 * settings.target and _fits(path, [*header, *every[start:]], settings)
    ):
        return len(every)
    last = start + 1
    while last < len(every) and _fits(path, [*header, *every[start : last + 1]], settings):
        last += 1
    share = words / -(-words // settings.target) if words else 1
    best, least = last, float("inf")
    filled = 0
    for at in range(start + 1, last + 1):
        filled += _words(every[at - 1 : at])
        harm = _harm(every[at - 1], every[at]) + 4 * abs(filled - share) / settings.target
        if harm <= least:
            best, least = at, harm
    return best


def _harm(before: Unit, after: Unit) -> float:
    """How much is lost by a cut between two units."""
    if before.lead or _ANSWER.match(after.text) or (before.text.endswith("?") and after.kind == "item"):
        return 9
    if not after.start:
        return 3 if after.kind == "item" else 2
    if after.kind == "item":
        if re.match(r"- \(?[a-hA-H]\)", after.text):
            return 7  # options of a question
        return 2 * after.indent + (1 if before.kind == "item" else 3)
    if after.kind == "row":
        return 3 if before.kind == "row" else 0.5  # rather all of a table
    return 3 if after.kind == "code" or after.text.startswith("$$") else 0.2


def _introduction(every: Sequence[Unit], at: int, first: int) -> tuple[tuple[str, ...], tuple[Unit, ...]]:
    """What gives the unit at `at` its subject: titles to add to the heading, or a table's head.

    Units of its kind stand there without a break from `first` on.
    """
    unit = every[at]
    if unit.kind == "row":
        return (), (every[first],) if first < at else ()
    titles: list[str] = []
    indent = unit.indent
    if unit.kind != "item":
        return (), ()
    for place in range(at - 1, first - 1, -1):
        before = every[place]
        if not indent:
            break
        if before.indent < indent and before.start:
            indent = before.indent
            titles.append(ITEM.sub("", before.text))
    if first and every[first - 1].lead:
        titles.append(every[first - 1].text)
    short = [title.rstrip(":").strip() for title in titles if len(title.split()) <= 16]
    return tuple(reversed(short)), ()


def _bearable(unit: Unit, path: tuple[str, ...], settings: Splitter) -> Iterator[Unit]:
    # Only what exceeds the maximum all by itself is cut inside, between words or, at worst, letters.
    room = max(40, settings.maximum - min(pieces(" > ".join(path)), settings.maximum // 2) - 4)
    text = unit.text
    if fitting(text, room) == len(text):
        yield unit
        return
    at, first = 0, True
    while at < len(text):
        some = text[at : at + 20 * room]  # far more than there is room for: a text may be very long
        end = fitting(some, room)
        if at + end < len(text):
            space = max(some.rfind(" ", 0, end), some.rfind("\n", 0, end))
            end = space if space > end // 2 else end
        part = some[:end].strip()
        if part:
            yield replace(unit, text=part, start=first or unit.kind == "code", lead=False)
            first = False
        at += max(end, 1)


def _passage(source: str, draft: _Draft) -> Passage:
    units = draft.units
    least = min((unit.indent for unit in units if unit.kind == "item"), default=0)
    text = ""
    for at, unit in enumerate(units):
        if at:
            before = units[at - 1].kind
            apart = "\n\n" if unit.kind == before == "para" else "\n"
            text += apart if unit.start else " "
        indent = unit.indent - least if unit.kind == "item" and unit.start else 0
        text += "  " * indent + unit.text
    page = units[0].page
    content = "\0".join((source, str(page), *draft.path, text))
    key = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]
    said = [part for unit in units for part in _sentences_of(unit)]
    also = tuple(Place(source, number, draft.path) for number in repeats(units))
    return Passage(key, source, page, draft.path, text, tuple(said), also)


def _sentences_of(unit: Unit) -> list[str]:
    if unit.kind != "code":
        return sentences(unit.text) or [unit.text]
    return [unit.text] if len(unit.text.split()) <= 40 else [li for li in unit.text.split("\n") if li.strip()]
