"""What an answer is made of: frozen values that grow as the answer streams."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ingest.types import Place
from rag.decoding import GREEDY, Decoding

MARKER = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")  # ' [1]' or ' [1, 2]' in an answer
QUOTING = "In the notes:"  # leads in a sentence of the notes that stands beside an answer

Stage = Literal["searching", "reading", "writing", "checking", "done"]
Label = Literal["supported", "partly", "unsupported", "contradicted", "not-a-claim"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage shown to the model, and the words of it that matter for this question."""

    marker: int  # the N of [N] in the answer, 1-based
    source: str
    page: int | None
    heading: str  # 'Outer > Inner'
    quote: str  # verbatim from the passage
    score: float  # 0..1, how well the passage fits the question
    passage_id: str
    text: str  # the whole passage
    also: tuple[Place, ...] = ()  # where else the notes say the same


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of the notes that bear on a claim."""

    text: str  # verbatim: a sentence of a passage
    source: str
    page: int | None
    passage_id: str  # '' for a passage that is in no index
    score: float  # 0..1, how much of the claim it covers


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer and what holds it up."""

    text: str
    support: float  # probability that the notes support it, 0..1
    label: Label
    markers: tuple[int, ...]  # markers of the citations that support it
    quotes: tuple[Quote, ...] = ()  # best first


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds from the question's arrival, and token counts; 0 where it has not happened."""

    retrieve_ms: float = 0.0
    first_word_ms: float = 0.0
    total_ms: float = 0.0  # to the end of the text
    prompt_tokens: int = 0  # all tokens of the prompt
    cached_tokens: int = 0  # of those, tokens whose keys and values were at hand already
    output_tokens: int = 0
    checked_ms: float = 0.0  # to the end of the check that follows the text


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier question of the conversation and its answer."""

    question: str
    answer: str
    passage_ids: tuple[str, ...] = ()  # passages its prompt showed, best first


@dataclass(frozen=True, slots=True)
class Ask:
    """What a student wants to know, and how it should be answered."""

    question: str
    history: tuple[Turn, ...] = ()
    decoding: Decoding = GREEDY
    sources: tuple[str, ...] = ()  # search only these, see rag/filters.py; () for all
    strict: bool = False  # show nothing that the notes do not support
    private: bool = False  # leave no line of it in the log
    joined: bool = False  # one of several questions in one; the history's last turn is the one before it
    stop: threading.Event = field(default_factory=threading.Event, compare=False)
    # Told the number in the line while others are answered first, 0 when that is over; any thread.
    waiting: Callable[[int], None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer so far. A later value of the same stream holds all that an earlier one held."""

    question: str
    decoding: Decoding
    stage: Stage = "searching"
    answer: str = ""  # with its markers
    refused: bool = False
    stopped: bool = False  # cut short by the reader
    citations: tuple[Citation, ...] = ()
    closest: tuple[Citation, ...] = ()  # on a refusal: the passages that came nearest
    suggestion: str = ""  # on a refusal: a question near this one that the notes answer, if one is known
    sentences: tuple[Sentence, ...] = ()
    rewritten: int = 0  # sentences put in the notes' own words, since nothing supported them as they were
    dropped: int = 0  # sentences taken out for that
    timings: Timings = Timings()

    def __add__(self, later: Answer) -> Answer:
        """A later value replaces an earlier one, which is how LangChain joins streamed chunks."""
        return later


def to_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON values: the contract of `unitutor ask --json`, and what is stored."""
    return dataclasses.asdict(answer)


def from_json(values: dict[str, Any]) -> Answer:
    """The answer that `to_json` gave `values` for."""
    cite = [tuple(map(_citation, values[key])) for key in ("citations", "closest")]
    sentences = tuple(map(_sentence, values["sentences"]))
    return Answer(
        **{
            **values,
            "decoding": Decoding(**values["decoding"]),
            "citations": cite[0],
            "closest": cite[1],
            "sentences": sentences,
            "timings": Timings(**values["timings"]),
        }
    )


def _citation(values: dict[str, Any]) -> Citation:
    also = (Place(**{**place, "heading": tuple(place["heading"])}) for place in values.get("also", ()))
    return Citation(**{**values, "also": tuple(also)})


def _sentence(values: dict[str, Any]) -> Sentence:
    quotes = tuple(Quote(**quote) for quote in values.get("quotes", ()))
    return Sentence(**{**values, "markers": tuple(values["markers"]), "quotes": quotes})
