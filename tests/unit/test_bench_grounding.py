"""Figures of the grounding bench, against values worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rag.signals import CHEAP
from tests.bench import fit_support, grounding, support_rows
from tests.bench.fit_support import SAID
from tests.bench.grounding import ARMS, CHEAP_ARMS, SAID_ARMS, Judged, folds, plot, report, sets_out
from tests.bench.metrics import auroc, balanced_accuracy, best_cut, calibration_error, equal_bins
from tests.bench.support_rows import LAYERS, Rows

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
            features = {one: float(draw.normal()) for one in (*CHEAP, *SAID)} | {"whole": 0.0, "facts": 0.0}
            features["yes"] = float(draw.normal(3 if label else -3))
            rows.append(
                {"id": f"{name}:{place}", "set": name, "split": "", "group": f"{name}:{place // 3}"}
                | {"made": False, "judged": True, "kind": "", "notes": ""}
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
        if "yes" in SAID_ARMS.get(arm, ()):
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
        row.update(made=row["set"] == "own" and int(row["id"].split(":")[1]) % 4 == 0, notes="unit")
        row["split"] = "test" if row["set"] == "own" and int(row["id"][4:]) >= 18 else ""
    fitted_on: list[Rows] = []
    judge = grounding.judge

    def watched(train: Rows, test: Rows, keep_probes: bool) -> dict[str, Judged]:
        fitted_on.append(train)
        return judge(train, test, keep_probes)

    monkeypatch.setattr(grounding, "judge", watched)
    monkeypatch.setattr(grounding, "shipped", lambda held, mode: Judged(held, np.zeros(18), np.ones(18)))
    found = {**folds(rows, 2), **sets_out(rows), **grounding.own_test(rows)}
    assert len(fitted_on) == 2 + 2 + 1
    assert all("test" not in set(some.of("split")) for some in fitted_on)
    assert set(found["own test", "own", "lexical only"].rows.of("split")) == {"test"}
    assert len(found["own test", "own, of answers", "+ embedding"].labels) == 18 - 4
    assert ("own test", "own, of answers, shared notes", "+ embedding") not in found


def test_what_the_model_was_not_asked_about_counts_for_the_cheap_arms_alone() -> None:
    rows = made()
    for row in rows.rows[::3]:
        row["judged"] = False
        row["features"] = {name: row["features"][name] for name in (*CHEAP, "whole", "facts")}
    rows.states[::3] = np.nan
    judged = folds(rows, 3)
    for arm in ARMS:
        count = sum(len(judged["folds", name, arm].labels) for name in ("wice", "fm2"))
        assert count == (72 if arm in CHEAP_ARMS else 48)
    one = judged["folds", "fm2", "+ model judgement"]
    assert auroc(one.chances, one.labels) > 0.95


def test_the_fit_writes_weights_that_can_be_read_and_keep_their_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = made(sets=("wice", "own"))
    for place, row in enumerate(rows.rows):
        row["kind"] = "supported" if row["label"] else ("contradicted", "unsupported")[place // 2 % 2]
    target = tmp_path / "support.json"
    monkeypatch.setattr(fit_support, "TARGET", target)
    fit_support.fit(rows)
    fitted = json.loads(target.read_text("utf-8"))
    assert fitted["judged_on"] == "wice: 36, own: 36"
    for mode in ("fast", "judged", "full"):
        weights = dict(zip(fitted[mode]["features"], fitted[mode]["weights"], strict=True))
        assert all(weight <= 0 for name, weight in weights.items() if name in fit_support.AGAINST)
        assert all(weight >= 0 for name, weight in weights.items() if name not in fit_support.AGAINST)
        assert 0 < fitted[mode]["partly"] < 1 and 0 < fitted[mode]["supported"] < 1
    assert fitted["judged"]["weights"][fitted["judged"]["features"].index("yes")] > 0
    monkeypatch.setattr(fit_support, "shipped_odds", lambda found: found.states[:, 0, 0])
    fit_support.fit(rows, keep_probes=True)
    again = json.loads(target.read_text("utf-8"))
    assert again["probes"] == fitted["probes"] and again["fast"] == fitted["fast"]


def test_claims_as_they_come_count_for_more_than_made_ones() -> None:
    rows = made(sets=("wice", "own", "fm2"), count=20)
    for row in rows.rows[30:40]:
        row["made"] = True
    sums = [rows.weights[place : place + 10].sum() for place in (20, 30)]
    assert rows.weights.mean() == pytest.approx(1) and sums[1] == pytest.approx(0.15 * sums[0])
    assert rows.weights[:20].sum() == pytest.approx(sums[0])


def test_probabilities_mean_what_they_say() -> None:
    draw = np.random.default_rng(0)
    rows = made(sets=("own",), count=2000)
    odds = draw.normal(1, 2, 2000)
    for row, chance in zip(rows.rows, 1 / (1 + np.exp(-odds)), strict=True):
        row["label"] = bool(draw.random() < chance)
    factor, shift = fit_support.calibrated(rows, (odds + 3) / 2)
    assert factor == pytest.approx(2, rel=0.15) and shift == pytest.approx(-3, rel=0.15)
    assert fit_support.calibrated(rows, -odds) == (1.0, 0.0)


def test_a_claim_that_the_model_judged_later_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = made(count=2, sets=("fm2",)).rows
    quick = [{**row, "judged": False} for row in rows]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in [*quick, rows[1]]), "utf-8")
    monkeypatch.setattr(support_rows, "ROWS", file)
    monkeypatch.setattr(support_rows, "STATES", tmp_path)
    np.save(tmp_path / "fm2_1.npy", np.ones((len(LAYERS), 4), np.float16))
    found = support_rows.read()
    assert found.judged.tolist() == [False, True]
    assert np.isnan(found.states[0]).all() and (found.states[1] == 1).all()
