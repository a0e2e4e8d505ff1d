"""How good probabilities are: how they rank, how they decide, whether they mean what they say."""

from __future__ import annotations

import numpy as np


def auroc(chances: np.ndarray, labels: np.ndarray) -> float:
    """How often a true one ranks above a false one, ties half; nan where there are not both.

    `chances` float (n,), `labels` bool (n,).
    """
    right, wrong = chances[labels], chances[~labels]
    if not len(right) or not len(wrong):
        return float("nan")
    order = np.sort(wrong)
    below = np.searchsorted(order, right, "left")
    upto = np.searchsorted(order, right, "right")
    return float((below + upto).mean() / 2 / len(wrong))


def balanced_accuracy(chances: np.ndarray, labels: np.ndarray, cut: float) -> float:
    """Mean of the share of true ones at or above the cut and of false ones below it."""
    said = chances >= cut
    if labels.all() or not labels.any():
        return float("nan")
    return float((said[labels].mean() + (~said[~labels]).mean()) / 2)


def best_cut(chances: np.ndarray, labels: np.ndarray) -> float:
    """The cut of the best balanced accuracy: half-way between two chances; the lowest of equals."""
    values = np.unique(chances)
    cuts = (values[1:] + values[:-1]) / 2 if len(values) > 1 else values
    scores = [balanced_accuracy(chances, labels, cut) for cut in cuts]
    return float(cuts[int(np.nanargmax(scores))])


def equal_bins(chances: np.ndarray, labels: np.ndarray, count: int = 10) -> np.ndarray:
    """Bins of as many claims each, by chance: float (bins, 3), mean chance, share of true ones, claims."""
    order = np.argsort(chances, kind="stable")
    parts = [part for part in np.array_split(order, count) if len(part)]
    return np.array([[chances[part].mean(), labels[part].mean(), len(part)] for part in parts])


def calibration_error(chances: np.ndarray, labels: np.ndarray, count: int = 10) -> float:
    """Expected calibration error over equal-mass bins (Naeini et al. 2015; bins as in Nixon et al. 2019)."""
    bins = equal_bins(chances, labels, count)
    return float((np.abs(bins[:, 0] - bins[:, 1]) * bins[:, 2]).sum() / bins[:, 2].sum())
