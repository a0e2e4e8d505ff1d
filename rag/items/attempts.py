"""What students answered: attempts at quizzes, kept answer by answer, and which items are due again.

A student is '' on a machine of one's own. An attempt keeps a copy of its items, so it is marked by
what was asked; its options are in an order of its own, so that nothing can be carried over from an
earlier one. What is not here: whether an answer is right (rag/items/marking.py), what answers add up
to (rag/items/results.py), and when an item is due (rag/items/memory.py).
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from ingest.errors import BadRequest
from rag.database import Database, encodable, opened
from rag.items.marking import LONGEST, WRITTEN, right
from rag.items.memory import reviewed
from rag.items.tables import attempts as _attempt
from rag.items.tables import cards as _card
from rag.items.tables import items as _item
from rag.items.tables import responses as _response
from rag.items.tables import restored, stored
from rag.items.types import Item

GONE = "This attempt is not there any more: make a quiz, or take one again."
OVER = "This attempt is over: take the quiz again."


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Whether it is right may be told only where `Attempt.told` says so."""

    chosen: int | None  # 0-based place of the option in the item, not on the page
    text: str  # what was written
    right: bool
    seconds: float  # spent on it
    when: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Attempt:
    """A quiz being taken, or one that was."""

    id: str
    title: str
    quiz: str  # its id, '' for none
    items: tuple[Item, ...]  # as they were when it began
    orders: tuple[tuple[int, ...], ...]  # per item: which option stands first, second, … on the page
    all_at_once: bool  # all on a page, else one after the other
    at_the_end: bool  # what is right is told at the end, else after each answer
    started: float
    ended: float | None = None
    responses: Mapping[int, Response] = field(default_factory=lambda: MappingProxyType({}))

    def told(self, place: int) -> bool:
        """Whether the key of the item at `place` may be shown: it is answered, and it is the time."""
        return self.ended is not None or (not self.at_the_end and place in self.responses)

    @property
    def next(self) -> int | None:
        """The first place without an answer; None where all have one."""
        return next((place for place in range(len(self.items)) if place not in self.responses), None)


class Attempts:
    """The attempts in one database. Safe to share between threads and between processes."""

    def __init__(self, database: str | Path | Database) -> None:
        """Open or make the database. Raises SessionsUnusable where it cannot be."""
        self._database = opened(database)

    def close(self) -> None:
        """Let go of the database's connections; a later call opens new ones."""
        self._database.close()

    def begin(
        self,
        items: Sequence[Item],
        title: str = "",
        quiz: str = "",
        student: str = "",
        all_at_once: bool = False,
        at_the_end: bool = False,
    ) -> Attempt:
        """A new attempt at the items. Raises BadRequest where there are none."""
        if not items:
            raise BadRequest("A quiz needs a question.")
        made, now = uuid.uuid4().hex, time.time()
        orders = [_order(item, random.Random(f"{made}{place}")) for place, item in enumerate(items)]
        with self._database.write() as db:
            db.execute(
                _attempt.insert().values(
                    id=made,
                    student=student,
                    quiz=quiz,
                    title=encodable(" ".join(title.split())[:200]),
                    items=json.dumps([stored(item) for item in items]),
                    orders=json.dumps(orders),
                    all_at_once=all_at_once,
                    at_the_end=at_the_end,
                    started=now,
                )
            )
        return self.get(made, student)

    def get(self, id: str, student: str = "") -> Attempt:
        """An attempt with its answers. Raises BadRequest where the student has none of this id."""
        with self._database.read() as db:
            return self._get(db, id, student)

    def list(self, student: str = "", limit: int | None = None) -> tuple[Attempt, ...]:
        """A student's attempts, the latest first."""
        query = (
            sa.select(_attempt.c.id)
            .where(_attempt.c.student == student)
            .order_by(_attempt.c.started.desc(), _attempt.c.id)
            .limit(limit)
        )
        with self._database.read() as db:
            return tuple(self._get(db, id, student) for id in db.scalars(query).all())

    def answer(
        self,
        id: str,
        place: int,
        chosen: int | None = None,
        text: str = "",
        seconds: float = 0.0,
        student: str = "",
    ) -> Attempt:
        """Keep an answer to the item at the 0-based `place`, and give the attempt as it is then.

        `chosen` is the option's place in the item. Where what is right is told at once, the first
        answer counts and later ones change nothing; else the last one does. Raises BadRequest for
        what is no answer, and once the attempt is over.
        """
        now = time.time()
        with self._database.write() as db:
            found = self._get(db, id, student)
            if found.ended is not None:
                raise BadRequest(OVER)
            if not 0 <= place < len(found.items):
                raise BadRequest("There is no such question in this quiz.")
            item = found.items[place]
            chosen, text = _checked(item, chosen, text)
            if found.told(place):
                return found
            before = found.responses.get(place)
            values = {
                "attempt": id,
                "place": place,
                "chosen": chosen,
                "text": text,
                "correct": right(item, chosen, text),
                "seconds": max(0.0, min(seconds, 86_400.0)) + (before.seconds if before else 0.0),
                "answered": now,
            }
            this = (_response.c.attempt == id) & (_response.c.place == place)
            db.execute(_response.delete().where(this))
            db.execute(_response.insert().values(values))
            if not found.at_the_end:
                self._remember(db, student, item, bool(values["correct"]), now)
            return self._get(db, id, student)

    def finish(self, id: str, student: str = "") -> Attempt:
        """End an attempt; what is without an answer stays so. Ending it twice changes nothing."""
        now = time.time()
        with self._database.write() as db:
            found = self._get(db, id, student)
            if found.ended is not None:
                return found
            db.execute(_attempt.update().where(_attempt.c.id == id).values(ended=now))
            if found.at_the_end:
                for place, response in found.responses.items():
                    self._remember(db, student, found.items[place], response.right, now)
            return self._get(db, id, student)

    def due(self, student: str = "", now: float | None = None) -> tuple[Item, ...]:
        """The items due again by `now`, the longest due first; not those deleted or rejected since."""
        query = (
            sa.select(_item.c.content)
            .join(_card, _card.c.item == _item.c.id)
            .where(_card.c.student == student, _card.c.due <= (time.time() if now is None else now))
            .where(_item.c.deleted.is_(None), _item.c.state != "rejected")
            .order_by(_card.c.due, _item.c.number)
        )
        with self._database.read() as db:
            return tuple(item for content in db.scalars(query) if (item := restored(content)))

    def _remember(self, db: sa.Connection, student: str, item: Item, correct: bool, when: float) -> None:
        this = (_card.c.student == student) & (_card.c.item == item.id)
        before = db.scalar(sa.select(_card.c.card).where(this))
        card, due = reviewed(before, correct, when)
        db.execute(_card.delete().where(this))
        db.execute(_card.insert().values(student=student, item=item.id, card=card, due=due))

    def _get(self, db: sa.Connection, id: str, student: str) -> Attempt:
        row = db.execute(
            sa.select(_attempt).where(_attempt.c.id == id, _attempt.c.student == student)
        ).first()
        items = tuple(restored(content) for content in json.loads(row.items)) if row else ()
        if row is None or not items or None in items:
            raise BadRequest(GONE)
        answered = sa.select(_response).where(_response.c.attempt == id).order_by(_response.c.place)
        return Attempt(
            id=row.id,
            title=row.title,
            quiz=row.quiz,
            items=tuple(item for item in items if item),
            orders=tuple(tuple(order) for order in json.loads(row.orders)),
            all_at_once=row.all_at_once,
            at_the_end=row.at_the_end,
            started=row.started,
            ended=row.ended,
            responses={one.place: _read(one) for one in db.execute(answered)},
        )


def _checked(item: Item, chosen: int | None, text: str) -> tuple[int | None, str]:
    """An answer of the item's kind. Raises BadRequest for another."""
    if item.kind in WRITTEN:
        text = encodable(" ".join(text.split()))
        if not text:
            raise BadRequest("Write an answer first.")
        if len(text) > LONGEST:
            raise BadRequest(f"An answer may have {LONGEST} characters, not {len(text):,}: shorten it.")
        return None, text
    if chosen is None or not 0 <= chosen < len(item.options):
        raise BadRequest("Choose an option first.")
    return chosen, ""


def _order(item: Item, drawn: random.Random) -> list[int]:
    places = list(range(len(item.options)))
    if item.kind == "multiple-choice" and not _ascending(item):
        drawn.shuffle(places)
    return places


def _ascending(item: Item) -> bool:
    """Whether the options are numbers in order: they are easier to read so, and stay."""
    try:
        numbers = [float(option.text.replace(",", "")) for option in item.options]
    except ValueError:
        return False
    return numbers == sorted(numbers)


def _read(row: Any) -> Response:
    return Response(row.chosen, row.text, row.correct, row.seconds, row.answered)
