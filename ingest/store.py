"""The index on disk: written whole or not at all, opened as one frozen value.

A build writes a new generation beside the last one (ingest/generations.py), so a reader finds the old
index or the new one. Small files are checked and read, large ones mapped: starting does not read it
all. Nothing here is a pickle: reading an index runs no code. What is not here: making vectors
(ingest/vectors.py), which kind of faiss index they get (ingest/dense.py), and searching them (rag/).
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bm25s
import numpy as np

from ingest import dense, generations
from ingest.dense import VectorIndex
from ingest.duplicates import Copy
from ingest.errors import IndexUnusable
from ingest.passages import read_copies, read_passages, write_passages
from ingest.sample import Sample, read_sample, sampled
from ingest.split import Splitter
from ingest.types import Encoder, Passage
from ingest.words import tokens

FORMAT = 5  # raised whenever these files, or what is made of the same notes, change
CHECKED = dense.READ  # files up to this size have their checksum verified on opening; all have their size

__all__ = [
    "FORMAT", "Index", "Manifest", "Vectors", "copies", "current", "examined", "open_index", "peek", "save",
    "searchable",
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
    tokens: np.ndarray  # int8 (T, dim), or (0, dim): late interaction then encodes what it looks at
    token_ids: np.ndarray  # int32 (T,)
    token_start: np.ndarray  # int64 (n + 1,)


@dataclass(frozen=True, slots=True)
class Index:
    """An open index of n passages. Rows of all its parts count the same passages in the same order."""

    passages: Sequence[Passage]  # a tuple, or StoredPassages where there are many
    passage_vectors: VectorIndex  # inner product over unit vectors of 'heading path + text', n rows
    sentence_vectors: VectorIndex  # over 'nearest heading: sentence', S rows
    sentence_owner: np.ndarray  # int32 (S,): row of the passage
    sentence_place: np.ndarray  # int32 (S,): position in passage.sentences
    token_vectors: np.ndarray  # int8 (T, dim) or (0, dim), memory-mapped: unit token vectors x 127
    token_ids: np.ndarray  # int32 (T,): word-piece ids
    token_start: np.ndarray  # int64 (n + 1,): passage r has tokens token_start[r]:token_start[r + 1]
    bm25: bm25s.BM25  # over ingest.words.tokens of 'heading path + text'
    manifest: Manifest
    sample: Sample | None = None  # where there are too many passages to score each for a question


def open_index(folder: Path, encoder: Encoder, splitter: Splitter | None = None) -> Index:
    """The index in `folder`, whole. `encoder` and `splitter` must be those it was made with.

    Raises IndexUnusable, one line with the command that rebuilds, if it is missing, damaged or
    made otherwise.
    """
    again = f"run: unitutor ingest NOTES --index {shlex.quote(str(folder))}"
    for _ in range(5):
        generation = generations.current(folder)
        if generation is None:
            raise IndexUnusable(f"no index in {folder}: {again}")
        try:
            manifest = _manifest(generation)
            _fits(manifest, encoder, splitter or Splitter(), folder, again)
            return _load(folder, generation, manifest)
        except IndexUnusable:
            raise
        except Exception as err:  # faiss, sqlite, numpy and json each have their own word for damage
            # A build may have replaced and removed this generation while it was being read.
            if generations.current(folder) == generation:
                raise IndexUnusable(f"the index in {folder} is damaged or half-written: {again}") from err
    raise IndexUnusable(f"the index in {folder} keeps changing: try again when the build has finished")


def peek(folder: Path) -> Manifest | None:
    """What the index in `folder` was made of, without opening it; None if there is no whole one."""
    generation = generations.current(folder)
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
    generation = generations.current(folder)
    return generation.name if generation else ""


def copies(folder: Path) -> list[Copy]:
    """The passages that those in the index stand for (ingest/duplicates.py).

    Raises OSError or sqlite3.Error where the index is missing or damaged.
    """
    generation = generations.current(folder)
    if generation is None:
        raise FileNotFoundError(f"no index in {folder}")
    return read_copies(generation / "passages.sqlite")


def save(
    folder: Path,
    passages: Sequence[Passage],
    vectors: Vectors,
    manifest: Manifest,
    repeats: Sequence[Copy] = (),
) -> None:
    """Makes this the index in `folder`, atomically; the caller holds `ingest.lock.locked(folder)`.

    `repeats` are passages that those in the index stand for; they are kept for the next build.
    Raises OSError (a full disk, say), or IndexUnusable if Milvus is away, with the earlier index
    untouched and nothing left behind.
    """
    generation = generations.begin(folder)
    try:
        generation.mkdir()
        _write(folder, generation, passages, vectors, manifest, repeats)
        generations.finish(folder, generation)
    except BaseException:
        generations.remove(folder, generation)
        raise


def examined(folder: Path, generation: Path) -> Manifest:
    """What a generation that came from elsewhere was made of. Raises IndexUnusable where it is not whole."""
    try:
        manifest = _manifest(generation)
        _load(folder, generation, manifest)
    except Exception as err:  # as in open_index
        raise IndexUnusable("the index inside is damaged or half-written: make it again") from err
    return manifest


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
    folder: Path,
    generation: Path,
    passages: Sequence[Passage],
    vectors: Vectors,
    manifest: Manifest,
    repeats: Sequence[Copy],
) -> None:
    write_passages(generation / "passages.sqlite", passages, repeats)
    ids = [passage.id for passage in passages]
    dense.keep(folder, generation, "passages", vectors.passages, ids)
    dense.keep(
        folder, generation, "sentences", vectors.sentences, [ids[row] for row in vectors.sentence_owner]
    )
    if max(len(vectors.passages), len(vectors.sentences)) > dense.whole(folder):
        sampled(
            vectors.passages,
            vectors.sentences,
            vectors.sentence_owner,
            vectors.token_ids,
            vectors.token_start,
        ).write(generation)
    for name, array in _arrays(vectors).items():
        np.save(generation / f"{name}.npy", array, allow_pickle=False)
    vocabulary: dict[str, int] = {}
    words = [[vocabulary.setdefault(w, len(vocabulary)) for w in tokens(searchable(p))] for p in passages]
    bm25 = bm25s.BM25()
    bm25.index((words, vocabulary), show_progress=False)  # numbers: words would take gigabytes of many notes
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


def _whole(generation: Path) -> None:
    parts = json.loads((generation / "manifest.json").read_text("utf-8"))["parts"]
    for name, (size, check) in parts.items():
        path = generation / name
        if path.stat().st_size != size or (size <= CHECKED and zlib.crc32(path.read_bytes()) != check):
            raise ValueError(f"{name} is not as it was written")


def _load(folder: Path, generation: Path, manifest: Manifest) -> Index:
    _whole(generation)
    vectors = {
        "passages": dense.kept(folder, generation, "passages", manifest.passages),
        "sentences": dense.kept(folder, generation, "sentences", manifest.sentences),
    }
    arrays = {
        name: _array(generation / f"{name}.npy")
        for name in ("sentence_owner", "sentence_place", "token_ids", "token_start")
    }
    passages = read_passages(generation / "passages.sqlite")
    # An empty file cannot be mapped.
    mapped = "r" if (generation / "tokens.npy").stat().st_size > 4096 else None
    token_vectors = np.load(generation / "tokens.npy", mmap_mode=mapped, allow_pickle=False)  # type: ignore[arg-type]
    token_vectors.flags.writeable = False
    if not vectors["passages"].ntotal == len(passages) == len(arrays["token_start"]) - 1:
        raise ValueError("the parts count different passages")
    large = (generation / "bm25" / "data.csc.index.npy").stat().st_size > CHECKED
    bm25 = bm25s.BM25.load(
        generation / "bm25", allow_pickle=False, load_corpus=False, mmap=large, show_progress=False
    )
    return Index(
        passages=passages,
        passage_vectors=vectors["passages"],
        sentence_vectors=vectors["sentences"],
        token_vectors=token_vectors,
        bm25=bm25,
        manifest=manifest,
        sample=read_sample(generation),
        **arrays,
    )


def _array(path: Path) -> np.ndarray:
    mapped = "r" if path.stat().st_size > CHECKED else None
    return np.load(path, mmap_mode=mapped, allow_pickle=False)  # type: ignore[arg-type]
