"""How much a text repeats itself, and how much texts differ from each other, in bigrams of words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import fmean

_WORD = re.compile(r"\w+(?:[-'’]\w+)*")


@dataclass(frozen=True, slots=True)
class Variation:
    """How much the texts of one strategy differ from seed to seed; 0 where all are the same."""

    texts: int  # how many were compared, at least 2
    new: float  # share of the texts after the first that no earlier one equals, 0..1
    distance: float  # mean over all pairs of 1 - Jaccard of their bigrams, 0..1


def distinct_2(text: str) -> float | None:
    """Different bigrams per bigram, above 0 and at most 1; None for a text of fewer than two words.

    distinct-2 of Li et al. 2016 (arXiv 1510.03055), who divide by the number of words: by that of
    bigrams, one less, a short text that repeats nothing has 1 like a long one.
    """
    pairs = _bigrams(text)
    return len(set(pairs)) / len(pairs) if pairs else None


def distance(one: str, other: str) -> float:
    """1 - Jaccard: the share of the bigrams of both texts that only one of them has, 0..1."""
    mine, theirs = set(_bigrams(one)), set(_bigrams(other))
    if not mine | theirs:  # texts of a word or none
        return float(one.split() != other.split())
    return 1 - len(mine & theirs) / len(mine | theirs)


def variation(texts: Sequence[str]) -> Variation | None:
    """How much the texts differ; None for fewer than two."""
    if len(texts) < 2:
        return None
    new = (len(set(texts)) - 1) / (len(texts) - 1)
    return Variation(len(texts), new, fmean(distance(*pair) for pair in combinations(texts, 2)))


def _bigrams(text: str) -> list[tuple[str, str]]:
    return list(pairwise(_WORD.findall(text.lower())))
