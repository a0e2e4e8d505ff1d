"""Subtitles (SRT, WebVTT) as running text, with the time as the page.

A page is a sentence or a few, its number the second at which it begins, from 1; shown as 12:05 (see
ingest/pages.py). What is not here: who speaks, and how captions are set.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingest.errors import NotesError
from ingest.read_text import decoded

LONGEST = 30.0  # seconds after which a page ends, whether or not its sentence does
SHORTEST = 8.0  # seconds before which the end of a sentence is no end of a page
PAUSE = 4.0  # seconds of silence that end a page


def read_srt(data: bytes) -> Iterator[tuple[int, str]]:
    """Seconds from 1 and text; raises NotesError if there are no captions."""
    return _read(data, "srt")


def read_vtt(data: bytes) -> Iterator[tuple[int, str]]:
    """Seconds from 1 and text; raises NotesError if there are no captions."""
    return _read(data, "vtt")


def _read(data: bytes, kind: str) -> Iterator[tuple[int, str]]:
    from pysubs2 import SSAFile
    from pysubs2.exceptions import Pysubs2Error

    try:
        captions = SSAFile.from_string(decoded(data), format_=kind)
    except Pysubs2Error as err:
        raise NotesError(f"damaged subtitles: save them again as .{kind}") from err
    captions.sort()
    found = [(event.start / 1000, event.end / 1000, event.plaintext) for event in captions if event.is_text]
    if not found:
        raise NotesError("holds no captions with their times: save it again")
    words: list[str] = []
    began = last = 0.0
    for start, end, line in _unrolled(found):
        full = words and (
            start - began > LONGEST
            or start - last > PAUSE
            or (start - began > SHORTEST and words[-1].endswith((".", "!", "?", "…")))
        )
        if full:
            yield max(1, int(began)), " ".join(words)
            words = []
        began = began if words else start
        words.append(line)
        last = end
    if words:
        yield max(1, int(began)), " ".join(words)


def _unrolled(captions: list[tuple[float, float, str]]) -> Iterator[tuple[float, float, str]]:
    """Captions on one line each, without lines that stay on the screen from the caption before."""
    before: list[str] = []
    for start, end, text in captions:
        lines = [line for part in text.split("\n") if (line := " ".join(part.split()))]
        stays = max(
            (n for n in range(min(len(before), len(lines)) + 1) if before[len(before) - n :] == lines[:n]),
            default=0,
        )
        fresh = lines[stays:]
        before = lines or before
        if fresh:
            yield start, end, " ".join(fresh)
