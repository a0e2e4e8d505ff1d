"""The decoding lab: one question, the same passages, several strategies, and what each token was drawn from.

What the model writes is shown as it wrote it: nothing is refused, completed or marked, since that
would hide what decoding does. How far the notes back it is told as a number.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from ingest.errors import BadRequest
from rag.chain import asked
from rag.cite import Found, citations
from rag.claims import spans
from rag.decoding import Decoding, distribution, kept
from rag.engines.writing import Candidate, Drawn
from rag.grounding import Evidence, check, evidence
from rag.retrieve import Retriever
from rag.strategies import comparable, spelled
from rag.types import Ask, Citation
from rag.variety import Variation, distinct_2, variation

TOP = 12  # candidates kept of each token's distribution
SEEDS = 20  # at most, in one experiment
REMOTE = "The lab needs the local engine: a model behind a URL does not tell its probabilities."
NOTHING = "The notes hold no passage to answer from: index some first (unitutor ingest)."
COURSE = {"happy": 0.4, "tired": 0.3, "hungry": 0.2, "lucky": 0.1}  # the next word after "I'm feeling"


@runtime_checkable
class Comparing(Protocol):
    """A model that goes round several strategies and tells what it drew from, as ours does."""

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is."""

    def next_logits(
        self, messages: list[BaseMessage], words: tuple[str, ...], halt: threading.Event | None = None
    ) -> list[float]:
        """See rag.chain.Judge."""

    def answering(
        self, halt: threading.Event | None, waiting: Callable[[int], None] | None = None
    ) -> AbstractContextManager[bool]:
        """See rag.chain.Shared."""

    def compare(
        self,
        messages: list[BaseMessage],
        hows: Sequence[Decoding],
        halt: threading.Event | None = None,
        top: int = TOP,
        waiting: Callable[[int], None] | None = None,
    ) -> Iterator[Drawn]:
        """Tokens of each strategy, in turn."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a run, and the distribution it was drawn from."""

    text: str  # what it adds to the run's text; '' for the end, or for a part of a character
    candidates: tuple[Candidate, ...]  # the likeliest TOP, and the one drawn; likeliest first
    kept: int  # tokens of the whole vocabulary left in the draw
    share: float  # their probability together, after temperature, 0..1

    @property
    def drawn(self) -> Candidate:
        """The candidate that was drawn."""
        return next(one for one in self.candidates if one.drawn)


@dataclass(frozen=True, slots=True)
class Run:
    """What one strategy has written with one seed so far."""

    strategy: int  # its place among the strategies
    decoding: Decoding
    text: str = ""
    tokens: tuple[Token, ...] = ()  # () for a beam search, which draws nothing
    written: int = 0  # tokens
    seconds: float = 0.0  # in the model, the prompt and the other strategies not counted
    done: bool = False
    grounding: float | None = None  # 0..1, mean support of its claims; None until done, or without any

    @property
    def tokens_per_second(self) -> float:
        """Tokens a second; 0 until a second token is there, since the prompt's reading gave the first."""
        steps = self.written if self.decoding.name == "beam" else self.written - 1
        return max(0, steps) / self.seconds if self.seconds else 0.0

    @property
    def distinct_2(self) -> float | None:
        """See rag.variety.distinct_2."""
        return distinct_2(self.text)


@dataclass(frozen=True, slots=True)
class Experiment:
    """All runs so far. A later value of the same stream holds all that an earlier one held."""

    question: str
    hows: tuple[Decoding, ...]  # the strategies, with the seeds of the first round
    stage: Literal["reading", "writing", "done"] = "reading"
    stopped: bool = False  # cut short by the reader
    citations: tuple[Citation, ...] = ()  # the passages all of them were shown
    runs: tuple[Run, ...] = ()  # a round after the other, in each the strategies in their order

    @property
    def rounds(self) -> int:
        """How many seeds were begun."""
        return len(self.runs) // len(self.hows)

    @property
    def latest(self) -> tuple[Run, ...]:
        """The runs of the last round."""
        return self.runs[-len(self.hows) :] if self.runs else ()

    def of(self, strategy: int) -> tuple[Run, ...]:
        """The runs of one strategy, a seed each."""
        return self.runs[strategy :: len(self.hows)]

    @property
    def variation(self) -> tuple[Variation | None, ...]:
        """How much each strategy's finished texts differ from seed to seed; None for fewer than two."""
        return tuple(
            variation([run.text for run in self.of(strategy) if run.done])
            for strategy in range(len(self.hows))
        )


def experiment(
    retriever: Retriever,
    model: BaseChatModel | None,
    question: str,
    hows: Sequence[Decoding],
    seeds: int = 1,
    halt: threading.Event | None = None,
    waiting: Callable[[int], None] | None = None,
    earlier: Experiment | None = None,
) -> Iterator[Experiment]:
    """Answer `question` with each of `hows`, a token each in turn; `seeds` times, each with the next seed.

    With `earlier`, an experiment on the same question and strategies, its rounds are kept and the
    seeds go on after them. `halt` ends it within a token; for `waiting` see LocalModel. Raises
    BadRequest for strategies that cannot be compared, a model without probabilities, and where no
    passage is found; and what the chain and the model raise.
    """
    hows = comparable(hows)
    if not 1 <= seeds <= SEEDS:
        raise BadRequest(f"1 to {SEEDS} seeds can be tried, not {seeds}.")
    if not isinstance(model, Comparing):
        raise BadRequest(REMOTE)
    halt = halt or threading.Event()
    found, messages = asked(retriever, model, Ask(question))
    if not found.choices:
        raise BadRequest(NOTHING)
    lab = Experiment(found.ask.question, hows, citations=citations(found.choices))
    lab = replace(lab, runs=earlier.runs) if earlier else lab
    yield lab
    support = _Support(found, retriever)
    with model.answering(halt, waiting):
        # The prompt is read before any round, so that all find it read and continue the same numbers:
        # a text read in other chunks differs in the last digits, which can turn a close call.
        model.next_logits(messages, (), halt)
        for number in range(lab.rounds, lab.rounds + seeds):
            if halt.is_set():
                break
            for now in _round(lab, model, messages, number, halt, support):
                yield now
                lab = now
    yield replace(lab, stage="done", stopped=halt.is_set())


def _round(
    lab: Experiment,
    model: Comparing,
    messages: list[BaseMessage],
    number: int,
    halt: threading.Event,
    support: _Support,
) -> Iterator[Experiment]:
    hows = [replace(how, seed=(how.seed + number) % 2**63) for how in lab.hows]
    runs = [Run(strategy, how) for strategy, how in enumerate(hows)]
    before = lab.runs
    for drawn in model.compare(messages, hows, halt, TOP):
        run = _grown(runs[drawn.strategy], drawn, model)
        # A beam search that was halted has only a part of its sequence, and is not done.
        run = replace(run, done=run.done and not (run.decoding.name == "beam" and halt.is_set()))
        runs[drawn.strategy] = replace(run, grounding=support(run.text)) if run.done else run
        yield replace(lab, stage="writing", runs=(*before, *runs))


def _grown(run: Run, drawn: Drawn, model: Comparing) -> Run:
    beam = drawn.token < 0
    token = Token(drawn.piece, drawn.candidates, drawn.kept, drawn.share)
    return replace(
        run,
        text=run.text + drawn.piece,
        tokens=run.tokens if beam else (*run.tokens, token),
        written=model.count_tokens(drawn.piece) if beam else run.written + 1,
        seconds=drawn.seconds,
        done=drawn.done,
    )


class _Support:
    """Mean support of a text's claims by the passages of one question."""

    def __init__(self, found: Found, retriever: Retriever) -> None:
        self._found, self._encoder = found, retriever.encoder
        self._held: list[Evidence] = []

    def __call__(self, text: str) -> float | None:
        if not self._held:  # made when the first text is there, not before the first token
            self._held = [
                evidence(marker, choice.passage, self._encoder)
                for marker, choice in enumerate(self._found.choices, 1)
            ]
        question = self._found.question
        checked = [check(text[start:end], self._held, self._encoder, question) for start, end in spans(text)]
        claims = [one.support for one in checked if one.label != "not-a-claim"]
        return fmean(claims) if claims else None


def course_example(how: Decoding) -> Token:
    """The course's four words as a token about to be drawn: what `how` keeps of them, by the same code."""
    before = torch.tensor(list(COURSE.values()))
    logits = before.log()
    after = (logits / how.temperature).softmax(-1) if how.temperature > 0 else before
    stay, scaled = kept(after, how), distribution(logits, how)
    assert bool(((scaled > 0) == stay).all())
    return Token(
        "",
        tuple(
            Candidate(place, word, float(before[place]), float(after[place]), bool(stay[place]), False)
            for place, word in enumerate(COURSE)
        ),
        int(stay.sum()),
        float(after[stay].sum()),
    )


_UNVARIED = {"texts": 1, "new": None, "distance": None}


def to_json(lab: Experiment) -> dict[str, Any]:
    """The experiment as plain JSON values: the contract of `unitutor lab --json`."""
    return {
        "question": lab.question,
        "passages": [asdict(citation) for citation in lab.citations],
        "stopped": lab.stopped,
        "runs": [_run_json(run) for run in lab.runs],
        "variation": [
            {"strategy": spelled(how), **(asdict(found) if found else _UNVARIED)}
            for how, found in zip(lab.hows, lab.variation, strict=True)
        ],
    }


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "strategy": spelled(run.decoding),
        "decoding": asdict(run.decoding),
        "seed": run.decoding.seed,
        "text": run.text,
        "done": run.done,
        "seconds": round(run.seconds, 3),
        "tokens_per_second": round(run.tokens_per_second, 2),
        "distinct_2": run.distinct_2,
        "grounding": run.grounding,
        "tokens": [
            {
                "text": token.drawn.text,
                "before": token.drawn.before,
                "after": token.drawn.after,
                "kept": token.kept,
                "share": token.share,
            }
            for token in run.tokens
        ],
    }
