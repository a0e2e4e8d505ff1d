"""What the retrieval bench makes of its files, and its figures, on a small index."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ingest.store import Index
from rag.retrieve import Retriever
from tests.bench.questions import Asked, collected, mistyped, reworded, squad, twofold
from tests.bench.retrieval import RANKINGS, Remembering, rank, rankings, row, steps
from tests.ingest_fakes import FakeEncoder

PARAGRAPHS = {
    "Normans": ["The Normans lived in Normandy, a region of France.", "Rollo led the raiders from Denmark."],
    "Networks": ["A wide area network (WAN) spans countries. It is leased."],
}
QUESTIONS = {
    "Normans": [["Where did the Normans live?"], ["Who led the raiders from Denmark?"]],
    "Networks": [["What does a wide area network span?"]],
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Index, list[Asked]]:
    data = [
        {
            "title": title,
            "paragraphs": [
                {
                    "context": context,
                    "qas": [{"question": one, "id": one, "answers": []} for one in QUESTIONS[title][place]]
                    + [{"question": "What is left unsaid?", "id": "no", "is_impossible": True}],
                }
                for place, context in enumerate(contexts)
            ],
        }
        for title, contexts in PARAGRAPHS.items()
    ]
    path = tmp_path_factory.mktemp("squad") / "squad.json"
    path.write_text(json.dumps({"data": data}))
    return squad(path, FakeEncoder(dimension=64))


def test_every_paragraph_is_a_passage(opened: tuple[Index, list[Asked]]) -> None:
    index, asked = opened
    assert [passage.text for passage in index.passages] == [
        text for some in PARAGRAPHS.values() for text in some
    ]
    assert [(one.question, one.right) for one in asked] == [
        ("Where did the Normans live?", {0}),
        ("Who led the raiders from Denmark?", {1}),
        ("What does a wide area network span?", {2}),
    ]


def test_questions_of_ones_own(opened: tuple[Index, list[Asked]], tmp_path: Path) -> None:
    index, _ = opened
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"question": "Who was Rollo?", "passages": [index.passages[1].id]}) + "\n\n")
    assert collected(index, path) == [Asked("Who was Rollo?", frozenset({1}))]
    path.write_text(json.dumps({"question": "Who?", "passages": ["nowhere"]}))
    with pytest.raises(ValueError, match=r"line 1 .* no passage nowhere"):
        collected(index, path)


def test_questions_made_for_a_step(opened: tuple[Index, list[Asked]]) -> None:
    index, asked = opened
    for one, other in zip(asked, mistyped(asked), strict=True):
        assert one.right == other.right and abs(len(one.question) - len(other.question)) <= 1
        assert one.question != other.question
    assert [one.question for one in reworded(index, asked)] == ["What does a WAN span?"]
    for one in twofold(asked):
        assert len(one.parts) == 2 and one.right == one.parts[0] | one.parts[1] and " and " in one.question


def test_figures() -> None:
    assert rank(np.array([4, 2, 7]), frozenset({7, 2})) == 1
    assert row("mine", np.array([0, 1, 9, 10**6])) == "| mine | 0.250 | 0.500 | 0.480 | 0.400 |"


def test_the_tables_are_whole(opened: tuple[Index, list[Asked]]) -> None:
    index, asked = opened
    retriever = Retriever(index, Remembering(FakeEncoder(dimension=64), {}, {}))
    table = rankings(retriever, asked)
    assert [line.split(" | ")[0].strip("| ") for line in table[2:]] == list(RANKINGS)
    assert table[-1].split(" | ")[1] == "1.000"  # three questions in their own words
    text = "\n".join(steps(retriever, asked))
    for step in ("spelling", "abbreviations", "parts", "MMR"):
        assert f"| {step} |" in text
