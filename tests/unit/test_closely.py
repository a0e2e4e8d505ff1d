"""Passages looked at word piece by word piece, their scores weighed, and the weights fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest.split import Splitter
from ingest.store import Manifest, open_index, save
from ingest.types import Passage
from ingest.vectors import computed
from rag import closely as module
from rag.closely import FEATURES, STEP, WINDOW, closely, features, weighed
from rag.logistic import weights
from rag.retrieve import CLOSELY, Retriever
from tests.bench.fit_ranking import Set, fitted, left_out, ranked, tables
from tests.ingest_fakes import FakeEncoder

QUESTION = "who proposed the tall red tower"
FILLER = " ".join(f"filler{n}" for n in range(2 * WINDOW))
TEXTS = (
    "the tall red tower that Gustave proposed",
    f"the red {FILLER} tower {FILLER} proposed tall",  # every word, but nowhere together
    "nothing of it",
    "who proposed the tall",  # its last word and the first of the next are no pair
    "red tower",
    FILLER,
)


def retriever(folder: Path, texts: tuple[str, ...]) -> Retriever:
    encoder = FakeEncoder(dimension=64)
    made = [Passage(f"{n:016x}", "a.md", None, (), text, (text,)) for n, text in enumerate(texts)]
    manifest = Manifest(encoder.name, 64, Splitter(), {}, {}, 0, len(made), len(made), "")
    save(folder, made, computed(made, encoder), manifest)
    return Retriever(open_index(folder, encoder), encoder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    return retriever(tmp_path_factory.mktemp("closely"), TEXTS)


@pytest.mark.parametrize("kept", [True, False], ids=["vectors of the index", "vectors made now"])
def test_scores_are_those_of_the_formula(small: Retriever, kept: bool) -> None:
    index = small.index if kept else replace(small.index, token_vectors=small.index.token_vectors[:0])
    rows = np.array([1, 0, 2, 5])
    found = closely(index, small.encoder, small.rarity, QUESTION, rows)
    ids, asked = small.encoder.encode_tokens([QUESTION])[0]
    weight = small.rarity[np.minimum(ids, len(small.rarity) - 1)]
    weight = weight / weight.sum()
    for place, row in enumerate(rows):
        there, held = small.encoder.encode_tokens([TEXTS[row]])[0]
        cosines = asked @ held.T
        assert found.late[place] == pytest.approx(weight @ cosines.max(axis=1), abs=0.01)
        starts = range(0, max(1, len(there) - WINDOW + STEP), STEP)
        best = max(weight @ cosines[:, start : start + WINDOW].max(axis=1) for start in starts)
        assert found.window[place] == pytest.approx(best, abs=0.01)


def test_words_that_stand_together_count(small: Retriever) -> None:
    found = closely(small.index, small.encoder, small.rarity, QUESTION, np.arange(len(TEXTS)))
    assert found.window[1] < found.late[1] - 0.1
    assert found.window[0] == found.late[0]  # a passage no longer than a window
    ids, _ = small.encoder.encode_tokens([QUESTION])[0]
    weight = small.rarity[np.minimum(ids, len(small.rarity) - 1)]
    worth = np.minimum(weight[:-1], weight[1:])
    of_pair = worth / worth.sum()  # who proposed, proposed the, the tall, tall red, red tower
    expected = [of_pair[2:].sum(), 0, 0, of_pair[:3].sum(), of_pair[4], 0]
    assert found.pairs == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("question", ["", "tower"])
def test_little_is_asked_or_said(tmp_path: Path, question: str) -> None:
    bare = retriever(tmp_path, ("", "the tower"))
    found = closely(bare.index, bare.encoder, bare.rarity, question, np.arange(2))
    assert found.pairs.tolist() == [0, 0] and found.late[0] == found.window[0] == 0
    assert (found.late[1] > 0.99) == (found.window[1] > 0.99) == bool(question)
    assert len(bare.search(question)) == 2
    empty = closely(bare.index, bare.encoder, bare.rarity, question, np.array([0]))
    assert empty.late.tolist() == empty.window.tolist() == empty.pairs.tolist() == [0]


def test_weights_go_by_name(small: Retriever, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(weights(module.FITTED)["features"]) == set(FEATURES)
    close = closely(small.index, small.encoder, small.rarity, QUESTION, np.arange(2))
    found = features(np.ones((2, 3), np.float32), close, np.array([True, False]))
    assert found.shape == (2, len(FEATURES)) and found.dtype == np.float32
    assert np.array_equal(found[:, FEATURES.index("late")], close.late)
    other = {"features": FEATURES[::-1], "weights": [0, 10, 0, 0, 0, 0, 0]}
    monkeypatch.setattr(module, "weights", lambda name: other)
    assert np.allclose(weighed(found), 10 * close.pairs)


def test_what_is_not_looked_at_comes_behind_in_its_order(tmp_path: Path) -> None:
    texts = tuple(f"tower {'red ' * (n % 7)}case{n}" for n in range(CLOSELY + 10))
    many = retriever(tmp_path, texts)
    scores = many.scores("the red tower of case3", np.arange(len(texts)))
    seen = scores.features.any(axis=1)
    assert seen.sum() == CLOSELY
    assert scores.total[seen].min() >= scores.total[~seen].max()
    first = many.index.passages[int(np.argmax(scores.total))]
    assert first.text == texts[3]
    assert np.allclose(scores.total[seen], weighed(scores.features[seen]))
    assert not scores.late[~seen].any()


def made(count: int, seed: int, truth: np.ndarray) -> Set:
    """Questions of 12 candidates, of which the one with the highest true score is right, mostly."""
    random = np.random.default_rng(seed)
    found = random.normal(size=(count, 12, len(FEATURES)))
    there = np.ones((count, 12), bool)
    there[::3, 8:] = False
    score = np.where(there, found @ truth + random.gumbel(size=there.shape), -np.inf)
    right = score == score.max(axis=1, keepdims=True)
    return Set(found, there, right, np.arange(count) % 4)


def test_the_fit_finds_the_weights() -> None:
    truth = np.array([0, 1, 2, -1, 3, 0.5, -2])
    one = made(800, 1, truth)
    found = fitted([one])
    assert np.allclose(found, truth, atol=0.35)
    ranks = left_out({"one": one}, "one")
    chance = (ranked(made(800, 2, truth), np.zeros(len(FEATURES))) == 0).mean()
    assert (ranks == 0).mean() > 0.6 and chance == 1  # all alike: nothing stands before the right one
    nothing = replace(one, right=np.zeros_like(one.right))
    assert (ranked(nothing, truth) == 10**6).all()


def test_the_tables_name_every_score() -> None:
    truth = np.array([0, 1, 2, -1, 3, 0.5, -2])
    lines = tables({"one": made(40, 1, truth), "two": made(30, 2, truth)})
    assert sum("without" in line for line in lines) == 2 * len(FEATURES)
    assert all(any(f"without {name}" in line for line in lines) for name in FEATURES)
