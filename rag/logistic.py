"""Logistic regressions and linear probes whose weights lie in readable JSON.

What is not here: what they are fitted on (tests/bench/fit_gate.py, fit_support.py), and what their
numbers mean (rag/gate.py, rag/support.py).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Probe(NamedTuple):
    """A linear reading of a model's hidden state (Alain and Bengio 2016, arXiv 1610.01644)."""

    layer: int
    weights: np.ndarray  # float64 (width,)
    bias: float

    def odds(self, state: np.ndarray) -> float | None:
        """Log-odds for a state (width,); None for one of another width."""
        if len(state) != len(self.weights):
            return None
        return float(np.dot(state, self.weights)) + self.bias


def chance(fitted: Mapping[str, Any], signal: Callable[[str], float]) -> float:
    """The probability, 0..1, that `fitted` (features, weights, bias) gives for what `signal` tells."""
    score = fitted["bias"]
    for name, weight in zip(fitted["features"], fitted["weights"], strict=True):
        score += weight * signal(name)
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, score))))


@cache
def weights(name: str) -> dict[str, Any]:
    """What the file `name` beside this one holds."""
    values: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text("utf-8"))
    return values
