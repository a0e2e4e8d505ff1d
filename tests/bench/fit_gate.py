"""Fit the gate's weights (rag/gate.json) on the dev half of data/eval.

    python -m tests.bench.fit_gate --index data/index

Each dev question is searched for and judged once; a logistic regression over the signals is fitted
with and without the model's own judgement. The threshold has the best sum of true refusals and,
weighing twice, kept answers under cross-validation. The test half is never read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from rag import gate
from rag.chain import judged
from rag.engines.local import load_model
from rag.types import Ask, Turn
from tests.bench.labelled import OUT, own
from ui.tutor import open_retriever

FEATURES = ("dense", "late", "yes")
TARGET = Path(gate.__file__).with_name("gate.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    options = parser.parse_args()
    retriever = open_retriever(options.index, None)
    model = load_model()
    OUT.mkdir(exist_ok=True)
    rows, labels = [], []
    with (OUT / "gate-dev.jsonl").open("w", encoding="utf-8") as file:
        for one in own("dev"):
            # The answers before a follow-up are not written here: their question says the topic.
            history = tuple(Turn(question, "") for question in one.turns[:-1])
            signals = judged(retriever, model, Ask(one.turns[-1], history))
            rows.append([getattr(signals, name) for name in FEATURES])
            labels.append(one.answerable)
            file.write(json.dumps({"id": one.id, "answerable": one.answerable, **asdict(signals)}) + "\n")
            print(one.id, one.kind, asdict(signals), flush=True)
    fit(np.array(rows), np.array(labels))


def fit(rows: np.ndarray, labels: np.ndarray) -> None:
    """Write gate.json from signals (n, 3) and whether each question is answerable (n,)."""
    fitted = {
        "fitted_on": f"data/eval, dev half: {labels.sum()} answerable, {(~labels).sum()} not",
        "with_yes": _fit(rows, labels, FEATURES),
        "without_yes": _fit(rows[:, :-1], labels, FEATURES[:-1]),
    }
    TARGET.write_text(json.dumps(fitted, indent=1) + "\n", "utf-8")


def _fit(rows: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> dict:
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000)
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    chances = cross_val_predict(model, (rows - mean) / spread, labels, cv=folds, method="predict_proba")[:, 1]
    thresholds = np.arange(0.05, 0.95, 0.01)
    gains = [2 * (chances[labels] >= t).mean() + (chances[~labels] < t).mean() for t in thresholds]
    best = float(thresholds[int(np.argmax(gains))])
    kept, refused = (chances[labels] >= best).mean(), (chances[~labels] < best).mean()
    print(
        f"{', '.join(names)}: threshold {best:.2f}; cross-validated: answered {kept:.3f}, refused {refused:.3f}"  # noqa: E501
    )
    model.fit((rows - mean) / spread, labels)
    weights = model.coef_[0] / spread
    return {
        "features": list(names),
        "weights": [round(float(weight), 4) for weight in weights],
        "bias": round(float(model.intercept_[0] - (weights * mean).sum()), 4),
        "threshold": round(best, 2),
    }


if __name__ == "__main__":
    main()
