"""How well the check of sentences tells what the evidence supports, signal by signal.

    python -m tests.bench.fit_support        collects the signals first
    python -m tests.bench.grounding

Each arm adds signals to the one before: the claim's wording; its nearness in vectors; the model's yes
or no; how likely the claim is to it; its hidden state. Logistic regressions as tests/bench/fit_support.py
fits them, with thresholds from folds of what they were fitted on. The first two are fitted and measured
on all claims, the others on those that the model was asked about. Three ways to hold claims out:
'folds', ten folds over all sets, groups kept whole; 'set out', fitted on the other sets; 'own test',
fitted on the public sets and our dev half. 'As shipped' is rag/support.json on our test half.

The probe of the hidden state is fitted anew with each of them, or, with `--keep-probes`, is the one that
ships: then only claims that it was not fitted on tell anything of it.

Prints the tables and writes them to tests/bench/out/grounding.md, plots beside it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rag import support
from rag.engines.local import LocalModel
from rag.signals import CHEAP
from tests.bench.fit_support import (
    LAYER,
    SAID,
    probed,
    shipped_odds,
    unseen,
    unseen_odds,
    weighed,
)
from tests.bench.fit_support import folds as splits
from tests.bench.labelled import OUT
from tests.bench.metrics import auroc, balanced_accuracy, best_cut, calibration_error, equal_bins
from tests.bench.own_claims import CLAIMS
from tests.bench.support_rows import LAYERS, Rows, read

NEARNESS = ("coverage", "first", "weakest")
WORDING = tuple(name for name in CHEAP if name not in NEARNESS)
STATE = "state"  # log-odds of the probe, from folds that did not see the claim
CHEAP_ARMS = {"lexical only": WORDING, "+ embedding": CHEAP}
SAID_ARMS: dict[str, tuple[str, ...]] = {
    "+ model judgement": (*CHEAP, "yes"),
    "+ likelihood": (*CHEAP, *SAID),
    "+ state (all)": (*CHEAP, *SAID, STATE),
}
ARMS = {**CHEAP_ARMS, **SAID_ARMS}
ALL = "+ state (all)"


@dataclass(frozen=True)
class Judged:
    """Claims and what an arm that was not fitted on them made of each."""

    rows: Rows
    chances: np.ndarray  # float (claims,)
    cuts: np.ndarray  # float (claims,), from what the arm was fitted on

    @property
    def labels(self) -> np.ndarray:
        return self.rows.labels

    @property
    def said(self) -> np.ndarray:
        """bool (claims,): which are called supported."""
        return self.chances >= self.cuts

    def only(self, keep: np.ndarray) -> Judged:
        return Judged(self.rows.only(keep), self.chances[keep], self.cuts[keep])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folds", type=int, default=10, help="folds of the cross-validation")
    parser.add_argument("--keep-probes", action="store_true", help="take the probes that ship")
    options = parser.parse_args()
    rows, keep = read(), options.keep_probes
    judged = {**folds(rows, options.folds, keep), **sets_out(rows, keep), **own_test(rows, keep)}
    text = report(judged, rows)
    OUT.mkdir(exist_ok=True)
    (OUT / "grounding.md").write_text(text, "utf-8")
    plot(judged, OUT / "grounding.png")
    print(text)


Results = dict[tuple[str, str, str], Judged]  # (how it was held out, set, arm)


def folds(rows: Rows, count: int, keep_probes: bool = False) -> Results:
    """Each set but our test half by folds over all of them."""
    seen = rows.only(rows.of("split") != "test")
    parts: dict[str, list[Judged]] = {}
    for held in splits(seen, count):
        for arm, one in judge(seen.only(~held), seen.only(held), keep_probes).items():
            parts.setdefault(arm, []).append(one)
    whole = {arm: _joined(some) for arm, some in parts.items()}
    return {
        ("folds", name, arm): one.only(one.rows.of("set") == name)
        for name in _names(seen)
        for arm, one in whole.items()
    }


def _joined(some: Sequence[Judged]) -> Judged:
    rows = [row for one in some for row in one.rows.rows]
    states = np.concatenate([one.rows.states for one in some])
    chances, cuts = (np.concatenate([getattr(one, name) for one in some]) for name in ("chances", "cuts"))
    return Judged(Rows(rows, states), chances, cuts)


def sets_out(rows: Rows, keep_probes: bool = False) -> Results:
    """Each set by what was fitted on the others; nothing is fitted on our test half."""
    found: Results = {}
    for name in _names(rows):
        others = (rows.of("set") != name) & (rows.of("split") != "test")
        if len(set(rows.only(others).of("label"))) < 2:
            continue
        own = rows.of("set") == name
        for arm, judged in judge(rows.only(others), rows.only(own), keep_probes).items():
            found["set out", name, arm] = judged
    return found


def own_test(rows: Rows, keep_probes: bool = False) -> Results:
    """Our test half by all that may be fitted on, and by the weights that ship."""
    test, own = rows.of("split") == "test", rows.of("set") == "own"
    if not (test & own).any():
        return {}
    held = rows.only(test & own)
    judged = judge(rows.only(~test), held, keep_probes)
    judged.update({f"as shipped, {mode}": shipped(held, mode) for mode in ("fast", "full")})
    found: Results = {}
    for arm, one in judged.items():
        said, notes = one.rows.real, one.rows.of("notes")
        parts = {
            "own": said | ~said,
            "own, of answers": said,
            "own, of answers, shared notes": said & (notes == "shared"),
        }
        found.update({("own test", name, arm): one.only(keep) for name, keep in parts.items() if keep.any()})
    return found


def judge(train: Rows, test: Rows, keep_probes: bool = False) -> dict[str, Judged]:
    """What each arm, fitted on `train`, makes of `test`; those with the model of what it was asked about."""
    found: dict[str, Judged] = {}
    for arm, names in ARMS.items():
        here, there = train, test
        if arm in SAID_ARMS:
            here, there = train.only(train.judged), test.only(test.judged)
            if not here.rows or not there.rows:
                continue
        columns = [rows.features([name for name in names if name != STATE]) for rows in (here, there)]
        if STATE in names:
            states = _states(here, there, keep_probes)
            columns = [np.column_stack(pair) for pair in zip(columns, states, strict=True)]
        make = partial(weighed, names=names)
        odds = make(here, columns[0]).decision_function(columns[1])
        found[arm] = _judged(there, odds, unseen(make, here, columns[0], 5), here.labels)
    return found


def _states(here: Rows, there: Rows, keep_probes: bool) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of the probe: from folds for what it is fitted on, `here`, and for `there`."""
    if keep_probes:
        return shipped_odds(here), shipped_odds(there)
    layer = LAYERS.index(LAYER)
    fitted = probed(here, here.states[:, layer])
    return unseen_odds(here), fitted.decision_function(there.states[:, layer])


def _judged(rows: Rows, odds: np.ndarray, known: np.ndarray, labels: np.ndarray) -> Judged:
    """With the cut that decides best by the log-odds `known` of what was fitted on, of such `labels`."""
    cut = best_cut(1 / (1 + np.exp(-known)), labels)
    return Judged(rows, 1 / (1 + np.exp(-odds)), np.full(len(odds), cut))


def shipped(rows: Rows, mode: str) -> Judged:
    """What rag/support.json makes of them, at its own threshold."""
    probes = support.probes(str(LocalModel.model_fields["name"].default)) if mode == "full" else {}
    rows = rows.only(rows.judged) if mode == "full" else rows
    chances = []
    for row, states in zip(rows.rows, rows.states, strict=True):
        signals = dict(row["features"])
        for name, one in probes.items():
            signals[name] = one.odds(states[LAYERS.index(one.layer)]) or 0.0
        chance = support.probability(signals, mode)
        chances.append(support.doubted(chance, mode) if signals["facts"] else chance)
    cut = json.loads(Path(support.__file__).with_name("support.json").read_text("utf-8"))[mode]["supported"]
    return Judged(rows, np.array(chances), np.full(len(chances), float(cut)))


def _names(rows: Rows) -> list[str]:
    return list(dict.fromkeys(rows.of("set").tolist()))


def report(judged: Results, rows: Rows) -> str:
    """The tables, as Markdown."""
    seconds = [row["seconds"] for row in rows.only(rows.judged).rows]
    cheap = 1000 * float(np.median([one["cheap"] for one in seconds]))
    model = 1000 * float(np.median([one["model"] for one in seconds]))
    lines = [
        f"grounding, {len(rows.rows)} claims, median {cheap:.0f} ms a claim without the model, "
        f"{cheap + model:.0f} ms with it",
        "",
        "| held out | set | arm | claims | AUROC | balanced accuracy | ECE | ms |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (how, name, arm), one in judged.items():
        right = balanced_accuracy(one.said.astype(float), one.labels, 0.5)
        quick = arm in CHEAP_ARMS or arm.endswith("fast")
        lines.append(
            f"| {how} | {name} | {arm} | {len(one.labels)} | {auroc(one.chances, one.labels):.3f} | "
            f"{right:.3f} | {calibration_error(one.chances, one.labels):.3f} | "
            f"{cheap if quick else cheap + model:.0f} |"
        )
    return "\n".join([*lines, "", *_quotes(rows), "", *_kinds(judged), "", *_citations(judged)]) + "\n"


def _quotes(rows: Rows) -> list[str]:
    """How often a supporting sentence is among the first two quotes."""
    lines = ["| set | claims with known sentences | one among the first two quotes |", "| --- | --- | --- |"]
    for name in _names(rows):
        hits = [
            row["quotes_hit"]
            for row in rows.rows
            if row["set"] == name and row["quotes_hit"] is not None and row["label"]
        ]
        if hits:
            lines.append(f"| {name}, supported | {len(hits)} | {np.mean(hits):.3f} |")
    return lines


def _origins() -> dict[str, dict[str, Any]]:
    rows = map(json.loads, CLAIMS.read_text("utf-8").splitlines())
    return {f"own:{row['id']}": row for row in rows}


def _kinds(judged: Results) -> list[str]:
    """Our test half by where its claims are from and by what was done to the made ones."""
    lines = ["| own test | claims | labelled supported | called supported, fast | full |"]
    lines.append("| --- | --- | --- | --- | --- |")
    arms = [judged.get(("own test", "own", f"as shipped, {mode}")) for mode in ("fast", "full")]
    fast, full = arms
    if fast is None or full is None:
        return []
    fast = fast.only(fast.rows.judged)
    of = _origins()
    known = [of[row["id"]] for row in full.rows.rows]
    kinds = [f"made, {one['edit']}" if one["made"] else f"{one['origin']}, {one['label']}" for one in known]
    for kind in sorted(set(kinds)):
        keep = np.array([other == kind for other in kinds])
        shares = [one.only(keep).said.mean() for one in (fast, full)]
        labels = full.only(keep).labels.mean()
        lines.append(f"| {kind} | {keep.sum()} | {labels:.2f} | {shares[0]:.2f} | {shares[1]:.2f} |")
    return lines


def _citations(judged: Results) -> list[str]:
    """Of the sentences that the chat said and marks supported, those that are, by hand."""
    lines = ["| of the chat's own sentences, test half | marked supported | of those supported by hand |"]
    lines.append("| --- | --- | --- |")
    of = _origins()
    for (how, name, arm), one in judged.items():
        if (how, name) != ("own test", "own"):
            continue
        chat = np.array([of[row["id"]]["origin"] == "chat" for row in one.rows.rows])
        marked = one.only(chat & one.said)
        share = f"{marked.labels.mean():.3f}" if len(marked.labels) else "-"
        lines.append(f"| {arm} | {len(marked.labels)} of {chat.sum()} | {share} |")
    return lines if len(lines) > 2 else []


def plot(judged: Results, path: Path) -> None:
    """How each arm ranks each set, and whether the whole means what it says."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.5), width_ratios=(3, 2))
    shown = list(dict.fromkeys((how, name) for how, name, _ in judged if "," not in name))
    for place, arm in enumerate(ARMS):
        values = [auroc(judged[how, name, arm].chances, judged[how, name, arm].labels) for how, name in shown]
        at = np.arange(len(shown)) + 0.16 * (place - 2)
        left.bar(at, values, width=0.15, label=arm, color=pyplot.get_cmap("viridis")(place / 4.5))
    left.set_xticks(range(len(shown)), [f"{name}\n{how}" for how, name in shown], fontsize=7)
    left.set_ylim(0.4, 1)
    left.set_ylabel("AUROC")
    left.legend(fontsize=7, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    right.plot([0, 1], [0, 1], color="grey", linewidth=1)
    marks = {("folds", "wice"): "o-", ("set out", "wice"): "s--", ("own test", "own"): "^-"}
    for (how, name), mark in marks.items():
        one = judged.get((how, name, ALL))
        if one:
            bins = equal_bins(one.chances, one.labels)
            right.plot(bins[:, 0], bins[:, 1], mark, label=f"{name}, {how}", markersize=4)
    right.set_xlabel("probability of support, tenths of the claims")
    right.set_ylabel("share labelled supported")
    right.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
