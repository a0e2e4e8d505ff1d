"""The LangChain runnable behind every door: retrieve → choose → gate → prompt → generate → cite → check.

`stream` gives growing Answers: first the cited passages, then the prose as it is written, each
finished sentence with its markers, at last the whole. `invoke` gives the last of them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda

from ingest.errors import BadRequest
from ingest.types import Hit
from rag import gate, prompts
from rag.followup import leans, search_text
from rag.grounding import Evidence, best_quote, check, evidence, spans
from rag.retrieve import Retriever, neighbours
from rag.select import BUDGET, Choice, choose
from rag.types import Answer, Ask, Citation, Sentence, Timings

LONGEST_QUESTION = 4000  # characters
PASSAGES = 6  # found for a question, before sentences are chosen
CLOSEST = 3  # shown with a refusal


@runtime_checkable
class Judge(Protocol):
    """A model that tells what it would say next, as ours does."""

    def next_logits(self, messages: list[BaseMessage], words: tuple[str, ...]) -> list[float]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A question with what was found for it, on its way to the model."""

    ask: Ask
    started: float  # time.perf_counter()
    searched: str  # the question as it was searched for
    hits: tuple[Hit, ...]
    choices: tuple[Choice, ...]
    retrieve_ms: float


def answer_chain(retriever: Retriever, model: BaseChatModel, budget: int = BUDGET) -> Runnable[Ask, Answer]:
    """Everything from an Ask to its Answer; `budget` is the most tokens of notes in a prompt.

    Raises BadRequest for an empty or overlong question or an unknown source, ModelUnusable where
    the model fails.
    """
    find = RunnableLambda(partial(_find, retriever, _counter(model), budget), name="retrieve")
    write = RunnableGenerator(partial(_write, retriever, model), name="answer")
    return find | write


def checked_question(question: str) -> str:
    """The question without space around it. Raises BadRequest where it is empty or too long."""
    question = question.strip()
    if not question:
        raise BadRequest("The question is empty: type one.")
    if len(question) > LONGEST_QUESTION:
        raise BadRequest(
            f"The question has {len(question):,} characters and at most {LONGEST_QUESTION:,} are read: "
            "shorten it."
        )
    return question


def _counter(model: BaseChatModel) -> Callable[[str], int]:
    count = getattr(model, "count_tokens", None)
    return count if count else lambda text: len(text) // 4 + 1


def _find(retriever: Retriever, count: Callable[[str], int], budget: int, ask: Ask) -> Found:
    started = time.perf_counter()
    question = checked_question(ask.question)
    ask = replace(ask, question=question)
    searched = search_text(question, ask.history)
    hits = retriever.search(searched, PASSAGES, ask.sources)
    read = neighbours(retriever, hits)
    near = retriever.sentence_cosines(searched, [hit.passage for hit in read])
    choices = choose(read, near, count, budget)
    took = (time.perf_counter() - started) * 1000
    return Found(ask, started, searched, tuple(hits), tuple(choices), round(took, 1))


def _write(retriever: Retriever, model: BaseChatModel, inputs: Iterator[Found]) -> Iterator[Answer]:
    for found in inputs:
        yield from _answer(retriever, model, found)


def _answer(retriever: Retriever, model: BaseChatModel, found: Found) -> Iterator[Answer]:
    ask = found.ask
    answer = Answer(ask.question, ask.decoding, timings=Timings(retrieve_ms=found.retrieve_ms))
    if not found.choices:  # an empty index, or nothing in the files chosen: no model is called
        yield _refuse(answer, found)
        return
    answer = replace(answer, stage="reading", citations=_citations(found.choices, found.hits))
    yield answer
    earlier = ""
    if leans(ask.question, ask.history):
        earlier = prompts.earlier_turn(ask.history[-1].question, ask.history[-1].answer)
    shown = [
        prompts.Shown(marker, choice.passage.title, choice.text)
        for marker, choice in enumerate(found.choices, 1)
    ]
    yes = None
    if isinstance(model, Judge):
        messages = prompts.answerable_prompt(ask.question, shown, earlier)
        said, denied = model.next_logits(messages, ("yes", "no"))
        yes = said - denied
    chance = gate.probability(gate.signals(found.searched, found.hits, yes))
    if chance < gate.threshold():
        yield _refuse(answer, found)
        return
    messages = prompts.answer_prompt(ask.question, shown, earlier)
    held = [
        evidence(marker, choice.passage, retriever.encoder) for marker, choice in enumerate(found.choices, 1)
    ]
    yield from _checked(answer, found, held, retriever, _spoken(model, messages, ask))


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the model has said so far, raw."""

    text: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


def _spoken(model: BaseChatModel, messages: list[BaseMessage], ask: Ask) -> Iterator[Spoken]:
    said = Spoken("")
    settings: dict[str, Any] = (
        {"decoding": ask.decoding, "halt": ask.stop} if isinstance(model, Judge) else {}
    )
    if ask.decoding.name == "beam":
        chunks: Iterator[BaseMessage] = iter([model.invoke(messages, **settings)])
    else:
        chunks = model.stream(messages, **settings)
    for chunk in chunks:
        usage = getattr(chunk, "usage_metadata", None)
        if usage:
            details = usage.get("input_token_details") or {}
            said = replace(
                said,
                prompt_tokens=usage["input_tokens"],
                cached_tokens=details.get("cache_read", 0),
                output_tokens=usage["output_tokens"],
            )
        said = replace(said, text=said.text + str(chunk.content))
        yield said
        if ask.stop.is_set() or _loops(said.text):
            return


def _loops(text: str) -> bool:
    """Whether the text has begun to say the same line or sentence a third time."""
    parts = [text[start:end] for start, end in spans(text)][:-1]
    return bool(parts) and parts.count(parts[-1]) > 2


def _checked(
    answer: Answer, found: Found, held: list[Evidence], retriever: Retriever, spoken: Iterator[Spoken]
) -> Iterator[Answer]:
    """Each finished sentence is checked and gets its markers while the next is being written."""
    known: dict[str, Sentence] = {}
    question = found.ask.question

    def sentence(text: str) -> Sentence:
        if text not in known:
            known[text] = check(text, held, retriever.encoder, question)
        return known[text]

    first = 0.0
    said = Spoken("")
    for said in spoken:
        now = (time.perf_counter() - found.started) * 1000
        first = first or (now if said.text.strip() else 0.0)
        places = spans(said.text)
        done = [sentence(said.text[start:end]) for start, end in places[:-1]]
        tail = said.text[places[-1][0] :] if places else ""
        text = _with_markers(said.text, places[:-1], done, tail)
        timings = replace(answer.timings, first_word_ms=round(first, 1), total_ms=round(now, 1))
        answer = replace(answer, stage="writing", answer=text, sentences=tuple(done), timings=timings)
        yield answer
    places = spans(said.text)
    sentences = [sentence(said.text[start:end]) for start, end in places]
    timings = Timings(
        found.retrieve_ms,
        round(first, 1),
        round((time.perf_counter() - found.started) * 1000, 1),
        said.prompt_tokens,
        said.cached_tokens,
        said.output_tokens,
    )
    answer = replace(answer, timings=timings, stopped=found.ask.stop.is_set())
    claims = [one for one in sentences if one.label != "not-a-claim"]
    if not answer.stopped and not any(one.label in ("supported", "partly") for one in claims):
        yield _refuse(answer, found)
        return
    text = _with_markers(said.text, places, sentences)
    cited = {marker for one in sentences for marker in one.markers}
    yield replace(
        answer,
        stage="done",
        answer=text,
        sentences=tuple(sentences),
        citations=_quoted(answer.citations, cited, sentences, held, retriever),
    )


def _with_markers(text: str, places: list[tuple[int, int]], sentences: list[Sentence], tail: str = "") -> str:
    """`text` with each sentence's own markers in place of whatever the model wrote."""
    parts: list[str] = []
    cursor = 0
    for (start, end), one in zip(places, sentences, strict=True):
        bare = re.sub(r"\s*\[\d+(?:\s*,\s*\d+)*\]", "", text[start:end])
        marks = "".join(f" [{marker}]" for marker in one.markers)
        parts += [text[cursor:start], bare, marks]
        cursor = end
    if tail:
        parts += [text[cursor : len(text) - len(tail)], re.sub(r"\s*\[\d*\]?", "", tail)]
    return "".join(parts).strip()


def _citations(choices: tuple[Choice, ...], hits: tuple[Hit, ...]) -> tuple[Citation, ...]:
    return tuple(_citation(marker, choice.hit) for marker, choice in enumerate(choices, 1))


def _citation(marker: int, hit: Hit) -> Citation:
    passage = hit.passage
    quote = passage.sentences[hit.sentence] if passage.sentences else passage.text
    score = round(min(1.0, max(0.0, hit.late)), 3)
    return Citation(
        marker, passage.source, passage.page, passage.title, quote, score, passage.id, passage.text
    )


def _quoted(
    citations: tuple[Citation, ...],
    cited: set[int],
    sentences: list[Sentence],
    held: list[Evidence],
    retriever: Retriever,
) -> tuple[Citation, ...]:
    """Only the citations that the answer names, each with the quote nearest to what it supports."""
    quoted = []
    for citation in citations:
        if citation.marker not in cited:
            continue
        claims = " ".join(one.text for one in sentences if citation.marker in one.markers)
        passage = held[citation.marker - 1].passage
        quoted.append(replace(citation, quote=best_quote(claims, passage, retriever.encoder)))
    return tuple(quoted)


def _refuse(answer: Answer, found: Found) -> Answer:
    total = round((time.perf_counter() - found.started) * 1000, 1)
    timings = replace(answer.timings, total_ms=total)
    timings = replace(timings, first_word_ms=timings.first_word_ms or total)
    closest = tuple(_citation(place, hit) for place, hit in enumerate(found.hits[:CLOSEST], 1))
    sentence = Sentence(prompts.REFUSAL, 1.0, "not-a-claim", ())
    return replace(
        answer,
        stage="done",
        answer=prompts.REFUSAL,
        refused=True,
        citations=(),
        closest=closest,
        sentences=(sentence,),
        timings=timings,
    )
