"""The real model tells which sentence of the notes answers, where another is nearer to the question."""

from __future__ import annotations

import pytest

from rag.answering import answering
from rag.chain import _find, _telling
from rag.complete import nearest
from rag.engines.local import LocalModel
from rag.retrieve import Retriever
from rag.select import BUDGET
from rag.types import Ask

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("Who shared the Turing Award of 2018 with Hinton?", "Hinton, Bengio and LeCun"),
        ("does an image made by AI without a human get copyright in the US?", "Thaler v. Perlmutter"),
        ("how many layers does WaveNet stack?", None),  # the notes name it and do not say
    ],
)
def test_what_answers_is_told_from_what_is_nearest(
    own: Retriever, model: LocalModel, question: str, begins: str | None
) -> None:
    found = _find(own, model.count_tokens, BUDGET, Ask(question))
    near = own.sentence_cosines(found.searched, [choice.passage for choice in found.choices])
    telling = _telling(model, found, "")
    assert telling is not None
    taken = answering(found.choices, near, telling)
    if begins is None:
        assert taken == []
        return
    _, marker, place = nearest(found.choices, near)[0]
    assert taken[0].text.startswith(begins)
    assert not found.choices[marker - 1].passage.sentences[place].startswith(begins)
