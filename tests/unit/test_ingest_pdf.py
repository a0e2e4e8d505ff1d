"""PDFs as they come: turned, in columns, with forms, with a broken table of contents, scanned in part."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingest import limits, ocr
from ingest.errors import NotesError
from ingest.job import Job
from ingest.read import Reading, read, reading
from tests.ingest_fakes import pdf, picture_pdf, write

LEFT = [f"left line {i} says that models learn from" for i in range(12)]
RIGHT = [f"right line {i} says that samples are drawn" for i in range(12)]


def drawn(draw: Callable[[Any], None], **how: Any) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842), **how)
    draw(canvas)
    canvas.save()
    return file.getvalue()


def page(folder: Path, data: bytes) -> str:
    write(folder, {"p.pdf": data})
    return read(folder / "p.pdf", folder)[0].text


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turned_text_is_read_line_by_line(tmp_path: Path, turn: int) -> None:
    def draw(canvas: Any) -> None:
        canvas.translate(300, 400)
        canvas.rotate(turn)
        for at, line in enumerate(("Generators make samples", "and critics judge them,", "again and again.")):
            canvas.drawString(-200, 200 - 14 * at, line)
        canvas.rotate(-turn)

    lines = "Generators make samples\nand critics judge them,\nagain and again."
    assert page(tmp_path, drawn(draw)) == lines


def test_bookmarks_that_the_page_does_not_say_are_headings_where_they_lead(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for at, line in enumerate(("The first sentence.", "1.2 Latent space", "The second.", "The third.")):
            canvas.drawString(60, 800 - 40 * at, line)
        for level, (title, y) in enumerate((("Part one", 830), ("Latent space", 770), ("Decoders", 692))):
            canvas.bookmarkHorizontal(title, 0, y)
            canvas.addOutlineEntry(title, title, level)

    assert page(tmp_path, drawn(draw)).split("\n\n") == [
        "# Part one", "The first sentence.", "## 1.2 Latent space", "The second.",
        "### Decoders", "The third.",
    ]  # fmt: skip


def test_page_shown_turned(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(
        clone_from=PdfReader(io.BytesIO(pdf([[("one line here", 11.0), ("another there", 11.0)]])))
    )
    writer.pages[0].rotate(90)
    file = io.BytesIO()
    writer.write(file)
    assert page(tmp_path, file.getvalue()) == "one line here\nanother there"


def test_columns_drawn_line_by_line(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(
            60, 800, "A title that runs over both of the columns on this page, from left to right"
        )
        for at, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
            canvas.drawString(60, 770 - 14 * at, left)
            canvas.drawString(320, 770 - 14 * at, right)

    text = " ".join(page(tmp_path, drawn(draw)).split())
    assert "A title" in text and " | " not in text
    assert " ".join([*LEFT, *RIGHT]) in text


def test_columns_drawn_one_after_the_other(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for x, lines in ((60, LEFT), (320, RIGHT)):
            for at, line in enumerate(lines):
                canvas.drawString(x, 770 - 14 * at, line)

    assert " ".join([*LEFT, *RIGHT]) in " ".join(page(tmp_path, drawn(draw)).split())


def test_a_table_is_no_columns(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for at in range(12):
            canvas.drawString(60, 770 - 14 * at, f"Model {at}")
            canvas.drawString(320, 770 - 14 * at, f"{at} million")

    assert "Model 3 | 3 million\nModel 4 | 4 million" in page(tmp_path, drawn(draw))


def test_what_is_filled_in_on_a_form(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(60, 800, "Lab report")
        canvas.acroForm.textfield(
            name="student", tooltip="Name of the student", value="Ada Lovelace", x=60, y=700
        )
        canvas.acroForm.textfield(name="empty", x=60, y=600)
        canvas.acroForm.checkbox(name="passed", checked=True, x=60, y=500)

    text = page(tmp_path, drawn(draw))
    assert "Lab report" in text
    assert "Name of the student: Ada Lovelace" in text
    assert "passed: Yes" in text and "empty" not in text


@pytest.mark.parametrize("wrong", [b"startxref\n7\n", b"startxref\n99999999\n"])
def test_broken_table_of_objects(tmp_path: Path, wrong: bytes) -> None:
    data = re.sub(rb"startxref\s+\d+\s", wrong, pdf([[("Chapter One", 18.0), ("A generator", 11.0)]]))
    assert page(tmp_path, data) == "# Chapter One\n\nA generator"


def scanned_in_part(folder: Path) -> Reading:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    text = PdfReader(io.BytesIO(pdf([[("A generator makes samples.", 11.0)]])))
    pictures = PdfReader(io.BytesIO(picture_pdf(3)))
    for one in (text.pages[0], *pictures.pages, text.pages[0]):
        writer.add_page(one)
    writer.add_blank_page(100, 100)
    file = io.BytesIO()
    writer.write(file)
    write(folder, {"p.pdf": file.getvalue()})
    return reading(folder / "p.pdf", "p.pdf")


def test_a_busy_machine_costs_no_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other programs may have the processor for some time, but not for ever."""

    def read_after(spent: float, worked: float) -> Reading:
        clock = SimpleNamespace(monotonic=lambda: spent, process_time=lambda: worked)
        monkeypatch.setattr("ingest.job.time", clock)
        return reading(tmp_path / "p.pdf", "p.pdf", job=Job(began=0.0, used=0.0))

    write(tmp_path, {"p.pdf": pdf([[("A page of text.", 11.0)]] * 3)})
    assert not read_after(5 * limits.SECONDS, 1.0).left_out
    with pytest.raises(NotesError):  # none of its pages
        read_after(5 * limits.SECONDS, 1.2 * limits.SECONDS)
    with pytest.raises(NotesError):
        read_after(limits.BUSY * limits.SECONDS, 1.0)


def test_pages_that_are_pictures_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "PROGRAM", "no-such-program")
    found = scanned_in_part(tmp_path)
    assert [bool(one.text) for one in found.pages] == [True, False, False, False, True, False]
    (said,) = found.left_out
    assert "no text, only pictures, on pages 2-4: install Tesseract" in said  # and not the empty page
    write(tmp_path, {"s.pdf": picture_pdf(2)})
    with pytest.raises(NotesError, match=r"^s\.pdf: no text, only pictures, on pages 1-2: install Tesseract"):
        read(tmp_path / "s.pdf", tmp_path)


def test_text_recognition_fits_in_where_the_pictures_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real program: tests/integration/test_ocr.py."""

    def run(command: list[str], **how: Any) -> subprocess.CompletedProcess[bytes]:
        if "--list-langs" in command:
            return subprocess.CompletedProcess(command, 0, b"List:\nosd\nfra\neng\n", b"")
        assert how["input"].startswith(b"\x89PNG") and how["timeout"] <= limits.OCR_SECONDS
        assert "eng+fra" in command
        said.append(b"What page number %d says\n\x0c" % len(said) if len(said) != 1 else b" \x0c")
        return subprocess.CompletedProcess(command, 0, said[-1], b"")

    said: list[bytes] = []
    ocr._languages.cache_clear()
    monkeypatch.setattr(ocr, "installed", lambda: True)
    monkeypatch.setattr(ocr.subprocess, "run", run)
    found = scanned_in_part(tmp_path)
    ocr._languages.cache_clear()
    assert [one.text for one in found.pages][1:4] == [
        "What page number 0 says",
        "",
        "What page number 2 says",
    ]
    assert found.left_out == ("no text, only pictures, on page 3: text recognition finds none there",)


def test_more_pages_than_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAGES", 3)
    write(tmp_path, {"p.pdf": pdf([[("A generator", 11.0)]] * 5)})
    found = reading(tmp_path / "p.pdf", "p.pdf")
    assert len(found.pages) == 3
    assert found.left_out == ("stopped before page 4 of 5, more pages are not read: split the file",)


def test_a_damaged_page_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest import read_pdf

    lines_of = read_pdf.lines_of

    def fails(page: Any) -> Any:
        if page.page_number == 1:
            raise IndexError
        return lines_of(page)

    monkeypatch.setattr(read_pdf, "lines_of", fails)
    write(tmp_path, {"p.pdf": pdf([[("A generator", 11.0)]] * 3)})
    found = reading(tmp_path / "p.pdf", "p.pdf")
    assert [bool(one.text) for one in found.pages] == [True, False, True]
    assert found.left_out == ("page 2 could not be read: print the file to a new PDF",)
