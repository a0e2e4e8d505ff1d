"""A question made, judged and mended by the real models from our own notes, as the pages have it done."""

import threading
from dataclasses import replace

import pytest

from rag.engines.local import LocalModel
from rag.retrieve import Retriever
from ui.quizzing import quizzing
from ui.tutor import Tutor

pytestmark = pytest.mark.real


def test_a_question_passes_with_its_evidence_and_not_with_another_key(
    own: Retriever, model: LocalModel
) -> None:
    join = quizzing(Tutor(None, own, own.sources, (), model=model))  # type: ignore[arg-type]
    assert join.make and join.gate and join.another and join.write
    *_, quiz = join.make(
        count=1, kinds=("multiple-choice",), topic="sampling methods", sources=(), seed=1,
        halt=threading.Event(), earlier=(),
    )  # fmt: skip
    (item,) = quiz.items
    assert quiz.written == 1 + sum(quiz.rejected.values())
    assert item.stem.endswith("?") and len({one.text for one in item.options}) == 4
    passage = next(one for one in own.index.passages if one.id == item.evidence.passage_id)
    assert item.evidence.quote in passage.sentences
    place = (item.key + 1) % 4
    assert join.gate(replace(item, key=place), threading.Event())
    assert item.stem.encode() in join.write([item], "csv", "Quiz")
    other = join.another(item, place, threading.Event())
    assert other.answer == item.answer and other.options[place] not in item.options
