"""Lines that are no part of the notes: running headers, page numbers, watermarks, dead image links.

What is not here: titles that repeat, which are headings (ingest/headings.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ingest.removed import Tell, unheard

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
_ROMAN = re.compile(r"(?=[ivxlc])(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_TENS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
# What is stamped over pages; such a line goes wherever it stands, if it comes again and again.
_STAMP = re.compile(
    r"\W*(?:(?:draft(?=\W*$|\s*[-–—:v\d])|confidential|(?:evaluation|review|sample|preview|trial) copy"
    r"|do not (?:copy|distribute|circulate|share)|not for (?:distribution|sale|circulation)"
    r"|for internal use|all rights reserved|licensed to|downloaded (?:from|by)|scanned (?:by|with)"
    r"|copyright|trial version|unregistered version)(?!\w)|©|\(c\)\s*\d).*",
    re.I,
)
STAMP_WORDS = 14


def without_noise(texts: Sequence[str], numbers: Sequence[int | None], tell: Tell = unheard) -> list[str]:
    """The texts of one file's pages without the lines that are furniture; `tell` hears of each."""
    pages = [[_no_image(line, at, tell) for line in text.split("\n")] for at, text in enumerate(texts)]
    paged = len(pages) > 1 or numbers[:1] != [None]
    if paged:
        pages = _no_furniture(pages, numbers, tell)
    marks = _watermarks(pages)
    return ["\n".join(_kept(lines, at, marks, tell)) for at, lines in enumerate(pages)]


def _kept(lines: list[str], page: int, marks: set[str], tell: Tell) -> Iterator[str]:
    for line in lines:
        if line.strip() in marks:
            tell(page, line, "watermark")
        elif _is_page_number(line):
            tell(page, line, "page number")
        else:
            yield line


def _no_image(line: str, page: int, tell: Tell) -> str:
    def words(found: re.Match[str]) -> str:
        alt = (found[1] or "").strip()  # a description is worth keeping, 'alt text' is not
        kept = "" if _DULL_ALT.fullmatch(alt) or _FILE_NAME.fullmatch(alt) else alt
        tell(page, found[0].replace(kept, "", 1), "dead image link")
        return kept

    return _IMAGE.sub(words, line) if "!" in line or "<" in line else line


def _is_page_number(line: str) -> bool:
    return bool(_PAGE_NUMBER.fullmatch(line.strip().strip("-–—| ")))


def _no_furniture(pages: list[list[str]], numbers: Sequence[int | None], tell: Tell) -> list[list[str]]:
    edges = [_edges(lines) for lines in pages]
    count: Counter[str] = Counter()
    for lines, places in zip(pages, edges, strict=True):
        count.update({_shape(lines[i]) for i in places})
    running = {shape for shape, times in count.items() if times >= max(3, SHARE * len(pages))}
    titles = {shape for shape in running if count[shape] >= max(3, TITLE_SHARE * len(pages))}
    offsets = {kind: _offset(pages, edges, numbers, kind) for kind in ("figures", "roman")}
    met: set[str] = set()
    out = []
    for at, (lines, places, number) in enumerate(zip(pages, edges, numbers, strict=True)):
        drop = set()
        for i in places:
            shape, line = _shape(lines[i]), lines[i].strip()
            kind, printed = _printed(line)
            why = ""
            if line.startswith("#"):
                why = "repeated title" if shape in titles and shape in met else ""
                met.add(shape)
            elif printed and printed - (number or 0) in (offsets[kind], 0 if kind == "figures" else None):
                why = "page number"
            elif shape in running and _plain(line):
                why = "running header or footer"
            if why:
                tell(at, lines[i], why)
                drop.add(i)
        out.append([line for i, line in enumerate(lines) if i not in drop])
    return out


def _printed(line: str) -> tuple[str, int]:
    """The number that is all of a line, and how it is written; 0 if it is none."""
    if bare := _BARE_NUMBER.fullmatch(line):
        return "figures", int(bare[1])
    word = line.strip("-–—| ")
    if not word or not _ROMAN.fullmatch(word):
        return "figures", 0
    values = [_TENS[letter] for letter in word]
    return "roman", sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))


def _offset(
    pages: list[list[str]], edges: list[list[int]], numbers: Sequence[int | None], kind: str
) -> int | None:
    """How far the printed page numbers are from ours, if there are any."""
    count: Counter[int] = Counter()
    for lines, places, number in zip(pages, edges, numbers, strict=True):
        found = {_printed(lines[i].strip()) for i in places}
        count.update(printed - (number or 0) for how, printed in found if how == kind and printed)
    offset, times = count.most_common(1)[0] if count else (0, 0)
    # A book's preface is numbered apart and is a small share of it.
    least = max(2, len(pages) / 2) if kind == "figures" else 3
    return offset if times >= least else None


def _plain(line: str) -> bool:
    return not _LIST.match(line) and not line.endswith(":")  # a lead-in belongs to what follows


def _edges(lines: list[str]) -> list[int]:
    filled = [i for i, line in enumerate(lines) if line.strip()]
    return sorted({*filled[:EDGE], *filled[-EDGE:]})


def _shape(line: str) -> str:
    # Numbers differ from page to page where they count pages.
    return re.sub(r"\d+", "0", " ".join(line.split()).casefold())


def _watermarks(pages: list[list[str]]) -> set[str]:
    """Short lines that come again and again: stamps, and what stands in the middle of a sentence or list."""
    lines = [line for page in pages for line in page if line.strip()]
    count = Counter(line.strip() for line in lines)
    shapes = Counter(_shape(line) for line in lines)
    short = {
        line
        for line, times in count.items()
        if times >= WATERMARK_TIMES and len(line) <= 24 and len(line.split()) <= 3 and line[0].isalpha()
        and not _MARKED.search(line) and not line.endswith((".", ":", "?", "!"))
    }  # fmt: skip
    marks = {
        line
        for line in count
        if shapes[_shape(line)] >= WATERMARK_TIMES
        and len(line.split()) <= STAMP_WORDS
        and not _MARKED.search(line)
        and _STAMP.fullmatch(line)
    }
    for i, line in enumerate(lines[1:-1], 1):
        mark = line.strip()
        if mark not in short:
            continue
        before, after = lines[i - 1].strip(), lines[i + 1].strip()
        broken = after[:1].islower() and not before.endswith((".", "!", "?", ":", ";"))
        if broken and len(before) > len(mark):
            marks.add(mark)
    return marks
