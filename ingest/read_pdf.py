"""A PDF's pages as light Markdown: the text in reading order, headings by size, weight and bookmark.

What is not here: the lines of one page (ingest/pdf_lines.py) and the text in pictures (ingest/ocr.py).
"""

from __future__ import annotations

import io
import itertools
import logging
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest import limits, ocr
from ingest.errors import NotesError
from ingest.job import Job, TooLong
from ingest.pdf_lines import BULLETS, Line, lines_of

TAIL = 2048  # a whole PDF says %%EOF within its last bytes
LARGER = 1.12  # a heading is at least so much larger than the text
GAP = 1.45  # a blank line is at least so much further down than the usual line
HEADING_WORDS = 14
DRAWN = 200  # bytes of drawing on a page from which one without text is thought to show something

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a file is said by us, once


def read_pdf(data: bytes, job: Job) -> Iterator[tuple[int, str]]:
    """Page numbers from 1 and light Markdown; what cannot be read of it is told to `job`.

    Raises NotesError if there is no text to be had.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if b"%PDF-" not in data[:TAIL]:
        raise NotesError("not a PDF, whatever its name says: save it again as PDF")
    if b"%%EOF" not in data.rstrip(b"\0 \r\n\t")[-TAIL:]:
        raise NotesError("the PDF is cut short: download or copy it again")
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise NotesError("the PDF is encrypted: save a copy without a password")
        count = len(reader.pages)
        job.extend(min(count, limits.PAGES) * limits.PAGE_SECONDS)
        pages, blank = _read(reader, count, job)
        marks = _bookmarks(reader)
    except (PyPdfError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as err:
        raise NotesError(f"damaged PDF ({type(err).__name__}): save or download it again") from err
    seen = _recognised(data, pages, blank, job)
    body = _body_size(pages)
    sizes = sorted({line.size for page in pages for line in page if line.size > body * LARGER}, reverse=True)
    for number, lines in enumerate(pages, 1):
        text = _markdown(lines, body, sizes, marks.get(number, {}))
        if number in seen:
            titles = [f"{'#' * m.level} {m.title}" for m in _unsaid(marks.get(number, {}), seen[number])]
            text = "\n\n".join([*titles, seen[number]])
        yield number, "\n\n".join(filter(None, [text, _fields(reader, number)]))


def _read(reader: Any, count: int, job: Job) -> tuple[list[list[Line]], list[int]]:
    """The lines of each page as far as the limits go, and the pages that show something but hold no text."""
    pages: list[list[Line]] = []
    blank: list[int] = []
    bad: list[int] = []
    for number in range(1, min(count, limits.PAGES) + 1):
        if job.left_to_work() < 0:
            break
        lines: list[Line] = []
        try:
            with job.at_most(min(limits.PAGE_MOST_SECONDS, job.left_to_work())):
                page = reader.pages[number - 1]
                lines = lines_of(page)
                if not lines and _shows_something(page):
                    blank.append(number)
        except (Exception, TooLong) as err:
            if isinstance(err, MemoryError):
                raise
            bad.append(number)
        pages.append(lines)
    if bad and len(bad) == len(pages):
        raise NotesError("damaged PDF, none of its pages can be read: save or download it again")
    if bad:
        job.left_out.append(f"{_ranges(bad)} could not be read: print the file to a new PDF")
    if len(pages) < count:
        why = "more pages are not read" if len(pages) == limits.PAGES else "it takes too long"
        job.left_out.append(f"stopped before page {len(pages) + 1} of {count}, {why}: split the file")
    return pages, blank


def _shows_something(page: Any) -> bool:
    resources = page.get("/Resources") or {}
    contents = page.get_contents()
    return bool(resources.get("/XObject")) or (contents is not None and len(contents.get_data()) > DRAWN)


def _recognised(data: bytes, pages: list[list[Line]], blank: list[int], job: Job) -> dict[int, str]:
    """The text of the pages that are pictures, if there are any; what stays unread is told to `job`.

    Raises NotesError if no page has text.
    """
    empty = not any(pages)
    if not blank:
        if empty:
            raise NotesError("holds no text and no pictures: put the notes in it or remove it")
        return {}
    if not ocr.installed():
        why = f"no text, only pictures, on {_ranges(blank)}: {ocr.WANTED}, "
        why += "or run text recognition (OCR) on it first"
        if empty:
            raise NotesError(why)
        job.left_out.append(why)
        return {}
    found = ocr.texts(data, blank[: limits.OCR_PAGES], job)
    left = [number for number in blank if not found.get(number)]
    if left and empty and not found:
        raise NotesError(f"no text, only pictures, on {_ranges(left)}, and text recognition finds none there")
    if left:
        job.left_out.append(f"no text, only pictures, on {_ranges(left)}: text recognition finds none there")
    return found


def _fields(reader: Any, number: int) -> str:
    """What is filled in on a page's form, a line 'name: value' each."""
    lines: dict[str, None] = {}
    try:
        for note in reader.pages[number - 1].get("/Annots") or ():
            field = note.get_object()
            if field.get("/Subtype") != "/Widget":
                continue
            parent: Any = field["/Parent"].get_object() if "/Parent" in field else {}
            name = field.get("/TU") or field.get("/T") or parent.get("/TU") or parent.get("/T")
            value = field.get("/V", parent.get("/V"))
            kind = field.get("/FT", parent.get("/FT"))
            values = value if isinstance(value, list) else [value]
            said = ", ".join(" ".join(str(one).removeprefix("/").split()) for one in values if one)
            if (said and kind in ("/Tx", "/Ch")) or (kind == "/Btn" and said and said != "Off"):
                lines[f"{name}: {said}" if name else said] = None
    except Exception:  # a form is a help, never worth losing the text for
        return "\n\n".join(lines)
    return "\n\n".join(lines)


def _body_size(pages: list[list[Line]]) -> float:
    letters: Counter[float] = Counter()
    for page in pages:
        for line in page:
            letters[line.size] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 1.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """A bookmark."""

    title: str
    level: int  # 1 to 6
    top: float  # where on the page it leads to, in points from the bottom


def _bookmarks(reader: Any) -> dict[int, dict[str, _Mark]]:
    """Page: letters of a bookmark's title: the bookmark."""
    found: dict[int, dict[str, _Mark]] = {}

    def walk(items: list[Any], level: int) -> None:
        for item in items:
            if isinstance(item, list):
                walk(item, level + 1)
                continue
            number = reader.get_destination_page_number(item)
            if number is not None and number >= 0:
                title = " ".join((item.title or "").split())
                top = float("inf") if item.top is None else float(item.top)
                if _letters(title):
                    found.setdefault(number + 1, {})[_letters(title)] = _Mark(title, min(level, 6), top)

    try:
        walk(reader.outline, 1)
    except Exception:  # bookmarks are a help, never worth losing the text for
        return {}
    return found


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()


def _unsaid(marks: dict[str, _Mark], text: str) -> list[_Mark]:
    """The bookmarks whose titles the page itself does not say, from its top down."""
    letters = _letters(text)
    return sorted((mark for key, mark in marks.items() if key not in letters), key=lambda mark: -mark.top)


def _markdown(lines: list[Line], body: float, sizes: list[float], marks: dict[str, _Mark]) -> str:
    drops = [above.y - line.y for above, line in itertools.pairwise(lines)]
    usual = statistics.median([d for d in drops if 0 < d < 4 * body] or [body * 1.2])
    left = min((line.x for line in lines), default=0.0)
    out: list[str] = []
    last: Line | None = None
    last_level = 0
    unsaid = _unsaid(marks, "".join(line.text for line in lines))
    for line in lines:
        while unsaid and unsaid[0].top >= line.y:
            mark = unsaid.pop(0)
            out += ["", f"{'#' * mark.level} {mark.title}", ""]
        text = " ".join(line.text.split())
        level = _level(line, text, body, sizes, marks)
        drop = last.y - line.y if last else 0.0
        goes_on = not re.match(r"\(?[\dA-Z]{1,3}[.)]", text)
        if level and level == last_level and last and 0 < drop < 1.5 * line.size and goes_on:
            out[-1] += " " + text  # a heading over two lines
        else:
            apart = last is not None and (drop > GAP * usual or drop < 0 or level or last_level)
            if apart and out and out[-1]:
                out.append("")
            bullet = re.match(rf"[{re.escape(BULLETS)}]\s+(?=\S)", text)
            indent = "  " * min(4, round((line.x - left) / 18)) if bullet else ""
            out.append(f"{'#' * level} {text}" if level else indent + text)
        last, last_level = line, level
    return "\n".join(out).strip("\n")


def _level(line: Line, text: str, body: float, sizes: list[float], marks: dict[str, _Mark]) -> int:
    marked = marks.get(_letters(text)) or marks.get(
        _letters(re.sub(r"^[\dIVX]+(?:\.\d+)*[.)]?\s+", "", text))
    )
    if marked:
        return marked.level
    words = len(text.split())
    if not words or words > HEADING_WORDS or " | " in text or not re.search(r"[^\W\d_]", text):
        return 0
    if line.size in sizes:
        return min(sizes.index(line.size) + 1, 5)
    ends = text[-1] in ".,;" or text[0].islower() or re.match(rf"[{re.escape(BULLETS)}]\s", text)
    return min(len(sizes) + 1, 6) if line.bold and not ends and words <= 10 else 0


def _ranges(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:8])
    return f"page{'s' if len(numbers) > 1 else ''} {shown}{' …' if len(runs) > 8 else ''}"
