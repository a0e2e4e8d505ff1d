"""A file's cleaned pages as a tree of sections, and in them the units that a passage never cuts.

What is not here: how the units are put together to passages (ingest/split.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ingest.sentences import is_row, sentences
from ingest.types import Page

_HEADING = re.compile(r"(#{1,6})\s+(.+)")
ITEM = re.compile(r"( *)(?:- |\d{1,3}[.)] )")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is never cut: a sentence, an item, a row, a formula."""

    text: str
    kind: str  # para, item, row, code
    page: int | None
    indent: int = 0
    lead: bool = False  # means little without what follows
    whole: bool = False  # is a paragraph of its own
    start: bool = True  # begins a line of its own (a sentence in a paragraph need not)
    also: tuple[int, ...] = ()  # other pages that are the same from first to last


@dataclass(slots=True)
class Section:
    title: str
    level: int
    page: int | None
    units: list[Unit] = field(default_factory=list)
    parts: list[Section] = field(default_factory=list)
    said: set[str] = field(default_factory=set)  # the texts of its units


def tree(pages: Sequence[Page]) -> Section:
    """The sections of one file under a root without title."""
    root = Section("", 0, pages[0].number)
    path = [root]
    shown: dict[tuple[str, ...], list[tuple[Section, int]]] = {}  # where the units of a page went
    for page in pages:
        units = list(_units(page))
        content = tuple(unit.text for unit in units)
        slide = page.number is not None and any(unit.kind == "heading" for unit in units)
        before = shown.get(content) if slide else None
        for section, at in before or ():
            section.units[at] = replace(section.units[at], also=(*section.units[at].also, page.number or 0))
        placed = shown.setdefault(content, []) if slide and before is None else []
        for unit in units:
            heading = _HEADING.fullmatch(unit.text) if unit.kind == "heading" else None
            if heading is None:
                # Slides built up step by step repeat their lines.
                if before is None and (not unit.whole or unit.text not in path[-1].said):
                    placed.append((path[-1], len(path[-1].units)))
                    path[-1].units.append(unit)
                    path[-1].said.add(unit.text)
                continue
            level, title = len(heading[1]), heading[2].strip().rstrip(":").strip()
            same = next((s for s in path[1:] if (s.level, s.title) == (level, title)), None)
            while path[-1].level >= level and path[-1] is not same:
                path.pop()
            if path[-1] is same and same.parts:
                path.append(Section("", level + 1, page.number))  # goes on after its parts
                same.parts.append(path[-1])
            elif path[-1] is not same:
                section = Section(title, level, page.number)
                path[-1].parts.append(section)
                path.append(section)
    return root


def repeats(units: Sequence[Unit]) -> list[int]:
    """The other pages on which all of `units` stand again, ascending; titles are not asked."""
    own = [unit for unit in units if unit.kind != "title"]
    return [number for number in own[0].also if all(number in unit.also for unit in own)] if own else []


def _units(page: Page) -> Iterator[Unit]:
    code: list[str] = []
    for line in page.text.split("\n"):
        bare = line.strip()
        if code or bare.startswith(("```", "~~~")):
            code.append(line)
            if len(code) > 1 and bare.startswith(("```", "~~~")):
                yield Unit("\n".join(code), "code", page.number)
                code = []
        elif not bare:
            continue
        elif _HEADING.fullmatch(bare):
            yield Unit(bare, "heading", page.number)
        elif item := ITEM.match(line):
            lead = bare.endswith(":")
            parts = sentences(bare)
            # A long item is cut between its sentences only; a short one is a unit.
            if len(bare.split()) <= 60 or len(parts) < 2:
                yield Unit(bare, "item", page.number, len(item[1]) // 2, lead)
            else:
                mark = bare[: bare.index(parts[0])]
                for at, part in enumerate(parts):
                    text = mark + part if at == 0 else part
                    yield Unit(text, "item", page.number, len(item[1]) // 2, start=at == 0)
        elif is_row(bare):
            yield Unit(bare, "row", page.number)
        else:
            parts = sentences(bare)
            for at, part in enumerate(parts):
                alone = len(parts) == 1
                yield Unit(part, "para", page.number, lead=part.endswith(":"), whole=alone, start=at == 0)
    if code:
        yield Unit("\n".join(code), "code", page.number)
