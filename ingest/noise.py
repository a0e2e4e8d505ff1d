"""Lines that are no part of the notes: running headers, page numbers, watermarks, dead image links.

What is not here: titles that repeat, which are headings (ingest/headings.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

EDGE = 2  # lines at the top and bottom of a page that may be furniture
SHARE = 0.4  # of the pages that carry a running line; odd and even pages may differ
TITLE_SHARE = 0.8  # the same for lines set as headings, which are more likely slide titles
WATERMARK_TIMES = 3

_PAGE_NUMBER = re.compile(
    r"(?:page|slide|p\.)\s*\d+(?:\s*(?:of|/)\s*\d+)?|\d+\s*(?:of|/)\s*\d+\s*pages?", re.I
)
_BARE_NUMBER = re.compile(r"[-–—|\s]*(\d{1,4})[-–—|\s]*")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)|<img\b[^>]*>", re.I)
_DULL_ALT = re.compile(r"(?:alt[ -_]?text|image|img|picture|figure|photo|screenshot|logo)?[\s\d._-]*", re.I)
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|svg|webp|bmp)", re.I)
_LIST = re.compile(r"\s*(?:[-*+•◦▪●○]|\d{1,3}[.)]|[a-zA-Z][.)])\s")
_MARKED = re.compile(r"[#|$\t`]")


def without_noise(texts: Sequence[str], numbers: Sequence[int | None]) -> list[str]:
    """The texts of one file's pages without the lines that are furniture."""
    pages = [[_no_image(line) for line in text.split("\n")] for text in texts]
    paged = len(pages) > 1 or numbers[:1] != [None]
    if paged:
        pages = _no_furniture(pages, numbers)
    marks = _watermarks(pages)
    return [
        "\n".join(line for line in lines if line.strip() not in marks and not _is_page_number(line))
        for lines in pages
    ]


def _no_image(line: str) -> str:
    def words(found: re.Match[str]) -> str:
        alt = (found[1] or "").strip()  # a description is worth keeping, 'alt text' is not
        return "" if _DULL_ALT.fullmatch(alt) or _FILE_NAME.fullmatch(alt) else alt

    return _IMAGE.sub(words, line) if "!" in line or "<" in line else line


def _is_page_number(line: str) -> bool:
    return bool(_PAGE_NUMBER.fullmatch(line.strip().strip("-–—| ")))


def _no_furniture(pages: list[list[str]], numbers: Sequence[int | None]) -> list[list[str]]:
    edges = [_edges(lines) for lines in pages]
    count: Counter[str] = Counter()
    for lines, places in zip(pages, edges, strict=True):
        count.update({_shape(lines[i]) for i in places})
    running = {shape for shape, times in count.items() if times >= max(3, SHARE * len(pages))}
    titles = {shape for shape in running if count[shape] >= max(3, TITLE_SHARE * len(pages))}
    offset = _offset(pages, edges, numbers)
    met: set[str] = set()
    out = []
    for lines, places, number in zip(pages, edges, numbers, strict=True):
        drop = set()
        for i in places:
            shape, line = _shape(lines[i]), lines[i].strip()
            bare = _BARE_NUMBER.fullmatch(line)
            if line.startswith("#"):
                if shape in titles and shape in met:
                    drop.add(i)
                met.add(shape)
            elif (bare and int(bare[1]) - (number or 0) in (0, offset)) or (
                shape in running and _plain(line)
            ):
                drop.add(i)
        out.append([line for i, line in enumerate(lines) if i not in drop])
    return out


def _offset(pages: list[list[str]], edges: list[list[int]], numbers: Sequence[int | None]) -> int | None:
    """How far the printed page numbers are from ours, if there are any."""
    count: Counter[int] = Counter()
    for lines, places, number in zip(pages, edges, numbers, strict=True):
        found = {int(bare[1]) for i in places if (bare := _BARE_NUMBER.fullmatch(lines[i].strip()))}
        count.update(printed - (number or 0) for printed in found)
    offset, times = count.most_common(1)[0] if count else (0, 0)
    return offset if times >= max(2, len(pages) / 2) else None


def _plain(line: str) -> bool:
    return not _LIST.match(line) and not line.endswith(":")  # a lead-in belongs to what follows


def _edges(lines: list[str]) -> list[int]:
    filled = [i for i, line in enumerate(lines) if line.strip()]
    return sorted({*filled[:EDGE], *filled[-EDGE:]})


def _shape(line: str) -> str:
    # Numbers differ from page to page where they count pages.
    return re.sub(r"\d+", "0", " ".join(line.split()).casefold())


def _watermarks(pages: list[list[str]]) -> set[str]:
    """Short lines that come again and again, and at least once in the middle of a sentence or list."""
    lines = [line for page in pages for line in page if line.strip()]
    count = Counter(line.strip() for line in lines)
    short = {
        line
        for line, times in count.items()
        if times >= WATERMARK_TIMES and len(line) <= 24 and len(line.split()) <= 3 and line[0].isalpha()
        and not _MARKED.search(line) and not line.endswith((".", ":", "?", "!"))
    }  # fmt: skip
    marks = set()
    for i, line in enumerate(lines[1:-1], 1):
        mark = line.strip()
        if mark not in short:
            continue
        before, after = lines[i - 1].strip(), lines[i + 1].strip()
        broken = after[:1].islower() and not before.endswith((".", "!", "?", ":", ";"))
        if broken and len(before) > len(mark):
            marks.add(mark)
    return marks
