"""A folder of notes to an index: walk, read, clean, split, merge what repeats, embed, store.

Only what has changed is worked on: of files that are as they were, passages and vectors come from
the index that is there, and the result is the one that a build from nothing gives. One bad file is
reported and never stops the others; a build that fails leaves the index as it was.
What is not here: which files are notes (ingest/walk.py) and which texts get vectors (ingest/vectors.py).
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest import dense, ocr, parts, store
from ingest.clean import clean
from ingest.duplicates import drafts_of, merged
from ingest.errors import IndexUnusable, NotesError
from ingest.lock import locked
from ingest.parts import Drafts
from ingest.read import SUFFIXES
from ingest.sandbox import Sandbox
from ingest.split import Splitter, split
from ingest.types import Encoder, Passage, Progress, silent
from ingest.vectors import computed, gathered, taken, vectors_of
from ingest.walk import Note, find, hashed, recall, remember

__all__ = ["Report", "Skipped", "build", "vectors_of"]

SEGMENT = 256  # passages whose vectors are kept together while a build goes on


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or a part of one, that was left out, and why, in one line."""

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
    read: int = 0  # files that were read; the others were as before


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
    be written; in both cases an earlier index stays as it was. `force` takes nothing over from it.
    """
    start = time.monotonic()
    settings = splitter or Splitter()
    notes = list(find(paths, folder))
    if not notes:
        kinds = " ".join(sorted(SUFFIXES))
        raise NotesError(f"no notes in {', '.join(map(str, paths)) or 'no folder'}: add files of {kinds}")
    before = recall(folder)
    hashes, seen = hashed(paths, notes, before)
    known = None if force else store.peek(folder)
    if known and _same(known, hashes, encoder, settings):
        if seen != before:
            remember(folder, seen)
        if (folder / parts.FOLDER).exists():
            with contextlib.suppress(IndexUnusable, OSError), locked(folder):
                parts.sweep(folder)  # a build was killed when all was done but this
        return _report(known, start, unchanged=True)
    try:
        with locked(folder):
            dense.reach(folder)  # told now, and not after hours of embedding
            earlier = None if force else _earlier(folder, encoder, settings)
            manifest, read = _rebuild(notes, hashes, folder, encoder, progress, settings, earlier)
            remember(folder, seen)
    except OSError as err:
        full = err.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full: free some space" if full else f"{err.strerror or err}: check the folder"
        raise IndexUnusable(f"cannot write the index in {folder}: {why} and run again") from err
    return _report(manifest, start, unchanged=False, read=read)


def _report(made: store.Manifest, start: float, unchanged: bool, read: int = 0) -> Report:
    whole = [Skipped(source, why) for source, (_, why) in made.skipped.items()]
    some = [Skipped(source, line) for source, lines in made.left_out.items() for line in lines]
    skipped, seconds = tuple(whole + some), time.monotonic() - start
    return Report(len(made.files), made.pages, made.passages, skipped, seconds, unchanged, read)


def _same(known: store.Manifest, hashes: dict[str, str], encoder: Encoder, splitter: Splitter) -> bool:
    return (
        known.made_of == hashes
        and "" not in hashes.values()  # an unreadable file may have become readable
        and (known.format, known.encoder, known.splitter) == (store.FORMAT, encoder.name, splitter)
        and known.dimension == encoder.dimension
        and not any(map(_readable_now, known.left_out.values()))
        and not _readable_now([why for _, why in known.skipped.values()])
    )


def _readable_now(left_out: Iterable[str]) -> bool:
    """Whether pages were left out, by what was said of them, for want of a program that is there now."""
    return any(map(ocr.was_missing, left_out)) and ocr.installed()


Said = tuple[tuple[str, ...], str, tuple[str, ...]]  # what a passage's vectors are made of


def _said(passage: Passage) -> Said:
    return passage.heading, passage.text, passage.sentences


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An index made in the same way, to take over what is still right of it."""

    index: store.Index
    drafts: dict[str, list[Passage]]  # by source
    rows: dict[Said, int]

    def of(self, source: str, sha: str) -> Drafts | None:
        """What the file with this content gave."""
        made = self.index.manifest
        if not sha or made.files.get(source) != sha or source not in made.page_counts:
            return None
        return Drafts(tuple(self.drafts[source]), made.page_counts[source], made.left_out.get(source, ()))


def _earlier(folder: Path, encoder: Encoder, splitter: Splitter) -> _Earlier | None:
    try:
        index = store.open_index(folder, encoder, splitter)
        repeats = store.copies(folder)
    except (IndexUnusable, sqlite3.Error, OSError, ValueError):
        return None  # it is made from nothing then
    drafts: defaultdict[str, list[Passage]] = defaultdict(list)
    rows: dict[Said, int] = {}
    for row, passage in enumerate(index.passages):
        rows.setdefault(_said(passage), row)
    for passage in drafts_of(index.passages, repeats):
        drafts[passage.source].append(passage)
    return _Earlier(index, drafts, rows)


def _rebuild(
    notes: Sequence[Note],
    hashes: dict[str, str],
    folder: Path,
    encoder: Encoder,
    progress: Progress,
    splitter: Splitter,
    earlier: _Earlier | None,
) -> tuple[store.Manifest, int]:
    parts.sweep_half(folder)
    found: dict[str, Drafts] = {}
    skipped: dict[str, tuple[str, str]] = {}
    read = 0
    with Sandbox() as sandbox:
        for done, note in enumerate(notes):
            progress("reading notes", done, len(notes))
            source, sha = note.source, hashes[note.source]
            bad = earlier.index.manifest.skipped.get(source) if earlier else None
            drafts = (earlier.of(source, sha) if earlier else None) or parts.kept_drafts(
                folder, source, sha, splitter
            )
            if bad and sha and bad[0] == sha and not _readable_now([bad[1]]):
                skipped[source] = bad
            elif drafts and not _readable_now(drafts.left_out):
                found[source] = drafts
            else:
                read += 1
                try:
                    found[source] = _read(sandbox, note, sha, splitter, folder)
                except NotesError as err:
                    skipped[source] = (sha, str(err).removeprefix(f"{source}: "))
    progress("reading notes", len(notes), len(notes))
    passages, repeats = merged([passage for drafts in found.values() for passage in drafts.passages])
    if not passages:
        first, (_, why) = next(iter(skipped.items()))
        more = f" (and {len(skipped) - 1} more)" if len(skipped) > 1 else ""
        raise NotesError(f"none of the notes can be read: {first}: {why}{more}")
    vectors = _vectors(passages, folder, encoder, progress, earlier)
    counts = {source: drafts.pages for source, drafts in found.items()}
    manifest = store.Manifest(
        encoder=encoder.name,
        dimension=encoder.dimension,
        splitter=splitter,
        files={source: hashes[source] for source in found},
        skipped=skipped,
        pages=sum(counts.values()),
        passages=len(passages),
        sentences=len(vectors.sentence_owner),
        made=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        page_counts=counts,
        left_out={source: drafts.left_out for source, drafts in found.items() if drafts.left_out},
    )
    store.save(folder, passages, vectors, manifest, repeats)
    parts.sweep(folder)
    return manifest, read


def _read(sandbox: Sandbox, note: Note, sha: str, splitter: Splitter, folder: Path) -> Drafts:
    """What a file gives. Raises NotesError."""
    began = time.monotonic()
    reading = sandbox.read(note.path, note.source, note.member)
    passages = split(clean(reading.pages), splitter)
    if not passages:
        raise NotesError("no text left after cleaning: nothing to index")
    drafts = Drafts(tuple(passages), len(reading.pages), reading.left_out)
    if sha and time.monotonic() - began > parts.SLOW:
        parts.keep_drafts(folder, note.source, sha, splitter, drafts)
    return drafts


def _vectors(
    passages: Sequence[Passage], folder: Path, encoder: Encoder, progress: Progress, earlier: _Earlier | None
) -> store.Vectors:
    """The passages' vectors: the earlier index's, an interrupted build's, and else computed and kept."""
    of = np.full(len(passages), -1)  # which of `sources` holds them
    row = np.zeros(len(passages), np.int64)
    sources: list[store.Vectors] = []
    if earlier:
        rows = {at: earlier.rows[said] for at, p in enumerate(passages) if (said := _said(p)) in earlier.rows}
        of[list(rows)], row[list(rows)] = 0, np.arange(len(rows))
        sources.append(taken(earlier.index, np.array(list(rows.values()), np.int64)))
    kept = parts.kept_vectors(folder, encoder)
    places = {key: (len(sources) + i, at) for i, (keys, _) in enumerate(kept) for at, key in enumerate(keys)}
    sources += [vectors for _, vectors in kept]
    if places:
        for at in np.flatnonzero(of < 0):
            of[at], row[at] = places.get(parts.key(passages[int(at)]), (-1, 0))
    # Longest first: batches are padded least, and the time left is not underestimated.
    missing = sorted(map(int, np.flatnonzero(of < 0)), key=lambda at: -len(passages[at].text))
    total = sum(2 + len(passages[at].sentences) for at in missing)
    done = 0
    for start in range(0, len(missing), SEGMENT):
        some = missing[start : start + SEGMENT]
        group, before = [passages[at] for at in some], done
        fresh = computed(group, encoder, lambda now, _: progress("embedding", before + now, total))  # noqa: B023
        parts.keep_vectors(folder, encoder, group, fresh)
        of[some], row[some] = len(sources), np.arange(len(some))
        sources.append(fresh)
        done += sum(2 + len(p.sentences) for p in group)
    progress("embedding", total, total)
    return gathered(sources, of, row, encoder.dimension)
