"""The first passages of a search looked at word piece by word piece, and all their scores weighed.

Late interaction (MaxSim of ColBERT, Khattab and Zaharia 2020, arXiv 2004.12832) over the encoder's own
token vectors: how near the nearest piece of the passage comes to each piece of the question, a rare piece
counting more. Over a whole passage, and over the best few lines of it: an answer stands in one place, and
a long passage has something near to everything. What is not here: how the first passages are found
(rag/score.py). The weights lie in ranking.json, readable; tests/bench/fit_ranking.py fits them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.store import Index, searchable
from ingest.types import Encoder
from rag.logistic import weights

FITTED = "ranking.json"
FEATURES = ("passage", "sentence", "lexical", "late", "window", "pairs", "asks")
WINDOW = 32  # word pieces: a sentence or two
STEP = 8  # word pieces from one window to the next; divides WINDOW


@dataclass(frozen=True, slots=True)
class Close:
    """Per passage, n of them, all float32 (n,)."""

    late: np.ndarray  # weighted mean over the question's pieces of their best cosine in the passage, -1..1
    window: np.ndarray  # the same in the best WINDOW pieces of the passage
    pairs: np.ndarray  # weighted share of the question's neighbouring pieces that are neighbours there too


def features(z: np.ndarray, close: Close, asking: np.ndarray) -> np.ndarray:
    """float32 (n, 7): what FEATURES names. `z`: float32 (n, 3), standardised; `asking`: bool (n,)."""
    parts = (z, close.late[:, None], close.window[:, None], close.pairs[:, None], asking[:, None])
    return np.concatenate(parts, axis=1, dtype=np.float32)


def weighed(found: np.ndarray) -> np.ndarray:
    """float32 (n,): the fitted sum of `features`, higher is better."""
    by_name = dict(zip(weights(FITTED)["features"], weights(FITTED)["weights"], strict=True))
    return found @ np.array([by_name[name] for name in FEATURES], np.float32)


def closely(index: Index, encoder: Encoder, rarity: np.ndarray, question: str, rows: np.ndarray) -> Close:
    """The scores of these passages, int (n,). `rarity`: the weight of each token id, the last of others."""
    ids, asked = encoder.encode_tokens([question])[0]
    there, lengths, held, scale = _pieces(index, encoder, rows)
    if not len(ids) or not len(there):
        nothing = np.zeros(len(rows), np.float32)
        return Close(nothing, nothing, nothing)
    weight = rarity[np.minimum(ids, len(rarity) - 1)]
    weight = weight / weight.sum()
    owner = np.repeat(np.arange(len(rows)), lengths)
    # Per passage and STEP pieces of it the best cosine with each question piece; a window is some of them.
    steps = -(-int(lengths.max()) // STEP)
    best = np.full((len(rows) * steps * STEP, len(ids)), -1.0, np.float32)
    place = np.arange(len(there)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    best[owner * steps * STEP + place] = held.astype(np.float32, copy=False) @ (asked.T * scale)
    best = best.reshape(len(rows), steps, STEP, len(ids)).max(axis=2)
    windows = np.lib.stride_tricks.sliding_window_view(best, min(WINDOW // STEP, steps), axis=1).max(axis=-1)
    late = np.where(lengths, best.max(axis=1) @ weight, 0)
    window = np.where(lengths, (windows @ weight).max(axis=1), 0)
    pairs = _pairs(ids, weight, there, owner, len(rows))
    return Close(late.astype(np.float32), window.astype(np.float32), pairs)


def _pairs(
    ids: np.ndarray, weight: np.ndarray, there: np.ndarray, owner: np.ndarray, count: int
) -> np.ndarray:
    """float32 (count,): Close.pairs, of passages whose pieces stand in `there`, each with its `owner`."""
    worth = np.minimum(weight[:-1], weight[1:])
    if not worth.sum():
        return np.zeros(count, np.float32)
    same = ids[:, None] == there[None, :]
    which, at = np.nonzero(same[:-1, :-1] & same[1:, 1:] & (owner[:-1] == owner[1:]))
    stands = np.zeros((count, len(worth)), np.float32)
    stands[owner[at], which] = 1
    return (stands @ (worth / worth.sum())).astype(np.float32)


def _pieces(
    index: Index, encoder: Encoder, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.float32]:
    """Of these passages, one after the other: token ids (t,), how many each has (n,), vectors (t, dim).

    From the index or, where that left them out, made now. Times the last, a number, they are of length 1.
    """
    if len(index.token_vectors) or not len(index.token_ids):
        start, end = index.token_start[rows], index.token_start[rows + 1]
        at = [slice(first, last) for first, last in zip(start.tolist(), end.tolist(), strict=True)]
        ids = np.concatenate([index.token_ids[one] for one in at])
        return ids, end - start, np.concatenate([index.token_vectors[one] for one in at]), np.float32(1 / 127)
    made = encoder.encode_tokens([searchable(index.passages[row]) for row in rows])
    lengths = np.array([len(ids) for ids, _ in made])
    ids, held = (np.concatenate(some) for some in zip(*made, strict=True))
    return ids, lengths, held, np.float32(1)
