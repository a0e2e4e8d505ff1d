"""A question with several in it: each is asked by itself, as a student would, and the answers are joined.

A small model answers the first half and wanders, or mixes the two things asked about. One that the notes
do not answer is said to be so, beside the others' answers. What is not here: finding them (rag/query.py).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import shorten

from langchain_core.runnables import Runnable

from rag.query import ORDER
from rag.types import MARKER, Answer, Ask, Citation, Sentence, Timings, Turn

MOST = 3  # questions asked one by one; more in one message take too long that way
UNANSWERED = "The notes do not answer “{}?”"  # stands where the answer to one of several would
LONGEST = 120  # characters of a question that are told back
_QUOTED_OR_MARKER = re.compile(rf"“[^”]*”|{MARKER.pattern}")  # what is quoted has no markers of ours


def in_turn(chain: Runnable[Ask, Answer], ask: Ask, questions: Sequence[str]) -> Iterator[Answer]:
    """The growing answer to all `questions` of `ask`, by a chain that answers one.

    Each is asked with the one before it and its answer as the conversation's last turn. Refused is
    only the whole. Raises as the chain does.
    """
    started = time.perf_counter()
    done: list[Answer] = []
    history = ask.history
    for question in questions:
        begun = (time.perf_counter() - started) * 1000
        asked = question if ORDER.match(question) else f"{question}?"  # without, the model doubts more
        for answer in chain.stream(replace(ask, question=asked, history=history, joined=bool(done))):
            now = _later(answer, begun)
            if now.stage != "done" and not now.refused:
                # That one is not answered is told beside another's answer: it may be that none is.
                told = done if now.answer else [one for one in done if not one.refused]
                whole = joined(ask, [*told, now])
                yield whole if len(done) == len(questions) - 1 else _unfinished(whole)
        done.append(now)
        history = (*history, Turn(question, now.answer))
        if ask.stop.is_set():
            break
        if len(done) < len(questions) and not now.refused:
            yield _unfinished(joined(ask, done))
    whole = joined(ask, done)
    yield whole if len(done) == len(questions) else replace(whole, stopped=True)


def _unfinished(answer: Answer) -> Answer:
    """Not 'checking', in which an answer has all of its text: there is more to come."""
    return replace(answer, stage="writing") if answer.stage in ("checking", "done") else answer


def joined(ask: Ask, answers: Sequence[Answer]) -> Answer:
    """One Answer of those to a question's parts, in order; a passage has one marker in all of it."""
    if all(answer.refused for answer in answers):
        closest = {one.passage_id: one for answer in answers for one in answer.closest}
        first = answers[0]
        places = tuple(replace(one, marker=at) for at, one in enumerate(closest.values(), 1))
        suggestion = next((answer.suggestion for answer in answers if answer.suggestion), "")
        timings = _total(answers)
        return replace(first, question=ask.question, closest=places, suggestion=suggestion, timings=timings)
    citations: list[Citation] = []
    sentences: list[Sentence] = []
    texts: list[str] = []
    for answer in answers:
        if answer.refused:
            said = UNANSWERED.format(_short(answer.question))
            texts.append(said)
            sentences.append(Sentence(said, 1.0, "not-a-claim", ()))
            continue
        known = {one.passage_id: one.marker for one in citations}
        beyond = max(known.values(), default=0)
        number = {one.marker: known.get(one.passage_id, beyond + one.marker) for one in answer.citations}
        texts.append(_renumbered(answer.answer, number))
        for one in answer.sentences:
            sentences.append(replace(one, markers=tuple(number.get(m, m) for m in one.markers)))
        citations += [
            replace(one, marker=number[one.marker]) for one in answer.citations if one.passage_id not in known
        ]
    return replace(
        answers[-1],
        question=ask.question,
        answer="\n\n".join(text for text in texts if text),
        refused=False,
        citations=tuple(citations),
        closest=(),
        suggestion="",
        sentences=tuple(sentences),
        rewritten=sum(answer.rewritten for answer in answers),
        dropped=sum(answer.dropped for answer in answers),
        timings=_total(answers),
    )


def lacks(sentence: Sentence) -> bool:
    """Whether it says that the notes do not answer one of several questions."""
    return sentence.label == "not-a-claim" and sentence.text.startswith(UNANSWERED.split("{")[0])


def _short(question: str) -> str:
    """The question as it is told back: in a line, with nothing that reads as a marker or ends a quote."""
    plain = re.sub(r"[“”\"\[\]]", "", question).rstrip(" ?.")
    return shorten(plain, LONGEST, placeholder=" …")


def _renumbered(text: str, number: dict[int, int]) -> str:
    def changed(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        return re.sub(r"\d+", lambda one: str(number.get(int(one[0]), int(one[0]))), match[0])

    return _QUOTED_OR_MARKER.sub(changed, text)


def _later(answer: Answer, begun: float) -> Answer:
    """Its moments counted from the whole question's arrival, `begun` milliseconds before its own."""
    moments = ("first_word_ms", "total_ms", "checked_ms")
    now = {
        name: round(getattr(answer.timings, name) + begun, 1)
        for name in moments
        if getattr(answer.timings, name)
    }
    return replace(answer, timings=replace(answer.timings, **now))


def _total(answers: Sequence[Answer]) -> Timings:
    """The first word that stands there, the last one's end, and tokens and searches together."""
    summed = ("retrieve_ms", "prompt_tokens", "cached_tokens", "output_tokens")
    found = {name: sum(getattr(one.timings, name) for one in answers) for name in summed}
    said = [one for one in answers if not one.refused] or answers
    return replace(answers[-1].timings, **found, first_word_ms=said[0].timings.first_word_ms)
