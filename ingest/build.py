"""A folder of notes to an index: walk, read, clean, split, embed, store.

One bad file is reported and never stops the others; a build that fails leaves the index as it was.
What is not here: adding to an index file by file; whatever has changed, all of it is made again.
"""

from __future__ import annotations

import datetime
import errno
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest import store
from ingest.clean import clean
from ingest.context import contexts
from ingest.errors import IndexUnusable, NotesError
from ingest.lock import locked
from ingest.read import SUFFIXES, read
from ingest.split import Splitter, split
from ingest.types import Encoder, Page, Passage, Progress, silent

CHUNK = 64  # texts encoded between two reports of progress


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why, in one line."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a build did. `unchanged` is True if the index was up to date and nothing was written."""

    files: int
    pages: int
    passages: int
    skipped: tuple[Skipped, ...]
    seconds: float
    unchanged: bool


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    root: Path
    source: str


def build(
    paths: Sequence[Path],
    folder: Path,
    encoder: Encoder,
    progress: Progress = silent,
    force: bool = False,
    splitter: Splitter | None = None,
) -> Report:
    """Makes the index in `folder` hold exactly the notes under `paths`.

    Raises NotesError if there are no notes or none can be read, IndexUnusable if the index cannot
    be written; in both cases an earlier index stays as it was. `force` rebuilds an unchanged one.
    """
    start = time.monotonic()
    settings = splitter or Splitter()
    files = list(_find(paths, folder))
    if not files:
        kinds = " ".join(sorted(SUFFIXES))
        raise NotesError(f"no notes in {', '.join(map(str, paths)) or 'no folder'}: add files of {kinds}")
    hashes = _hashes(files)
    known = None if force else store.peek(folder)
    if known and _same(known, hashes, encoder, settings):
        skipped = tuple(Skipped(source, why) for source, (_, why) in known.skipped.items())
        seconds = time.monotonic() - start
        return Report(len(known.files), known.pages, known.passages, skipped, seconds, True)
    try:
        with locked(folder):
            return _rebuild(files, hashes, folder, encoder, progress, settings, start)
    except OSError as err:
        full = err.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full: free some space" if full else f"{err.strerror or err}: check the folder"
        raise IndexUnusable(f"cannot write the index in {folder}: {why} and run again") from err


def _rebuild(
    files: Sequence[_File],
    hashes: dict[str, str],
    folder: Path,
    encoder: Encoder,
    progress: Progress,
    splitter: Splitter,
    start: float,
) -> Report:
    pages: dict[str, list[Page]] = {}
    skipped: dict[str, tuple[str, str]] = {}
    passages: list[Passage] = []
    for done, file in enumerate(files):
        progress("reading notes", done, len(files))
        try:
            found = clean(_renamed(read(file.path, file.root), file.source))
            parts = split(found, splitter)
            if not parts:
                raise NotesError("no text left after cleaning: nothing to index")
        except NotesError as err:
            skipped[file.source] = (hashes[file.source], _reason(err, file))
            continue
        pages[file.source] = found
        passages += parts
    progress("reading notes", len(files), len(files))
    if not passages:
        first, (_, why) = next(iter(skipped.items()))
        more = f" (and {len(skipped) - 1} more)" if len(skipped) > 1 else ""
        raise NotesError(f"none of the notes can be read: {first}: {why}{more}")
    vectors = vectors_of(passages, encoder, progress)
    manifest = store.Manifest(
        encoder=encoder.name,
        dimension=encoder.dimension,
        splitter=splitter,
        files={source: hashes[source] for source in pages},
        skipped=skipped,
        pages=sum(map(len, pages.values())),
        passages=len(passages),
        sentences=len(vectors.sentence_owner),
        made=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    store.save(folder, passages, vectors, manifest)
    left_out = tuple(Skipped(source, why) for source, (_, why) in skipped.items())
    return Report(
        len(pages), manifest.pages, len(passages), left_out, time.monotonic() - start, unchanged=False
    )


def made_of(paths: Sequence[Path], folder: Path) -> dict[str, str]:
    """SHA-256 of each file that a build of `folder` from `paths` would look at; '' if unreadable."""
    return _hashes(_find(paths, folder))


def _hashes(files: Iterable[_File]) -> dict[str, str]:
    return {file.source: _hash(file.path) for file in files}


def _find(paths: Sequence[Path], folder: Path) -> Iterator[_File]:
    seen: set[Path] = set()
    taken: set[str] = set()
    index = folder.resolve()
    for path in paths:
        if not path.exists():
            raise NotesError(f"no such file or folder: {path}: check the path")
        root = path if path.is_dir() else path.parent
        inside = root.resolve()
        for file in sorted(_walk(path, index)) if path.is_dir() else [path]:
            real = file.resolve()
            # A link that leads out of the folder could bring in anything of the student's.
            if real in seen or (path.is_dir() and not real.is_relative_to(inside)):
                continue
            source = _name(file.relative_to(root))
            if source in taken:
                source = f"{_name(Path(inside.name))}/{source}"
            for number in range(2, 1000):
                if source not in taken:
                    break
                source = f"{_name(Path(inside.name))}-{number}/{_name(file.relative_to(root))}"
            seen.add(real)
            taken.add(source)
            yield _File(file, root, source)


def _walk(folder: Path, index: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):  # links to folders are not followed
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (here / name).resolve() != index
        )
        yield from (here / name for name in names if not name.startswith((".", "~$")))


def _name(path: Path) -> str:
    # Names on disk need not be Unicode; the index and its JSON are.
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # reading will say why


def _same(known: store.Manifest, hashes: dict[str, str], encoder: Encoder, splitter: Splitter) -> bool:
    return (
        known.made_of == hashes
        and "" not in hashes.values()  # an unreadable file may have become readable
        and (known.format, known.encoder, known.splitter) == (store.FORMAT, encoder.name, splitter)
        and known.dimension == encoder.dimension
    )


def _renamed(pages: Sequence[Page], source: str) -> list[Page]:
    return [Page(source, page.number, page.text) for page in pages]


def _reason(err: NotesError, file: _File) -> str:
    # The report names the file beside the reason.
    name = file.path.relative_to(file.root).as_posix()
    return str(err).removeprefix(f"{name}: ")


def vectors_of(passages: Sequence[Passage], encoder: Encoder, progress: Progress) -> store.Vectors:
    texts = [store.searchable(p) for p in passages]
    lines = [contexts(p) for p in passages]
    owner = np.repeat(np.arange(len(lines), dtype=np.int32), [len(group) for group in lines])
    place = np.array([i for group in lines for i in range(len(group))], np.int32)
    flat = [line for group in lines for line in group]
    total = 2 * len(texts) + len(flat)
    rows = _encode(texts, encoder, progress, 0, total)
    sentences = _encode(flat, encoder, progress, len(texts), total)
    ids: list[np.ndarray] = []
    vectors: list[np.ndarray] = []
    for at in range(0, len(texts), CHUNK):
        progress("embedding", len(texts) + len(flat) + at, total)
        for some, rows_of in encoder.encode_tokens(texts[at : at + CHUNK]):
            ids.append(some)
            vectors.append(np.rint(rows_of * 127).astype(np.int8))  # int8 keeps every ranking
    progress("embedding", total, total)
    starts = np.concatenate([[0], np.cumsum([len(some) for some in ids])]).astype(np.int64)
    return store.Vectors(rows, sentences, owner, place, np.concatenate(vectors), np.concatenate(ids), starts)


def _encode(
    texts: Sequence[str], encoder: Encoder, progress: Progress, before: int, total: int
) -> np.ndarray:
    found = np.zeros((len(texts), encoder.dimension), np.float32)
    # Longest first over all of them: batches are padded least, and the time left is not underestimated.
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for at in range(0, len(order), CHUNK):
        progress("embedding", before + at, total)
        rows = order[at : at + CHUNK]
        found[rows] = encoder.encode([texts[i] for i in rows])
    return found
