"""What was seen of labelled claims: signals in tests/bench/out/support.jsonl, hidden states beside them.

Each claim is looked at as rag/grounding.py looks at it. What is not here: what is fitted on it
(tests/bench/fit_support.py).
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ingest.embed import load_encoder
from ingest.types import Encoder, Passage
from rag import prompts
from rag.engines.local import LocalModel, load_model
from rag.grounding import Evidence, asked, evidence, judged, look
from tests.bench.claims import Claim
from tests.bench.labelled import OUT

ROWS = OUT / "support.jsonl"
STATES = OUT / "support-states"
# How much each set counts, all its claims together. Claims as they come, ours and Wikipedia's, before those
# that were written to mislead: what gives those away, what only they have, tells little of others.
SHARES = {"real": 1.0, "wice": 1.0, "made": 0.15, "fm2": 0.15, "snli": 0.15, "halueval": 0.1}
OTHERS = 0.15
LAYERS = (12, 14, 16, 18, 20, 22, 24)  # of 28, counted from 0


@dataclass(frozen=True)
class Rows:
    """What was collected, an entry a claim."""

    rows: list[dict[str, Any]]
    states: np.ndarray  # float32 (claims, len(LAYERS), width); not a number where the model was not asked

    def only(self, keep: np.ndarray) -> Rows:
        """Those that `keep`, bool (claims,), says."""
        return Rows([row for row, kept in zip(self.rows, keep, strict=True) if kept], self.states[keep])

    def of(self, key: str) -> np.ndarray:
        """One field of each."""
        return np.array([row[key] for row in self.rows])

    def features(self, names: Sequence[str]) -> np.ndarray:
        """float64 (claims, len(names))."""
        return np.array([[row["features"][name] for name in names] for row in self.rows], float)

    @property
    def labels(self) -> np.ndarray:
        """bool (claims,): which are supported."""
        return self.of("label").astype(bool)

    @property
    def judged(self) -> np.ndarray:
        """bool (claims,): which the language model was asked about."""
        return self.of("judged").astype(bool)

    @property
    def real(self) -> np.ndarray:
        """bool (claims,): which are sentences that our engine did write."""
        return (self.of("set") == "own") & ~self.of("made").astype(bool)

    @property
    def weights(self) -> np.ndarray:
        """float64 (claims,), 1 on average: how much each counts, by SHARES."""
        sets = self.of("set")
        kinds = np.where(self.real, "real", np.where(sets == "own", "made", sets)).tolist()
        counts = Counter(kinds)
        found = np.array([SHARES.get(kind, OTHERS) / counts[kind] for kind in kinds])
        return found * len(found) / found.sum()


def read() -> Rows:
    """All that was collected."""
    rows = _collected()
    states = [np.load(_state(row["id"]))[0] if row["judged"] else None for row in rows]
    none = np.full(next((one.shape for one in states if one is not None), (len(LAYERS), 0)), np.nan)
    return Rows(rows, np.array([none if one is None else one for one in states], np.float32))


def _collected() -> list[dict[str, Any]]:
    """A row a claim: the one that the model has judged, where there are two."""
    lines = ROWS.read_text("utf-8").splitlines() if ROWS.exists() else []
    found: dict[str, dict[str, Any]] = {}
    for row in map(json.loads, lines):
        if row["judged"] or row["id"] not in found:
            found[row["id"]] = row
    return list(found.values())


def _state(key: str) -> Any:
    return STATES / f"{key.replace(':', '_').replace('/', '_')}.npy"


def collect(sets: Sequence[Sequence[Claim]], fast: bool = False) -> None:
    """Look at every claim that was not looked at before; the sets in turn, so that each is begun.

    `fast`: without the language model.
    """
    STATES.mkdir(parents=True, exist_ok=True)
    done = {row["id"] for row in _collected() if fast or row["judged"]}
    encoder, model = load_encoder(), None if fast else load_model()
    if model:
        model.warm(prompts.opening())
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


def looked_at(one: Claim, encoder: Encoder, model: LocalModel | None) -> dict[str, Any]:
    """The signals of a claim; its states go to a file of their own.

    Our own notes may have been read ahead, as they mostly are in use; what strangers' claims stand on is not.
    """
    began = time.perf_counter()
    parts = passages(one)
    held = [_evidence(number, passage, encoder) for number, (passage, _) in enumerate(parts, 1)]
    ready = time.perf_counter()
    found = look(one.claim, held, encoder, one.question)
    seen = time.perf_counter()
    features = dict(found.signals)
    if model:
        said = model.judge(asked(one.claim, found, held), ("yes", "no"), LAYERS)
        np.save(_state(one.id), np.array([each.states for each in said], np.float16))
        features.update(judged(said))
    heard = time.perf_counter()
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
        "judged": model is not None,
        "features": {key: round(float(value), 4) for key, value in features.items()},
        "seconds": {
            "prepare": round(ready - began, 3),
            "cheap": round(seen - ready, 3),
            "model": round(heard - seen, 3),
        },
        "quotes_hit": any(picks & some for some in one.supporting) if one.supporting else None,
        "sentences": sum(len(passage.sentences) for passage, _ in parts),
    }


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
