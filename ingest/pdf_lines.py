"""One page of a PDF to lines of text in reading order, with their sizes and places.

What is not here: what the lines mean (ingest/read_pdf.py).
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CELL_LINES = 5  # lines that one cell of a table may be broken over
BULLETS = "•◦▪▫●○‣⁃∙·*-–—o"
COLUMN_LINES = 6  # lines that a column of text has at least
COLUMN_WORDS = 4  # words in its lines on average; cells of a table mostly have fewer
CROSSINGS = 5  # jumps from one column to the other that show them interleaved


@dataclass(slots=True)
class Line:
    """One line on a page; sizes and places in the page's points, y upwards as the line is read."""

    text: str
    size: float
    bold: bool
    x: float
    y: float
    cell: float = -1.0  # x of its last table cell


def lines_of(page: Any) -> list[Line]:
    """A pypdf page's lines as they are read: turned text upright, columns one after the other.

    Pieces at one height are one line, cells of a table are joined by ' | '.
    """
    turned: dict[int, list[Line]] = {}

    def visit(text: str, cm: list[float], tm: list[float], font: Any, size: float | None) -> None:
        pieces = turned.setdefault(_turn(cm, tm), [])
        if not text.strip():
            if pieces and text:
                pieces[-1].text += text
            return
        x, y = _upright(
            tm[4] * cm[0] + tm[5] * cm[2] + cm[4], tm[4] * cm[1] + tm[5] * cm[3] + cm[5], _turn(cm, tm)
        )
        scale = (tm[2] ** 2 + tm[3] ** 2) ** 0.5 * (cm[2] ** 2 + cm[3] ** 2) ** 0.5
        name = str((font or {}).get("/BaseFont", "")).lower()
        bold = any(word in name for word in ("bold", "black", "heavy", "semibold"))
        height = (size or 1) * scale
        # One visit may carry several lines; their heights are only known for the first.
        for at, line in enumerate(re.split(r"(?<=\n)", text)):
            if line.strip():
                pieces.append(Line(line, round(height, 1), bold, x, y - at * height))
            elif pieces:
                pieces[-1].text += line

    page.extract_text(visitor_text=visit)
    # Most of the page stands upright as it is read; what runs up its margin comes last.
    order = sorted(turned, key=lambda turn: -sum(len(piece.text) for piece in turned[turn]))
    return [line for turn in order for line in _joined(_by_columns(turned[turn]))]


def _turn(cm: Sequence[float], tm: Sequence[float]) -> int:
    """How far the text is turned against the page, in quarters, anticlockwise; 4 if it is aslant."""
    along = (tm[0] * cm[0] + tm[1] * cm[2], tm[0] * cm[1] + tm[1] * cm[3])
    quarters = math.atan2(along[1], along[0]) / (math.pi / 2)
    return round(quarters) % 4 if abs(quarters - round(quarters)) < 0.1 else 4


def _upright(x: float, y: float, turn: int) -> tuple[float, float]:
    return ((x, y), (y, -x), (-x, -y), (-y, x), (x, y))[turn]


def _by_columns(pieces: list[Line]) -> list[Line]:
    """The pieces with columns of text one after the other, where the file draws them line by line."""
    runs: list[list[Line]] = []  # what is drawn without a new line between
    fresh = True
    for piece in pieces:
        if fresh:
            runs.append([])
        runs[-1].append(piece)
        fresh = "\n" in piece.text[len(piece.text.rstrip()) :]
    starts = Counter(round(run[0].x) for run in runs)
    common = sorted(x for x, times in starts.items() if times >= COLUMN_LINES)
    if len(common) < 2:
        return pieces
    edges = [common[0], *(b for a, b in itertools.pairwise(common) if b - a > 100)]
    sides = [sum(run[0].x >= edge - 2 for edge in edges[1:]) for run in runs]
    words: list[list[int]] = [[] for _ in edges]
    crossings = 0
    for at, (run, side) in enumerate(zip(runs, sides, strict=True)):
        words[side].append(sum(len(piece.text.split()) for piece in run))
        crossings += at > 0 and side != sides[at - 1]
    prose = all(len(some) >= COLUMN_LINES and sum(some) >= COLUMN_WORDS * len(some) for some in words)
    if len(edges) < 2 or crossings < CROSSINGS or not prose:
        return pieces
    out: list[Line] = []
    columns: list[list[Line]] = [[] for _ in edges]
    for run, side in zip(runs, sides, strict=True):
        width = 0.42 * sum(piece.size * len(piece.text.strip()) for piece in run)
        if side + 1 < len(edges) and run[0].x + width > edges[side + 1] + 10:  # it runs over the gutter
            out += [piece for column in columns for piece in column] + run
            columns = [[] for _ in edges]
        else:
            columns[side] += run
    return out + [piece for column in columns for piece in column]


def _joined(pieces: list[Line]) -> list[Line]:
    lines: list[Line] = []
    fresh = True  # whether the next piece begins a line or a cell
    for piece in pieces:
        ended = "\n" in piece.text[len(piece.text.rstrip()) :]
        piece.text = piece.text.replace("\n", "")
        _place(piece, lines, fresh)
        fresh = ended
    return [line for line in lines if line.text.strip()]


def _place(piece: Line, lines: list[Line], fresh: bool) -> None:
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
