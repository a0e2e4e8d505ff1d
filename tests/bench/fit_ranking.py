"""Fit the weights of a passage's scores (rag/ranking.json) on the dev questions of data/eval and on SQuAD 2.

    python -m tests.bench.fit_ranking --index data/index --squad ../shared/eval/squad2_half.json

Each question is searched for once; of the passages looked at closely the right ones are to be likelier
than the others, by a softmax over the weighed scores (a conditional logit: McFadden 1974; ListNet: Cao et
al. 2007). Prints how the fitted weights rank beside those that ship: SQuAD's questions under weights that
saw nothing of their article, dev questions under weights that saw nothing of their fifth. The test half and
the shared notes are never read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from ingest.embed import load_encoder
from ingest.store import Index, open_index
from rag import closely
from rag.closely import FEATURES
from rag.logistic import weights
from rag.retrieve import CLOSELY, Retriever
from tests.bench.questions import Asked, labelled, squad
from tests.bench.retrieval import HEAD, Remembering, row

TARGET = Path(closely.__file__).with_name(closely.FITTED)
PENALTY = 1.0  # L2, on weights of scores brought to spread 1
FIFTHS = 5


@dataclass(frozen=True)
class Set:
    """q questions, the CLOSELY passages looked at for each (fewer are filled up with what never wins)."""

    features: np.ndarray  # float64 (q, CLOSELY, len(FEATURES))
    there: np.ndarray  # bool (q, CLOSELY)
    right: np.ndarray  # bool (q, CLOSELY)
    group: np.ndarray  # (q,): what is left out together

    def only(self, some: np.ndarray) -> Set:
        """These of the questions, bool (q,)."""
        return Set(self.features[some], self.there[some], self.right[some], self.group[some])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--squad", type=Path, required=True, help="a file in SQuAD 2's format")
    options = parser.parse_args()
    encoder = load_encoder()
    remembering = Remembering(encoder, {}, {})
    own = open_index(options.index, encoder)
    dev = list(labelled(own, "dev"))
    wiki, asked = squad(options.squad, encoder)
    remembering.learn([one.question for one in (*dev, *asked)])
    articles = [wiki.passages[min(one.right)].source for one in asked]
    fifths = [number * FIFTHS // len(dev) for number in range(len(dev))]
    sets = {
        "SQuAD 2": gathered(Retriever(wiki, remembering), asked, articles),
        "dev": gathered(Retriever(own, remembering), dev, fifths),
    }
    print("\n".join(tables(sets)))
    found = fitted(list(sets.values()))
    told = ", ".join(f"{name}: {len(one.right)} questions" for name, one in sets.items())
    values = {"fitted_on": told, "features": FEATURES, "weights": [round(float(w), 3) for w in found]}
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    print(TARGET.read_text("utf-8"))


def gathered(retriever: Retriever, asked: Sequence[Asked], groups: Sequence[object]) -> Set:
    """What is known of the passages that are looked at closely for each question."""
    index: Index = retriever.index
    every = np.arange(len(index.passages))
    found = np.zeros((len(asked), CLOSELY, len(FEATURES)))
    there, right = np.zeros((2, len(asked), CLOSELY), bool)
    for number, one in enumerate(asked):
        scores = retriever.scores(one.question, every)
        looked_at = np.flatnonzero(scores.features.any(axis=1))
        found[number, : len(looked_at)] = scores.features[looked_at]
        there[number, : len(looked_at)] = True
        right[number, : len(looked_at)] = np.isin(scores.rows[looked_at], list(one.right))
    return Set(found, there, right, np.array(groups))


def fitted(sets: Sequence[Set]) -> np.ndarray:
    """float64 (len(FEATURES),): the weights under which right passages are likeliest."""
    able = [one.only(np.asarray(one.right.any(axis=1))) for one in sets]
    found = np.concatenate([one.features for one in able])
    there = np.concatenate([one.there for one in able])
    right = np.concatenate([one.right for one in able])
    spread = found[there].std(axis=0) + 1e-9
    found = found / spread

    def loss(guess: np.ndarray) -> tuple[float, np.ndarray]:
        score = np.where(there, found @ guess, -np.inf)
        likely = np.exp(score - score.max(axis=1, keepdims=True))
        of_right = likely * right
        chance = of_right.sum(axis=1) / likely.sum(axis=1)
        likely /= likely.sum(axis=1, keepdims=True)
        of_right /= of_right.sum(axis=1, keepdims=True)
        slope = np.einsum("qc,qcf->f", likely - of_right, found) + PENALTY * guess
        return float(-np.log(chance).sum() + PENALTY * guess @ guess / 2), slope

    least = minimize(loss, np.zeros(found.shape[-1]), jac=True, method="L-BFGS-B")
    return np.asarray(least.x / spread)


def left_out(sets: dict[str, Set], name: str) -> np.ndarray:
    """int (q,): the rank of the first right passage of this set, under weights that did not see its group."""
    one = sets[name]
    others = [other for key, other in sets.items() if key != name]
    found = np.zeros(len(one.right), int)
    for group in np.unique(one.group):
        out = one.group == group
        found[out] = ranked(one.only(out), fitted([one.only(~out), *others]))
    return found


def ranked(one: Set, guess: np.ndarray) -> np.ndarray:
    """int (q,): the rank of the first right passage, 0 for the best; behind all where none was looked at."""
    score = np.where(one.there, one.features @ guess, -np.inf)
    best = np.where(one.right, score, -np.inf).max(axis=1, keepdims=True)
    return np.where(one.right.any(axis=1), (score > best).sum(axis=1), 10**6)


def tables(sets: dict[str, Set]) -> list[str]:
    """How the weights that ship rank, which saw these questions, and weights that did not."""
    ships = np.array(weights(closely.FITTED)["weights"])
    lines = [*HEAD]
    for name, one in sets.items():
        lines.append(row(f"{name} ({len(one.right)}), as shipped", ranked(one, ships)))
        lines.append(row(f"{name} ({len(one.right)}), left out of the fit", left_out(sets, name)))
        for number, feature in enumerate(FEATURES):
            kept = np.arange(len(FEATURES)) != number
            less = {
                key: Set(other.features[..., kept], other.there, other.right, other.group)
                for key, other in sets.items()
            }
            lines.append(row(f"{name}, left out, without {feature}", left_out(less, name)))
    return lines


if __name__ == "__main__":
    main()
