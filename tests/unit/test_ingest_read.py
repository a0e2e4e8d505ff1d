"""Every format is read, and every bad file is one clear line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ingest.errors import NotesError
from ingest.read import SUFFIXES, read
from tests.ingest_fakes import deck, failure, locked_pdf, pdf, picture_pdf, write

LINES = [("Chapter One", 18.0), ("A generator makes samples from noise and a critic", 11.0)]
MORE = ["judges each of them, which is why the two are said to", "compete with one another."]
PAGE = [*LINES, *((text, 11.0) for text in MORE)]


def test_formats() -> None:
    assert {".pdf", ".md", ".markdown", ".txt", ".pptx"} <= SUFFIXES


def test_pdf_pages_and_headings(tmp_path: Path) -> None:
    write(tmp_path, {"a/notes.pdf": pdf([PAGE, [("Second", 18.0), *PAGE[1:]]])})
    pages = read(tmp_path / "a/notes.pdf", tmp_path)
    assert [page.number for page in pages] == [1, 2]
    assert {page.source for page in pages} == {"a/notes.pdf"}
    assert pages[0].text.startswith("# Chapter One\n")
    assert "# Second" in pages[1].text


def test_pdf_bookmarks_are_headings(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    plain = [("Latent space", 11.0), *((text, 11.0) for text in MORE)]
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf([plain]))))
    part = writer.add_outline_item("Part", 0)
    writer.add_outline_item("Latent space", 0, parent=part)
    file = io.BytesIO()
    writer.write(file)
    write(tmp_path, {"b.pdf": file.getvalue()})
    assert "## Latent space\n" in read(tmp_path / "b.pdf", tmp_path)[0].text


def test_pdf_table_rows(tmp_path: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file)
    for y, row in ((700, ("Model", "Maker")), (680, ("Alpha", "Acme"))):
        for x, cell in zip((60, 220), row, strict=True):
            canvas.drawString(x, y, cell)
    canvas.save()
    write(tmp_path, {"t.pdf": file.getvalue()})
    assert "Model | Maker\nAlpha | Acme" in read(tmp_path / "t.pdf", tmp_path)[0].text


def test_pptx(tmp_path: Path) -> None:
    data = deck(
        [
            ("Deck", [(0, "A subtitle")], ""),
            ("Slide two", [(0, "first"), (1, "inner"), (0, "last")], "Say this."),
        ]
    )
    write(tmp_path, {"d.pptx": data})
    first, second = read(tmp_path / "d.pptx", tmp_path)
    assert first.text == "# Deck\n\nA subtitle"
    assert second.number == 2
    assert second.text == "### Slide two\n\n- first\n  - inner\n- last\n\nNotes:\nSay this."


def test_pptx_table(tmp_path: Path) -> None:
    from pptx import Presentation
    from pptx.util import Inches

    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Numbers"
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for row, cells in enumerate((("Year", "Sum"), ("2020", "7"))):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    file = io.BytesIO()
    show.save(file)
    write(tmp_path, {"t.pptx": file.getvalue()})
    assert "Year | Sum\n2020 | 7" in read(tmp_path / "t.pptx", tmp_path)[0].text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("naïve — ≥\n".encode(), "naïve — ≥\n"),
        ("\ufeffmarked\n".encode(), "marked\n"),
        ("wide ≥".encode("utf-16"), "wide ≥"),
        (
            "caf\xe9 and \x93quotes\x94 in an older file".encode("latin-1"),
            "café and “quotes” in an older file",
        ),
        (b"line one\r\nline two\rline three", "line one\nline two\nline three"),
    ],
)
def test_text_encodings(tmp_path: Path, data: bytes, text: str) -> None:
    write(tmp_path, {"t.txt": data})
    (page,) = read(tmp_path / "t.txt", tmp_path)
    assert (page.number, page.text) == (None, text)


def test_locked_pdf(tmp_path: Path) -> None:
    assert "encrypted" in failure(tmp_path, "locked.pdf", locked_pdf(pdf([PAGE]), user="secret"))


def test_pdf_locked_against_changes_only_is_read(tmp_path: Path) -> None:
    write(tmp_path, {"open.pdf": locked_pdf(pdf([PAGE]), user="")})
    assert "generator" in read(tmp_path / "open.pdf", tmp_path)[0].text


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_truncated_pdf(tmp_path: Path, share: float) -> None:
    data = pdf([PAGE] * 5)
    message = failure(tmp_path, "cut.pdf", data[: int(share * len(data))])
    assert "cut short" in message
    assert "again" in message


def test_picture_pdf_names_its_pages(tmp_path: Path) -> None:
    assert "pages 1-3" in failure(tmp_path, "scan.pdf", picture_pdf(3))
    assert "on page 1" in failure(tmp_path, "one.pdf", picture_pdf(1))


@pytest.mark.parametrize("name", ["e.txt", "e.pdf", "e.pptx", "e.md"])
def test_empty_file(tmp_path: Path, name: str) -> None:
    assert "empty" in failure(tmp_path, name, b"")


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 9, bytes(range(128, 256)) * 4, b"\x01\x02\x03\x04" * 50]
)
def test_binary_called_text(tmp_path: Path, data: bytes) -> None:
    assert "binary" in failure(tmp_path, "x.txt", data)


@pytest.mark.parametrize("name", ["n.pdf", "n.pptx"])
def test_not_what_its_name_says(tmp_path: Path, name: str) -> None:
    failure(tmp_path, name, b"just some words, a good many of them")


def test_damaged_pdf(tmp_path: Path) -> None:
    failure(tmp_path, "d.pdf", b"%PDF-1.4\n" + b"garbage " * 40 + b"\n%%EOF\n")


def test_unsupported(tmp_path: Path) -> None:
    assert ".pptx" in failure(tmp_path, "x.odt", b"whatever")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"p.txt": "words"})

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    # Not by chmod: the tests may run as a user who may read everything.
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(NotesError, match=r"^p\.txt: no permission"):
        read(tmp_path / "p.txt", tmp_path)
