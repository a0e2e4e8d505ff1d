"""Whether the notes can answer a question, decided before a word is written.

A small model told that it may refuse refuses what it could answer and invents the rest, so it is
not asked in the prompt. A logistic regression decides from how near the notes come to the question
and, where the model is ours, from its logit of yes over no. The weights lie in gate.json, readable;
tests/bench/fit_gate.py fits them on the dev half of data/eval.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ingest.types import Hit

SURE = 0.8


@dataclass(frozen=True, slots=True)
class Signals:
    """What the gate looks at."""

    dense: float  # best cosine of the question with a passage or a sentence
    late: float  # best late-interaction score
    yes: float | None = None  # logit(yes) - logit(no) of the model; None where it has none


def signals(hits: Sequence[Hit], yes: float | None = None) -> Signals:
    """The signals of a question given the passages found for it and the model's judgement."""
    dense = max((hit.dense for hit in hits), default=-1.0)
    return Signals(dense, max((hit.late for hit in hits), default=0.0), yes)


@cache
def _fitted() -> dict[str, Any]:
    values: dict[str, Any] = json.loads(Path(__file__).with_name("gate.json").read_text("utf-8"))
    return values


def answers(found: Signals, follow_up: bool = False) -> bool:
    """Whether to answer: the probability that the notes can is not below the fitted threshold.

    A follow-up says too little to be near anything, but the conversation is about these notes:
    half the threshold is enough for it.
    """
    return probability(found) >= _weights(found)["threshold"] / (2 if follow_up else 1)


def sure(found: Signals) -> bool:
    """Whether the notes hold the answer beyond doubt, so that a wrong answer is the model's fault."""
    return probability(found) >= SURE


def probability(found: Signals) -> float:
    """How likely the notes answer the question, 0..1."""
    fitted = _weights(found)
    score = fitted["bias"]
    for name, weight in zip(fitted["features"], fitted["weights"], strict=True):
        score += weight * getattr(found, name)
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, score))))


def _weights(found: Signals) -> dict[str, Any]:
    fitted: dict[str, Any] = _fitted()["with_yes" if found.yes is not None else "without_yes"]
    return fitted
