"""What stands for all passages where they are too many to score each: a sample of them, and counts.

A question's scores are standardised over all passages (rag/retrieve.py). Over a fixed sample their mean
and spread are known well enough: of 2,048, the mean to a fortieth of the spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

SIZE = 2048


@dataclass(frozen=True, slots=True)
class Sample:
    """s passages drawn at random, the same for every question."""

    rows: np.ndarray  # int64 (s,), ascending
    passages: np.ndarray  # float32 (s, dim): their vectors
    sentences: np.ndarray  # float32 (m, dim): the vectors of all their sentences
    owner: np.ndarray  # int64 (m,), ascending: place in `rows` of each sentence's passage
    seen: np.ndarray  # int64 (highest token id + 1,): in how many of all passages a token id stands

    def write(self, folder: Path) -> None:
        """Raises OSError."""
        for name in _NAMES:
            np.save(folder / f"sample_{name}.npy", getattr(self, name), allow_pickle=False)


_NAMES = ("rows", "passages", "sentences", "owner", "seen")


def read_sample(folder: Path) -> Sample | None:
    """The sample written in `folder`; None if there is none. Raises OSError, ValueError if it is damaged."""
    if not (folder / "sample_rows.npy").exists():
        return None
    return Sample(*(np.load(folder / f"sample_{name}.npy", allow_pickle=False) for name in _NAMES))


def sampled(
    passages: np.ndarray,
    sentences: np.ndarray,
    sentence_owner: np.ndarray,
    token_ids: np.ndarray,
    token_start: np.ndarray,
    size: int = SIZE,
) -> Sample:
    """A sample of at most `size` of the passages; the arrays are those of store.Vectors."""
    count = len(passages)
    rows = np.sort(np.random.default_rng(1).choice(count, min(size, count), replace=False)).astype(np.int64)
    starts, ends = np.searchsorted(sentence_owner, rows), np.searchsorted(sentence_owner, rows + 1)
    held = np.concatenate([np.arange(start, end) for start, end in zip(starts, ends, strict=True)])
    owner = np.repeat(np.arange(len(rows)), ends - starts)
    seen = np.zeros(int(token_ids.max(initial=-1)) + 1, np.int64)
    for start, end in pairwise(token_start):
        seen[np.unique(token_ids[start:end])] += 1
    return Sample(
        rows, np.asarray(passages[rows], np.float32), np.asarray(sentences[held], np.float32), owner, seen
    )
