"""Cleaned pages to passages that follow headings and sentences, small enough to read at a glance.

A section is kept whole where it fits, small sections of one subject stand together with their titles
as lines of text, a long one is cut between sentences, items or rows with its lead-in repeated in the
heading. What is not here: finding headings (ingest/headings.py) and vectors (ingest/build.py).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ingest.sentences import is_row, sentences
from ingest.types import Page, Passage

__all__ = ["Splitter", "pieces", "sentences", "split"]

_HEADING = re.compile(r"(#{1,6})\s+(.+)")
_ITEM = re.compile(r"( *)(?:- |\d{1,3}[.)] )")
_ORDERED = re.compile(
    r"\(?(?:\d{1,3}(?:\.\d+)*|[A-Z]|[IVX]{1,5})[.):]\)?\s|\(?[A-Z]\)\s|\d{2}\s*[-–]\s|question \d|step \d",
    re.I,
)
_ANSWER = re.compile(r"\W*(?:correct )?(?:answers?|ans|solution)\b.{0,12}[:.)]", re.I)


@dataclass(frozen=True, slots=True)
class Splitter:
    """How large passages are. Words are runs of non-space; pieces are an upper guess of word pieces."""

    target: int = 130  # words of text in a full passage
    maximum: int = 246  # pieces of heading and text together: what MiniLM reads, less its two marks
    small: int = 40  # words: sections below may stand with their neighbours under one heading
    outline: int = 3  # a section with so many parts in several passages gets one that names them
    outline_most: int = 24  # but no table of contents of a book


def split(pages: Sequence[Page], splitter: Splitter | None = None) -> list[Passage]:
    """The passages of one file's pages, in order, each once."""
    if not pages:
        return []
    settings = splitter or Splitter()
    found: dict[str, Passage] = {}
    said: set[tuple[tuple[str, ...], str]] = set()
    for draft in _drafts(_tree(pages), (), settings):
        passage = _passage(pages[0].source, draft)
        # The same words under the same titles, on whatever page, are one passage.
        same = (passage.heading, passage.text)
        if same not in said:
            said.add(same)
            found.setdefault(passage.id, passage)
    return list(found.values())


def pieces(text: str) -> int:
    """About how many word pieces a BERT tokenizer makes of `text`, rather too many than too few."""
    count = 0
    for word in re.findall(r"[^\W_]+|[^\w\s]|_", text):
        rare = not word.isascii() or word.isdigit()
        count += -(-len(word) // (2 if rare else 7)) if len(word) > 1 else 1
    return count


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a sentence, an item, a row, a formula."""

    text: str
    kind: str  # para, item, row, code
    page: int | None
    indent: int = 0
    lead: bool = False  # means little without what follows
    start: bool = True  # begins a line of its own (a sentence in a paragraph need not)


@dataclass(slots=True)
class _Section:
    title: str
    level: int
    page: int | None
    units: list[_Unit] = field(default_factory=list)
    parts: list[_Section] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Draft:
    path: tuple[str, ...]
    units: tuple[_Unit, ...]


def _tree(pages: Sequence[Page]) -> _Section:
    root = _Section("", 0, pages[0].number)
    path = [root]
    for page in pages:
        for unit in _units(page):
            heading = _HEADING.fullmatch(unit.text) if unit.kind == "heading" else None
            if heading is None:
                # Slides built up step by step repeat their sentences.
                if unit.kind != "para" or all(unit.text != old.text for old in path[-1].units):
                    path[-1].units.append(unit)
                continue
            level, title = len(heading[1]), heading[2].strip().rstrip(":").strip()
            same = next((s for s in path[1:] if (s.level, s.title) == (level, title)), None)
            while path[-1].level >= level and path[-1] is not same:
                path.pop()
            if path[-1] is same and same.parts:
                path.append(_Section("", level + 1, page.number))  # goes on after its parts
                same.parts.append(path[-1])
            elif path[-1] is not same:
                section = _Section(title, level, page.number)
                path[-1].parts.append(section)
                path.append(section)
    return root


def _units(page: Page) -> Iterator[_Unit]:
    code: list[str] = []
    for line in page.text.split("\n"):
        bare = line.strip()
        if code or bare.startswith(("```", "~~~")):
            code.append(line)
            if len(code) > 1 and bare.startswith(("```", "~~~")):
                yield _Unit("\n".join(code), "code", page.number)
                code = []
        elif not bare:
            continue
        elif _HEADING.fullmatch(bare):
            yield _Unit(bare, "heading", page.number)
        elif item := _ITEM.match(line):
            lead = bare.endswith(":")
            parts = sentences(bare)
            # A long item is cut between its sentences only; a short one is a unit.
            if len(bare.split()) <= 60 or len(parts) < 2:
                yield _Unit(bare, "item", page.number, len(item[1]) // 2, lead)
            else:
                mark = bare[: bare.index(parts[0])]
                for at, part in enumerate(parts):
                    text = mark + part if at == 0 else part
                    yield _Unit(text, "item", page.number, len(item[1]) // 2, start=at == 0)
        elif is_row(bare):
            yield _Unit(bare, "row", page.number)
        else:
            for at, part in enumerate(sentences(bare)):
                yield _Unit(part, "para", page.number, lead=part.endswith(":"), start=at == 0)
    if code:
        yield _Unit("\n".join(code), "code", page.number)


def _words(units: Sequence[_Unit]) -> int:
    return sum(len(unit.text.split()) for unit in units)


def _drafts(section: _Section, above: tuple[str, ...], settings: Splitter) -> Iterator[_Draft]:
    path = (*above, section.title) if section.title else above
    whole = _flat(section)
    if section.title and _mergeable(section, settings) and _fits(path, whole, settings):
        if whole:
            yield _Draft(path, tuple(whole))
        return
    # A part that is nothing but its title is a line of this section's.
    own = section.units + [
        _Unit(part.title, "para", part.page)
        for part in section.parts
        if part.title and not part.units and not part.parts
    ]
    parts = [part for part in section.parts if part.units or part.parts]
    groups = list(_groups(parts, path, settings))
    names = [_Unit(_bulleted(part.title), "item", section.page) for part in parts if _names(part.title)]
    if section.title and len(groups) > 1 and settings.outline <= len(names) <= settings.outline_most:
        if _words(own) < settings.small // 2:
            yield from _cut(path, own + names, settings)
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
    return title if _ITEM.match(title) else f"- {title}"


def _mergeable(section: _Section, settings: Splitter) -> bool:
    """Whether a section's parts are slight enough, and on its page, to be read as one."""
    if not section.parts:
        return True
    return all(_slight(part, settings) and part.page == section.page for part in section.parts)


def _slight(section: _Section, settings: Splitter) -> bool:
    return _words(_flat(section)) < settings.small and all(
        unit.page == section.page for unit in _flat(section)
    )


def _groups(parts: Sequence[_Section], path: tuple[str, ...], settings: Splitter) -> Iterator[list[_Section]]:
    """Runs of neighbours that may stand together: slight, numbered, on one page, and fitting."""
    run: list[_Section] = []
    for part in parts:
        joins = (
            run
            and all(_slight(p, settings) and _ORDERED.match(p.title) for p in (run[-1], part))
            and run[-1].page == part.page
            and _fits(path, [u for p in [*run, part] for u in _titled(p, 0)], settings)
        )
        if run and not joins:
            yield run
            run = []
        run.append(part)
    if run:
        yield run


def _flat(section: _Section) -> list[_Unit]:
    return section.units + [unit for part in section.parts for unit in _titled(part, 0)]


def _titled(section: _Section, depth: int) -> list[_Unit]:
    title = [_Unit(section.title + ":", "title", section.page, depth, lead=True)] if section.title else []
    units = title + section.units
    for part in section.parts:
        units += _titled(part, depth + 1)
    return units


def _fits(path: tuple[str, ...], units: Sequence[_Unit], settings: Splitter) -> bool:
    if _words(units) > settings.target:
        # A little over is better than a list cut in two, as long as the encoder reads it all.
        return _words(units) <= settings.target * 1.25 and _size(path, units) <= settings.maximum
    return _size(path, units) <= settings.maximum


def _size(path: tuple[str, ...], units: Sequence[_Unit]) -> int:
    return pieces(" > ".join(path)) + sum(pieces(unit.text) + (unit.kind == "item") for unit in units)


def _cut(path: tuple[str, ...], units: Sequence[_Unit], settings: Splitter) -> Iterator[_Draft]:
    """The units in as few passages as fit, cut where it hurts least, each under what introduces it."""
    every = [part for unit in units for part in _bearable(unit, path, settings)]
    start = 0
    while start < len(every):
        titles, header = _introduction(every, start)
        here = (*path, *titles)
        if _size(here, [*header, every[start]]) > settings.maximum:
            here, header = path, ()  # rather without its introduction than without its end
        stop = _stop(here, header, every, start, settings)
        yield _Draft(here, (*header, *every[start:stop]))
        start = stop


def _stop(
    path: tuple[str, ...], header: tuple[_Unit, ...], every: Sequence[_Unit], start: int, settings: Splitter
) -> int:
    """Where the passage that begins at `start` ends: the least harmful place near an even share."""
    rest = every[start:]
    if _fits(path, [*header, *rest], settings):
        return len(every)
    last = start + 1
    while last < len(every) and _fits(path, [*header, *every[start : last + 1]], settings):
        last += 1
    share = _words(rest) / -(-_words(rest) // settings.target)
    best, least = last, float("inf")
    filled = 0
    for at in range(start + 1, last + 1):
        filled += _words(every[at - 1 : at])
        harm = _harm(every[at - 1], every[at]) + 4 * abs(filled - share) / settings.target
        if harm <= least:
            best, least = at, harm
    return best


def _harm(before: _Unit, after: _Unit) -> float:
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


def _introduction(every: Sequence[_Unit], at: int) -> tuple[tuple[str, ...], tuple[_Unit, ...]]:
    """What gives the unit at `at` its subject: titles to add to the heading, or a table's head."""
    unit = every[at]
    if at and unit.kind == "row":
        first = at
        while first and every[first - 1].kind == "row":
            first -= 1
        return (), (every[first],) if first < at else ()
    titles: list[str] = []
    indent = unit.indent
    if unit.kind != "item":
        return (), ()
    for before in reversed(every[:at]):
        if before.kind != "item":
            if before.lead:
                titles.append(before.text)
            break
        if before.indent < indent and before.start:
            indent = before.indent
            titles.append(_ITEM.sub("", before.text))
    short = [title.rstrip(":").strip() for title in titles if len(title.split()) <= 16]
    return tuple(reversed(short)), ()


def _bearable(unit: _Unit, path: tuple[str, ...], settings: Splitter) -> Iterator[_Unit]:
    # Only what exceeds the maximum all by itself is cut inside, between words or, at worst, letters.
    room = max(40, settings.maximum - min(pieces(" > ".join(path)), settings.maximum // 2) - 4)
    if pieces(unit.text) <= room:
        yield unit
        return
    text, first = unit.text, True
    while text:
        end = len(text)
        while pieces(text[:end]) > room:
            end = end * 9 // 10
        if end < len(text):
            space = max(text.rfind(" ", 0, end), text.rfind("\n", 0, end))
            end = space if space > end // 2 else end
        yield replace(unit, text=text[:end].strip(), start=first or unit.kind == "code", lead=False)
        text, first = text[end:].strip(), False


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
    return Passage(key, source, page, draft.path, text, tuple(said))


def _sentences_of(unit: _Unit) -> list[str]:
    if unit.kind != "code":
        return sentences(unit.text) or [unit.text]
    return [unit.text] if len(unit.text.split()) <= 40 else [li for li in unit.text.split("\n") if li.strip()]
