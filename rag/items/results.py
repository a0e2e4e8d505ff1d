"""What answers add up to: a score by topic, and the results of attempts as CSV or JSON.

Only what a student has been told is among them: an answer whose key is still to be told is not.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from rag.items.attempts import Attempt, Response
from rag.items.marking import WRITTEN
from rag.items.types import Item

UNNAMED = "Other"  # the topic of an item without one


@dataclass(frozen=True, slots=True)
class Score:
    """How many of some items were answered right."""

    topic: str  # '' for all
    right: int
    asked: int  # with those that have no answer
    seconds: float

    @property
    def share(self) -> float:
        """0..1; 0 where nothing was asked."""
        return self.right / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """One item of an attempt, as it is exported."""

    student: str
    attempt: str
    quiz: str  # its title
    started: str  # UTC, ISO 8601
    number: int  # 1-based
    item: str
    topic: str
    kind: str
    question: str
    answered: str  # '' for no answer
    key: str
    right: bool
    seconds: float
    when: str  # UTC, ISO 8601; '' for no answer
    source: str
    page: int | None


def scores(attempts: Iterable[Attempt]) -> tuple[Score, tuple[Score, ...]]:
    """All that was told in the attempts, and each topic, the weakest first.

    In an attempt that is over, an item without an answer counts as not right.
    """
    held: dict[str, list[tuple[bool, float]]] = {}
    for attempt in attempts:
        for place, item in enumerate(attempt.items):
            if attempt.told(place):
                response = attempt.responses.get(place)
                one = (response.right, response.seconds) if response else (False, 0.0)
                held.setdefault(item.topic.strip() or UNNAMED, []).append(one)
    topics = [_score(topic, found) for topic, found in held.items()]
    whole = _score("", [one for found in held.values() for one in found])
    return whole, tuple(sorted(topics, key=lambda one: (one.share, -one.asked, one.topic.casefold())))


def results(attempts: Sequence[Attempt], student: str = "") -> tuple[Result, ...]:
    """All that was told, an item a row, in the order of the attempts."""
    return tuple(
        _result(attempt, place, item, student)
        for attempt in attempts
        for place, item in enumerate(attempt.items)
        if attempt.told(place)
    )


def to_json(found: Sequence[Result]) -> str:
    """Results as a JSON list, an object an item."""
    return json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2) + "\n"


def to_csv(found: Sequence[Result]) -> str:
    """Results as CSV with a head. What a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(field.name for field in fields(Result))
    for one in found:
        table.writerow(_cell(getattr(one, field.name)) for field in fields(Result))
    return out.getvalue()


def answer_of(item: Item, response: Response | None) -> str:
    """What was answered, in words; '' for nothing."""
    if response is None:
        return ""
    if item.kind in WRITTEN or response.chosen is None:
        return response.text
    return item.options[response.chosen].text


def _result(attempt: Attempt, place: int, item: Item, student: str) -> Result:
    response = attempt.responses.get(place)
    return Result(
        student=student,
        attempt=attempt.id,
        quiz=attempt.title,
        started=_when(attempt.started),
        number=place + 1,
        item=item.id,
        topic=item.topic,
        kind=item.kind,
        question=item.stem,
        answered=answer_of(item, response),
        key=item.answer,
        right=bool(response and response.right),
        seconds=round(response.seconds, 1) if response else 0.0,
        when=_when(response.when) if response else "",
        source=item.evidence.source,
        page=item.evidence.page,
    )


def _score(topic: str, found: Sequence[tuple[bool, float]]) -> Score:
    return Score(topic, sum(right for right, _ in found), len(found), sum(seconds for _, seconds in found))


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _cell(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
