"""Texts checked one after the other, sentence by sentence: values that grow, for a terminal or a page.

What is not here: how a sentence is judged (rag/grounding.py), and any form that it is shown in
(ui/report.py, ui/web/check_view.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ingest.errors import UnitutorError
from ingest.sentences import sentences
from ui.terminal import one_line
from ui.texts import Text

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.entail import Entailment
    from rag.retrieve import Retriever
    from rag.types import Sentence
    from ui.living import LivingTutor
    from ui.tutor import Tutor

    Judge = BaseChatModel | Entailment  # what reads evidence and claim in the full check


@dataclass(frozen=True, slots=True)
class Checked:
    """A text and what the check has told of its sentences so far."""

    id: Any
    text: str
    sentences: tuple[Sentence, ...] = ()
    question: str = ""
    error: str = ""  # why there is no check
    whole: bool = False  # whether every sentence was looked at

    @property
    def claims(self) -> tuple[Sentence, ...]:
        """The sentences that state something."""
        return tuple(one for one in self.sentences if one.label != "not-a-claim")

    @property
    def supported(self) -> float | None:
        """The share of claims that are supported, 0..1; None where nothing is claimed."""
        claims = self.claims
        return sum(one.label == "supported" for one in claims) / len(claims) if claims else None

    @property
    def worst(self) -> Sentence | None:
        """The claim that the notes support least; None where all are supported."""
        doubtful = [one for one in self.claims if one.label != "supported"]
        return min(doubtful, key=lambda one: one.support, default=None)


@dataclass(frozen=True, slots=True)
class Run:
    """How far the check of several texts has got."""

    checked: tuple[Checked, ...]  # those begun, in order
    done: int  # sentences looked at
    total: int  # sentences in all, as far as can be told before


def check_one(
    text: Text, retriever: Retriever, model: Judge | None, halt: threading.Event | None = None
) -> Iterator[Checked]:
    """A text, growing by a sentence at a time; at least once. `model` None is the fast check.

    Where the check cannot go on, the last value says why.
    """
    from rag.grounding import check_text

    found = Checked(text.id, text.text, question=text.question, error=text.error)
    try:
        if not text.error:
            for sentence in check_text(text.text, retriever, model, text.passages, text.question, halt):
                found = replace(found, sentences=(*found.sentences, sentence))
                yield found
            found = replace(found, whole=halt is None or not halt.is_set())
    except UnitutorError as error:
        found = replace(found, error=one_line(str(error)))
    yield found


def judge_of(tutor: Tutor | LivingTutor) -> Judge | None:
    """What judges sentences in the full check; None for a model behind a URL, which does not tell enough."""
    from rag.grounding import Judging

    if tutor.entailment is not None:
        return tutor.entailment
    return tutor.model if isinstance(tutor.model, Judging) else None


def check_all(
    texts: Sequence[Text],
    retriever: Retriever,
    model: Judge | None,
    halt: threading.Event | None = None,
) -> Iterator[Run]:
    """All of `texts`, after each sentence; one that cannot be checked does not hold up the others."""
    total = sum(len(sentences(text.text)) for text in texts)
    before: tuple[Checked, ...] = ()
    done = 0
    yield Run((), 0, total)
    for text in texts:
        if halt is not None and halt.is_set():
            return
        now = done
        for found in check_one(text, retriever, model, halt):
            done = now + len(found.sentences)
            run = Run((*before, found), done, max(total, done))
            yield run
        before = run.checked
