"""The vectors of passages: which texts get one, taken over where they are known, computed where not.

What is not here: the encoder (ingest/embed.py) and how vectors lie on disk (ingest/store.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ingest.context import contexts
from ingest.store import Index, Vectors, searchable
from ingest.types import Encoder, Passage, Progress

CHUNK = 128  # texts encoded between two reports of progress


def vectors_of(passages: Sequence[Passage], encoder: Encoder, progress: Progress) -> Vectors:
    """The vectors of all passages, computed."""
    return computed(passages, encoder, lambda done, total: progress("embedding", done, total))


def computed(
    passages: Sequence[Passage], encoder: Encoder, tell: Callable[[int, int], None] = lambda done, total: None
) -> Vectors:
    """The vectors of all passages; `tell` hears how many of how many texts are done."""
    texts = [searchable(p) for p in passages]
    lines = [contexts(p) for p in passages]
    owner = np.repeat(np.arange(len(lines), dtype=np.int32), [len(group) for group in lines])
    place = np.array([i for group in lines for i in range(len(group))], np.int32)
    flat = [line for group in lines for line in group]
    total = 2 * len(texts) + len(flat)
    rows = np.zeros((len(texts), encoder.dimension), np.float32)
    sentences = np.zeros((len(flat), encoder.dimension), np.float32)
    ids = [np.zeros(0, np.int32)] * len(texts)
    vectors = [np.zeros((0, encoder.dimension), np.int8)] * len(texts)
    done = 0
    for some in _alike(texts):
        tell(done, total)
        rows[some], pairs = encoder.encode_with_tokens([texts[i] for i in some])
        for i, (ids_of, rows_of) in zip(some, pairs, strict=True):
            ids[i], vectors[i] = ids_of, np.rint(rows_of * 127).astype(np.int8)  # int8 keeps every ranking
        done += 2 * len(some)
    for some in _alike(flat):
        tell(done, total)
        sentences[some] = encoder.encode([flat[i] for i in some])
        done += len(some)
    tell(total, total)
    starts = np.concatenate([[0], np.cumsum([len(some) for some in ids])]).astype(np.int64)
    tokens = np.concatenate([np.zeros((0, encoder.dimension), np.int8), *vectors])
    return Vectors(
        rows, sentences, owner, place, tokens, np.concatenate([np.zeros(0, np.int32), *ids]), starts
    )


def _alike(texts: Sequence[str]) -> Iterator[list[int]]:
    # Longest first over all of them: batches are padded least, and the time left is not underestimated.
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for at in range(0, len(order), CHUNK):
        yield order[at : at + CHUNK]


def gathered(parts: Sequence[Vectors], part: np.ndarray, row: np.ndarray, dimension: int) -> Vectors:
    """The vectors of n passages: passage i's are those of row `row[i]` in `parts[part[i]]`, int (n,) both."""
    n = len(part)
    bounds = [_bounds(vectors) for vectors in parts]
    said, pieces = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for number, vectors in enumerate(parts):
        here = part == number
        said[here] = np.diff(bounds[number])[row[here]]
        pieces[here] = np.diff(vectors.token_start)[row[here]]
    said_start = np.concatenate([[0], np.cumsum(said)]).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(pieces)]).astype(np.int64)
    passages = np.zeros((n, dimension), np.float32)
    sentences = np.zeros((said_start[-1], dimension), np.float32)
    whole = all(len(vectors.tokens) == len(vectors.token_ids) for vectors in parts)
    tokens = np.zeros((start[-1] if whole else 0, dimension), np.int8)
    ids = np.zeros(start[-1], np.int32)
    for number, vectors in enumerate(parts):
        here = np.flatnonzero(part == number)
        rows = row[here]
        passages[here] = vectors.passages[rows]
        to, of = _ranges(said_start[here], said[here]), _ranges(bounds[number][rows], said[here])
        sentences[to] = vectors.sentences[of]
        to, of = _ranges(start[here], pieces[here]), _ranges(vectors.token_start[rows], pieces[here])
        if whole:
            tokens[to] = vectors.tokens[of]
        ids[to] = vectors.token_ids[of]
    owner = np.repeat(np.arange(n, dtype=np.int32), said)
    place = (np.arange(said_start[-1]) - np.repeat(said_start[:-1], said)).astype(np.int32)
    return Vectors(passages, sentences, owner, place, tokens, ids, start)


def taken(index: Index, rows: np.ndarray) -> Vectors:
    """The vectors of these passages, int (n,), of an open index, as exact as it holds them."""
    of = np.searchsorted(index.sentence_owner, [rows, rows + 1])
    said, pieces = of[1] - of[0], index.token_start[rows + 1] - index.token_start[rows]
    sentences, pieces_of = _ranges(of[0], said), _ranges(index.token_start[rows], pieces)
    start = np.concatenate([[0], np.cumsum(pieces)]).astype(np.int64)
    nothing = np.zeros((0, index.manifest.dimension), np.float32)
    return Vectors(
        index.passage_vectors.reconstruct_batch(rows) if len(rows) else nothing,
        index.sentence_vectors.reconstruct_batch(sentences) if len(sentences) else nothing,
        np.repeat(np.arange(len(rows), dtype=np.int32), said),
        np.asarray(index.sentence_place[sentences]),
        np.asarray(index.token_vectors[pieces_of] if len(index.token_vectors) else index.token_vectors),
        np.asarray(index.token_ids[pieces_of]),
        start,
    )


def _bounds(vectors: Vectors) -> np.ndarray:
    """int64 (n + 1,): where each passage's sentences begin; they are added passage by passage."""
    return np.searchsorted(vectors.sentence_owner, np.arange(len(vectors.passages) + 1))


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """int64: starts[0], starts[0] + 1, … for lengths[0] numbers, then from starts[1], and so on."""
    total = int(lengths.sum())
    before = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if len(lengths) else np.zeros(0, np.int64)
    return np.arange(total, dtype=np.int64) + np.repeat(starts - before, lengths)
