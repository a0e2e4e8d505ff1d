"""One file of notes to pages of light Markdown, as the file has it: nothing is cleaned here.

Every way a file can be bad ends as one NotesError. What is not here: PDF (ingest/read_pdf.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ingest.errors import NotesError
from ingest.read_pdf import read_pdf
from ingest.types import Page

CONTROLS = 0.02  # share of control characters above which a "text" is none


def read(path: Path, root: Path) -> list[Page]:
    """The pages of `path`; their source is its path relative to `root`.

    Raises NotesError, one line that begins with the source, if it cannot be read as notes.
    """
    source = path.relative_to(root).as_posix()
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        kinds = " ".join(sorted(_READERS))
        raise NotesError(f"{source}: not a format that is read here ({kinds}): convert it, or leave it out")
    try:
        data = path.read_bytes()
    except PermissionError as err:
        raise NotesError(f"{source}: no permission to read it: change the file's permissions") from err
    except OSError as err:
        raise NotesError(f"{source}: cannot be read ({err.strerror or err}): check the file") from err
    if not data.strip(b"\0 \t\r\n"):
        raise NotesError(f"{source}: the file is empty: put the notes in it or remove it")
    try:
        pages = [Page(source, number, text) for number, text in reader(data)]
    except NotesError as err:
        raise NotesError(f"{source}: {err}") from err
    except Exception as err:  # parsers fail on damaged files in ways of their own
        raise NotesError(f"{source}: damaged, {type(err).__name__} while reading: save it again") from err
    if not any(page.text.strip() for page in pages):
        raise NotesError(f"{source}: holds no text: put the notes in it or remove it")
    return pages


def _read_text(data: bytes) -> Iterator[tuple[None, str]]:
    yield None, _decoded(data).replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes) -> str:
    wrong = NotesError("not text but binary data: open it in its program and save it as text or PDF")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in data:
        raise wrong
    else:
        encodings = ["utf-8-sig", "cp1252"]  # cp1252: what older Windows programs save
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        controls = sum(char < " " and char not in "\t\n\r\f\v" for char in text)
        foreign = sum(not (char.isascii() or char.isalpha()) for char in text)
        if controls <= CONTROLS * len(text) and (encoding != "cp1252" or foreign <= 0.1 * len(text)):
            return text
    raise wrong


def _read_pptx(data: bytes) -> Iterator[tuple[int, str]]:
    import io

    from pptx import Presentation
    from pptx.exc import PackageNotFoundError

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
        rows = [[" ".join(cell.text.split()) for cell in row.cells] for row in shape.table.rows]
        return ["\n".join(" | ".join(row) for row in rows if any(row))]
    if not shape.has_text_frame:
        return []
    lines = [(p.level, " ".join(p.text.split())) for p in shape.text_frame.paragraphs]
    lines = [(level, text) for level, text in lines if text]
    kind = str(shape.placeholder_format.type) if shape.is_placeholder else ""
    if any(word in kind for word in ("SLIDE_NUMBER", "FOOTER", "DATE")):
        return []
    # A body's paragraphs show bullets unless it is a subtitle or a single paragraph.
    listed = ("BODY" in kind or "OBJECT" in kind) and len(lines) > 1
    if listed or any(level for level, _ in lines):
        return ["\n".join("  " * level + "- " + text for level, text in lines)]
    return ["\n\n".join(text for _, text in lines)] if lines else []


_READERS: dict[str, Callable[[bytes], Iterator[tuple[Any, str]]]] = {
    ".pdf": read_pdf,
    ".md": _read_text,
    ".markdown": _read_text,
    ".txt": _read_text,
    ".pptx": _read_pptx,
}
SUFFIXES = frozenset(_READERS)
