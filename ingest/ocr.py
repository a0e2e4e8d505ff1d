"""Text in pictures of pages: pypdfium2 draws the page, the program `tesseract` reads it, if there is one.

What is not here: which pages are pictures (ingest/read_pdf.py).
"""

from __future__ import annotations

import functools
import io
import shutil
import subprocess
from collections.abc import Sequence

from ingest import limits
from ingest.job import Job

PROGRAM = "tesseract"
DOTS = 250  # per inch; below 200 small print is misread, above 300 it takes longer for nothing
LARGEST = 5000  # pixels on a side
LANGUAGES = 4  # at most: each takes its time
WANTED = "install Tesseract (on Debian tesseract-ocr) and index again"  # of pages that it would read


def installed() -> bool:
    """Whether the program is there."""
    return shutil.which(PROGRAM) is not None


def was_missing(why: str) -> bool:
    """Whether what was said of a file when it was read is that the program is wanted for it."""
    return WANTED in why


def texts(data: bytes, numbers: Sequence[int], job: Job) -> dict[int, str]:
    """Page number: the text that stands in the picture of it, paragraphs as the program sees them.

    `numbers` count from 1. Pages on which nothing is found are not in the answer, nor are those for
    which the time does not last.
    """
    import pypdfium2

    job.extend(len(numbers) * limits.OCR_SECONDS)
    found: dict[int, str] = {}
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        return found
    try:
        for number in numbers:
            if job.left() < limits.SPARE_SECONDS:
                break
            try:
                text = _recognised(_picture(document, number), min(limits.OCR_SECONDS, job.left()))
            except (pypdfium2.PdfiumError, subprocess.SubprocessError, OSError, ValueError):
                continue  # the page is named with those that hold no text
            if any(char.isalnum() for char in text):
                found[number] = text
    finally:
        document.close()
    return found


def _picture(document: object, number: int) -> bytes:
    page = document[number - 1]  # type: ignore[index]
    scale = min(DOTS / 72, LARGEST / max(1.0, *page.get_size()))
    file = io.BytesIO()
    page.render(scale=scale, grayscale=True).to_pil().save(file, "PNG", compress_level=1)
    return file.getvalue()


def _recognised(picture: bytes, seconds: float) -> str:
    command = [PROGRAM, "stdin", "stdout", "-l", _languages(), "--dpi", str(DOTS)]
    done = subprocess.run(command, input=picture, capture_output=True, timeout=seconds, check=True)
    text = done.stdout.decode("utf-8", "replace").replace("\f", "")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


@functools.cache
def _languages() -> str:
    """All that are installed, English first; the program reads them mixed."""
    done = subprocess.run(
        [PROGRAM, "--list-langs"], capture_output=True, timeout=limits.OCR_SECONDS, check=True
    )
    names = done.stdout.decode("utf-8", "replace").split("\n")[1:]
    wanted = [name.strip() for name in names if name.strip() and "osd" not in name and "/" not in name]
    return "+".join(sorted(wanted, key=lambda name: (name != "eng", name))[:LANGUAGES]) or "eng"
