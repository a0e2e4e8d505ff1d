"""Earlier questions in words: what pages and terminal say of them, and the terminal's way to find them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.recall import MOST, Recall, recall, remembered
from rag.transcript import shortened
from rag.types import MARKER

if TYPE_CHECKING:
    from rag.memory import Found

_MARKS = re.compile(r"\*\*|(?<!\w)[*_#`]+(?=\S)|(?<=\S)[*_`]+(?!\w)")  # of Markdown
SENTENCE = 140  # characters of an answer beside its question


def told(wanted: Recall, found: Sequence[Found]) -> str:
    """What was found, in a sentence: 'You asked 2 questions about GANs from 9 Nov 2026 to 15 Nov 2026:'"""
    about = f" about {wanted.topic}" if wanted.topic else ""
    if not found:
        return f"You asked nothing{about}{when(wanted)}, or it was deleted."
    number = "one question" if len(found) == 1 else f"{len(found)} questions"
    more = f" (the {'nearest' if wanted.topic else 'newest'} {MOST})" if len(found) == MOST else ""
    return f"You asked {number}{about}{when(wanted)}{more}:"


def when(wanted: Recall) -> str:
    """The days in words, with a blank before them; '' where there are none."""
    since, until = wanted.days.since, wanted.days.until
    last = until and date.fromordinal(until.toordinal() - 1)
    if since and last:
        return f" on {_day(since)}" if since == last else f" from {_day(since)} to {_day(last)}"
    return f" since {_day(since)}" if since else f" before {_day(until)}" if until else ""


def first_sentence(found: Found) -> str:
    """How a turn's answer begins, on a line."""
    text = _MARKS.sub("", " ".join(MARKER.sub("", found.answer.answer).split()))
    ends = [text.find(end) for end in (". ", "? ", "! ") if text.find(end) > 0]
    return shortened(text[: min(ends) + 1] if ends else text, SENTENCE) or "no answer was kept"


def moment(seconds: float) -> str:
    """When a question was asked, as it is shown here: '3 Nov 2026, 14:02'."""
    at = datetime.fromtimestamp(seconds)
    return f"{_day(at.date())}, {at:%H:%M}"


def from_terminal(
    question: str, database: str | Path, index: Path, encoder: str | None
) -> tuple[str, dict[str, Any]] | None:
    """What was asked in the conversations of this machine's one user, as text and as JSON values.

    None where the question is one for the notes. No language model is loaded.
    """
    wanted = recall(question, date.today())
    if wanted is None:
        return None
    found: tuple[Found, ...] = ()
    if "://" in str(database) or Path(database).exists():
        from ingest.embed import load_encoder
        from rag.database import Database
        from rag.memory import Memory

        memory = Memory(Database(database), load_encoder(encoder), index.name, index)
        found = remembered(memory, "", wanted)
    text = told(wanted, found)
    lines = [f"- {moment(one.created)}: {one.answer.question}\n  {first_sentence(one)}" for one in found]
    return "\n".join([text, *lines]), _json(question, text, found)


def _json(question: str, text: str, found: Sequence[Found]) -> dict[str, Any]:
    from rag.decoding import GREEDY
    from rag.types import Answer, to_json

    turns = [
        {
            "question": one.answer.question,
            "asked": datetime.fromtimestamp(one.created).astimezone().isoformat(timespec="seconds"),
            "conversation": one.conversation,
            "turn": one.place + 1,
            "answer": first_sentence(one),
        }
        for one in found
    ]
    return {**to_json(Answer(question, GREEDY, stage="done", answer=text)), "recalled": turns}


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
