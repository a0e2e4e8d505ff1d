"""One file of notes to pages of light Markdown, as the file has it: nothing is cleaned here.

Every way a file can be bad ends as one NotesError. What is not here: each format's own reader
(ingest/read_*.py) and the process of its own that they run in (ingest/sandbox.py).
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ingest import archive, limits
from ingest.errors import NotesError
from ingest.job import Job
from ingest.read_docx import read_docx
from ingest.read_epub import read_epub
from ingest.read_html import read_html
from ingest.read_latex import read_latex
from ingest.read_notebook import read_notebook
from ingest.read_pdf import read_pdf
from ingest.read_pptx import read_pptx
from ingest.read_subtitles import read_srt, read_vtt
from ingest.read_table import read_table
from ingest.read_text import read_text
from ingest.types import Page


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file gave: its pages, and in a line each what of it was left out."""

    pages: tuple[Page, ...]
    left_out: tuple[str, ...] = ()


def read(path: Path, root: Path) -> list[Page]:
    """The pages of `path`, read in this process; their source is its path relative to `root`.

    Raises NotesError, one line that begins with the source, if it cannot be read as notes.
    """
    return list(reading(path, path.relative_to(root).as_posix()).pages)


def reading(path: Path, source: str, member: str = "", job: Job | None = None) -> Reading:
    """What `path`, or `member` of the archive there, holds; pages are said to be of `source`.

    `member` is named as the archive has it, the kind of file is told by the suffix of `source`.
    Raises NotesError as read() does, and MemoryError where memory is limited.
    """
    job = job or Job()
    try:
        found = _pages(_data(path, source, member), source, job)
        pages = tuple(Page(source, number, _sound(text)) for number, text in found)
        if not any(page.text.strip() for page in pages):
            raise NotesError("holds no text: put the notes in it or remove it")
    except NotesError as err:
        raise NotesError(f"{source}: {err}") from err
    except MemoryError:
        raise
    except Exception as err:  # parsers fail on damaged files in ways of their own
        raise NotesError(f"{source}: damaged, {type(err).__name__} while reading: save it again") from err
    return Reading(pages, tuple(job.left_out))


def _data(path: Path, source: str, member: str) -> bytes:
    suffix = PurePosixPath(source).suffix.lower()
    if suffix not in SUFFIXES and suffix not in archive.ARCHIVES:
        kinds = " ".join(sorted(SUFFIXES))
        raise NotesError(f"not a format that is read here ({kinds}): convert it, or leave it out")
    most = limits.TEXT_BYTES if suffix in TEXTS else limits.FILE_BYTES
    try:
        if member:
            data = archive.member(path, member, most)
        elif suffix == archive.SUFFIX:
            inside = archive.members(path)  # what is wrong with the archive, if anything
            why = "changed while being read: run again" if inside else "holds no files: remove it"
            raise NotesError(why)
        elif suffix in archive.ARCHIVES:
            raise NotesError(f"of archives only {archive.SUFFIX} is opened: unpack it, or leave it out")
        else:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise NotesError("not a plain file: leave it out")
            if found.st_size > most:
                raise NotesError(archive.too_large(found.st_size, most))
            data = path.read_bytes()
    except PermissionError as err:
        raise NotesError("no permission to read it: change the file's permissions") from err
    except FileNotFoundError as err:
        raise NotesError("it has gone since the folder was listed: run again") from err
    except OSError as err:
        raise NotesError(f"cannot be read ({err.strerror or err}): check the file") from err
    if not data.strip(b"\0 \t\r\n"):
        raise NotesError("the file is empty: put the notes in it or remove it")
    return data


def _pages(data: bytes, source: str, job: Job) -> Iterator[tuple[int | None, str]]:
    suffix = PurePosixPath(source).suffix.lower()
    size = 0
    for number, text in read_pdf(data, job) if suffix == ".pdf" else _READERS[suffix](data):
        size += len(text)
        if size > limits.CHARACTERS:
            where = f"from page {number} on" if number else "further on"
            job.left_out.append(
                f"only the first {limits.CHARACTERS / 1e6:.0f} million characters are read: split the file "
                f"to have what stands {where}"
            )
            return
        yield number, text


def _sound(text: str) -> str:
    """`text` as Unicode that can be written: halves of a pair joined, or replaced where one is alone."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "")


_READERS: dict[str, Callable[[bytes], Iterator[tuple[int | None, str]]]] = {
    ".csv": read_table,
    ".docx": read_docx,
    ".epub": read_epub,
    ".htm": read_html,
    ".html": read_html,
    ".ipynb": read_notebook,
    ".markdown": read_text,
    ".md": read_text,
    ".pptx": read_pptx,
    ".srt": read_srt,
    ".tex": read_latex,
    ".tsv": read_table,
    ".txt": read_text,
    ".vtt": read_vtt,
    ".xhtml": read_html,
}
TEXTS = frozenset(_READERS) - {".docx", ".epub", ".ipynb", ".pptx"}  # no more than text, whatever its marks
PLAIN = frozenset({".markdown", ".md", ".txt"})  # decoded and no more: nothing that could crash
SUFFIXES = frozenset({*_READERS, ".pdf", archive.SUFFIX})
