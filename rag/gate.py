"""Whether the notes can answer a question, decided before a word is written.

A small model told that it may refuse refuses what it could answer and invents the rest, so it is
not asked in the prompt. A logistic regression decides from how near the notes come to the question,
from a local model's logit of yes over no, and, where the model is the embedded one, from a linear
probe of its hidden state at that yes or no: it knows more than it says. The weights lie in
gate.json, readable; tests/bench/fit_gate.py fits them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from ingest.types import Hit
from rag.logistic import Probe, chance, weights

FITTED = "gate.json"

SURE = 0.8


@dataclass(frozen=True, slots=True)
class Signals:
    """What the gate looks at."""

    dense: float  # best cosine of the question with a passage or a sentence
    late: float  # best late-interaction score
    covered: float | None = None  # of the question by one sentence (rag/coverage.py); None if not looked at
    yes: float | None = None  # logit(yes) - logit(no) of the model; None where it has none
    state: float | None = None  # log-odds by the probe; None where it was not fitted on this model


def signals(
    hits: Sequence[Hit],
    covered: float | None = None,
    yes: float | None = None,
    state: np.ndarray | None = None,
) -> Signals:
    """The signals of a question given the passages found for it and the model's judgement.

    `state`: its hidden state (width,) after the layer that `layer` names, where that is known.
    """
    dense = max((hit.dense for hit in hits), default=-1.0)
    late = max((hit.late for hit in hits), default=0.0)
    return Signals(dense, late, covered, yes, None if state is None else _probe().odds(state))


def layer(model: str) -> int | None:
    """The decoder layer whose state the probe reads; None for a model that it was not fitted on."""
    return _probe().layer if weights(FITTED)["probe"]["model"] == model else None


@cache
def _probe() -> Probe:
    fitted = weights(FITTED)["probe"]
    return Probe(fitted["layer"], np.array(fitted["weights"]), fitted["bias"])


def answers(found: Signals, follow_up: bool = False) -> bool:
    """Whether to answer: the probability that the notes can is not below the fitted threshold.

    A follow-up says too little to be near anything, but the conversation is about these notes:
    half the threshold is enough for it.
    """
    return probability(found) >= _weights(found)["threshold"] / (2 if follow_up else 1)


def odds(found: Signals) -> float:
    """Log-odds that the notes shown answer, by the model alone."""
    return (found.yes or 0.0) + (found.state or 0.0)


def sure(found: Signals) -> bool:
    """Whether the notes hold the answer beyond doubt, so that a wrong answer is the model's fault."""
    return probability(found) >= SURE


def probability(found: Signals) -> float:
    """How likely the notes answer the question, 0..1."""
    return chance(_weights(found), partial(getattr, found))


def _weights(found: Signals) -> dict[str, Any]:
    known = "with_covered" if found.covered is not None else "retrieval"
    if found.yes is not None:
        known = "with_state" if found.state is not None else "with_yes"
    fitted: dict[str, Any] = weights(FITTED)[known]
    return fitted
