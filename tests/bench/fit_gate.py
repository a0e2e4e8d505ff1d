"""Fit the gate's weights (rag/gate.json) on the dev questions of data/eval.

    python -m tests.bench.fit_gate --index data/index --ahead

Each question is searched for and judged once. What was judged is kept in tests/bench/out/gate.jsonl, so an
interrupted run goes on. With --ahead the passages are read ahead first, as they mostly are in use: the
states differ a little, and the fit takes both.

The probe is a logistic regression on the hidden state. Its log-odds from folds that saw neither the question
nor its twin are then one signal among the others. Questions of SQuAD 2 beside ours made it no better.
The threshold is the highest that keeps KEEP of the dev questions that the notes answer, those of
twins.jsonl left out: they were written to be hard, and are told of apart. The test half is never read.
"""

from __future__ import annotations

import argparse
import json
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rag import gate, prompts
from rag.ahead import read_ahead
from rag.chain import answer_chain, judged
from rag.engines.local import LocalModel, load_model
from rag.types import Ask, Turn
from tests.bench.fit_support import linear
from tests.bench.labelled import EVAL, OUT, load, own
from ui.tutor import open_retriever

TARGET = Path(gate.__file__).with_name("gate.json")
KEPT = OUT / "gate.jsonl"
LAYER = 18  # of 28, by cross-validation: --layer tries another
STRENGTH = 0.003  # inverse of the probe's L2 penalty, by cross-validation
KEEP = 0.96  # of the answerable, so that with the check after no more than one in twenty is refused


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--layer", type=int, default=LAYER, help="decoder layer whose state the probe reads")
    parser.add_argument("--ahead", action="store_true", help="read the passages ahead first")
    parser.add_argument("--refit", action="store_true", help="fit on what was judged before, no model needed")
    options = parser.parse_args()
    if not options.refit:
        _judge(options.index, options.layer, options.ahead)
    fit([json.loads(line) for line in KEPT.read_text("utf-8").splitlines()], options.layer)


def _judge(index: Path, layer: int, ahead: bool) -> None:
    OUT.mkdir(exist_ok=True)
    known = KEPT.read_text("utf-8").splitlines() if KEPT.exists() else []
    done = {row["id"] for row in map(json.loads, known) if row.get("ahead", False) == ahead}
    retriever, model = open_retriever(index, None), load_model()
    model.warm(prompts.opening())
    if ahead:
        read_ahead(model, retriever.index.passages, threading.Event(), gently=False)
    else:
        model.folder = None
    chain = answer_chain(retriever, model)
    with KEPT.open("a", encoding="utf-8") as file:

        def keep(row: dict[str, Any]) -> None:
            file.write(json.dumps({**row, "ahead": ahead}) + "\n")
            file.flush()
            print(row["id"], row["kind"], f"yes {row['yes']:.2f}", flush=True)

        for one in own("dev"):
            if one.id in done:
                continue
            history: list[Turn] = []
            for question in one.turns[:-1]:
                history.append(Turn(question, chain.invoke(Ask(question, tuple(history))).answer))
            found, state = judged(retriever, model, Ask(one.turns[-1], tuple(history)), layer)
            row = {"dense": found.dense, "late": found.late, "covered": found.covered, "yes": found.yes}
            row |= {"id": one.id, "kind": one.kind, "answerable": one.answerable, "group": one.group}
            keep({**row, "state": _short(state)})


def _short(state: np.ndarray) -> list[float]:
    return [round(float(value), 3) for value in state]


def fit(rows: list[dict[str, Any]], layer: int) -> None:
    """Write gate.json from what was judged."""
    states = np.array([row["state"] for row in rows], np.float32)
    labels = np.array([row["answerable"] for row in rows], bool)
    groups = np.array([row["group"] for row in rows])
    kinds = np.array([row["kind"] for row in rows])
    hard = {one.id for one in load(EVAL / "twins.jsonl")}
    twins = np.array([row["id"] in hard for row in rows])
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000))
    odds = np.mean(
        [_unseen(probe, states, labels, groups, seed, "decision_function") for seed in range(3)], axis=0
    )
    print(f"probe of layer {layer}: AUROC {roc_auc_score(labels, odds):.3f}")
    probe.fit(states, labels)
    names = ("dense", "late", "covered", "yes", "state")
    signals = np.column_stack([np.array([[row[name] for name in names[:4]] for row in rows]), odds])

    def weighed(count: int) -> dict[str, Any]:
        return _weigh(signals[:, :count], labels, groups, kinds, twins, names[:count])

    fitted = {
        "fitted_on": f"data/eval, dev: {labels.sum()} answerable, {(~labels).sum()} not",
        "with_state": weighed(5),
        "with_yes": weighed(4),
        "with_covered": weighed(3),
        "retrieval": weighed(2),
        "probe": {
            "model": LocalModel.model_fields["name"].default,
            "layer": layer,
            **linear(probe),
        },
    }
    parts = (f" {json.dumps(name)}: {json.dumps(value)}" for name, value in fitted.items())
    TARGET.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def _unseen(
    model: Any, rows: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int, method: str
) -> np.ndarray:
    folds = StratifiedGroupKFold(10, shuffle=True, random_state=seed)
    found: np.ndarray = cross_val_predict(model, rows, labels, groups=groups, cv=folds, method=method)
    return found if found.ndim == 1 else found[:, 1]


def _weigh(
    rows: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    kinds: np.ndarray,
    twins: np.ndarray,
    names: tuple[str, ...],
) -> dict[str, Any]:
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000)
    whole = (rows - mean) / spread
    chances = np.mean(
        [_unseen(model, whole, labels, groups, seed, "predict_proba") for seed in range(3)], axis=0
    )
    best = float(np.quantile(chances[labels & ~twins], 1 - KEEP, method="lower"))
    print(f"{', '.join(names)}: AUROC {roc_auc_score(labels, chances):.3f}, threshold {best:.2f}")
    for name, among in (("dev", ~twins), ("twins", twins)):
        kept = (chances[labels & among] >= best).mean() if (labels & among).any() else float("nan")
        told = [f"  {name}: answered {kept:.3f}, refused"]
        for kind in sorted({*kinds[among & ~labels]}):
            of_kind = chances[among & (kinds == kind) & ~labels]
            told.append(f"{kind} {(of_kind < best).sum()}/{len(of_kind)}")
        print(" ".join(told))
    model.fit(whole, labels)
    weights = model.coef_[0] / spread
    return {
        "features": list(names),
        "weights": [round(float(weight), 4) for weight in weights],
        "bias": round(float(model.intercept_[0] - (weights * mean).sum()), 4),
        "threshold": math.floor(1000 * best) / 1000,
    }


if __name__ == "__main__":
    main()
