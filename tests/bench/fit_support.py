"""Collect the signals of labelled claims, and fit rag/support.json on them.

    python -m tests.bench.fit_support --sets wice fm2 snli halueval own     minutes to an hour, once
    python -m tests.bench.fit_support --refit                               seconds, no model

Each claim is looked at as rag/grounding.py looks at it. What was seen is kept, so an interrupted run
goes on: tests/bench/out/support.jsonl has the signals, support-states/ the model's hidden states.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ingest.embed import load_encoder
from ingest.types import Encoder, Passage
from rag import prompts, support
from rag.engines.local import LocalModel, load_model
from rag.grounding import Evidence, evidence, judged, look, shown
from rag.signals import CHEAP
from tests.bench.claims import SHARED, Claim, load
from tests.bench.labelled import OUT
from tests.bench.own_claims import own_claims

ROWS = OUT / "support.jsonl"
STATES = OUT / "support-states"
TARGET = Path(support.__file__).with_name("support.json")
LAYER = 20  # of those below, by cross-validation
REAL = 2.0  # weight of a sentence of our own answers
KEPT = 0.95
SURE = 0.95  # share of those called supported that must be so
STRENGTH = 0.001  # inverse of the probe's L2 penalty, by cross-validation
JUDGED = (*CHEAP, "yes", "likelihood", "unlikeliest")
LAYERS = (12, 14, 16, 18, 20, 22, 24)  # of 28, counted from 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the public sets")
    parser.add_argument("--sets", nargs="+", default=["wice", "fm2", "snli", "halueval", "own"])
    parser.add_argument("--size", type=int, help="claims of each public set (default: as claims.py has it)")
    parser.add_argument("--half", choices=["dev", "test"], help="of our own claims only these")
    parser.add_argument("--refit", action="store_true", help="fit on what was collected before")
    options = parser.parse_args()
    if options.refit:
        fit(read())
        return
    sets = [load(name, options.shared, options.size) for name in options.sets if name != "own"]
    if "own" in options.sets:
        found = own_claims(shared_notes=options.shared.parent / "notes")
        print(*found.missing, sep="\n")
        sets.append([one for one in found.claims if options.half in (None, one.split)])
    collect(sets)


def collect(sets: Sequence[Sequence[Claim]]) -> None:
    """Look at every claim that was not looked at before; the sets in turn, so that each is begun."""
    STATES.mkdir(parents=True, exist_ok=True)
    known = ROWS.read_text("utf-8").splitlines() if ROWS.exists() else []
    done = {json.loads(line)["id"] for line in known}
    encoder, model = load_encoder(), load_model()
    model.warm(prompts.answer_prompt("", []))
    order = sorted(
        ((place / len(some), one) for some in sets for place, one in enumerate(some)),
        key=lambda pair: pair[0],
    )
    with ROWS.open("a", encoding="utf-8") as file:
        for _, one in order:
            if one.id in done:
                continue
            row = looked_at(one, encoder, model)
            file.write(json.dumps(row) + "\n")
            file.flush()


def looked_at(one: Claim, encoder: Encoder, model: LocalModel) -> dict[str, Any]:
    """The signals of a claim; its states go to a file of their own.

    Our own notes may have been read ahead, as they mostly are in use; what strangers' claims stand on is not.
    """
    began = time.perf_counter()
    parts = passages(one)
    held = [_evidence(number, passage, encoder) for number, (passage, _) in enumerate(parts, 1)]
    ready = time.perf_counter()
    found = look(one.claim, held, encoder, one.question)
    seen = time.perf_counter()
    with_ = model.judge(prompts.claim_prompt(one.claim, shown(found, held)), ("yes", "no"), LAYERS)
    heard = time.perf_counter()
    assert with_ is not None
    np.save(_state(one.id), np.array(with_.states, np.float16))
    features = {
        **found.signals,
        **judged(with_),
        "alone": _alone(one, model),
    }
    picks = {parts[number][1][row] for number, row in found.chosen[:2]}
    return {
        "id": one.id,
        "set": one.set,
        "kind": one.kind,
        "group": one.group or one.id,
        "split": one.split,
        "made": one.made,
        "notes": one.notes,
        "label": one.label,
        "features": {key: round(float(value), 4) for key, value in features.items()},
        "seconds": {
            "prepare": round(ready - began, 3),
            "cheap": round(seen - ready, 3),
            "model": round(heard - seen, 3),
        },
        "quotes_hit": any(picks & some for some in one.supporting) if one.supporting else None,
        "sentences": sum(len(passage.sentences) for passage, _ in parts),
    }


@dataclass(frozen=True)
class Rows:
    """What was collected, an entry a claim."""

    rows: list[dict[str, Any]]
    states: np.ndarray  # float32 (claims, len(LAYERS), width)

    def only(self, keep: np.ndarray) -> Rows:
        """Those that `keep`, bool (claims,), says."""
        return Rows([row for row, kept in zip(self.rows, keep, strict=True) if kept], self.states[keep])

    def of(self, key: str) -> np.ndarray:
        """One field of each."""
        return np.array([row[key] for row in self.rows])

    def features(self, names: Sequence[str]) -> np.ndarray:
        """float64 (claims, len(names))."""
        return np.array([[row["features"][name] for name in names] for row in self.rows], float)

    def weights(self) -> np.ndarray:
        """float64 (claims,): the sentences that our engine did write count for more than others."""
        return np.where((self.of("set") == "own") & ~self.of("made").astype(bool), REAL, 1.0)


def read() -> Rows:
    """All that was collected."""
    rows = [json.loads(line) for line in ROWS.read_text("utf-8").splitlines()]
    states = np.array([np.load(_state(row["id"])) for row in rows], np.float32)
    return Rows(rows, states)


def _state(key: str) -> Path:
    return STATES / f"{key.replace(':', '_').replace('/', '_')}.npy"


def fit(found: Rows) -> None:
    """Write support.json from what was collected; of our own claims only the dev half."""
    found = found.only(found.of("split") != "test")
    labels = found.of("label").astype(bool)
    states = found.states[:, LAYERS.index(LAYER)]
    odds = unseen(probe, states, labels, found)
    denied, others = contradicted(found)
    modes = {
        "fast": (found.features(CHEAP), CHEAP),
        "judged": (found.features(JUDGED), JUDGED),
        "full": (np.column_stack([found.features(JUDGED), odds]), (*JUDGED, "support")),
    }
    counts = Counter(found.of("set"))
    fitted: dict[str, Any] = {
        "fitted_on": ", ".join(f"{name}: {count}" for name, count in counts.items()),
        **{name: weigh(rows, labels, found, names) for name, (rows, names) in modes.items()},
        "probes": {
            "model": LocalModel.model_fields["name"].default,
            "layer": LAYER,
            "support": linear(probe().fit(states, labels, logisticregression__sample_weight=found.weights())),
            "denial": linear(probe().fit(states[others | denied], denied[others | denied])),
        },
    }
    parts = (f" {json.dumps(name)}: {json.dumps(value)}" for name, value in fitted.items())
    TARGET.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def probe() -> Any:
    """A logistic regression on hidden states."""
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=3000, class_weight="balanced")
    )


def unseen(make: Callable[[], Any], rows: np.ndarray, labels: np.ndarray, found: Rows) -> np.ndarray:
    """Log-odds of each claim by folds that did not see its group."""
    odds, weights = np.zeros(len(labels)), found.weights()
    folds = StratifiedGroupKFold(8, shuffle=True, random_state=0)
    for seen, new in folds.split(rows, labels, found.of("group")):
        fitted = make().fit(rows[seen], labels[seen], logisticregression__sample_weight=weights[seen])
        odds[new] = fitted.decision_function(rows[new])
    return odds


def contradicted(found: Rows) -> tuple[np.ndarray, np.ndarray]:
    """bool (claims,): which the evidence denies, and which it leaves without support."""
    kinds = found.of("kind")
    denied = np.isin(kinds, ("REFUTES", "contradiction", "contradicted"))
    return denied, np.isin(kinds, ("neutral", "unsupported", "not_supported"))


def weigh(rows: np.ndarray, labels: np.ndarray, found: Rows, names: Sequence[str]) -> dict[str, Any]:
    """Weights and cuts of one mode.

    'supported' is the least probability from which SURE of our own answers' sentences are so, what is
    copied counted in; KEPT of those that are supported have at least the probability 'partly'.
    """
    odds = unseen(regression, rows, labels, found)
    chances = 1 / (1 + np.exp(-odds))
    real = (found.of("set") == "own") & ~found.of("made").astype(bool)
    copied = (found.features(("whole",))[:, 0] >= support.COPIED) & (chances >= 0.5)
    cuts = np.arange(0.3, 0.95, 0.01)
    right = [((chances[labels] >= cut).mean() + (chances[~labels] < cut).mean()) / 2 for cut in cuts]
    sure = [cut for cut in cuts if labels[real & ((chances >= cut) | copied)].mean() >= SURE]
    cut, partly = float(sure[0] if sure else cuts[-1]), float(np.quantile(chances[real & labels], 1 - KEPT))
    taken = real & ((chances >= cut) | copied)
    auroc = _auroc(labels, chances, np.ones(len(labels), bool)), _auroc(labels, chances, real)
    print(f"{len(names)} signals: AUROC {auroc[0]:.3f}, our own {auroc[1]:.3f}; {max(right):.3f} balanced")
    print(f"  from {cut:.2f} on {labels[taken].mean():.3f} of {taken.sum()} are supported,", end=" ")
    print(f"{labels[taken].sum() / labels[real].sum():.2f} of those that are; partly from {partly:.2f} on,")
    print(f"  below which are {(chances < partly)[real & ~labels].mean():.2f} of the unsupported")
    fitted = linear(regression().fit(rows, labels, logisticregression__sample_weight=found.weights()))
    return {
        "features": list(names),
        "weights": fitted["weights"],
        "bias": fitted["bias"],
        "supported": round(cut, 2),
        "partly": round(partly, 2),
    }


def _auroc(labels: np.ndarray, chances: np.ndarray, keep: np.ndarray) -> float:
    return float(roc_auc_score(labels[keep], chances[keep]))


def regression() -> Any:
    """A logistic regression on signals."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000, class_weight="balanced"))


def linear(fitted: Any) -> dict[str, Any]:
    """The weights and bias of what `probe` gave, on states as they come."""
    scaler, model = fitted[0], fitted[1]
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - (weights * scaler.mean_).sum())
    return {"bias": round(bias, 4), "weights": [round(float(weight), 5) for weight in weights]}


def _alone(one: Claim, model: LocalModel) -> float:
    """How likely the claim is without evidence; not asked of our own, since it has not helped elsewhere."""
    if one.set == "own":
        return 0.0
    said = model.judge(prompts.claim_prompt(one.claim, []), ("yes", "no"), LAYERS[:1])
    return float(said.likelihood.mean()) if said else 0.0


@lru_cache(64)
def _evidence(number: int, passage: Passage, encoder: Encoder) -> Evidence:
    return evidence(number, passage, encoder)


def passages(one: Claim) -> list[tuple[Passage, tuple[int, ...]]]:
    """A claim's evidence as passages, and the place in it of each passage's sentences."""
    keys = one.passages or ("",) * len(one.evidence)
    found = []
    for key in dict.fromkeys(keys):
        places = tuple(place for place, other in enumerate(keys) if other == key)
        lines = tuple(one.evidence[place] for place in places)
        heading = one.headings[places[0]] if one.headings else ""
        path = tuple(heading.split(" > ")) if heading else ()
        found.append((Passage(key, one.set, None, path, "\n".join(lines), lines), places))
    return found


if __name__ == "__main__":
    main()
