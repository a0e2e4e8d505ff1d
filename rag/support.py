"""How likely a claim is supported, from what was seen of it: logistic regressions with readable weights.

support.json holds them: 'fast' on the signals of rag/signals.py, 'full' on those and the language
model's judgement, for which linear probes read its hidden state: 'support', and 'denial' of what is
contradicted rather than not spoken of.
tests/bench/fit_support.py fits them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

import numpy as np

from rag.logistic import Probe, chance, weights
from rag.types import Label

FITTED = "support.json"

# No language model, one without a fitted probe, ours, an entailment model in its place.
Mode = Literal["fast", "judged", "full", "entailment"]
ENTAILED = {"supported": 0.5, "partly": 0.2}  # its own probabilities: nothing of it was fitted here

COPIED = 0.7  # 'whole' from which a claim counts as copied
AS_COPIED = 0.9  # what is copied is supported at least that often: 30 of 30 sentences of our engine on dev
NEAR = 0.75  # late-interaction coverage by one sentence from which that one speaks of the same thing


def probability(signals: Mapping[str, float], mode: Mode) -> float:
    """How likely the claim is supported, 0..1. Raises KeyError where a signal of that mode is missing."""
    if mode == "entailment":
        return signals["entailed"]
    found = chance(weights(FITTED)[mode], signals.__getitem__)
    if found >= 0.5 and signals["whole"] >= COPIED:
        return AS_COPIED + (1 - AS_COPIED) * (2 * found - 1)  # still ranked as it was
    return found


def doubted(found: float, mode: Mode) -> float:
    """A probability lowered so that it counts as no support; what was above another stays so."""
    return found * (float(_cuts(mode)["partly"]) - 0.001)


def label(support: float, signals: Mapping[str, float], mode: Mode) -> Label:
    """The word for a probability of support.

    What has little support is contradicted where the probe says so, or where the sentence that is
    nearest to it in words says it with a 'not' more or less.
    """
    cut = _cuts(mode)
    if support >= cut["supported"]:
        return "supported"
    if support >= cut["partly"]:
        return "partly"
    near = signals["negation"] > 0 and signals["first"] >= NEAR
    denied = signals.get("denial", -1.0) >= 0 or signals.get("denied", 0.0) >= 0.5
    return "contradicted" if near or denied else "unsupported"


def _cuts(mode: Mode) -> Mapping[str, float]:
    cuts: Mapping[str, float] = ENTAILED if mode == "entailment" else weights(FITTED)[mode]
    return cuts


@cache
def probes(model: str) -> dict[str, Probe]:
    """The probes that were fitted on this model's states: 'support' and 'denial', or none."""
    found = weights(FITTED)["probes"]
    if found["model"] != model:
        return {}
    return {
        name: Probe(found["layer"], np.array(one["weights"]), one["bias"])
        for name, one in found.items()
        if isinstance(one, dict)
    }
