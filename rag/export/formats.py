"""The formats in which a quiz leaves, by the names that the command line has for them, and their files.

Printable HTML is made in ui/web/printed.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import BadRequest
from rag import jsonlines
from rag.export.anki import anki
from rag.export.gift import gift
from rag.export.markdown import markdown
from rag.export.moodle import moodle_xml
from rag.export.qti12 import qti12
from rag.export.qti21 import qti21
from rag.export.tables import csv_table, json_list
from rag.export.text import text
from rag.items.types import Item


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is made of items and a title, and what its file is called and said to be."""

    make: Callable[[Sequence[Item], str], bytes]
    suffix: str
    media_type: str
    about: str  # in a few words, for those who choose


FORMATS: dict[str, Format] = {
    "json": Format(json_list, ".json", "application/json", "all that is known of each question"),
    "md": Format(markdown, ".md", "text/markdown", "Markdown"),
    "text": Format(text, ".txt", "text/plain", "the course's own text format"),
    "gift": Format(gift, ".gift", "text/plain", "GIFT, for Moodle"),
    "moodle-xml": Format(moodle_xml, ".xml", "application/xml", "Moodle XML, with tags"),
    "qti": Format(qti21, ".qti.zip", "application/zip", "a QTI 2.1 package"),
    "qti-1.2": Format(qti12, ".qti12.zip", "application/zip", "a QTI 1.2 package, for Canvas"),
    "anki": Format(anki, ".apkg", "application/octet-stream", "Anki cards"),
    "csv": Format(csv_table, ".csv", "text/csv", "a table for spreadsheets"),
}


def write(items: Sequence[Item], name: str, title: str, made: float | None = None) -> bytes:
    """The items in the format called `name`: the same bytes each time.

    `made`, in seconds since 1970, is when; now where it is not given. Only Anki asks for it
    (rag/export/anki.py). Raises BadRequest for a name that is none.
    """
    known = FORMATS.get(name)
    if known is None:
        raise BadRequest(f"No format is called {name}: take one of {', '.join(FORMATS)}.")
    return anki(items, title, made) if name == "anki" else known.make(items, title)


def save(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there. Raises BadRequest where that cannot be done."""
    try:
        jsonlines.replace(path, content)
    except OSError as error:
        raise BadRequest(f"Cannot write {path}: {error.strerror}.") from error
