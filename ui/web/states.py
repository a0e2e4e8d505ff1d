"""How far the notes support a sentence: its sign, its words, its tags in an answer, the answer without it.

What is not here: making text inert (ui/web/text.py) and the card with the quotes (ui/web/why.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.types import MARKER, Answer, Label, Sentence

NOTHING_LEFT = "The notes support nothing of this answer."
HIDDEN: tuple[Label, ...] = ("unsupported", "contradicted")  # left out where only what is supported is shown
_LINE_START = re.compile(r"\s*(?:(?:[-*+]|\d+[.)]|#{1,6}|>)\s+)*")


@dataclass(frozen=True, slots=True)
class State:
    """How a label is shown. Each has a sign and a line of its own: none is told by its colour alone."""

    sign: str
    short: str  # 'Supported'
    words: str  # of several sentences, after their number
    one: str  # of a single one


STATES: dict[Label, State] = {
    "supported": State("✓", "Supported", "supported", "supported"),
    "partly": State("≈", "Partly supported", "only partly supported", "only partly supported"),
    "unsupported": State("?", "Not supported", "not supported by the notes", "not supported by the notes"),
    "contradicted": State("≠", "Contradicted", "contradict the notes", "contradicts the notes"),
}


def said(sentence: Sentence) -> str:
    """'Supported, 93%': the label, and the probability that the notes support the sentence."""
    share = per_cent(sentence.support)
    state = STATES[sentence.label]
    if sentence.label == "contradicted":
        return f"{state.short}, probability of support {share}"
    return f"{state.short}, {share}"


def per_cent(probability: float) -> str:
    """'93%'; nothing is certain, so it is never 0 or 100."""
    share = round(100 * probability)
    return "over 99%" if share > 99 else "under 1%" if share < 1 else f"{share}%"


def count(answer: Answer, *labels: Label) -> int:
    """How many sentences have one of the labels."""
    return sum(sentence.label in labels for sentence in answer.sentences)


def tags(
    text: str, sentences: Sequence[Sentence], atoms: Sequence[tuple[int, int]], turn: int
) -> dict[int, str]:
    """Where tags open and close around the sentences of `text` that claim something.

    `atoms` are spans that no tag may stand in: formulas, code, markers.
    """
    found: dict[int, str] = {}
    for number, (sentence, start, end) in enumerate(_placed(text, sentences)):
        if start < 0 or sentence.label not in STATES:
            continue
        own = f"ut-s{turn}-{number}"
        opening = f'<span class="ut-said ut-{sentence.label} {own}">'
        sign = STATES[sentence.label].sign
        flag = (
            f'<a href="#s{turn}-{number}" class="ut-flag ut-is-{sentence.label} {own}" '
            f'title="{said(sentence)}">{sign}</a>'
        )
        for from_, to in _lines(text, start, end):
            inside = any(a < p < b for a, b in atoms for p in (from_, to))
            if not inside and from_ not in found and to not in found:
                found[from_] = opening
                found[to] = f"</span>{flag}" if to >= end - 1 else "</span>"
    return found


def narrowed(answer: Answer) -> Answer:
    """The answer without the sentences that the notes do not support.

    Those are still counted among its sentences, without their words, so that the others keep their places.
    """
    text = answer.answer
    cuts: list[tuple[int, int]] = []
    kept: list[Sentence] = []
    for sentence, start, end in _placed(text, answer.sentences):
        hidden = sentence.label in HIDDEN and start >= 0
        kept.append(replace(sentence, text="") if hidden else sentence)
        if hidden:
            while mark := MARKER.match(text, end):
                end = mark.end()
            end += len(text[end:]) - len(text[end:].lstrip(".!?:;"))
            cuts.append((start, end))
    for start, end in reversed(cuts):
        line = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", end)
        stop = len(text) if stop < 0 else stop
        if _LINE_START.fullmatch(text[line:start]) and not text[end:stop].strip():
            start, end = line, min(len(text), stop + 1)  # the sign of a list item goes with it
        text = text[:start] + text[end:].lstrip(" ")
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    claims = any(sentence.text and sentence.label in STATES for sentence in kept)
    return replace(answer, answer=text if claims else NOTHING_LEFT, sentences=tuple(kept))


def _placed(text: str, sentences: Sequence[Sentence]) -> Iterator[tuple[Sentence, int, int]]:
    """Each sentence with its span in `text`, -1 for one that does not stand there as it is."""
    at = 0
    for sentence in sentences:
        start = text.find(sentence.text, at) if sentence.text else -1
        if start >= 0:
            at = start + len(sentence.text)
        yield sentence, start, at


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The spans of a sentence that lie in one line each, without list and heading signs; no tables."""
    for line in re.finditer(r"[^\n]+", text[start:end]):
        mark = _LINE_START.match(line[0])
        from_, to = start + line.start() + (mark.end() if mark else 0), start + line.end()
        if from_ < to and "|" not in line[0]:
            yield from_, to
