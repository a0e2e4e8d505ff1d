"""Study aids as Markdown and as plain JSON values, each line with its file and page.

What notes and answers hold stays text: signs that Markdown would read are escaped (rag/export/markdown.py).
What is not here: HTML (ui/web/study_print.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ingest.pages import page_name
from rag.claims import bare
from rag.export.markdown import inert
from rag.items.terms import Definition
from rag.items.types import Evidence
from rag.study import evidence
from rag.study_cards import Card
from rag.study_guide import Guide
from rag.study_review import Answered
from rag.study_summary import Point
from rag.types import MARKER, Answer, to_json

LETTERS = "abcde"


def where(place: Evidence) -> str:
    """The file and the page that a line stands on, in words."""
    return ", ".join(filter(None, (place.source, page_name(place.source, place.page))))


def terms_markdown(found: Sequence[Definition]) -> str:
    """Key terms, sorted, each with the sentence that defines it."""
    parts = ["# Key terms"]
    for one in sorted(found, key=lambda one: one.term.lower()):
        quote = inert(" ".join(one.text.split()))
        parts.append(f"**{inert(one.term)}**: {quote} ({inert(where(evidence(one.passage, one.text)))})")
    return _joined(parts)


def cards_markdown(cards: Sequence[Card]) -> str:
    """Flashcards: the front as a heading, the back below it."""
    parts = ["# Flashcards"]
    for card in cards:
        parts += [f"## {inert(card.front)}", inert(card.back), f"*{inert(where(card.evidence))}*"]
    return _joined(parts)


def guide_markdown(found: Sequence[Guide]) -> str:
    """Study guides: the outline, and under each heading its lines."""
    parts = ["# Study guide"]
    for guide in found:
        parts.append(f"## {inert(guide.source)}")
        for section in guide.sections:
            parts.append(f"{'#' * min(6, section.depth + 2)} {inert(section.title)}")
            if section.lines:
                parts.append(
                    "\n".join(f"- {inert(bare(one.quote))} ({inert(where(one))})" for one in section.lines)
                )
    return _joined(parts)


def review_markdown(found: Sequence[Answered]) -> str:
    """Review questions with their answers, and the quotes behind these."""
    parts = ["# Review questions"]
    for number, one in enumerate(found, 1):
        parts.append(f"## {number}. {inert(one.question.text)}")
        if one.question.options:
            listed = zip(LETTERS, one.question.options, strict=False)
            parts.append("\n".join(f"- {letter}) {inert(text)}" for letter, text in listed))
        parts += [inert(line) for line in one.answer.answer.splitlines() if line.strip()]
        if changed := left_out(one.answer):
            parts.append(f"*{changed}*")
        if cited := cited_places(one.answer):
            parts.append(
                "\n".join(
                    f"{inert(mark)} {inert(where(place))}: {inert(place.quote)}  " for mark, place in cited
                )
            )
        if one.question.given:
            parts.append(f"The notes print as the answer: {inert(one.question.given)}")
        parts.append(f"*Asked in {inert(where(one.question.evidence))}*")
    return _joined(parts)


def left_out(answer: Answer) -> str:
    """What was done to a strict answer, in one line; '' for nothing."""
    done = [
        f"{count} {'sentence' if count == 1 else 'sentences'} {how}"
        for count, how in ((answer.rewritten, "put in the words of the notes"), (answer.dropped, "taken out"))
        if count
    ]
    return f"{', '.join(done)}: the notes did not support more." if done and not answer.refused else ""


def summary_markdown(found: Sequence[Point], title: str) -> str:
    """A conversation's summary: a heading a question, its sentences with their quotes."""
    parts = [f"# {inert(title) or 'Summary'}"]
    for point in found:
        parts.append(f"## {inert(point.question)}")
        for line in point.lines:
            parts.append(f"- {inert(line.text)}")
            parts += [f"  > {inert(place.quote)} ({inert(where(place))})" for place in line.evidence]
    return _joined(parts)


def cited_places(answer: Answer) -> list[tuple[str, Evidence]]:
    """The citations that an answer's text names, or on a refusal those that came nearest."""
    used = {number for found in MARKER.findall(answer.answer) for number in found.replace(" ", "").split(",")}
    shown = answer.closest if answer.refused else [one for one in answer.citations if str(one.marker) in used]
    return [
        (
            "Closest:" if answer.refused else f"[{one.marker}]",
            Evidence(one.quote, one.source, one.page, one.heading, one.passage_id),
        )
        for one in shown
    ]


def terms_json(found: Sequence[Definition]) -> list[dict[str, Any]]:
    """Key terms as plain values."""
    return [
        {"term": one.term, "means": one.means, "evidence": asdict(evidence(one.passage, one.text))}
        for one in found
    ]


def cards_json(cards: Sequence[Card]) -> list[dict[str, Any]]:
    """Flashcards as plain values."""
    return [asdict(card) for card in cards]


def guide_json(found: Sequence[Guide]) -> list[dict[str, Any]]:
    """Study guides as plain values."""
    return [asdict(guide) for guide in found]


def review_json(found: Sequence[Answered]) -> list[dict[str, Any]]:
    """Review questions with their answers as plain values."""
    return [{"question": asdict(one.question), "answer": to_json(one.answer)} for one in found]


def summary_json(found: Sequence[Point]) -> list[dict[str, Any]]:
    """A conversation's summary as plain values."""
    return [asdict(point) for point in found]


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"
