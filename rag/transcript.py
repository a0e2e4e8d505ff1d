"""A conversation as text: its title, its settings in words, and all of it as Markdown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from ingest.pages import page_name
from rag.decoding import Decoding
from rag.types import Citation

if TYPE_CHECKING:
    from rag.sessions import Record

TITLE = 60  # characters of a title made from a question
LONGEST_TITLE = 200


def markdown(title: str, created: float, records: Iterable[Record]) -> str:
    """A conversation as Markdown: questions, answers, the quotes behind them, the settings used."""
    parts = [f"# {_inert(title) or 'Conversation'}", f"Unitutor, {_day(created)}"]
    for number, record in enumerate(records, 1):
        parts += _exported(number, record)
    return "\n\n".join(parts) + "\n"


def clean_title(title: str) -> str:
    """A title as one line of bounded length, without control and direction-changing characters."""
    kept = "".join(
        c if unicodedata.category(c)[0] != "C" or c == "\u200d" else " " if c.isspace() else "" for c in title
    )
    return shortened(" ".join(kept.split()), LONGEST_TITLE)


def shortened(text: str, length: int = TITLE) -> str:
    """`text`, or as many of its first words as fit in `length` characters, and '…'."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    words = head.rsplit(" ", 1)[0] if " " in head[length // 2 :] else head
    return words.rstrip(" ,;:.-") + "…"


def settings(how: Decoding) -> str:
    """Decoding settings in words, only those that matter: 'top-p, p 0.9, temperature 0.7, seed 3'."""
    if how.name == "greedy":
        return "greedy"
    parts: list[str] = [how.name]
    parts += [f"k {how.k}"] if how.k is not None else []
    parts += [f"p {how.p:g}"] if how.p is not None else []
    parts += [f"min-p {how.min_p:g}"] if how.min_p is not None else []
    if how.name == "beam":
        return ", ".join([*parts, f"{how.beams} beams"])
    return ", ".join([*parts, f"temperature {how.temperature:g}", f"seed {how.seed}"])


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def _inert(text: str) -> str:
    """Text that a Markdown viewer takes for neither HTML nor an image nor a link."""
    return re.sub(r"<(?=[A-Za-z/!?])|!(?=\[)|\](?=\()", lambda found: "\\" + found[0], text)


def _exported(number: int, record: Record) -> list[str]:
    answer = record.answer
    line = clean_title(answer.question)
    parts = [f"## {number}. {_inert(line)}"]
    if line != answer.question.strip():
        parts.append(_quoted(answer.question))
    if record.state == "unreadable":
        return [*parts, "*This answer is damaged and cannot be shown.*"]
    if answer.answer:
        parts.append(_inert(answer.answer))
    if record.state == "unfinished":
        parts.append("*Cut off.*")
    elif answer.stopped:
        parts.append("*Stopped.*")
    shown = answer.closest if answer.refused else answer.citations
    if shown:
        parts.append("Closest in the notes:" if answer.refused else "Sources:")
        parts += [_cited(citation) for citation in shown]
    used = [f"Decoding: {settings(answer.decoding)}"]
    if answer.timings.total_ms:
        used.append(f"{answer.timings.total_ms / 1000:.1f} s, {answer.timings.output_tokens} tokens")
    return [*parts, f"*{'; '.join(used)}.*"]


def _cited(citation: Citation) -> str:
    parts = (citation.source, page_name(citation.source, citation.page), citation.heading)
    where = _inert(" ".join(", ".join(filter(None, parts)).split()))
    return f"**[{citation.marker}]** {where}\n{_quoted(citation.quote)}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {_inert(line)}" for line in text.strip().splitlines())
