"""Collect the signals of labelled claims, and fit rag/support.json on them.

    python -m tests.bench.fit_support --sets wice fm2 snli halueval own     half an hour on a quick core, once
    python -m tests.bench.fit_support --fast                minutes: more claims, without the model
    python -m tests.bench.fit_support --refit               seconds, no model

`--sets qags` collects news summaries as well, to be measured on (tests/bench/grounding.py): nothing is
fitted on those. An interrupted collection goes on where it was. Each weight has the sign of its signal's
meaning (tests/bench/signed.py); claims as they come count for more than those written to mislead
(tests/bench/support_rows.py).

`--keep-probes` leaves the probes of the hidden state as they are: for claims that they were not fitted
on, and too few to fit better ones.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rag import support
from rag.engines.local import LocalModel
from rag.signals import CHEAP
from tests.bench.claims import SHARED, load
from tests.bench.own_claims import own_claims
from tests.bench.signed import SignedRegression
from tests.bench.support_rows import LAYERS, Rows, collect, read

TARGET = Path(support.__file__).with_name("support.json")
LAYER = 18  # of 28, by cross-validation
KEPT = 0.95
SURE = 0.95  # share of those called supported that must be so
STRENGTH = 0.003  # inverse of the probe's L2 penalty, by cross-validation
HELD = 0.1  # the same of the signals' weights
AGAINST = ("numbers", "names", "negation", "order", "length", "missing")  # what speaks against support
SAID = ("yes", "likelihood", "unlikeliest")  # by the language model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the public sets")
    parser.add_argument("--sets", nargs="+", default=["wice", "fm2", "snli", "halueval", "own"])
    parser.add_argument("--size", type=int, help="claims of each public set (default: as claims.py has it)")
    parser.add_argument("--half", choices=["dev", "test"], help="of our own claims only these")
    parser.add_argument("--fast", action="store_true", help="collect without the language model")
    parser.add_argument("--refit", action="store_true", help="fit on what was collected before")
    parser.add_argument("--keep-probes", action="store_true", help="of the hidden state, as they are")
    options = parser.parse_args()
    if options.refit:
        fit(read(), options.keep_probes)
        return
    sets = [load(name, options.shared, options.size) for name in options.sets if name != "own"]
    if "own" in options.sets:
        found = own_claims(shared_notes=options.shared.parent / "notes")
        print(*found.missing, sep="\n")
        sets.append([one for one in found.claims if options.half in (None, one.split)])
    collect(sets, options.fast)


def fit(found: Rows, keep_probes: bool = False) -> None:
    """Write support.json from what was collected; of our own claims only the dev half."""
    found = found.only(found.of("split") != "test")
    asked = found.only(found.judged)
    probes = json.loads(TARGET.read_text("utf-8"))["probes"] if keep_probes else fit_probes(asked)
    odds = shipped_odds(asked) if keep_probes else unseen_odds(asked)
    said = (*CHEAP, *SAID)
    fitted: dict[str, Any] = {"fitted_on": counted(found), "judged_on": counted(asked)}
    for mode, names, some, rows in (
        ("fast", CHEAP, found, found.features(CHEAP)),
        ("judged", said, asked, asked.features(said)),
        ("full", (*said, "support"), asked, np.column_stack([asked.features(said), odds])),
    ):
        make = partial(weighed, names=names)
        whole, unknown = make(some, rows), unseen(make, some, rows)
        share, shift = calibrated(some, unknown)
        weights, bias = share * whole.weights, share * whole.bias + shift
        fitted[mode] = {**written(names, weights, bias), **cuts(some, share * unknown + shift)}
    fitted["probes"] = probes
    parts = (f" {json.dumps(name)}: {json.dumps(value)}" for name, value in fitted.items())
    TARGET.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def counted(found: Rows) -> str:
    """How many claims of each set."""
    return ", ".join(f"{name}: {count}" for name, count in Counter(found.of("set").tolist()).items())


def weighed(found: Rows, rows: np.ndarray, names: Sequence[str]) -> SignedRegression:
    """The weights of the signals `names`, `rows` (claims, names)."""
    signs = [-1 if name in AGAINST else 1 for name in names]
    return SignedRegression(signs, HELD).fit(rows, found.labels, found.weights)


def calibrated(found: Rows, odds: np.ndarray) -> tuple[float, float]:
    """Factor and shift of log-odds of unseen claims, so that of our engine's sentences that many are
    supported as their probabilities say (Platt 1999); 1 and 0 where these odds do not tell them apart."""
    real, labels = found.real, found.labels
    if len(set(labels[real].tolist())) < 2:
        return 1.0, 0.0
    one = LogisticRegression().fit(odds[real, None], labels[real])
    factor, shift = float(one.coef_[0, 0]), float(one.intercept_[0])
    return (factor, shift) if factor > 0 else (1.0, 0.0)


def probe() -> Any:
    """A logistic regression on hidden states."""
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=3000, class_weight="balanced")
    )


def probed(found: Rows, states: np.ndarray) -> Any:
    """That, fitted on the states (claims, width)."""
    return probe().fit(states, found.labels, logisticregression__sample_weight=found.weights)


def fit_probes(found: Rows) -> dict[str, Any]:
    """The probes of support and of denial, as support.json has them."""
    states = found.states[:, LAYERS.index(LAYER)]
    denied, others = contradicted(found)
    return {
        "model": LocalModel.model_fields["name"].default,
        "fitted_on": counted(found),
        "layer": LAYER,
        "support": linear(probed(found, states)),
        "denial": linear(probe().fit(states[others | denied], denied[others | denied])),
    }


def unseen_odds(found: Rows) -> np.ndarray:
    """Log-odds of the probe of support, from folds."""
    return unseen(probed, found, found.states[:, LAYERS.index(LAYER)])


def shipped_odds(found: Rows) -> np.ndarray:
    """The same of the probe that ships."""
    one = support.probes(str(LocalModel.model_fields["name"].default))["support"]
    odds: np.ndarray = found.states[:, LAYERS.index(one.layer)] @ one.weights + one.bias
    return odds


def unseen(
    make: Callable[[Rows, np.ndarray], Any], found: Rows, rows: np.ndarray, count: int = 8
) -> np.ndarray:
    """Log-odds of each claim by folds that did not see its group; `make` fits on claims and their rows."""
    odds = np.zeros(len(rows))
    for held in folds(found, count):
        odds[held] = make(found.only(~held), rows[~held]).decision_function(rows[held])
    return odds


def folds(found: Rows, count: int) -> Iterator[np.ndarray]:
    """bool (claims,) a fold, `count` of them or fewer: which are held out. A group is in one fold."""
    least = min(len(set(found.of("group"))), int(np.bincount(found.labels).min()))
    several = StratifiedGroupKFold(min(count, least), shuffle=True, random_state=0)
    for _, places in several.split(found.labels, found.labels, found.of("group")):
        held = np.zeros(len(found.rows), bool)
        held[places] = True
        yield held


def contradicted(found: Rows) -> tuple[np.ndarray, np.ndarray]:
    """bool (claims,): which the evidence denies, and which it leaves without support."""
    kinds = found.of("kind")
    denied = np.isin(kinds, ("REFUTES", "contradiction", "contradicted"))
    return denied, np.isin(kinds, ("neutral", "unsupported", "not_supported"))


def cuts(found: Rows, odds: np.ndarray) -> dict[str, float]:
    """The cuts of one mode.

    'supported' is the least probability from which SURE of our own answers' sentences are so, what is
    copied counted in and what has new facts left out; KEPT of those that are supported have at least
    the probability 'partly'.
    """
    labels, real = found.labels, found.real
    chances = 1 / (1 + np.exp(-odds))
    copied = (found.features(("whole",))[:, 0] >= support.COPIED) & (chances >= 0.5)
    known = real & (found.features(("facts",))[:, 0] == 0)
    levels = np.arange(0.3, 0.99, 0.01)
    marked = [known & ((chances >= cut) | copied) for cut in levels]
    sure = [
        cut for cut, some in zip(levels, marked, strict=True) if some.any() and labels[some].mean() >= SURE
    ]
    cut, partly = float(sure[0] if sure else levels[-1]), float(np.quantile(chances[real & labels], 1 - KEPT))
    taken = known & ((chances >= cut) | copied)
    ranks = roc_auc_score(labels, chances), roc_auc_score(labels[real], chances[real])
    right, ours = int(labels[taken].sum()), int(labels[real].sum())
    print(f"AUROC {ranks[0]:.3f}, our own {ranks[1]:.3f}; from {cut:.2f} on {right} of {taken.sum()} are")
    print(f"  supported, {right / ours:.2f} of those that are; partly from {partly:.2f} on, below which are")
    print(f"  {(chances < partly)[real & ~labels].mean():.2f} of the unsupported")
    return {"supported": round(cut, 2), "partly": round(partly, 2)}


def written(names: Sequence[str], weights: Sequence[float], bias: float) -> dict[str, Any]:
    """Weights of one mode as support.json has them."""
    rounded = [round(float(weight), 5) for weight in weights]
    return {"features": list(names), "weights": rounded, "bias": round(float(bias), 4)}


def linear(fitted: Any) -> dict[str, Any]:
    """The weights and bias of what `probe` gave, on states as they come."""
    scaler, model = fitted[0], fitted[1]
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - (weights * scaler.mean_).sum())
    return {"bias": round(bias, 4), "weights": [round(float(weight), 5) for weight in weights]}


if __name__ == "__main__":
    main()
