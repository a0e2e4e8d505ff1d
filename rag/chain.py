"""The LangChain runnable behind every door: retrieve → choose → gate → prompt → generate → cite → check.

`stream` gives growing Answers: first the cited passages, then the prose as it is written, each
finished sentence with its markers, at last the whole. `invoke` gives the last of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda

from ingest.errors import BadRequest
from rag import gate, prompts
from rag.ahead import ReadsAhead
from rag.answering import Telling
from rag.cite import Found, Spoken, checked, citations, refused
from rag.claims import spans
from rag.coverage import bearing
from rag.engines.plain import plain
from rag.entail import Entailment
from rag.followup import leans, search_text
from rag.grounding import Judging
from rag.injection import asked_part, leaks
from rag.parted import MOST, in_turn
from rag.query import questions
from rag.retrieve import Retriever, neighbours
from rag.select import BUDGET, Choice, choose
from rag.suggest import suggestion
from rag.types import Answer, Ask, Timings

LONGEST_QUESTION = 4000  # characters
PASSAGES = 6  # found for a question, before sentences are chosen


@runtime_checkable
class Judge(Protocol):
    """A model that tells what it would say next, as ours does."""

    def next_logits(
        self, messages: list[BaseMessage], words: tuple[str, ...], halt: threading.Event | None = None
    ) -> list[float]:
        """Logits of the words as what comes next after the messages."""


@runtime_checkable
class Probed(Judge, Protocol):
    """A Judge that also shows what it holds in mind, as ours does."""

    name: str

    def next_state(
        self,
        messages: list[BaseMessage],
        words: tuple[str, ...],
        layer: int,
        halt: threading.Event | None = None,
        notes: list[BaseMessage] | None = None,
    ) -> tuple[list[float], np.ndarray]:
        """`next_logits`, and the hidden state (width,) after a decoder layer there.

        `notes`: what is asked next, on the same notes: nothing of those is read twice.
        """


@runtime_checkable
class Shared(Protocol):
    """A model that answers few at once and lets the others wait in a line, as ours does."""

    def answering(
        self, halt: threading.Event | None, waiting: Callable[[int], None] | None = None
    ) -> AbstractContextManager[bool]:
        """A place for all that one answer takes, known by its halt event."""


def answer_chain(
    retriever: Retriever, model: BaseChatModel, budget: int = BUDGET, entailment: Entailment | None = None
) -> Runnable[Ask, Answer]:
    """Everything from an Ask to its Answer; `budget` is the most tokens of notes in a prompt.

    `entailment` judges the sentences in the model's place. Raises BadRequest for an empty or overlong
    question or an unknown source, ModelUnusable where a model fails.
    """
    find = RunnableLambda(partial(_find, retriever, _counter(model), budget), name="retrieve")
    write = RunnableGenerator(partial(_write, retriever, model, entailment), name="answer")
    return RunnableGenerator(partial(_all, find | write, model), name="questions")


def _all(one: Runnable[Ask, Answer], model: BaseChatModel, asks: Iterator[Ask]) -> Iterator[Answer]:
    """Every question in each Ask; several share one place in the line."""
    for ask in asks:
        asked = questions(asked_part(checked_question(ask.question)))
        if not 1 < len(asked) <= MOST:
            yield from one.stream(ask)
            continue
        with _place(model, ask):
            yield from in_turn(one, ask, asked)


def _place(model: BaseChatModel, ask: Ask) -> AbstractContextManager[object]:
    """A place in the model's line where it has one; inside one of the same Ask another costs nothing."""
    return model.answering(ask.stop, ask.waiting) if isinstance(model, Shared) else nullcontext()


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
    ask = replace(ask, question=checked_question(ask.question))
    asked = asked_part(ask.question)
    question = retriever.read_as(asked or ask.question)
    searched = search_text(question, ask.history, ask.joined)
    hits = retriever.search(searched, PASSAGES, ask.sources)
    read = neighbours(retriever, hits, ask.sources)
    near = retriever.sentence_cosines(searched, [hit.passage for hit in read])
    choices = choose(read, near, count, budget) if asked else []
    cosines = {hit.passage.id: values for hit, values in zip(read, near, strict=True)}
    held = [cosines[choice.passage.id] for choice in choices]
    bears = bearing(question, choices, held, retriever.encoder, retriever.rarity)
    took = (time.perf_counter() - started) * 1000
    return Found(ask, started, question, searched, tuple(hits), tuple(choices), bears, round(took, 1))


def _write(
    retriever: Retriever, model: BaseChatModel, entailment: Entailment | None, inputs: Iterator[Found]
) -> Iterator[Answer]:
    confirming = entailment or (model if isinstance(model, Judging) else None)
    for found in inputs:
        for answer in _answer(retriever, model, confirming, found):
            if answer.refused:  # told at once; what else to ask takes some searches
                yield replace(answer, stage="checking")
                near = suggestion(found.searched, found.hits, retriever, found.ask.sources)
                answer = replace(answer, suggestion=near)
            yield answer


def _answer(
    retriever: Retriever, model: BaseChatModel, confirming: Judging | Entailment | None, found: Found
) -> Iterator[Answer]:
    ask = found.ask
    answer = Answer(ask.question, ask.decoding, timings=Timings(retrieve_ms=found.retrieve_ms))
    if not found.choices:  # an empty index, nothing in the files chosen, orders in place of a question
        yield refused(answer, found)
        return
    answer = replace(answer, stage="reading", citations=citations(found.choices))
    yield answer
    with _place(model, ask):
        shown, earlier = _read(found)
        messages = _put(model, prompts.answer_prompt(found.question, shown, earlier))
        layer, bears = gate.layer(str(model.name)), found.bearing.choices
        signals, _ = _signals(model, found, bears, earlier, layer, messages)
        if not (ask.stop.is_set() or gate.answers(signals, follow_up=bool(earlier))):
            yield refused(answer, found)
            return
        held = "\n".join(choice.passage.text for choice in found.choices)
        spoken = _spoken(model, messages, ask, held, earlier, found.question)
        telling = _telling(model, found, earlier)
        yield from checked(answer, found, retriever, gate.sure(signals), spoken, confirming, telling)


def _read(found: Found) -> tuple[list[prompts.Shown], str]:
    """What the prompt shows of the notes, and of the conversation if the question leans on it."""
    shown = [prompts.shown(choice.passage, choice.places) for choice in found.choices]
    ask = found.ask
    if not leans(found.question, ask.history, ask.joined):
        return shown, ""
    return shown, prompts.earlier_turn(ask.history[-1].question, ask.history[-1].answer)


def _put(model: BaseChatModel, messages: list[BaseMessage]) -> list[BaseMessage]:
    """The messages as this model wants them: in parts only where it makes something of those.

    A server may take control tokens in a message for its own, so none goes out; ours sees to it itself.
    """
    if isinstance(model, ReadsAhead):
        return messages
    return [message.model_copy(update={"content": plain(str(message.text))}) for message in messages]


def _signals(
    model: BaseChatModel,
    found: Found,
    choices: Sequence[Choice],
    earlier: str,
    layer: int | None,
    answer: list[BaseMessage] | None = None,
) -> tuple[gate.Signals, np.ndarray | None]:
    """What the gate looks at. The model is shown `choices`: what bears on the question, which it judges
    better than all that `answer`, the messages to come, shows; or one sentence alone."""
    covered = found.bearing.covered
    if not isinstance(model, Judge):
        return gate.signals(found.hits, covered), None
    shown = [prompts.shown(choice.passage, choice.places) for choice in choices]
    messages = _put(model, prompts.answerable_prompt(found.question, shown, earlier))
    words, state = ("yes", "no"), None
    if layer is not None and isinstance(model, Probed):
        (said, denied), state = model.next_state(messages, words, layer, found.ask.stop, answer)
    else:
        said, denied = model.next_logits(messages, words, found.ask.stop)
    return gate.signals(found.hits, covered, said - denied, state), state


def _telling(model: BaseChatModel, found: Found, earlier: str) -> Telling | None:
    """How sure the model is that one sentence answers, asked as the gate asks; None where none can tell."""
    layer = gate.layer(str(model.name))
    if layer is None or not isinstance(model, Probed):
        return None

    def told(choice: Choice, place: int) -> float:
        alone = replace(choice, places=(place,))
        return gate.odds(_signals(model, found, [alone], earlier, layer)[0])

    return told


def asked(
    retriever: Retriever, model: BaseChatModel, ask: Ask, budget: int = BUDGET
) -> tuple[Found, list[BaseMessage]]:
    """What is found for a question, and the messages that ask the model for its answer.

    Without a choice in what is found there is nothing to ask about. Raises as the chain does.
    """
    found = _find(retriever, _counter(model), budget, ask)
    return found, _put(model, prompts.answer_prompt(found.question, *_read(found)))


def judged(
    retriever: Retriever, model: BaseChatModel, ask: Ask, layer: int
) -> tuple[gate.Signals, np.ndarray | None]:
    """What the gate would look at for this question, and the state after `layer`; nothing is written."""
    found = _find(retriever, _counter(model), BUDGET, ask)
    shown, earlier = _read(found)
    answer = _put(model, prompts.answer_prompt(found.question, shown, earlier))
    return _signals(model, found, found.bearing.choices, earlier, layer, answer)


def _spoken(
    model: BaseChatModel, messages: list[BaseMessage], ask: Ask, shown: str, earlier: str, question: str
) -> Iterator[Spoken]:
    """What the model says, piece by piece; `shown` is what it may say of ours, since the notes do."""
    said, whole = Spoken(""), ""
    settings: dict[str, Any] = (
        {"decoding": ask.decoding, "halt": ask.stop}
        if isinstance(model, Judge) or getattr(model, "takes_decoding", False)
        else {}
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
        whole += str(chunk.content)
        said = replace(said, text=prompts.said_now(whole, earlier, question))
        if leaks(said.text, prompts.OURS, shown):
            yield replace(said, text="")  # then the notes' own sentence stands there, or a refusal
            return
        yield said
        if ask.stop.is_set() or _loops(said.text):
            return
    if not said.text and not (prompts.EARLIER in whole or leaks(whole, prompts.OURS, shown)):
        yield replace(said, text=whole)  # it said its last answer again, and nothing else


def _loops(text: str) -> bool:
    """Whether the text has begun to say the same line or sentence a third time."""
    parts = [text[start:end] for start, end in spans(text)][:-1]
    return bool(parts) and parts.count(parts[-1]) > 2
