"""The process in which a page of a PDF is drawn: a line of JSON in, a line of JSON out.

A stranger's file is opened here and nowhere in the program itself. Started with the bytes of memory
that it may take. In: {"path", "member", "page", "near", "quote", "around", "width"}. Out: {"picture", "kind",
"number", "count", "marks"} or {"error"}. What is not here: which file that is and whether it may be
shown (ui/facsimile.py), and how the words of a quote are found among those of a page (ui/finding.py).
"""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest import archive, limits
from ingest.apart import limit, own_output
from ingest.errors import NotesError
from ui.finding import found

SECONDS = 20  # of the processor's time for one page
LARGEST = 4000  # pixels on a side
HEAVY = 1_500_000  # bytes from which a picture is sent as JPEG: photographs make large PNG files
NOT_A_PDF = "cannot be opened as a PDF: save it again"


def main() -> None:
    """Answers one request."""
    out = own_output()
    limit(int(sys.argv[1]), SECONDS, files=False)
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        answer = drawn(asked)
    except NotesError as err:
        answer = {"error": str(err)}
    except MemoryError:
        answer = {"error": "this page takes more memory to draw than it may"}
    out.write(json.dumps(answer).encode("ascii") + b"\n")
    out.flush()


def drawn(asked: dict[str, Any]) -> dict[str, Any]:
    """The picture of a page, its number and how many there are, and where the quote stands on it.

    A page beyond the last is the last. With "near" it is the page after or before that is drawn where
    the quote stands there and not on the page itself: a passage may go on over the page's end. Marks
    are [left, top, width, height] as parts of the picture, 0..1. Raises NotesError where
    the file cannot be opened or the page not drawn.
    """
    import pypdfium2

    path, member = Path(asked["path"]), asked["member"]
    try:
        data = archive.member(path, member, limits.FILE_BYTES) if member else path.read_bytes()
        document = pypdfium2.PdfDocument(data)
        number = min(max(1, asked["page"]), len(document))
        number, spans = _searched(document, number, asked)
        page = document[number - 1]
        width, height = page.get_size()
        scale = min(asked["width"] / max(1.0, width), LARGEST / max(1.0, width, height))
        bitmap = page.render(scale=scale)
        kind, picture = _packed(bitmap.to_pil())
        marks = _marks(page, bitmap, spans)
    except OSError as err:
        raise NotesError(f"cannot be read ({err.strerror or err}): check the file") from err
    except (pypdfium2.PdfiumError, ValueError, IndexError) as err:
        raise NotesError(NOT_A_PDF) from err
    code = base64.b64encode(picture).decode("ascii")
    return {"picture": code, "kind": kind, "number": number, "count": len(document), "marks": marks}


def _packed(picture: Any) -> tuple[str, bytes]:
    file = io.BytesIO()
    picture.save(file, "PNG")
    if file.tell() <= HEAVY:
        return "image/png", file.getvalue()
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=85)
    return "image/jpeg", file.getvalue()


def _searched(document: Any, number: int, asked: dict[str, Any]) -> tuple[int, list[tuple[int, int]]]:
    """The page to draw, and the spans of its characters that say the quote."""
    if not asked["quote"]:
        return number, []
    for at in (number, number + 1, number - 1) if asked["near"] else (number,):
        if 1 <= at <= len(document):
            characters = _characters(document[at - 1].get_textpage())
            if spans := found(asked["quote"], characters, asked["around"]):
                return at, spans
    return number, []


def _marks(page: Any, bitmap: Any, spans: Sequence[tuple[int, int]]) -> list[list[float]]:
    """Where the spans stand on the picture, a box a line."""
    text = page.get_textpage()
    place = bitmap.get_posconv(page)
    marks = []
    for start, end in spans:
        for at in range(text.count_rects(start, end - start)):
            left, bottom, right, top = text.get_rect(at)
            (x0, y0), (x1, y1) = place.to_bitmap(left, top), place.to_bitmap(right, bottom)
            box = (min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
            sides = (bitmap.width, bitmap.height) * 2
            marks.append([round(value / side, 5) for value, side in zip(box, sides, strict=True)])
    return marks


def _characters(text: Any) -> list[str]:
    """The characters of a page as the library counts them; '' for what is no character."""
    import pypdfium2.raw as pdfium

    codes = (pdfium.FPDFText_GetUnicode(text, at) for at in range(text.count_chars()))
    return [chr(code) if 31 < code < 0xD800 or 0xDFFF < code < 0x110000 else "" for code in codes]


if __name__ == "__main__":
    main()
