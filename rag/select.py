"""Choose the sentences worth reading: the fewer tokens in the prompt, the sooner the first word.

A sentence is worth its own nearness to the question plus its passage's standing. The best passage
is read whole where the budget allows, so that no list or table loses an item; of the others only
what is near. Sentences keep the order of the notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.context import leads
from ingest.types import Hit, Passage
from rag.injection import injected
from rag.retrieve import is_option

BUDGET = 400  # tokens of notes in a prompt; tests/bench/budget.py reports quality against it
STANDING = 0.6  # what the best passage's sentences gain over the last one's
_QUESTION = re.compile(r"\?\s*$|^Question\b", re.IGNORECASE)
LEAST = 0.3  # a sentence worth less stays out even where there is room


@dataclass(frozen=True, slots=True)
class Choice:
    """A passage and the places of its sentences that go into the prompt, ascending."""

    hit: Hit
    places: tuple[int, ...]

    @property
    def passage(self) -> Passage:
        return self.hit.passage


def choose(
    hits: Sequence[Hit],
    cosines: Sequence[np.ndarray],
    count: Callable[[str], int],
    budget: int = BUDGET,
) -> list[Choice]:
    """The sentences of `hits` (best first) to read, as one Choice a passage, in the order of `hits`.

    `cosines`: per hit float (sentences,), nearness to the question. `count`: tokens of a text.
    At least the nearest sentence of the first hit is chosen, whatever the budget; never one that gives
    the model orders (rag/injection.py).
    """
    if not hits:
        return []
    worth: list[tuple[float, int, tuple[int, ...]]] = []
    best, last = hits[0].score, hits[-1].score
    for rank, (hit, near) in enumerate(zip(hits, cosines, strict=True)):
        standing = STANDING * (hit.score - last) / (best - last) if best > last else STANDING
        orders = injected(hit.passage)
        for unit in units(hit.passage):
            if not orders.isdisjoint(unit):
                continue
            worth.append((max(float(near[place]) for place in unit) + standing, rank, unit))
    worth.sort(key=lambda one: (-one[0], one[1], one[2]))
    taken: dict[int, set[int]] = {}
    left = budget
    for value, rank, unit in worth:
        passage = hits[rank].passage
        held = taken.get(rank, set())
        wanted = (set(unit) | _introductions(passage, unit)) - held - injected(passage)
        cost = sum(count(passage.sentences[place]) + 1 for place in wanted)
        if not held:
            cost += count(passage.title) + 6
        if taken and (value < LEAST or cost > left):
            continue
        taken[rank] = held | wanted
        left -= cost
    return [Choice(hits[rank], tuple(sorted(taken[rank]))) for rank in sorted(taken)]


def _introductions(passage: Passage, unit: tuple[int, ...]) -> set[int]:
    """The sentences without which `unit` has no subject: what leads into it, up to the top."""
    above = leads(passage)
    found: set[int] = set()
    for place in unit:
        lead = above[place]
        while lead >= 0:
            found.add(lead)
            lead = above[lead]
    return found


def units(passage: Passage) -> list[tuple[int, ...]]:
    """Places of sentences that are read together: a quiz question with its options and answer."""
    found: list[list[int]] = []
    open_unit = False
    for place, sentence in enumerate(passage.sentences):
        if open_unit and is_option(sentence):
            found[-1].append(place)
        else:
            found.append([place])
            open_unit = _QUESTION.search(sentence) is not None
    return [tuple(unit) for unit in found]
