"""What a model wrote, sentence by sentence, on its way to an answer: markers put in, support confirmed,
what nothing supports put in the notes' own words or taken out."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ingest.types import Encoder
from rag.claims import spans
from rag.entail import Entailment
from rag.grounding import Evidence, Judging, confirm
from rag.types import MARKER, QUOTING, Answer, Sentence

# What such a sentence of the notes speaks of stands before it there; here something else may.
_POINTS_BACK = re.compile(r"(?i)(?:it|its|they|their|this|that|these|those|he|she|his|her|both|such)\b")
BACKED = ("supported", "partly")
QUOTED = 0.6  # of a claim that its nearest quote covers, from which the quote says the same thing better


@dataclass(frozen=True)
class Draft:
    """A model's text with what is known of each of its sentences, and the notes' sentences added to it."""

    text: str  # as the model wrote it
    own: tuple[Sentence, ...]  # one for each of spans(text)
    added: tuple[Sentence, ...] = ()

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All of them, in order."""
        return self.own + self.added

    @property
    def claims(self) -> tuple[Sentence, ...]:
        """Those of the model that state something."""
        return tuple(one for one in self.own if one.label != "not-a-claim")

    @property
    def backed(self) -> bool:
        """Whether the notes support any of what the model wrote."""
        return any(one.label in BACKED for one in self.own)

    @cached_property
    def marked(self) -> str:
        """The whole as it is shown, each sentence with its markers."""
        text = with_markers(self.text, spans(self.text), self.own)
        for one in self.added:
            text = f"{text}\n\n{QUOTING} “{one.text}” [{one.markers[0]}]".strip()
        return text


def with_markers(
    text: str, places: Sequence[tuple[int, int]], sentences: Sequence[Sentence], tail: str = ""
) -> str:
    """`text` with each sentence's own markers in place of whatever the model wrote."""
    parts: list[str] = []
    cursor = 0
    for (start, end), one in zip(places, sentences, strict=True):
        marks = "".join(f" [{marker}]" for marker in one.markers)
        parts += [text[cursor:start], MARKER.sub("", text[start:end]), marks]
        cursor = end
    if tail:
        parts += [text[cursor : len(text) - len(tail)], re.sub(r"\s*\[\d*\]?", "", tail)]
    return "".join(parts).strip()


def confirmed(
    draft: Draft,
    held: Sequence[Evidence],
    encoder: Encoder,
    model: Judging | Entailment,
    question: str,
    halt: threading.Event,
) -> Iterator[Draft]:
    """The draft as it is, then after each of its sentences that the model has judged."""
    yield draft
    for place, one in enumerate(draft.own):
        if one.label == "not-a-claim" or halt.is_set():
            continue
        judged = confirm(one, held, encoder, model, question, halt)
        draft = replace(draft, own=(*draft.own[:place], judged, *draft.own[place + 1 :]))
        yield draft


def strict(answer: Answer, draft: Draft) -> tuple[Answer, Draft]:
    """Nothing without support: a sentence becomes the quote that says it, or goes.

    The answer has how many of each. An empty draft is left where nothing stands.
    """
    kept: list[tuple[str, Sentence]] = []
    said = {one.text for one in draft.added}
    rewritten = dropped = cursor = 0
    for (start, end), one in zip(spans(draft.text), draft.own, strict=True):
        lead, text = draft.text[cursor:start], draft.text[start:end]
        cursor = end
        if one.label in ("supported", "not-a-claim"):
            kept.append((lead + text, one))
            continue
        quote = next((q for q in one.quotes if q.score >= QUOTED and not _POINTS_BACK.match(q.text)), None)
        if quote is None or not one.markers or quote.text in said:
            dropped += 1
            continue
        rewritten += 1
        said.add(quote.text)
        kept.append((lead + quote.text, Sentence(quote.text, 1.0, "supported", one.markers, (quote,))))
    if not any(one.label == "supported" for _, one in kept):
        kept = []
    text = "".join(piece for piece, _ in kept).strip()
    answer = replace(answer, rewritten=rewritten, dropped=dropped)
    return answer, Draft(text, tuple(one for _, one in kept), draft.added)
