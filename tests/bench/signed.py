"""A logistic regression whose weights keep the sign that their signal's meaning gives them.

Signals that say nearly the same (bigrams, the longest copied span) get large weights that cancel each
other where all of them are free, and those carry over badly to other texts. Held to its sign, a
signal that adds nothing gets the weight 0 instead (non-negative least squares, Lawson and Hanson 1974,
does the same for a line).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize


class SignedRegression:
    """Logistic regression, labels balanced, L2 penalty on standardised signals, weights of given signs."""

    def __init__(self, signs: Sequence[int], strength: float = 1.0) -> None:
        """`signs`: 1, -1 or 0 (free), one a signal. `strength`: inverse of the penalty, scikit-learn's C."""
        self.signs, self.strength = tuple(signs), strength
        self.weights = np.zeros(len(self.signs))  # on signals as they come
        self.bias = 0.0

    def fit(self, rows: np.ndarray, labels: np.ndarray, counts: np.ndarray | None = None) -> SignedRegression:
        """`rows` float (n, signals), `labels` bool (n,), `counts` float (n,): how much each row counts."""
        mean, scale = rows.mean(0), rows.std(0)
        scale[scale == 0] = 1.0
        known = (rows - mean) / scale
        counts = np.ones(len(labels)) if counts is None else counts.astype(float)
        of_true = counts[labels].sum() / counts.sum()
        counts = counts * np.where(labels, 0.5 / of_true, 0.5 / (1 - of_true))
        wanted = np.where(labels, 1.0, -1.0)

        def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
            margins = wanted * (known @ values[:-1] + values[-1])
            slopes = -wanted * counts / (1 + np.exp(np.clip(margins, -50, 50)))
            cost = self.strength * float((counts * np.logaddexp(0, -margins)).sum())
            gradient = self.strength * np.append(known.T @ slopes, slopes.sum())
            gradient[:-1] += values[:-1]
            return cost + float(values[:-1] @ values[:-1]) / 2, gradient

        bounds = [{1: (0.0, None), -1: (None, 0.0), 0: (None, None)}[sign] for sign in self.signs]
        start = np.zeros(len(self.signs) + 1)
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)]).x
        self.weights = found[:-1] / scale
        self.bias = float(found[-1] - (self.weights * mean).sum())
        return self

    def decision_function(self, rows: np.ndarray) -> np.ndarray:
        """Log-odds float (n,)."""
        odds: np.ndarray = rows @ self.weights + self.bias
        return odds
