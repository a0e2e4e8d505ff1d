"""A summary of a conversation: the sentences of its answers that the notes support, each with its quote.

It is extractive: what was answered, in order, said once. What is not here: sentences that were only partly
supported, refusals, and any new text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingest.errors import BadRequest
from rag.claims import is_claim
from rag.followup import content_stems
from rag.items.types import Evidence
from rag.types import MARKER, Answer, Quote, Sentence

SAME = 0.75  # share of content words, by Jaccard, from which two sentences say the same
QUOTES = 2  # behind a sentence, at most


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of an answer and what holds it up."""

    text: str  # without its markers
    evidence: tuple[Evidence, ...]  # best first, at least one


@dataclass(frozen=True, slots=True)
class Point:
    """What one question of the conversation came to."""

    question: str
    lines: tuple[Line, ...]


def summary(answers: Iterable[Answer]) -> tuple[Point, ...]:
    """The questions whose answers hold supported sentences, in order, and those sentences, each once.

    Raises BadRequest where there is none.
    """
    said: list[set[str]] = []
    points = []
    for answer in answers:
        lines = []
        for sentence in () if answer.refused else answer.sentences:
            text = " ".join(MARKER.sub("", sentence.text).split())
            stems = content_stems(text)
            backed = _evidence(answer, sentence)
            if sentence.label != "supported" or not backed or not is_claim(text) or _again(stems, said):
                continue
            said.append(stems)
            lines.append(Line(text, backed))
        if lines:
            points.append(Point(" ".join(answer.question.split()), tuple(lines)))
    if not points:
        raise BadRequest("This conversation holds no sentence that the notes support: nothing to sum up.")
    return tuple(points)


def _again(stems: set[str], said: list[set[str]]) -> bool:
    return any(len(stems & other) >= SAME * len(stems | other) for other in said if other or stems)


def _evidence(answer: Answer, sentence: Sentence) -> tuple[Evidence, ...]:
    """The quotes of the sentence; where it has none, those of the citations that its markers name."""
    headings = {one.passage_id: one.heading for one in answer.citations}
    found = [_quoted(quote, headings.get(quote.passage_id, "")) for quote in sentence.quotes[:QUOTES]]
    if not found:
        found = [
            Evidence(one.quote, one.source, one.page, one.heading, one.passage_id)
            for one in answer.citations
            if one.marker in sentence.markers
        ][:QUOTES]
    return tuple(found)


def _quoted(quote: Quote, heading: str) -> Evidence:
    return Evidence(quote.text, quote.source, quote.page, heading, quote.passage_id)
