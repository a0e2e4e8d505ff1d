"""A scanned page through the real program for text recognition, where it is installed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ingest import ocr
from ingest.sandbox import Sandbox
from tests.ingest_fakes import pdf, write


def scanned(lines: list[str]) -> bytes:
    """A PDF whose one page is a picture of these lines."""
    import pypdfium2
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    document = pypdfium2.PdfDocument(pdf([[(line, 16.0) for line in lines]]))
    picture = document[0].render(scale=200 / 72).to_pil()
    document.close()
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842))
    canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)
    canvas.save()
    return file.getvalue()


def test_scanned_page(tmp_path: Path) -> None:
    if not ocr.installed():
        pytest.skip("tesseract is not installed")
    write(tmp_path, {"scan.pdf": scanned(["A generator makes samples", "and a critic judges them."])})
    with Sandbox() as sandbox:
        found = sandbox.read(tmp_path / "scan.pdf", "scan.pdf")
    assert " ".join(found.pages[0].text.split()) == "A generator makes samples and a critic judges them."
    assert not found.left_out
