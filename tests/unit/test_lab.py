"""The lab on a very small random model: what an experiment holds, and the course's example."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ingest.build import build
from ingest.errors import BadRequest
from ingest.store import Index, open_index
from rag.decoding import Decoding, decoding
from rag.engines.local import LocalModel
from rag.lab import Experiment, course_example, experiment, to_json
from rag.retrieve import Retriever
from rag.strategies import strategy
from tests.ingest_fakes import FakeEncoder
from tests.tiny_model import tiny_model
from tests.unit.test_chain import model as scripted

SPECS = ("greedy", "random+temperature:1.5", "top-k:5", "top-p:0.5", "beam:3")
HOWS = [strategy(spec) for spec in SPECS]
QUESTION = "what does w3 do"


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    folder = tmp_path_factory.mktemp("notes")
    (folder / "notes.md").write_text("# Words\n\nThe w3 does what w5 w6 does. Then comes w7 and w8.\n")
    encoder = FakeEncoder(dimension=64)
    build([folder], folder / "index", encoder)
    return Retriever(open_index(folder / "index", encoder), encoder)


@pytest.fixture(scope="module")
def tiny() -> LocalModel:
    return tiny_model()


@pytest.fixture(scope="module")
def values(retriever: Retriever, tiny: LocalModel) -> list[Experiment]:
    return list(experiment(retriever, tiny, QUESTION, HOWS, seeds=3))


def test_it_grows(values: list[Experiment]) -> None:
    assert [values[0].stage, values[1].stage, values[-1].stage] == ["reading", "writing", "done"]
    assert values[0].citations
    assert values[0].runs == ()
    for earlier, later in pairwise(values):
        assert len(later.runs) >= len(earlier.runs)
        for one, other in zip(earlier.runs, later.runs, strict=False):
            assert other.text.startswith(one.text)
            assert other.tokens[: len(one.tokens)] == one.tokens


def test_it_ends_with_every_run_whole(values: list[Experiment], tiny: LocalModel) -> None:
    last = values[-1]
    assert not last.stopped
    assert last.rounds == 3
    assert len(last.runs) == 15
    assert all(run.done for run in last.runs)
    assert [run.decoding.seed for run in last.of(2)] == [0, 1, 2]
    assert [run.strategy for run in last.latest] == [0, 1, 2, 3, 4]
    for run in last.runs:
        assert (run.tokens == ()) == (run.decoding.name == "beam")
        assert run.written > 1
        assert run.seconds > 0
        assert run.tokens_per_second > 0
        for token in run.tokens:
            assert token.drawn.kept
    assert all(token.kept == 1 for token in last.runs[0].tokens)
    assert all(token.kept == 100 for token in last.runs[1].tokens)
    assert all(token.kept == 5 for token in last.runs[2].tokens)


def test_greedy_and_beam_do_not_vary_and_sampling_does(values: list[Experiment]) -> None:
    greedy, random, _, _, beam = values[-1].variation
    assert greedy is not None and beam is not None and random is not None
    assert (greedy.new, greedy.distance, beam.new, beam.distance) == (0, 0, 0, 0)
    assert random.texts == 3
    assert random.new == 1
    assert random.distance > 0.5


def test_another_seed_goes_on_after_those_tried(
    retriever: Retriever, tiny: LocalModel, values: list[Experiment]
) -> None:
    first = list(experiment(retriever, tiny, QUESTION, HOWS, seeds=2))[-1]
    more = list(experiment(retriever, tiny, QUESTION, HOWS, earlier=first))[-1]
    assert [run.text for run in more.runs] == [run.text for run in values[-1].runs]


def test_stop_keeps_what_was_written(retriever: Retriever, tiny: LocalModel) -> None:
    halt = threading.Event()
    last = None
    for last in experiment(retriever, tiny, QUESTION, HOWS, seeds=2, halt=halt):
        if last.runs and len(last.runs[0].tokens) == 2:
            halt.set()
    assert last is not None
    assert last.stopped and last.stage == "done"
    assert len(last.runs[0].tokens) == 2
    assert not any(run.done for run in last.runs)
    assert last.variation == (None,) * 5


def test_json_has_the_contract(values: list[Experiment]) -> None:
    found = json.loads(json.dumps(to_json(values[-1])))
    assert set(found) == {"question", "passages", "stopped", "runs", "variation"}
    assert found["question"] == QUESTION
    assert {"marker", "source", "page", "heading", "quote", "score", "text"} <= set(found["passages"][0])
    wanted = {"strategy", "decoding", "seed", "text", "done", "seconds", "tokens_per_second", "distinct_2"}
    assert {*wanted, "grounding", "tokens"} == set(found["runs"][0])
    assert [run["strategy"] for run in found["runs"][:5]] == list(SPECS)
    assert found["runs"][7]["decoding"]["k"] == 5 and found["runs"][7]["seed"] == 1
    assert {"text", "before", "after", "kept", "share"} == set(found["runs"][0]["tokens"][0])
    assert [one["strategy"] for one in found["variation"]] == list(SPECS)
    assert {"strategy", "texts", "new", "distance"} == set(found["variation"][0])


def test_one_round_has_no_variation(retriever: Retriever, tiny: LocalModel) -> None:
    last = list(experiment(retriever, tiny, QUESTION, HOWS[:2]))[-1]
    assert to_json(last)["variation"][0] == {"strategy": "greedy", "texts": 1, "new": None, "distance": None}


def test_what_the_lab_cannot_do_is_one_line(retriever: Retriever, tiny: LocalModel) -> None:
    def said(**changes: object) -> str:
        usual: dict = {"retriever": retriever, "model": tiny, "question": QUESTION, "hows": HOWS}
        with pytest.raises(BadRequest) as error:
            list(experiment(**{**usual, **changes}))
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "local engine" in said(model=scripted("Anything."))
    assert "not 1" in said(hows=HOWS[:1])
    assert "empty" in said(question="  ")
    assert "seeds" in said(seeds=0)
    full = retriever.index
    empty = Index(
        (), full.passage_vectors, full.sentence_vectors, full.sentence_owner[:0], full.sentence_place[:0],
        full.token_vectors[:0], full.token_ids[:0], np.zeros(1, np.int64), full.bm25, full.manifest,
    )  # fmt: skip
    assert "no passage" in said(retriever=Retriever(empty, retriever.encoder))


@pytest.mark.parametrize(
    ("how", "words", "share"),
    [
        (decoding("greedy"), "happy", 0.4),
        (decoding("top-k", k=2), "happy tired", 0.7),
        (decoding("top-p", p=0.8), "happy tired hungry", 0.9),
        (decoding("min-p", min_p=0.6), "happy tired", 0.7),
        (decoding("random"), "happy tired hungry lucky", 1),
    ],
)
def test_the_example_of_the_course(how: Decoding, words: str, share: float) -> None:
    token = course_example(how)
    assert [one.text for one in token.candidates if one.kept] == words.split()
    assert token.kept == len(words.split())
    assert token.share == pytest.approx(share)


def test_temperature_in_the_example_is_the_table_of_the_notes() -> None:
    sharp = course_example(decoding("random", temperature=0.5)).candidates
    assert [round(one.after, 2) for one in sharp] == [0.53, 0.30, 0.13, 0.03]
    flat = course_example(decoding("random", temperature=2)).candidates
    assert [round(one.after, 2) for one in flat] == [0.33, 0.28, 0.23, 0.16]
    assert [round(one.before, 2) for one in flat] == [0.4, 0.3, 0.2, 0.1]
    zero = course_example(replace(decoding("random"), temperature=0))
    assert zero.kept == 1


def test_the_gate_does_not_stop_an_experiment(tmp_path: Path, retriever: Retriever, tiny: LocalModel) -> None:
    last = list(experiment(retriever, tiny, "How do I bake bread?", HOWS[:2]))[-1]
    assert all(run.text for run in last.runs)
