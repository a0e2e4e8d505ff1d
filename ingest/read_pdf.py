"""A PDF's pages as light Markdown: the text in reading order, headings by size, weight and bookmark.

What is not here: pictures of text (that takes OCR) and columns that the file itself interleaves.
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

from ingest.errors import NotesError

TAIL = 2048  # a whole PDF says %%EOF within its last bytes
LARGER = 1.12  # a heading is at least so much larger than the text
GAP = 1.45  # a blank line is at least so much further down than the usual line
HEADING_WORDS = 14
CELL_LINES = 5  # lines that one cell of a table may be broken over
BULLETS = "•◦▪▫●○‣⁃∙·*-–—o"

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a file is said by us, once


@dataclass(slots=True)
class _Line:
    """One line on a page; sizes and places in the page's points, y upwards."""

    text: str
    size: float
    bold: bool
    x: float
    y: float
    cell: float = -1.0  # x of its last table cell


def read_pdf(data: bytes) -> Iterator[tuple[int, str]]:
    """Page numbers from 1 and light Markdown; raises NotesError if there is no text to be had."""
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
        pages = [_lines(page) for page in reader.pages]
        marks = _bookmarks(reader)
    except NotesError:
        raise
    except (PyPdfError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as err:
        raise NotesError(f"damaged PDF ({type(err).__name__}): save or download it again") from err
    blank = [number for number, lines in enumerate(pages, 1) if not any(line.text.strip() for line in lines)]
    if len(blank) == len(pages):
        raise NotesError(
            f"no text, only pictures, on {_ranges(blank)}: run text recognition (OCR) on it first"
        )
    body = _body_size(pages)
    sizes = sorted({line.size for page in pages for line in page if line.size > body * LARGER}, reverse=True)
    for number, lines in enumerate(pages, 1):
        yield number, _markdown(lines, body, sizes, marks.get(number, {}))


def _lines(page: Any) -> list[_Line]:
    """The page's lines in the file's order; pieces at one height are one line, table cells get ' | '."""
    pieces: list[_Line] = []

    def visit(text: str, cm: list[float], tm: list[float], font: Any, size: float | None) -> None:
        if not text.strip():
            if pieces and text:
                pieces[-1].text += text
            return
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        scale = (tm[2] ** 2 + tm[3] ** 2) ** 0.5 * (cm[2] ** 2 + cm[3] ** 2) ** 0.5
        name = str((font or {}).get("/BaseFont", "")).lower()
        bold = any(word in name for word in ("bold", "black", "heavy", "semibold"))
        # One visit may carry several lines; their heights are only known for the first.
        for at, line in enumerate(re.split(r"(?<=\n)", text)):
            if line.strip():
                pieces.append(
                    _Line(line, round((size or 1) * scale, 1), bold, x, y - at * (size or 1) * scale)
                )
            elif pieces:
                pieces[-1].text += line

    page.extract_text(visitor_text=visit)
    lines: list[_Line] = []
    fresh = True  # whether the next piece begins a line or a cell
    for piece in pieces:
        ended = "\n" in piece.text[len(piece.text.rstrip()) :]
        piece.text = piece.text.replace("\n", "")
        _place(piece, lines, fresh)
        fresh = ended
    return [line for line in lines if line.text.strip()]


def _place(piece: _Line, lines: list[_Line], fresh: bool) -> None:
    """Puts a piece where it belongs: on a line at its height, in a cell that goes on, or on a new line."""
    size = piece.size
    for back, line in enumerate(reversed(lines[-CELL_LINES:])):
        if abs(line.y - piece.y) >= 0.35 * max(line.size, size) or (back and not fresh):
            continue
        for rest in lines[len(lines) - back :]:  # an earlier cell of this row, broken over lines
            line.text = f"{line.text.rstrip()} {rest.text.strip()}"
        del lines[len(lines) - back :]
        if line.text.strip() in BULLETS or not fresh:
            joint = " " if line.text.strip() in BULLETS else ""
        else:
            joint, line.cell = " | ", piece.x
            line.text = line.text.rstrip()
        line.text += joint + (piece.text.lstrip() if joint else piece.text)
        line.size, line.bold = max(line.size, size), line.bold and piece.bold
        return
    last = lines[-1] if lines else None
    if last and last.cell > last.x and abs(last.cell - piece.x) < 2 and 0 < last.y - piece.y < 4 * size:
        last.text = f"{last.text.rstrip()} {piece.text.strip()}"  # the last cell of a row, broken over lines
    elif last and not fresh and abs(last.y - piece.y) < 0.9 * last.size:
        last.text += piece.text  # raised or lowered
        last.bold = last.bold and piece.bold
    else:
        lines.append(piece)


def _body_size(pages: list[list[_Line]]) -> float:
    letters: Counter[float] = Counter()
    for page in pages:
        for line in page:
            letters[line.size] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 1.0


def _bookmarks(reader: Any) -> dict[int, dict[str, int]]:
    """Page: bookmarked title (letters only): its level, 1-based."""
    found: dict[int, dict[str, int]] = {}

    def walk(items: list[Any], level: int) -> None:
        for item in items:
            if isinstance(item, list):
                walk(item, level + 1)
                continue
            number = reader.get_destination_page_number(item)
            if number is not None and number >= 0:
                found.setdefault(number + 1, {})[_letters(item.title or "")] = min(level, 6)

    try:
        walk(reader.outline, 1)
    except Exception:  # bookmarks are a help, never worth losing the text for
        return {}
    return found


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()


def _markdown(lines: list[_Line], body: float, sizes: list[float], marks: dict[str, int]) -> str:
    drops = [above.y - line.y for above, line in itertools.pairwise(lines)]
    usual = statistics.median([d for d in drops if 0 < d < 4 * body] or [body * 1.2])
    left = min((line.x for line in lines), default=0.0)
    out: list[str] = []
    last: _Line | None = None
    last_level = 0
    for line in lines:
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
    return "\n".join(out)


def _level(line: _Line, text: str, body: float, sizes: list[float], marks: dict[str, int]) -> int:
    marked = marks.get(_letters(text))
    if marked:
        return marked
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
