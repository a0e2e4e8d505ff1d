"""The index on disk: written whole or not at all, opened as one frozen value.

A build writes a new folder `gen-…` and then renames the small file `current` onto its name, so a
reader finds the old index or the new one. Nothing here is a pickle: reading an index runs no code.
What is not here: making vectors (ingest/build.py) and searching them (rag/).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import secrets
import shlex
import shutil
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bm25s
import faiss
import numpy as np

from ingest.duplicates import Copy
from ingest.errors import IndexUnusable
from ingest.split import Splitter
from ingest.types import Encoder, Passage, Place
from ingest.words import tokens

FORMAT = 5  # raised whenever these files, or what is made of the same notes, change
CHECKED = 8 << 20  # files up to this size have their checksum verified on opening; all have their size
GENERATION = re.compile(r"gen-[0-9a-f]{12}")
COLUMNS = (
    "id TEXT PRIMARY KEY, row INTEGER UNIQUE, source TEXT, page INTEGER, heading TEXT, text TEXT,"
    " sentences TEXT, also TEXT"
)

__all__ = [
    "FORMAT", "Index", "Manifest", "Vectors", "copies", "current", "open_index", "peek", "save", "searchable"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was made of and with."""

    encoder: str
    dimension: int
    splitter: Splitter
    files: dict[str, str]  # source: sha256 of the file
    skipped: dict[str, tuple[str, str]]  # source: sha256 ('' if unreadable) and why it was left out
    pages: int
    passages: int
    sentences: int
    made: str  # ISO 8601, UTC
    format: int = FORMAT
    page_counts: dict[str, int] = field(default_factory=dict)  # source: pages, of each in `files`
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)  # source: what of it was not read

    @property
    def made_of(self) -> dict[str, str]:
        """Every file that was looked at, read or left out, with its SHA-256."""
        return self.files | {source: sha for source, (sha, _) in self.skipped.items()}


@dataclass(frozen=True, slots=True)
class Vectors:
    """Everything computed from n passages, S sentences and T tokens in all. See Index for the meaning."""

    passages: np.ndarray  # float32 (n, dim)
    sentences: np.ndarray  # float32 (S, dim)
    sentence_owner: np.ndarray  # int32 (S,)
    sentence_place: np.ndarray  # int32 (S,)
    tokens: np.ndarray  # int8 (T, dim)
    token_ids: np.ndarray  # int32 (T,)
    token_start: np.ndarray  # int64 (n + 1,)


@dataclass(frozen=True, slots=True)
class Index:
    """An open index of n passages. Rows of all its parts count the same passages in the same order."""

    passages: tuple[Passage, ...]
    passage_vectors: faiss.Index  # inner product over unit vectors of 'heading path + text', n rows
    sentence_vectors: faiss.Index  # over 'nearest heading: sentence', S rows
    sentence_owner: np.ndarray  # int32 (S,): row of the passage
    sentence_place: np.ndarray  # int32 (S,): position in passage.sentences
    token_vectors: np.ndarray  # int8 (T, dim), memory-mapped: unit token vectors x 127
    token_ids: np.ndarray  # int32 (T,): word-piece ids
    token_start: np.ndarray  # int64 (n + 1,): passage r has tokens token_start[r]:token_start[r + 1]
    bm25: bm25s.BM25  # over ingest.words.tokens of 'heading path + text'
    manifest: Manifest


def open_index(folder: Path, encoder: Encoder, splitter: Splitter | None = None) -> Index:
    """The index in `folder`, whole. `encoder` and `splitter` must be those it was made with.

    Raises IndexUnusable, one line with the command that rebuilds, if it is missing, damaged or
    made otherwise.
    """
    again = f"run: unitutor ingest NOTES --index {shlex.quote(str(folder))}"
    for _ in range(5):
        generation = _current(folder)
        if generation is None:
            raise IndexUnusable(f"no index in {folder}: {again}")
        try:
            manifest = _manifest(generation)
            _fits(manifest, encoder, splitter or Splitter(), folder, again)
            return _load(generation, manifest)
        except IndexUnusable:
            raise
        except Exception as err:  # faiss, sqlite, numpy and json each have their own word for damage
            # A build may have replaced and removed this generation while it was being read.
            if _current(folder) == generation:
                raise IndexUnusable(f"the index in {folder} is damaged or half-written: {again}") from err
    raise IndexUnusable(f"the index in {folder} keeps changing: try again when the build has finished")


def peek(folder: Path) -> Manifest | None:
    """What the index in `folder` was made of, without opening it; None if there is no whole one."""
    generation = _current(folder)
    if generation is None:
        return None
    try:
        manifest = _manifest(generation)
        _whole(generation)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return manifest


def current(folder: Path) -> str:
    """The name of the index in `folder` as it is now, '' if there is none; another after every build."""
    generation = _current(folder)
    return generation.name if generation else ""


def copies(folder: Path) -> list[Copy]:
    """The passages that those in the index stand for (ingest/duplicates.py).

    Raises OSError or sqlite3.Error where the index is missing or damaged.
    """
    generation = _current(folder)
    if generation is None:
        raise FileNotFoundError(f"no index in {folder}")
    return [Copy(row, passage) for row, passage in _read_rows(generation / "passages.sqlite", "copies")]


def save(
    folder: Path,
    passages: Sequence[Passage],
    vectors: Vectors,
    manifest: Manifest,
    repeats: Sequence[Copy] = (),
) -> None:
    """Makes this the index in `folder`, atomically; the caller holds `ingest.lock.locked(folder)`.

    `repeats` are passages that those in the index stand for; they are kept for the next build.
    Raises OSError (a full disk, say) with the earlier index untouched and nothing left behind.
    """
    generation = folder / f"gen-{secrets.token_hex(6)}"
    _sweep(folder)  # what a killed build left
    try:
        generation.mkdir()
        _write(generation, passages, vectors, manifest, repeats)
        _sync_tree(generation)
        _point(folder, generation.name)
    except BaseException:
        shutil.rmtree(generation, ignore_errors=True)
        raise
    _sweep(folder)


def _current(folder: Path) -> Path | None:
    try:
        name = (folder / "current").read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    # Only a name of our own making is followed: the file could say '../..'.
    return folder / name if GENERATION.fullmatch(name) else None


def _point(folder: Path, name: str) -> None:
    fresh = folder / f"current.{name}"
    try:
        with fresh.open("w", encoding="ascii") as file:
            file.write(name + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / "current")
    finally:
        fresh.unlink(missing_ok=True)
    _sync_folder(folder)


def _sweep(folder: Path) -> None:
    keep = _current(folder)
    for path in folder.glob("gen-*"):
        if path != keep:
            shutil.rmtree(path, ignore_errors=True)  # a reader on Windows may hold it; next time then
    for path in folder.glob("current.gen-*"):
        with contextlib.suppress(OSError):
            path.unlink()


def _manifest(generation: Path) -> Manifest:
    values = json.loads((generation / "manifest.json").read_text("utf-8"))
    values["splitter"] = Splitter(**values["splitter"]) if values["format"] == FORMAT else Splitter()
    values["skipped"] = {source: (sha, why) for source, (sha, why) in values["skipped"].items()}
    values["left_out"] = {source: tuple(lines) for source, lines in values.get("left_out", {}).items()}
    known = {field.name for field in dataclasses.fields(Manifest)}
    return Manifest(**{key: value for key, value in values.items() if key in known})


def _fits(manifest: Manifest, encoder: Encoder, splitter: Splitter, folder: Path, again: str) -> None:
    if manifest.format != FORMAT:
        raise IndexUnusable(f"the index in {folder} has format {manifest.format}, not {FORMAT}: {again}")
    if manifest.encoder != encoder.name or manifest.dimension != encoder.dimension:
        raise IndexUnusable(
            f"the index in {folder} was made by {manifest.encoder} ({manifest.dimension} numbers),"
            f" not {encoder.name} ({encoder.dimension}): {again}"
        )
    if manifest.splitter != splitter:
        raise IndexUnusable(f"the index in {folder} was split with other settings: {again}")


def _write(
    generation: Path,
    passages: Sequence[Passage],
    vectors: Vectors,
    manifest: Manifest,
    repeats: Sequence[Copy],
) -> None:
    _write_passages(generation / "passages.sqlite", passages, repeats)
    for name, rows in (("passages", vectors.passages), ("sentences", vectors.sentences)):
        flat = faiss.IndexFlatIP(manifest.dimension)
        flat.add(np.ascontiguousarray(rows, np.float32))
        # Through Python's own file, so that a full disk is an OSError with its errno.
        (generation / f"{name}.faiss").write_bytes(faiss.serialize_index(flat).tobytes())
    for name, array in _arrays(vectors).items():
        np.save(generation / f"{name}.npy", array, allow_pickle=False)
    bm25 = bm25s.BM25()
    bm25.index([tokens(searchable(p)) for p in passages], show_progress=False)
    bm25.save(generation / "bm25", allow_pickle=False, show_progress=False)
    parts = {}
    for path in sorted(generation.rglob("*")):
        if path.is_file():
            size = path.stat().st_size
            check = zlib.crc32(path.read_bytes()) if size <= CHECKED else 0
            parts[path.relative_to(generation).as_posix()] = [size, check]
    values = {**dataclasses.asdict(manifest), "parts": parts}
    (generation / "manifest.json").write_text(json.dumps(values, ensure_ascii=False, indent=1), "utf-8")


def searchable(passage: Passage) -> str:
    """The words a passage is found by: its heading path, then its text."""
    return f"{passage.title}\n{passage.text}" if passage.heading else passage.text


def _arrays(vectors: Vectors) -> dict[str, np.ndarray]:
    return {
        "sentence_owner": vectors.sentence_owner.astype(np.int32),
        "sentence_place": vectors.sentence_place.astype(np.int32),
        "tokens": vectors.tokens.astype(np.int8, copy=False),
        "token_ids": vectors.token_ids.astype(np.int32),
        "token_start": vectors.token_start.astype(np.int64),
    }


def _write_passages(path: Path, passages: Sequence[Passage], repeats: Sequence[Copy]) -> None:
    with contextlib.closing(sqlite3.connect(path)) as base, base:
        base.execute(f"CREATE TABLE passages ({COLUMNS})")
        base.execute(f"CREATE TABLE copies ({COLUMNS.replace('UNIQUE', '')})")
        for table, rows in (
            ("passages", enumerate(passages)),
            ("copies", ((copy.before, copy.passage) for copy in repeats)),
        ):
            base.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_row, rows))


def _row(numbered: tuple[int, Passage]) -> tuple[object, ...]:
    row, p = numbered
    also = json.dumps([[place.source, place.page, place.heading] for place in p.also])
    return p.id, row, p.source, p.page, json.dumps(p.heading), p.text, json.dumps(p.sentences), also


def _whole(generation: Path) -> None:
    parts = json.loads((generation / "manifest.json").read_text("utf-8"))["parts"]
    for name, (size, check) in parts.items():
        path = generation / name
        if path.stat().st_size != size or (size <= CHECKED and zlib.crc32(path.read_bytes()) != check):
            raise ValueError(f"{name} is not as it was written")


def _load(generation: Path, manifest: Manifest) -> Index:
    _whole(generation)
    flat = {
        name: faiss.deserialize_index(np.fromfile(generation / f"{name}.faiss", np.uint8))
        for name in ("passages", "sentences")
    }
    arrays = {
        name: np.load(generation / f"{name}.npy", allow_pickle=False)
        for name in ("sentence_owner", "sentence_place", "token_ids", "token_start")
    }
    passages = _read_passages(generation / "passages.sqlite")
    # An empty file cannot be mapped.
    mapped = "r" if len(arrays["token_ids"]) else None
    token_vectors = np.load(generation / "tokens.npy", mmap_mode=mapped, allow_pickle=False)  # type: ignore[arg-type]
    if not flat["passages"].ntotal == len(passages) == len(arrays["token_start"]) - 1:
        raise ValueError("the parts count different passages")
    bm25 = bm25s.BM25.load(generation / "bm25", allow_pickle=False, load_corpus=False, show_progress=False)
    return Index(
        passages=passages,
        passage_vectors=flat["passages"],
        sentence_vectors=flat["sentences"],
        token_vectors=token_vectors,
        bm25=bm25,
        manifest=manifest,
        **arrays,
    )


def _read_passages(path: Path) -> tuple[Passage, ...]:
    return tuple(passage for _, passage in _read_rows(path, "passages"))


def _read_rows(path: Path, table: str) -> list[tuple[int, Passage]]:
    query = f"SELECT row, id, source, page, heading, text, sentences, also FROM {table} ORDER BY row, rowid"
    with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as base:
        return [
            (row, Passage(key, source, page, _texts(heading), text, _texts(sentences), _places(also)))
            for row, key, source, page, heading, text, sentences, also in base.execute(query)
        ]


def _texts(values: str) -> tuple[str, ...]:
    return tuple(json.loads(values))


def _places(values: str) -> tuple[Place, ...]:
    return tuple(Place(source, page, tuple(heading)) for source, page, heading in json.loads(values))


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    for path in [folder, *(p for p in folder.rglob("*") if p.is_dir())]:
        _sync_folder(path)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # folders cannot be opened elsewhere
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
