"""Bytes to text, whatever program saved them; Markdown and plain text are that and no more."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.errors import NotesError

CONTROLS = 0.02  # share of control characters above which a "text" is none


def read_text(data: bytes) -> Iterator[tuple[None, str]]:
    """One page without number; raises NotesError if it is no text."""
    yield None, decoded(data)


def decoded(data: bytes) -> str:
    """`data` as text with '\\n' between lines; raises NotesError if it is no text."""
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
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise wrong
