"""Which sentence of the notes answers a question, told by a model of each near one alone.

What is nearest to a question speaks of the same things; what answers it may be further off. A model that
is shown one sentence tells well whether that one answers, as it tells the gate of several (rag/gate.py).
On dev, of 31 questions that the notes answer and where nothing of its own words was backed, the sentence so
found answered 14 and a part of 3, the nearest 5 and 2; of 12 that they do not answer, 10 stay refused. What
this file does not know: how the model is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rag.complete import nearest
from rag.select import Choice
from rag.types import Sentence

Telling = Callable[[Choice, int], float]  # log-odds that this sentence of the passage answers by itself

ASKED_ABOUT = 8  # sentences, those nearest to the question
LEAST = 1.8  # log-odds from which one answers, chosen on dev


def answering(choices: Sequence[Choice], cosines: Sequence[np.ndarray], telling: Telling) -> list[Sentence]:
    """The sentence of the passages shown that answers best, with the marker of its passage; [] if none does.

    `cosines`: per choice float (sentences,), nearness of each of its passage's sentences to the question.
    """
    near = nearest(choices, cosines)[:ASKED_ABOUT]
    scored = [(telling(choices[marker - 1], place), marker, place) for _, marker, place in near]
    odds, marker, place = max(scored, key=lambda one: one[0], default=(0.0, 0, 0))
    if odds < LEAST:
        return []
    return [Sentence(choices[marker - 1].passage.sentences[place], 1.0, "supported", (marker,))]
