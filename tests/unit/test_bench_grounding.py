"""Figures of the grounding bench, against values worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.bench import grounding
from tests.bench.fit_support import JUDGED, LAYERS, Rows
from tests.bench.grounding import ARMS, Judged, folds, plot, report, sets_out
from tests.bench.metrics import auroc, balanced_accuracy, best_cut, calibration_error, equal_bins

CHANCES = np.array([0.9, 0.8, 0.8, 0.3, 0.1])
LABELS = np.array([True, True, False, True, False])


def test_auroc_counts_pairs_and_ties_half() -> None:
    # Pairs: .9 beats both; .8 ties one and beats one; .3 loses to one and beats one: 4.5 of 6.
    assert auroc(CHANCES, LABELS) == pytest.approx(4.5 / 6)
    assert auroc(-CHANCES, LABELS) == pytest.approx(1.5 / 6)
    assert np.isnan(auroc(CHANCES, np.ones(5, bool)))


def test_balanced_accuracy_at_a_cut() -> None:
    assert balanced_accuracy(CHANCES, LABELS, 0.5) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert balanced_accuracy(CHANCES, LABELS, 0.8) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert balanced_accuracy(CHANCES, LABELS, 0.2) == pytest.approx((1 + 1 / 2) / 2)


def test_the_best_cut_lies_between_two_chances() -> None:
    assert best_cut(CHANCES, LABELS) == pytest.approx(0.2)


def test_calibration_error_over_bins_of_equal_mass() -> None:
    # Two bins: (.1, .3, .8) holds one or two true ones by the order of equals, which is kept: .8 true first.
    bins = equal_bins(CHANCES, LABELS, 2)
    assert bins == pytest.approx(np.array([[0.4, 2 / 3, 3], [0.85, 1 / 2, 2]]))
    assert calibration_error(CHANCES, LABELS, 2) == pytest.approx((abs(0.4 - 2 / 3) * 3 + 0.35 * 2) / 5)
    assert calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0


def made(seed: int = 0, count: int = 36, sets: tuple[str, ...] = ("wice", "fm2")) -> Rows:
    """Claims whose 'yes' tells their label, and whose other signals tell nothing."""
    draw = np.random.default_rng(seed)
    rows = []
    for name in sets:
        for place in range(count):
            label = place % 2 == 0
            features = {one: float(draw.normal()) for one in JUDGED}
            features["yes"] = float(draw.normal(3 if label else -3))
            rows.append(
                {"id": f"{name}:{place}", "set": name, "split": "", "group": f"{name}:{place // 3}"}
                | {"label": label, "features": features, "quotes_hit": place % 4 == 0 if label else None}
                | {"seconds": {"cheap": 0.02, "model": 1.0}}
            )
    return Rows(rows, draw.normal(size=(len(rows), len(LAYERS), 4)).astype(np.float32))


def test_arms_see_only_their_signals_and_no_held_out_label(tmp_path: Path) -> None:
    rows = made()
    judged = {**folds(rows, 3), **sets_out(rows)}
    assert set(judged) == {
        (how, name, arm) for how in ("folds", "set out") for name in ("wice", "fm2") for arm in ARMS
    }
    for (_, _, arm), one in judged.items():
        assert len(one.labels) == 36
        rank = auroc(one.chances, one.labels)
        if ARMS[arm].count("yes"):
            assert rank > 0.95
        else:
            assert 0.2 < rank < 0.8  # noise: a held-out label that leaked would lift it
    text = report(judged, rows)
    assert "| wice, supported | 18 | 0.500 |" in text
    assert "| folds | fm2 | + embedding | 36 |" in text
    assert text.splitlines()[0].endswith("20 ms a claim without the model, 1020 ms with it")
    plot(judged, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5000


def test_nothing_is_fitted_on_our_test_half(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = made(sets=("wice", "own"))
    for row in rows.rows:
        row.update(made=int(row["id"].split(":")[1]) % 4 == 0, notes="unit")
        row["split"] = "test" if row["set"] == "own" and int(row["id"][4:]) >= 18 else ""
    fitted_on: list[Rows] = []
    judge = grounding.judge

    def watched(train: Rows, test: Rows) -> dict[str, Judged]:
        fitted_on.append(train)
        return judge(train, test)

    monkeypatch.setattr(grounding, "judge", watched)
    monkeypatch.setattr(grounding, "shipped", lambda held, mode: Judged(held, np.zeros(18), np.ones(18)))
    found = {**folds(rows, 2), **sets_out(rows), **grounding.own_test(rows)}
    assert len(fitted_on) == 2 + 2 + 1
    assert all("test" not in set(some.of("split")) for some in fitted_on)
    assert set(found["own test", "own", "lexical only"].rows.of("split")) == {"test"}
    assert len(found["own test", "own, of answers", "+ embedding"].labels) == 18 - 4
    assert ("own test", "own, of answers, shared notes", "+ embedding") not in found
