"""Whether the notes can answer a question, decided before a word is written.

A small model told that it may refuse refuses what it could answer and invents the rest, so it is
not asked in the prompt. A logistic regression decides from how near the notes come to the question
and, where the model is ours, from its logit of yes over no. The weights lie in gate.json, readable;
tests/bench/fit_gate.py fits them on the dev half of data/eval.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ingest.store import tokens
from ingest.types import Hit
from rag.followup import content_words
from rag.grounding import NUMBER, holds_number


@dataclass(frozen=True, slots=True)
class Signals:
    """What the gate looks at."""

    dense: float  # best cosine of the question with a passage or a sentence
    late: float  # best late-interaction score
    coverage: float  # share of the question's content stems in the best passages, by rarity, 0..1
    absent: float  # share of the question's content stems that stand nowhere in the notes, 0..1
    figures: float  # numbers in the question that the best passages do not hold
    yes: float | None = None  # logit(yes) - logit(no) of the model; None where it has none


def signals(
    question: str, hits: Sequence[Hit], frequency: Mapping[str, int], yes: float | None = None
) -> Signals:
    """The signals of `question` (as searched for) given the passages found, best first.

    `frequency`: in how many passages of the notes each stem stands.
    """
    best = "\n".join(f"{hit.passage.title}\n{hit.passage.text}" for hit in hits[:3])
    held = set(tokens(best))
    stems = {stem for word in content_words(question) for stem in tokens(word)}
    weight = {stem: 1 / math.log(3 + frequency.get(stem, 0)) for stem in stems}
    total = sum(weight.values())
    return Signals(
        dense=max((hit.dense for hit in hits), default=-1.0),
        late=max((hit.late for hit in hits), default=0.0),
        coverage=sum(weight[stem] for stem in stems & held) / total if stems else 1.0,
        absent=sum(not frequency.get(stem) for stem in stems) / len(stems) if stems else 0.0,
        figures=float(sum(not holds_number(best, number) for number in NUMBER.findall(question))),
        yes=yes,
    )


@cache
def _fitted() -> dict[str, Any]:
    values: dict[str, Any] = json.loads(Path(__file__).with_name("gate.json").read_text("utf-8"))
    return values


def answers(found: Signals) -> bool:
    """Whether to answer: the probability that the notes can is not below the fitted threshold."""
    return probability(found) >= _weights(found)["threshold"]


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
