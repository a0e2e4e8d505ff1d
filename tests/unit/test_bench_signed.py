"""The regression whose weights keep their sign, on data made by hand."""

import numpy as np
import pytest

from tests.bench.signed import SignedRegression


def drawn(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Two signals that nearly copy each other, of which only the first tells the label, and noise."""
    draw = np.random.default_rng(3)
    labels = draw.random(count) < 0.25
    first = draw.normal(size=count) + 2.0 * labels
    return np.column_stack([first, first + draw.normal(size=count), draw.normal(size=count) * 9 + 4]), labels


def test_no_weight_has_another_sign_than_it_must() -> None:
    rows, labels = drawn()
    free = SignedRegression((0, 0, 0)).fit(rows, labels)
    held = SignedRegression((1, 1, -1)).fit(rows, labels)
    turned = SignedRegression((-1, 1, 0)).fit(rows, labels)
    assert free.weights[0] > 0
    assert (held.weights[:2] >= 0).all() and held.weights[2] <= 0
    assert turned.weights[0] == 0 and turned.weights[1] > 0


def test_without_signs_it_is_scikit_learns() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, labels = drawn()
    counts = np.where(np.arange(len(labels)) % 3 == 0, 2.0, 1.0)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000, tol=1e-8))
    even = counts * np.where(labels, 0.5 / counts[labels].sum(), 0.5 / counts[~labels].sum()) * counts.sum()
    theirs.fit(rows, labels, logisticregression__sample_weight=even)
    ours = SignedRegression((0, 0, 0), 0.3).fit(rows, labels, counts)
    assert ours.decision_function(rows) == pytest.approx(theirs.decision_function(rows), abs=1e-3)


def test_a_signal_that_never_changes_is_harmless() -> None:
    rows, labels = drawn()
    rows[:, 2] = 7.0
    odds = SignedRegression((1, 1, 1)).fit(rows, labels).decision_function(rows)
    assert np.isfinite(odds).all()
    assert abs(odds[labels].mean()) + abs(odds[~labels].mean()) > 1
