"""A question made by the real models from our own notes."""

from dataclasses import replace

import pytest

from rag.engines.local import LocalModel
from rag.items.gate import Choosing
from rag.quiz import Wanted, judged_again, make_quiz
from rag.retrieve import Retriever

pytestmark = pytest.mark.real


def test_a_question_passes_with_its_evidence_and_not_with_another_key(
    own: Retriever, model: LocalModel
) -> None:
    assert isinstance(model, Choosing)
    *_, quiz = make_quiz(own, model, Wanted(1, topic="sampling methods", seed=1))
    (item,) = quiz.items
    assert quiz.written == 1 + sum(quiz.rejected.values())
    assert item.stem.endswith("?") and len({one.text for one in item.options}) == 4
    passage = next(one for one in own.index.passages if one.id == item.evidence.passage_id)
    assert item.evidence.quote in passage.sentences
    assert judged_again(replace(item, key=(item.key + 1) % 4), own, model).reason
