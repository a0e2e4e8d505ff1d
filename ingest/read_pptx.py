"""PowerPoint slides with their speaker notes, one page a slide.

What is not here: pictures on slides, and charts.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from ingest.archive import check_package
from ingest.errors import NotesError
from ingest.omml import MATHS, latex
from ingest.rows import rows


def read_pptx(data: bytes) -> Iterator[tuple[int, str]]:
    """Slide numbers from 1 and light Markdown; raises NotesError if it is no deck."""
    from pptx import Presentation
    from pptx.exc import PackageNotFoundError

    check_package(data)
    try:
        deck = Presentation(io.BytesIO(data))
    except PackageNotFoundError as err:
        raise NotesError("not a PowerPoint deck, or damaged: save it again as .pptx") from err
    for number, slide in enumerate(deck.slides, 1):
        yield number, _slide(slide, first=number == 1)


def _slide(slide: Any, first: bool) -> str:
    title = slide.shapes.title
    blocks: list[str] = []
    if title is not None and title.has_text_frame and title.text_frame.text.strip():
        # Deck title, section titles and slides make three levels, by the slides' own layouts.
        kind = str(title.placeholder_format.type)
        divider = "section" in slide.slide_layout.name.lower()
        level = 1 if first and "CENTER_TITLE" in kind else 2 if divider else 3
        words = " ".join(title.text_frame.text.split())
        blocks.append(f"{'#' * level} {words}")
    for shape in _shapes(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        blocks += _shape(shape)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text.replace("\v", "\n").strip()
        if notes:
            blocks.append("Notes:\n" + notes)
    return "\n\n".join(blocks)


def _shapes(shapes: Any) -> Iterator[Any]:
    # In reading order: the order in the file is the order in which they were drawn.
    for shape in sorted(shapes, key=lambda s: (s.top or 0, s.left or 0)):
        if hasattr(shape, "shapes"):  # a group
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _shape(shape: Any) -> list[str]:
    if getattr(shape, "has_table", False):
        return [rows([[cell.text for cell in row.cells] for row in shape.table.rows])]
    if not shape.has_text_frame:
        return []
    lines = [(p.level, _text(p)) for p in shape.text_frame.paragraphs]
    lines = [(level, text) for level, text in lines if text]
    kind = str(shape.placeholder_format.type) if shape.is_placeholder else ""
    if any(word in kind for word in ("SLIDE_NUMBER", "FOOTER", "DATE")):
        return []
    # A body's paragraphs show bullets unless it is a subtitle or a single paragraph.
    listed = ("BODY" in kind or "OBJECT" in kind) and len(lines) > 1
    if listed or any(level for level, _ in lines):
        return ["\n".join("  " * level + "- " + text for level, text in lines)]
    return ["\n\n".join(text for _, text in lines)] if lines else []


def _text(paragraph: Any) -> str:
    # Equations are left out by python-pptx, which knows only runs of text.
    if paragraph._p.find(f".//{MATHS}oMath") is None:
        return " ".join(paragraph.text.split())
    parts = []
    for part in paragraph._p:
        maths = part if part.tag == f"{MATHS}oMath" else part.find(f".//{MATHS}oMath")
        parts.append(f"${latex(maths)}$" if maths is not None else "".join(part.itertext()))
    return " ".join("".join(parts).split())
