"""Which sentences of the notes bear on a claim: chosen so that together they cover its words.

Greedy coverage: the sentence is taken that most raises the weighted coverage of the claim's tokens
by the best cosine of any evidence token (late interaction, ColBERT, arXiv 2004.12832), then the next,
until nothing more is gained. The sentence before each of the first two comes along, since it often
says what the claim's 'it' means. What this file does not know: whether the evidence supports the claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WORDS = 200  # of evidence, at most
# Of coverage, for a sentence to be worth reading. With .03 all that supports a claim was read for 50% of
# WiCE's supported claims against articles of up to 1,200 words, with this for 75%.
LEAST_GAIN = 0.002
LEADING = 2  # sentences, best first, whose predecessor is read too


@dataclass(frozen=True, slots=True)
class Chosen:
    """Evidence for one claim."""

    best: tuple[int, ...]  # places of the sentences, what covers most first
    read: tuple[int, ...]  # those and the ones read with them, ascending
    coverage: float  # -1..1, of the claim by all of `best`
    first: float  # the same by the first of them alone
    weakest: float  # the same of the fourth of the claim's tokens that is covered worst


def choose(
    claim: np.ndarray,
    weights: np.ndarray,
    held: Sequence[np.ndarray],
    lengths: Sequence[int],
    before: Sequence[int],
    most: int = WORDS,
) -> Chosen:
    """The sentences that cover a claim.

    `claim`: float (t, dim) unit token vectors, and their `weights` (t,), any scale. `held`: the same
    of each sentence; `lengths` their words; `before` the place of the sentence that leads into each,
    -1 where none does. The first is always taken, whatever its length.
    """
    if not len(claim) or not held or not weights.sum():
        return Chosen((), (), 0.0, 0.0, 0.0)
    share = weights / weights.sum()
    near = np.array([(claim @ one.T).max(axis=1) if len(one) else np.full(len(claim), -1.0) for one in held])
    covered = np.full(len(claim), -1.0)
    best: list[int] = []
    read: set[int] = set()
    left, first = most, 0.0
    while True:
        gains = (np.maximum(near, covered) - covered) @ share
        gains[best] = -1.0
        place = int(np.argmax(gains))
        if best and (gains[place] < LEAST_GAIN or lengths[place] > left):
            break
        best.append(place)
        covered = np.maximum(covered, near[place])
        first = first or float(covered @ share)
        wanted = [place]
        if len(best) <= LEADING and before[place] >= 0:
            wanted.append(before[place])
        for one in wanted:
            if one not in read and (one == place or lengths[one] <= left):
                read.add(one)
                left -= lengths[one]
        if len(best) == len(held):
            break
    worst = np.sort(covered)[: max(1, len(covered) // 4)]
    return Chosen(tuple(best), tuple(sorted(read)), float(covered @ share), first, float(worst.mean()))
