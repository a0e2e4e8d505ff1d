"""Prompt lookup: guessing the next tokens from where the last ones stood before in the same text.

An answer that quotes its notes repeats long runs of its prompt. A guess is checked by reading it in
one call, which costs less than a call a token where it is right (Saxena 2023, "Prompt Lookup
Decoding"; Yang et al. 2023, "Inference with Reference", arXiv 2304.04487; the checking is that of
Leviathan et al. 2023, arXiv 2211.17192, under greedy decoding).

What this file does not know: models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LONGEST = 6  # tokens guessed at once
MATCHED = (3, 2)  # last tokens that must have stood together before, the longer match first
MISSES = 2  # guesses wrong from their first token, one after another, before a pause
PAUSE = (8, 64)  # tokens of the first pause and of the longest; each is twice the one before


class Pace(NamedTuple):
    """How much to guess, going by how the last guesses went."""

    size: int = LONGEST
    misses: int = 0
    pause: int = PAUSE[0]
    resume: int = 0  # the token's number in the answer from which guessing goes on

    def learned(self, right: int, number: int) -> Pace:
        """The pace after a guess of which `right` tokens were right, `number` tokens having been written."""
        if right:
            return Pace(size=min(LONGEST, right + 3))
        if self.misses + 1 < MISSES:
            return self._replace(misses=self.misses + 1)
        return Pace(2, MISSES - 1, min(2 * self.pause, PAUSE[1]), number + self.pause)


def guess(ids: Sequence[int], most: int) -> list[int]:
    """At most `most` tokens that followed the last ones of `ids` where these stood before, latest first."""
    for length in MATCHED:
        last = ids[-length:]
        for place in range(len(ids) - length - 1, -1, -1):
            if ids[place] == last[0] and ids[place : place + length] == last:
                return list(ids[place + length : place + length + most])
    return []
