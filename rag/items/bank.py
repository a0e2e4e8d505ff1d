"""The question bank: items that passed the gate, what an instructor made of them, and quizzes of them.

An item is proposed until it is approved or rejected; the shared set is what is approved. Every
change can be undone, a deletion too, one after the other back to when the item came in. What is not
here: what students answered (rag/items/attempts.py), and the gate, which `edit` is given.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import sqlalchemy as sa

from ingest.errors import BadRequest, UnitutorError
from rag.database import Database, encodable, opened
from rag.items.tables import checked, restored, stored
from rag.items.tables import items as _item
from rag.items.tables import past as _past
from rag.items.tables import quizzes as _quiz
from rag.items.types import Item, Option

# Why an instructor turns an item down; words of their own may be added.
REASONS = (
    "wrong key",
    "more than one right",
    "not in the notes",
    "unclear",
    "poor options",
    "not worth asking",
    "repeats another",
)
LONGEST = 500  # characters of a reason
MOST = 4_000  # characters of a stem, an option, a feedback or an explanation

State = Literal["proposed", "approved", "rejected"]
STATES: tuple[State, ...] = ("proposed", "approved", "rejected")
GONE = "This question is not in the bank any more."


class GateRefused(UnitutorError):
    """An edited item that the gate does not pass; its text is the gate's reason."""


@dataclass(frozen=True, slots=True)
class Held:
    """An item as it rests in the bank; times are seconds since 1970."""

    item: Item
    state: State
    reason: str  # of a rejection
    version: int  # 1, and 1 more with every edit
    course: str
    made: float
    changed: float


@dataclass(frozen=True, slots=True)
class KeptQuiz:
    """Items in the order they are asked in."""

    id: str
    title: str
    items: tuple[str, ...]  # ids
    seed: int
    made: float


class Bank:
    """The items in one database. Safe to share between threads and between processes."""

    def __init__(self, database: str | Path | Database) -> None:
        """Open or make the database. Raises SessionsUnusable where it cannot be."""
        self._database = opened(database)

    def close(self) -> None:
        """Let go of the database's connections; a later call opens new ones."""
        self._database.close()

    # What is in it

    def add(self, items: Iterable[Item], course: str = "", made: float | None = None) -> int:
        """Propose items, and say how many are new: one whose id is there already stays as it is."""
        now = time.time()
        rows = [(checked(item), stored(item)) for item in items]
        added = 0
        with self._database.write() as db:
            for item, content in rows:
                if db.scalar(sa.select(_item.c.number).where(_item.c.id == item.id)) is not None:
                    continue
                added += 1
                db.execute(
                    _item.insert().values(
                        id=item.id,
                        course=encodable(course),
                        made=now if made is None else made,
                        version=1,
                        content=content,
                        state="proposed",
                        reason="",
                        changed=now,
                    )
                )
        return added

    def list(self, state: State | None = None, course: str | None = None) -> tuple[Held, ...]:
        """Items of a state, of all states with None, in the order they came in; damaged ones are left out."""
        query = sa.select(_item).where(_item.c.deleted.is_(None)).order_by(_item.c.number)
        if state is not None:
            query = query.where(_item.c.state == state)
        if course is not None:
            query = query.where(_item.c.course == course)
        with self._database.read() as db:
            return tuple(held for row in db.execute(query) if (held := _held(row)))

    def shared(self, course: str | None = None) -> tuple[Item, ...]:
        """The approved items: the set that goes to students."""
        return tuple(held.item for held in self.list("approved", course))

    def get(self, id: str) -> Held | None:
        """One item, or None where there is none of that id, it is deleted or damaged."""
        with self._database.read() as db:
            row = db.execute(sa.select(_item).where(_item.c.id == id, _item.c.deleted.is_(None))).first()
        return _held(row) if row else None

    def counts(self) -> dict[State, int]:
        """How many items each state has."""
        query = sa.select(_item.c.state, sa.func.count()).where(_item.c.deleted.is_(None))
        with self._database.read() as db:
            found = {row[0]: int(row[1]) for row in db.execute(query.group_by(_item.c.state))}
        return {state: found.get(state, 0) for state in STATES}

    # The desk

    def approve(self, id: str) -> None:
        """Put an item in the shared set."""
        self._change(id, state="approved", reason="")

    def reject(self, id: str, reason: str) -> None:
        """Turn an item down. The reason is one of REASONS or the instructor's own words, or both."""
        reason = encodable(" ".join(reason.split()))
        if not reason:
            raise BadRequest("Say why: choose a reason, or write one.")
        if len(reason) > LONGEST:
            raise BadRequest(f"A reason may have {LONGEST} characters, not {len(reason):,}: shorten it.")
        self._change(id, state="rejected", reason=reason)

    def edit(self, id: str, item: Item, gate: Callable[[Item], str] | None = None) -> Held:
        """Put another version in an item's place; it keeps its id and its state.

        With `gate`, which gives '' or the reason of a rejection, only what passes is kept, else
        GateRefused is raised and nothing changes. Without it the item is marked 'by hand'. Raises
        BadRequest for what is no item.
        """
        item = checked(replace(item, id=id, by_hand=gate is None))
        for text in (item.stem, item.explanation, *(t for o in item.options for t in (o.text, o.feedback))):
            if len(text) > MOST:
                raise BadRequest(f"A text of a question may have {MOST:,} characters: shorten it.")
        if gate is not None and (reason := gate(item)):
            raise GateRefused(reason)
        before = self.get(id)
        if before is None:
            raise BadRequest(GONE)
        self._change(id, content=stored(item), version=before.version + 1)
        after = self.get(id)
        if after is None:
            raise BadRequest(GONE)
        return after

    def replace_option(
        self, id: str, place: int, option: Option, gate: Callable[[Item], str] | None = None
    ) -> Held:
        """Put another distractor in the place of one; see `edit`. Raises BadRequest for the key's place."""
        held = self.get(id)
        if held is None:
            raise BadRequest(GONE)
        item = held.item
        if item.kind != "multiple-choice" or place == item.key or not 0 <= place < len(item.options):
            raise BadRequest("Only a wrong option of a multiple-choice question can be replaced.")
        options = tuple(option if at == place else one for at, one in enumerate(item.options))
        return self.edit(id, replace(item, options=options), gate)

    def delete(self, id: str) -> None:
        """Take an item out of the bank; `undo` brings it back."""
        self._change(id, deleted=time.time())

    def undo(self, id: str) -> Held:
        """Take back the last change of an item. Raises BadRequest where there is none."""
        last = sa.select(_past).where(_past.c.item == id).order_by(_past.c.number.desc()).limit(1)
        with self._database.write() as db:
            row = db.execute(last).first()
            if row is None:
                raise BadRequest("There is nothing to undo: the question is as it was proposed.")
            was = {name: getattr(row, name) for name in _KEPT}
            db.execute(_item.update().where(_item.c.id == id).values(was))
            db.execute(_past.delete().where(_past.c.number == row.number))
        held = self.get(id)
        if held is None:
            raise BadRequest(GONE)
        return held

    def _change(self, id: str, **values: Any) -> None:
        this = sa.select(_item).where(_item.c.id == id, _item.c.deleted.is_(None))
        with self._database.write() as db:
            row = db.execute(this).first()
            if row is None:
                raise BadRequest(GONE)
            if all(getattr(row, name) == value for name, value in values.items()):
                return  # approved twice: nothing that could be undone
            db.execute(_past.insert().values(item=id, **{name: getattr(row, name) for name in _KEPT}))
            db.execute(_item.update().where(_item.c.id == id).values(changed=time.time(), **values))

    # Quizzes

    def keep_quiz(self, items: Sequence[Item], title: str = "", seed: int = 0, student: str = "") -> str:
        """Keep a quiz of a student, and return its id. Raises BadRequest for one without items."""
        if not items:
            raise BadRequest("A quiz needs a question.")
        made = uuid.uuid4().hex
        with self._database.write() as db:
            db.execute(
                _quiz.insert().values(
                    id=made,
                    student=student,
                    title=encodable(" ".join(title.split())[:200]),
                    items=json.dumps([item.id for item in items]),
                    seed=seed % 2**31,
                    made=time.time(),
                )
            )
        return made

    def quizzes(self, student: str = "", limit: int | None = None) -> tuple[KeptQuiz, ...]:
        """A student's quizzes, the latest first."""
        mine = sa.select(_quiz).where(_quiz.c.student == student)
        query = mine.order_by(_quiz.c.made.desc(), _quiz.c.id).limit(limit)
        with self._database.read() as db:
            return tuple(_kept(row) for row in db.execute(query))

    def quiz(self, id: str, student: str = "") -> tuple[KeptQuiz, tuple[Item, ...]]:
        """A quiz of a student and its items as they are now, but for those deleted or rejected since.

        Raises BadRequest where it is not there, or nothing is left of it.
        """
        query = sa.select(_quiz).where(_quiz.c.id == id, _quiz.c.student == student)
        with self._database.read() as db:
            row = db.execute(query).first()
        if row is None:
            raise BadRequest("This quiz is not there any more.")
        kept = _kept(row)
        held = [self.get(one) for one in kept.items]
        left = tuple(one.item for one in held if one and one.state != "rejected")
        if not left:
            raise BadRequest("All questions of this quiz were deleted or rejected: make another.")
        return kept, left


_KEPT = ("version", "content", "state", "reason", "changed", "deleted")


def _held(row: Any) -> Held | None:
    item = restored(row.content)
    if item is None or item.id != row.id:
        return None
    return Held(item, cast(State, row.state), row.reason, row.version, row.course, row.made, row.changed)


def _kept(row: Any) -> KeptQuiz:
    return KeptQuiz(row.id, row.title, tuple(json.loads(row.items)), row.seed, row.made)
