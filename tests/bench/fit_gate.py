"""Fit the gate's weights (rag/gate.json) on the dev questions of data/eval and on SQuAD 2.

    python -m tests.bench.fit_gate --index data/index --squad ../shared/eval/squad2_half.json

Each dev question is searched for and judged once; of SQuAD 2 (Rajpurkar, Jia, Liang 2018, arXiv
1806.03822), whose unanswerable questions look answerable, some short paragraphs' questions are judged,
each on its own paragraph. What was judged is kept in tests/bench/out/gate.jsonl, so an interrupted run
goes on. With --ahead the passages are read ahead first, as they mostly are in use: the states differ a
little, and the fit takes both.

The probe is a logistic regression on the hidden state, fitted on both sets. Its log-odds from folds
that saw neither the question nor its twin (nor another of the paragraph) are then one signal among the
others, weighed on the dev questions.
The threshold is the highest that keeps KEEP of the dev questions that the notes answer, those of
twins.jsonl left out: they were written to be hard, and are told of apart. The test half is never read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ingest.sentences import sentences
from rag import gate, prompts
from rag.ahead import read_ahead
from rag.chain import answer_chain, judged
from rag.engines.local import LocalModel, load_model
from rag.types import Ask, Turn
from tests.bench.labelled import EVAL, OUT, load, own
from ui.tutor import open_retriever

TARGET = Path(gate.__file__).with_name("gate.json")
KEPT = OUT / "gate.jsonl"
LAYER = 18  # of 28, by cross-validation: --layer tries another
STRENGTH = 0.003  # inverse of the probe's L2 penalty, by cross-validation
KEEP = 0.96  # of the answerable, so that with the check after no more than one in twenty is refused
SHORTEST, LONGEST = 250, 560  # characters of a SQuAD paragraph: about what the gate shows of notes
EACH = 8  # questions of one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--squad", type=Path, help="a file in SQuAD 2's format")
    parser.add_argument("--questions", type=int, default=120, help="how many of its questions")
    parser.add_argument("--layer", type=int, default=LAYER, help="decoder layer whose state the probe reads")
    parser.add_argument("--ahead", action="store_true", help="read the passages ahead first")
    parser.add_argument("--refit", action="store_true", help="fit on what was judged before, no model needed")
    options = parser.parse_args()
    if not options.refit:
        _judge(options.index, options.squad, options.questions, options.layer, options.ahead)
    fit([json.loads(line) for line in KEPT.read_text("utf-8").splitlines()], options.layer)


def _judge(index: Path, squad: Path | None, questions: int, layer: int, ahead: bool) -> None:
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
        for row in _of_squad(model, squad, questions, layer, done) if squad else ():
            keep(row)


def _of_squad(
    model: LocalModel, path: Path, questions: int, layer: int, done: set[str]
) -> Iterator[dict[str, Any]]:
    paragraphs = [
        (article["title"].replace("_", " "), paragraph)
        for article in json.loads(path.read_text("utf-8"))["data"]
        for paragraph in article["paragraphs"]
        if SHORTEST < len(paragraph["context"]) < LONGEST
    ]
    random.Random(0).shuffle(paragraphs)
    every = [(title, paragraph, one) for title, paragraph in paragraphs for one in paragraph["qas"][:EACH]]
    for title, paragraph, one in every[:questions]:
        if one["id"] in done:
            continue
        lines = tuple(sentences(paragraph["context"]))
        shown = prompts.Shown(title, lines, tuple(range(len(lines))))
        messages = prompts.answerable_prompt(one["question"], [shown])
        (said, denied), state = model.next_state(messages, ("yes", "no"), layer)
        row = {"id": one["id"], "kind": "squad", "answerable": not one["is_impossible"]}
        group = hashlib.sha256(paragraph["context"].encode()).hexdigest()[:16]
        yield {**row, "group": group, "yes": said - denied, "state": _short(state)}


def _short(state: np.ndarray) -> list[float]:
    return [round(float(value), 3) for value in state]


def fit(rows: list[dict[str, Any]], layer: int) -> None:
    """Write gate.json from what was judged."""
    states = np.array([row["state"] for row in rows], np.float32)
    labels = np.array([row["answerable"] for row in rows], bool)
    ours = np.array([row["kind"] != "squad" for row in rows], bool)
    groups = np.array([row["group"] for row in rows])
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000))
    odds = np.mean(
        [_unseen(probe, states, labels, groups, seed, "decision_function") for seed in range(3)], axis=0
    )
    print(f"probe of layer {layer}, AUROC of ours {roc_auc_score(labels[ours], odds[ours]):.3f}")
    if not ours.all():
        print(f"  SQuAD 2 {roc_auc_score(labels[~ours], odds[~ours]):.3f}")
    probe.fit(states, labels)
    scaler, linear = probe[0], probe[1]
    weights = linear.coef_[0] / scaler.scale_
    bias = float(linear.intercept_[0] - (weights * scaler.mean_).sum())
    mine = [row for row, kept in zip(rows, ours, strict=True) if kept]
    plain = np.array([[row["dense"], row["late"], row["covered"], row["yes"]] for row in mine])
    full = np.column_stack([plain, odds[ours]])
    names = ("dense", "late", "covered", "yes", "state")
    known, kinds = labels[ours], np.array([row["kind"] for row in mine])
    hard = {one.id for one in load(EVAL / "twins.jsonl")}
    twins = np.array([row["id"] in hard for row in mine])
    fitted = {
        "fitted_on": f"data/eval, dev: {known.sum()} answerable, {(~known).sum()} not; "
        f"SQuAD 2: {labels[~ours].sum()} answerable, {(~labels[~ours]).sum()} not",
        "with_state": _weigh(full, known, groups[ours], kinds, twins, names),
        "with_yes": _weigh(plain, known, groups[ours], kinds, twins, names[:4]),
        "with_covered": _weigh(plain[:, :3], known, groups[ours], kinds, twins, names[:3]),
        "retrieval": _weigh(plain[:, :2], known, groups[ours], kinds, twins, names[:2]),
        "probe": {
            "model": LocalModel.model_fields["name"].default,
            "layer": layer,
            "bias": round(bias, 4),
            "weights": [round(float(weight), 5) for weight in weights],
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
        "threshold": round(best, 2),
    }


if __name__ == "__main__":
    main()
