"""Which sentences of the notes bear on a question, and how well one of them covers what it asks.

A near miss, a question about a detail that the notes lack of a thing they name, has its words in the
notes, but in different sentences: none comes near to all of them. Averages hide the one word that is
missing, so what counts is the fourth of the question's tokens that the best sentence covers worst, by
late interaction (ColBERT, arXiv 2004.12832). What this file does not know: what a model makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ingest.context import contexts
from ingest.types import Encoder
from rag.evidence import choose
from rag.injection import injected
from rag.select import Choice

LOOKED_AT = 8  # sentences, those nearest to the question: more of them gave nothing on dev
WORDS = 70  # of the sentences that bear on a question: a small model judges a few better than a page
# What says nothing of what is asked, as the encoder's tokens: the common words of a question, signs.
_EMPTY = (
    "a about all an and are as at be between but by called can could define describe did differ difference "
    "do does example examples explain for from give given had has have how i in into is it its list long "
    "many me mean means more much my name not of on or please plz pls s should so some t tell that the their "
    "them then there these they this to use used using was were what when where which who whose why will "
    "with work works would you your ? . , : ; ! ( ) - ' \" & /"
)


@dataclass(frozen=True, slots=True)
class Bearing:
    """What of the passages bears on a question."""

    covered: float  # -1..1, of the question by one sentence; 0 where there are none
    choices: tuple[Choice, ...]  # the sentences that together cover it, in the order of the passages


def bearing(
    question: str,
    choices: Sequence[Choice],
    cosines: Sequence[np.ndarray],
    encoder: Encoder,
    rarity: np.ndarray,
) -> Bearing:
    """Of the passages of `choices`, what bears on the question.

    `cosines`: per passage float (its sentences,), nearness of each to the question. `rarity`: weights
    (token ids,) of the encoder's tokens, the last for all others.
    """
    lines = _nearest(choices, cosines)
    if not lines:
        return Bearing(0.0, ())
    (ids, vectors), *held = encoder.encode_tokens([question, *(told for _, _, told in lines)])
    meant = ~np.isin(ids, _empty(encoder))  # type: ignore[arg-type]
    meant = meant if meant.any() else np.ones(len(ids), bool)
    if not len(ids):
        return Bearing(0.0, ())
    worst = max(1, int(meant.sum()) // 4)
    near = (np.sort((vectors[meant] @ line.T).max(axis=1))[:worst].mean() for _, line in held if len(line))
    places = [(rank, place) for rank, place, _ in lines]
    before = [places.index(one) if (one := (rank, place - 1)) in places else -1 for rank, place in places]
    found = choose(
        vectors,
        np.where(meant, rarity[np.minimum(ids, len(rarity) - 1)], 0.0),
        [line for _, line in held],
        [len(told.split()) for _, _, told in lines],
        before,
        WORDS,
    )
    read: dict[int, list[int]] = {}
    for at in found.read:
        read.setdefault(places[at][0], []).append(places[at][1])
    kept = tuple(Choice(choices[rank].hit, tuple(one)) for rank, one in read.items())
    return Bearing(float(max(near, default=0.0)), kept)


def _nearest(choices: Sequence[Choice], cosines: Sequence[np.ndarray]) -> list[tuple[int, int, str]]:
    """The sentences nearest to the question, none of them an order: choice, place, words with context."""
    every = [
        (-float(values[place]), rank, place, told)
        for rank, (choice, values) in enumerate(zip(choices, cosines, strict=True))
        for place, told in enumerate(contexts(choice.passage))
        if place not in injected(choice.passage)
    ]
    return sorted(one[1:] for one in sorted(every)[:LOOKED_AT])


@lru_cache(maxsize=4)
def _empty(encoder: Encoder) -> np.ndarray:
    """int32 (t,): the token ids of _EMPTY."""
    return encoder.encode_tokens([_EMPTY])[0][0]
