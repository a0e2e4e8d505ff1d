"""The review questions that notes contain, found and answered from the same notes.

A question is a numbered line under a heading such as 'Review questions', or one with options a) to d).
Each goes through the chain that answers students, so it comes out cited or honestly refused. What is
not here: the chain (it is given as a function), and any judgement of answers that the notes print.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.errors import BadRequest
from ingest.sentences import sentences
from ingest.types import Passage
from rag.injection import injected
from rag.items.types import Evidence
from rag.retrieve import asks
from rag.study import evidence
from rag.types import Answer

LONGEST = 1000  # characters of a question; what is longer is no question
_HEADING = re.compile(
    r"(?i)\b(?:review|questions?|quiz|mcqs?|multiple choice|exercises?|self-test|check yourself|problems?)\b"
)
_LABEL = re.compile(r"(?i)^\s*(?:(?:question|q|exercise|problem)\s*\d+\s*[:.)]?|\(?\d{1,3}[.)])\s*")
_OPTION = re.compile(r"^\s*\(?([a-eA-E])[.)]\s+(.+)$")
_ANSWER = re.compile(r"(?i)^\W*(?:correct\s+)?(?:answers?|ans|solution)\b\s*\d*\s*[:.)]?\s*(.*)$")
_OTHER = re.compile(r"(?i)^\W*(?:hints?|notes?|see also)\b\s*[:.]")
_ASKS = re.compile(
    r"(?i)^(?:(?:in|at|for|on|with|under|to|by|from) )?(?:what|which|who|whom|whose|when|where|why|how|is|"
    r"are|do|does|"
    r"did|can|could|should|would|explain|describe|compare|contrast|list|name|give|define|state|discuss|find|"
    r"choose|"
    r"write|calculate|compute|show|sketch|outline|summari[sz]e|identify|distinguish|derive|prove|suppose|"
    r"consider)\b"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the notes put it."""

    text: str
    options: tuple[str, ...]  # without their letters; () for an open one
    given: str  # the answer that the notes print with it, '' where they print none
    evidence: Evidence  # where it stands; the quote is its first line


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and what the notes answer."""

    question: Question
    answer: Answer


def questions(passages: Iterable[Passage]) -> tuple[Question, ...]:
    """The review questions of the passages, in their order, each once.

    Raises BadRequest where there is none.
    """
    found: dict[str, Question] = {}
    for passage in passages:
        if _reviews(passage):
            for one in _in_passage(passage):
                found.setdefault(one.text.lower(), one)
    if not found:
        raise BadRequest(
            "No review questions in these notes: they are numbered lines under a heading such as "
            "'Review questions', or lines with options a) to d)."
        )
    return tuple(found.values())


def answering(passages: Iterable[Passage]) -> tuple[str, ...]:
    """The files to answer from: all but those that ask more than they tell, or () where none is left.

    Such a file prints questions, and often their answers: it would be quoted as its own evidence.
    """
    lines: dict[str, list[int]] = {}  # per file: sentences that tell, and those in review questions
    for passage in passages:
        lines.setdefault(passage.source, [0, 0])[_reviews(passage)] += len(passage.sentences)
    return tuple(source for source, (tells, reviews) in lines.items() if tells >= reviews)


def answered(
    asked: Sequence[Question], answer: Callable[[str], Answer], halt: threading.Event | None = None
) -> Iterator[Answered]:
    """Each question with its answer, as it comes; those before `halt` was set."""
    for one in asked:
        if halt is not None and halt.is_set():
            return
        yield Answered(one, answer(one.text))


def _reviews(passage: Passage) -> bool:
    """Whether the passage holds review questions: by its headings, or by questions that have options."""
    if any(map(_HEADING.search, passage.heading[-2:])):
        return asks(passage) or any(map(_LABEL.match, passage.sentences))
    return asks(passage) and sum(_OPTION.match(one) is not None for one in passage.sentences) > 2


def _in_passage(passage: Passage) -> Iterator[Question]:
    out = injected(passage)
    labelled = any(map(_LABEL.match, passage.sentences))
    # A heading may be the number of the one question beneath it.
    lead = bool(passage.heading) and _LABEL.fullmatch(passage.heading[-1].rstrip(" :.")) is not None
    now: Question | None = Question("", (), "", evidence(passage, "")) if lead else None
    waiting = False  # for the answer, in the line after 'Answer 1:'
    for place, sentence in enumerate(passage.sentences):
        if place in out:
            continue
        option, told = _OPTION.match(sentence), _ANSWER.match(sentence)
        if waiting and now is not None:
            now, waiting = replace(now, given=sentence.strip()), False
        elif told and now is not None:
            now, waiting = replace(now, given=told[1].strip()), not told[1].strip()
        elif _OTHER.match(sentence):
            yield from _whole(now)
            now = None
        elif option and now is not None and now.text:
            now = replace(now, options=(*now.options, option[2].strip()))
        elif _LABEL.match(sentence) or (not labelled and not lead and sentence.rstrip().endswith("?")):
            yield from _whole(now)
            text = _LABEL.sub("", sentence).strip()
            now = Question(text, (), "", evidence(passage, sentence if text else ""))
        elif now is not None and not now.options and not now.given:
            now = replace(now, text=f"{now.text} {sentence}".strip(), evidence=_first(now, passage, sentence))
    yield from _whole(now)


def _first(now: Question, passage: Passage, sentence: str) -> Evidence:
    return now.evidence if now.evidence.quote else evidence(passage, sentence)


def _whole(now: Question | None) -> Iterator[Question]:
    """The question, if it asks something."""
    if now is None or not len(now.text.split()) > 2 or len(now.text) > LONGEST:
        return
    if "?" in now.text or now.options or any(map(_ASKS.match, sentences(now.text))):
        yield now
