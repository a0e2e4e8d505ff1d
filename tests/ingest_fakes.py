"""Stand-ins for the tests of ingest: an encoder without a model, and files of every kind, made here."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ingest.errors import NotesError
from ingest.read import read


class FakeEncoder:
    """Words to vectors by hashing: the same text gives the same vector, like words lie near."""

    def __init__(self, name: str = "fake@1", dimension: int = 16) -> None:
        self.name = name
        self.dimension = dimension
        self.encoded = 0  # texts so far

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += len(texts)
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            rows[row] = sum((self._word(word) for word in text.split()), self._word(""))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        pairs = []
        for text in texts:
            words = text.split()
            ids = np.array([int(hashlib.md5(w.encode()).hexdigest()[:6], 16) for w in words], np.int32)
            rows = np.stack([self._word(w) for w in words]) if words else np.zeros((0, self.dimension))
            pairs.append((ids, (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)))
        return pairs

    def encode_with_tokens(
        self, texts: Sequence[str]
    ) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        return self.encode(texts), self.encode_tokens(texts)

    def _word(self, word: str) -> np.ndarray:
        return _vector(word, self.dimension)


@functools.cache
def _vector(word: str, dimension: int) -> np.ndarray:
    seed = int(hashlib.md5(word.encode()).hexdigest()[:8], 16)
    return np.random.default_rng(seed).normal(size=dimension).astype(np.float32)


def pdf(pages: Sequence[Sequence[tuple[str, float]]], header: str = "", footer: bool = False) -> bytes:
    """A PDF of lines (text, font size), bold from size 14, with a running header and page numbers."""
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842))
    for number, lines in enumerate(pages, 1):
        y = 800.0
        if header:
            canvas.setFont("Helvetica", 8)
            canvas.drawString(60, y, header)
            y -= 30
        for text, size in lines:
            canvas.setFont("Helvetica-Bold" if size >= 14 else "Helvetica", size)
            canvas.drawString(60, y, text)
            y -= size * 1.25
        if footer:
            canvas.setFont("Helvetica", 8)
            canvas.drawString(280, 30, f"Page {number} of {len(pages)}")
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def picture_pdf(count: int = 2) -> bytes:
    """A PDF of `count` scanned pages: a picture each and no text."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file)
    for shade in range(count):
        canvas.drawImage(ImageReader(Image.new("L", (60, 60), 80 + 40 * shade)), 50, 50)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def locked_pdf(data: bytes, user: str, owner: str = "owner") -> bytes:
    """The same PDF, encrypted."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(user_password=user, owner_password=owner, algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def deck(slides: Sequence[tuple[str, Sequence[tuple[int, str]], str]]) -> bytes:
    """A PowerPoint deck of (title, [(level, bullet)], speaker notes), the first a title slide."""
    from pptx import Presentation

    show = Presentation()
    for number, (title, bullets, notes) in enumerate(slides):
        slide = show.slides.add_slide(show.slide_layouts[0 if number == 0 else 1])
        slide.shapes.title.text = title
        frame = slide.placeholders[1].text_frame
        for at, (level, text) in enumerate(bullets):
            paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
            paragraph.text, paragraph.level = text, level
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    file = io.BytesIO()
    show.save(file)
    return file.getvalue()


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Writes files by name under `folder` and gives it back."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, "utf-8")
    return folder


def failure(folder: Path, name: str, content: str | bytes) -> str:
    """The one line that says why a file of this content is no notes."""
    write(folder, {name: content})
    with pytest.raises(NotesError) as caught:
        read(folder / name, folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{name}: ")
    return message
