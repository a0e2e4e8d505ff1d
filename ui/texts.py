"""Texts to be checked, from a file: JSON lines {id, text, passages?} or CSV with such columns.

A line of our own `ask --batch` is one too, its answer the text. What is wrong with a line is told in its
place, and the others stand. What is not here: the check (ui/checking.py).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from ingest.errors import BadRequest
from ui.batch import content, fields, split
from ui.terminal import one_line

LONGEST = 50_000  # characters of a text
PASSAGES = 500_000  # characters of all the passages of one line
TABLES = {".csv": ",;\t", ".tsv": "\t"}  # file endings that are tables, and what may stand between cells


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be checked, or what is wrong with the line it should stand in."""

    id: Any  # as it was given: a string or a number; None where it could not be read
    text: str = ""
    passages: tuple[str, ...] | None = None  # what it is checked against; None for the index
    question: str = ""  # what it answers
    error: str = ""


def read(path: Path) -> list[Text]:
    """The texts of a file. Raises BadRequest where it cannot be read as what its name says."""
    return texts(content(path), path.name)


def texts(raw: bytes, name: str) -> list[Text]:
    """The texts of a file called `name`: a table by its ending, otherwise JSON lines.

    Raises BadRequest for a table that cannot be read to its end, or has no column of texts.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix in TABLES:
        return list(_rows(raw, one_line(name, 80), TABLES[suffix]))
    return [_line(number, line) for number, line in split(raw)]


def plain(raw: bytes, name: str) -> str:
    """A text file as text. Raises BadRequest where it is none."""
    utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # 'Unicode text' of a spreadsheet
    try:
        text = raw.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise BadRequest(f"{name} is not text in UTF-8: save it as such, for example as 'CSV UTF-8'.")
    return text


def checked_length(text: str, where: str = "") -> str:
    """`text`, fit to be checked. Raises BadRequest for an empty or a very long one."""
    lead = f"{where}: t" if where else "T"
    if not text.strip():
        raise BadRequest(f"{lead}here is no text to check.")
    if len(text) > LONGEST:
        raise BadRequest(f"{lead}he text has {len(text):,} characters, and at most {LONGEST:,} are checked.")
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair is in no alphabet


def _line(number: int, raw: bytes) -> Text:
    name, values, error = fields(number, raw, "{id, text}")
    return Text(None, error=error) if error else _text(f"Line {number}", name, values)


def _text(where: str, name: Any, values: dict[str, Any]) -> Text:
    text = values["text"] if "text" in values else values.get("answer")
    if text is None and isinstance(values.get("error"), str):
        return Text(name, error=f"{where} has no answer, but an error: {one_line(values['error'], 300)}")
    if text is None:
        return Text(name, error=f"{where} has no text (nor an answer) to check.")
    passages = values.get("passages")
    strings = passages if isinstance(passages, list) else [] if passages is None else [None]
    if not all(isinstance(one, str) for one in (text, *strings)):
        return Text(name, error=f"{where}: a text is a string, passages a list of strings.")
    if sum(map(len, strings)) > PASSAGES:
        return Text(name, error=f"{where}: passages may have {PASSAGES:,} characters in all.")
    question = values.get("question")
    try:
        fit = checked_length(text, where)
    except BadRequest as error:
        return Text(name, error=str(error))
    given = (
        None if passages is None else tuple(str(one).encode("utf-8", "replace").decode() for one in strings)
    )
    return Text(name, fit, given, question if isinstance(question, str) else "")


def _rows(raw: bytes, name: str, between: str) -> Iterator[Text]:
    whole = plain(raw, name)
    if not whole.strip():
        return
    head = whole.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(whole, newline=""), delimiter=max(between, key=head.count), strict=True)
    columns: list[str] = []
    last = 0  # the line that the row before ended in
    try:
        for row in reader:
            number, last = last + 1, reader.line_num
            if not any(cell.strip() for cell in row):
                continue
            if not columns:
                columns = [cell.strip().lower() for cell in row]
                if "text" not in columns and "answer" not in columns:
                    raise BadRequest(f"{name} has no column text (or answer): name it in the first line.")
                continue
            if len(row) > len(columns):
                yield Text(None, error=f"Line {number} has {len(row)} cells, the first line {len(columns)}.")
            else:
                yield _row(number, dict(zip(columns, row, strict=False)))
    except csv.Error as error:
        raise BadRequest(f"{name}, line {last + 1}: this is not CSV ({error}).") from error


def _row(number: int, cells: dict[str, str]) -> Text:
    name: str | int = cells.get("id", "").strip() if "id" in cells else number
    if name == "":
        return Text(None, error=f"Line {number} has no id.")
    found = [part for column in cells if column.startswith("passage") for part in _parts(cells[column])]
    values: dict[str, Any] = {"passages": found} if found else {}
    for column in ("text", "answer", "question", "error"):
        if cells.get(column, "").strip():
            values.setdefault(column, cells[column])
    return _text(f"Line {number}", name, values)


def _parts(cell: str) -> list[str]:
    """The passages of a cell: what empty lines part."""
    return [part.strip() for part in re.split(r"\n\s*\n", cell.replace("\r\n", "\n")) if part.strip()]
