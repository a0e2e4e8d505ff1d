"""What passages score for a question by their vectors and their words, before any is looked at closely.

Few passages are all scored. Of many, only those that the nearest vectors, the nearest sentences and the
rarer words of the question point at; how all the others score is estimated from a fixed sample
(ingest/sample.py), so that scores mean the same as if all had been looked at. What is not here: late
interaction (rag/closely.py) and everything else that ranks the best once more (rag/retrieve.py).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ingest.sample import Sample
from ingest.store import Index

POINTED = 200  # passages that each of the three ways may point at
FEW = 10_000  # where no more are searched, because of their files, all of them are scored
FARTHER = 20  # times more are looked for, at most, where only some passages are searched
ENOUGH = 200  # passages that a sample must have
POSTINGS = 4  # rare words are those that together stand in a quarter of the passages


@dataclass(frozen=True, slots=True)
class First:
    """Per passage scored, n of them: `rows` int (n,), `best` int32 (n,), all but `z` else float32 (n,)."""

    rows: np.ndarray
    passage: np.ndarray  # cosine
    sentence: np.ndarray  # cosine of the best sentence
    lexical: np.ndarray  # BM25
    best: np.ndarray  # place of the best sentence in the passage
    z: np.ndarray  # float32 (n, 3): the three scores, each standardised over all passages searched

    @property
    def total(self) -> np.ndarray:
        """float32 (n,): the sum of the standardised scores."""
        return self.z.sum(axis=1)

    def only(self, places: np.ndarray) -> First:
        """The scores of these of the passages, in this order."""
        values = (getattr(self, field.name)[places] for field in fields(self))
        return First(*values)


def standardised(scores: np.ndarray) -> np.ndarray:
    """`scores` with mean 0 and spread 1; all 0 where they do not differ."""
    spread = scores.std()
    return (scores - scores.mean()) / spread if spread > 1e-9 else np.zeros_like(scores)


def _standardised(*scores: np.ndarray) -> np.ndarray:
    return np.stack([standardised(one) for one in scores], axis=1)


def first(index: Index, vector: np.ndarray, words: list[str], rows: np.ndarray) -> First:
    """The scores of the passages in `rows`, or of those of them that may be among the best.

    `vector`: the question's, float32 (1, dim); `words`: those of its words that the notes have.
    """
    if index.sample is None:
        return _all(index, vector, words, rows)
    if len(rows) <= FEW and len(rows) < len(index.passages):
        found = _scored(index, vector, words, rows)
        return replace(found, z=_standardised(found.passage, found.sentence, found.lexical))
    return _likely(index, index.sample, vector, words, rows)


def _all(index: Index, vector: np.ndarray, words: list[str], rows: np.ndarray) -> First:
    passage = _similarities(index.passage_vectors, vector)[rows]
    every = _similarities(index.sentence_vectors, vector)
    sentence = np.full(len(index.passages), -1.0, np.float32)
    np.maximum.at(sentence, index.sentence_owner, every)
    best = np.zeros(len(index.passages), np.int32)
    hit = every >= sentence[index.sentence_owner]
    best[index.sentence_owner[hit]] = index.sentence_place[hit]
    lexical = np.zeros(len(index.passages), np.float32)
    if words:
        lexical = np.asarray(index.bm25.get_scores(words), np.float32)
    z = _standardised(passage, sentence[rows], lexical[rows])
    return First(rows, passage, sentence[rows], lexical[rows], best[rows], z)


def _likely(index: Index, sample: Sample, vector: np.ndarray, words: list[str], rows: np.ndarray) -> First:
    wanted = min(POINTED * min(-(-len(index.passages) // len(rows)), FARTHER), len(index.passages))
    rare, common, sums = _rare(index, words)
    near = index.passage_vectors.search(vector, wanted)[1][0]
    said = index.sentence_vectors.search(vector, min(2 * wanted, index.sentence_vectors.ntotal))[1][0]
    pointed = np.unique(
        np.concatenate([near[near >= 0], index.sentence_owner[said[said >= 0]], _best(rare, sums, wanted)])
    )
    if len(rows) < len(index.passages):
        pointed = pointed[_among(pointed, rows)]
    found = _scored(index, vector, words, pointed)
    # The sample of the passages searched, where enough of them are in it.
    inside = _among(sample.rows, rows)
    inside = inside if inside.sum() >= ENOUGH else np.ones(len(inside), bool)
    of_passage = (sample.passages @ vector[0])[inside]
    of_sentence = np.full(len(sample.rows), -1.0, np.float32)
    np.maximum.at(of_sentence, sample.owner, sample.sentences @ vector[0])
    z = [
        _against(scores, float(all_of.mean()), float(all_of.var()))
        for scores, all_of in ((found.passage, of_passage), (found.sentence, of_sentence[inside]))
    ]
    # Rare words are counted everywhere, the common ones in the sample: their scores vary little.
    some = sums[sample.rows]
    both = some + _looked_up(index, common, sample.rows)
    mean = float(sums.mean()) + float((both - some).mean())
    spread = float(np.dot(sums, sums)) / len(sums) - float(sums.mean()) ** 2
    z.append(_against(found.lexical, mean, max(spread + float(both.var() - some.var()), 0.0)))
    return replace(found, z=np.stack(z, axis=1))


def _scored(index: Index, vector: np.ndarray, words: list[str], rows: np.ndarray) -> First:
    """The scores of just these passages; `z` is all 0."""
    passage = index.passage_vectors.reconstruct_batch(rows) @ vector[0]
    starts, ends = (
        np.searchsorted(index.sentence_owner, rows),
        np.searchsorted(index.sentence_owner, rows + 1),
    )
    held = np.concatenate([np.arange(a, b) for a, b in zip(starts, ends, strict=True)] or [rows[:0]])
    owner = np.repeat(np.arange(len(rows)), ends - starts)
    every = (
        index.sentence_vectors.reconstruct_batch(held) @ vector[0] if len(held) else np.zeros(0, np.float32)
    )
    sentence = np.full(len(rows), -1.0, np.float32)
    np.maximum.at(sentence, owner, every)
    best = np.zeros(len(rows), np.int32)
    hit = every >= sentence[owner]
    best[owner[hit]] = index.sentence_place[held[hit]]
    lexical = _looked_up(index, [index.bm25.vocab_dict[word] for word in words], rows)
    return First(rows, passage, sentence, lexical, best, np.zeros((len(rows), 3), np.float32))


def _rare(index: Index, words: list[str]) -> tuple[list[np.ndarray], list[int], np.ndarray]:
    """Where the rarer of the words stand, the ids of the others, and float32 (passages,): BM25 of the rarer.

    A word that stands in most passages tells little and takes long.
    """
    scores: Any = index.bm25.scores
    sums = np.zeros(len(index.passages), np.float32)
    standing: list[np.ndarray] = []
    common: list[int] = []
    left = len(index.passages) // POSTINGS
    ids = [index.bm25.vocab_dict[word] for word in words]
    for one in sorted(ids, key=lambda one: int(scores["indptr"][one + 1] - scores["indptr"][one])):
        start, end = int(scores["indptr"][one]), int(scores["indptr"][one + 1])
        left -= end - start
        if left < 0 and standing:
            common.append(one)
            continue
        rows = np.asarray(scores["indices"][start:end])
        sums[rows] += scores["data"][start:end]  # a word's rows are all different
        standing.append(rows)
    return standing, common, sums


def _best(standing: list[np.ndarray], sums: np.ndarray, count: int) -> np.ndarray:
    """The rows with the `count` highest sums, of those where a word stands."""
    if not standing:
        return np.zeros(0, np.int64)
    rows = np.unique(np.concatenate(standing)) if len(standing) > 1 else standing[0]
    if len(rows) <= count:
        return rows
    return rows[np.argpartition(-sums[rows], count)[:count]]


def _looked_up(index: Index, ids: list[int], rows: np.ndarray) -> np.ndarray:
    """float32 (len(rows),): BM25 of `rows`, ascending, for these words."""
    scores: Any = index.bm25.scores
    found = np.zeros(len(rows), np.float32)
    for one in ids:
        start, end = int(scores["indptr"][one]), int(scores["indptr"][one + 1])
        standing = scores["indices"][start:end]  # ascending
        at = np.minimum(np.searchsorted(standing, rows), max(end - start - 1, 0))
        if end > start:
            found += np.where(standing[at] == rows, scores["data"][start:end][at], 0)
    return found


def _among(some: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """bool (len(some),): which of them are in `rows`, ascending."""
    return rows[np.minimum(np.searchsorted(rows, some), len(rows) - 1)] == some


def _against(scores: np.ndarray, mean: float, variance: float) -> np.ndarray:
    if variance < 1e-18:
        return np.zeros_like(scores)
    return (scores - np.float32(mean)) / np.float32(variance**0.5)


def _similarities(index: Any, vector: np.ndarray) -> np.ndarray:
    """float32 (rows of the index,): inner products, in the order of the rows."""
    if not index.ntotal:
        return np.zeros(0, np.float32)
    scores, rows = index.search(vector, index.ntotal)
    ordered = np.empty(index.ntotal, np.float32)
    ordered[rows[0]] = scores[0]
    return ordered
