"""Which part of the notes to search in: a file, a folder, a glob, or pages of them, each as one word.

'slides.pdf', 'week1', 'week1/*', 'slides.pdf:3-10', 'slides.pdf:7', 'slides.pdf:20-',
'lecture.srt:12:05-15:00'. What is not here: reading passages (rag/retrieve.py asks for them).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ingest.errors import BadRequest
from ingest.types import Passage, Place

_TIME = r"\d{1,9}(?::\d\d){0,2}"
_PAGES = re.compile(rf"(?P<name>.+?):(?P<first>{_TIME})(?P<dash>-)?(?P<last>(?<=-){_TIME})?")
_END = 10**12  # no page is farther


@dataclass(frozen=True, slots=True)
class Filter:
    """Some files, or only some pages of them."""

    said: str  # as it was asked for
    files: frozenset[str]
    pages: tuple[int, int] | None = None  # first and last; None for whole files

    def holds(self, place: Passage | Place) -> bool:
        """Whether the place is inside; what has no page is in no range of pages."""
        if place.source not in self.files:
            return False
        if self.pages is None:
            return True
        return place.page is not None and self.pages[0] <= place.page <= self.pages[1]


def filters(said: Sequence[str], sources: Sequence[str]) -> tuple[Filter, ...]:
    """What each word means among the files of an index. A file's own name comes before any pattern.

    Raises BadRequest for one that fits no file, or whose pages are none.
    """
    return tuple(_filter(one, sources) for one in said)


def inside(place: Passage | Place, chosen: Sequence[Filter]) -> bool:
    """Whether the place is in one of the filters; () is all notes."""
    return not chosen or any(one.holds(place) for one in chosen)


def stands_inside(passage: Passage, chosen: Sequence[Filter]) -> bool:
    """Whether one of the passage's places is in one of the filters."""
    return inside(passage, chosen) or any(inside(place, chosen) for place in passage.also)


def _filter(said: str, sources: Sequence[str]) -> Filter:
    if files := _files(said, sources):
        return Filter(said, files)
    found = _PAGES.fullmatch(said)
    if found and (files := _files(found["name"], sources)):
        first = _number(found["first"])
        last = _number(found["last"]) if found["last"] else _END if found["dash"] else first
        if last < first:
            raise BadRequest(f"'{said}' ends before it begins: write the lower page first, like 3-10.")
        return Filter(said, files, (first, last))
    name, colon, _ = said.rpartition(":")
    if colon and _files(name, sources):
        raise BadRequest(f"'{said}' names no pages: write '{name}:3-10' or '{name}:7'.")
    name = found["name"] if found else said
    raise BadRequest(f"No file '{name}' in the index: see the list of files, or ingest it.")


def _files(name: str, sources: Sequence[str]) -> frozenset[str]:
    if name in sources:
        return frozenset((name,))
    folder = name.rstrip("/") + "/"
    held = [source for source in sources if source.startswith(folder)]
    return frozenset(held or [source for source in sources if fnmatchcase(source, name)])


def _number(said: str) -> int:
    """A page, or the seconds of a time such as 1:02:03."""
    number = 0
    for part in said.split(":"):
        number = number * 60 + int(part)
    return number
