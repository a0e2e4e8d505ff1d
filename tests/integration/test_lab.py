"""The decoding lab on the real models."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.build import build
from ingest.store import open_index
from ingest.types import Encoder
from rag.engines.local import LocalModel
from rag.lab import experiment
from rag.retrieve import Retriever
from rag.strategies import strategy

pytestmark = pytest.mark.real
NOTES = Path(__file__).parents[2] / "data" / "notes"


def test_strategies_side_by_side_and_what_varies(
    encoder: Encoder, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "max_new_tokens", 8)
    build([NOTES / "04-sampling.md"], tmp_path, encoder)
    hows = [strategy(spec) for spec in ("greedy", "top-k:40+temperature:2", "top-p:0.5", "beam:2")]
    retriever = Retriever(open_index(tmp_path, encoder), encoder)
    *_, last = experiment(retriever, model, "What does top-p sampling keep?", hows, seeds=2)
    assert {citation.source for citation in last.citations} == {"04-sampling.md"}
    assert all(run.done and run.text for run in last.runs)
    greedy, hot, nucleus, beam = last.variation
    assert greedy is not None and hot is not None and nucleus is not None and beam is not None
    assert (greedy.new, greedy.distance, beam.new, beam.distance) == (0, 0, 0, 0)
    assert hot.new > 0
    assert hot.distance >= nucleus.distance
    for token in last.runs[0].tokens:
        assert token.kept == 1 and token.drawn == token.candidates[0]
    for token in last.runs[1].tokens:
        assert token.kept == 40 and token.drawn.kept
    for token in last.runs[2].tokens:
        assert token.share >= 0.5 - 1e-6
    grounding = last.runs[0].grounding
    assert grounding is not None and grounding > 0.5
