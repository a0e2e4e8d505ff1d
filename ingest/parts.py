"""What an unfinished build has done so far, kept beside the index so that the next one goes on there.

Vectors are known by the words they were made of and the encoder; what took long to read, by the
file's content. All of it goes once an index is whole. A part that a kill left half-written is
ignored. What is not here: the index itself (ingest/store.py).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import secrets
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.split import Splitter
from ingest.store import FORMAT, Vectors
from ingest.types import Encoder, Passage

FOLDER = "parts"
SLOW = 1.0  # seconds of reading from which a file's passages are worth keeping


@dataclass(frozen=True, slots=True)
class Drafts:
    """What one file gave."""

    passages: tuple[Passage, ...]
    pages: int
    left_out: tuple[str, ...] = ()  # what of it was not read, in a line each


def key(passage: Passage) -> bytes:
    """32 bytes that tell what a passage's vectors are made of."""
    said = json.dumps([passage.heading, passage.text, passage.sentences])
    return hashlib.sha256(said.encode("utf-8")).digest()


def keep_vectors(folder: Path, encoder: Encoder, passages: Sequence[Passage], vectors: Vectors) -> None:
    """Keep the vectors of these passages, whole or not at all. Raises OSError (a full disk, say)."""
    keys = np.frombuffer(b"".join(map(key, passages)), np.uint8).reshape(len(passages), 32)
    arrays = {field.name: getattr(vectors, field.name) for field in dataclasses.fields(Vectors)}
    place = _folder(folder)
    fresh = place / f"{secrets.token_hex(8)}.new"
    try:
        with fresh.open("wb") as file:
            np.savez(file, keys=keys, **arrays)
        fresh.replace(place / f"{_made_by(encoder)}-{fresh.stem}.npz")
    finally:
        fresh.unlink(missing_ok=True)


def kept_vectors(folder: Path, encoder: Encoder) -> list[tuple[list[bytes], Vectors]]:
    """All that was kept of this encoder's, with the key of each passage."""
    found = []
    for path in sorted((folder / FOLDER).glob(f"{_made_by(encoder)}-*.npz")):
        try:
            # The checksums of the ZIP file are verified as it is read.
            with np.load(path, allow_pickle=False) as arrays:
                names = [field.name for field in dataclasses.fields(Vectors)]
                keys, vectors = arrays["keys"], Vectors(**{name: arrays[name] for name in names})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            continue
        if _fit(keys, vectors, encoder.dimension):
            found.append(([row.tobytes() for row in keys], vectors))
    return found


def _fit(keys: np.ndarray, vectors: Vectors, dimension: int) -> bool:
    n = len(keys)
    return (
        keys.shape == (n, 32)
        and vectors.passages.shape == (n, dimension)
        and vectors.sentences.shape == (len(vectors.sentence_owner), dimension)
        and vectors.token_start.shape == (n + 1,)
        and vectors.tokens.shape in ((len(vectors.token_ids), dimension), (0, dimension))
        and int(vectors.token_start[-1]) == len(vectors.token_ids)
    )


def keep_drafts(folder: Path, source: str, sha: str, splitter: Splitter, drafts: Drafts) -> None:
    """Keep what a file gave. Raises OSError."""
    values = {
        "pages": drafts.pages,
        "left_out": drafts.left_out,
        "passages": [[p.id, p.source, p.page, p.heading, p.text, p.sentences] for p in drafts.passages],
    }
    place = _folder(folder)
    fresh = place / f"{secrets.token_hex(8)}.new"
    try:
        fresh.write_text(json.dumps(values), "utf-8")
        fresh.replace(place / _read_as(source, sha, splitter))
    finally:
        fresh.unlink(missing_ok=True)


def kept_drafts(folder: Path, source: str, sha: str, splitter: Splitter) -> Drafts | None:
    """What was kept of a file with this content, if anything."""
    try:
        values = json.loads((folder / FOLDER / _read_as(source, sha, splitter)).read_text("utf-8"))
        passages = tuple(
            Passage(key, source, page, tuple(heading), text, tuple(sentences))
            for key, source, page, heading, text, sentences in values["passages"]
        )
        return Drafts(passages, int(values["pages"]), tuple(values["left_out"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def sweep(folder: Path) -> None:
    """Take all of it away."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def sweep_half(folder: Path) -> None:
    """Take away what a kill left half-written."""
    for path in (folder / FOLDER).glob("*.new"):
        with contextlib.suppress(OSError):
            path.unlink()


def _folder(folder: Path) -> Path:
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    return place


def _made_by(encoder: Encoder) -> str:
    return _digest(encoder.name, encoder.dimension, FORMAT)[:16]


def _read_as(source: str, sha: str, splitter: Splitter) -> str:
    return f"read-{_digest(source, sha, dataclasses.asdict(splitter), FORMAT)[:32]}.json"


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode("utf-8")).hexdigest()
