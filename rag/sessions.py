"""Conversations, kept as SQL rows in rag/database.py.

A turn is committed before the call that wrote it returns. A turn whose answer has not arrived
whole is there too, unfinished: whoever reads it after a crash sees it as cut off. What is not
here: people (everyone who opens the database sees all of it), and search over old conversations.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from ingest.errors import BadRequest
from rag.database import Database, encodable, restored, stored
from rag.database import conversations as _conversation
from rag.database import turns as _turn
from rag.decoding import GREEDY
from rag.transcript import clean_title, markdown, shortened
from rag.types import Answer, Turn

DAY = 24 * 60 * 60.0  # how long a deleted conversation can be restored, in seconds

State = Literal["whole", "unfinished", "unreadable"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of the list of conversations; times are seconds since 1970."""

    id: str
    title: str
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Record:
    """A turn as it rests: its answer and whether that arrived whole."""

    id: int
    answer: Answer  # of an unreadable turn, only the question
    state: State
    created: float


class Sessions:
    """The conversations in one database. Safe to share between threads and between processes."""

    def __init__(self, url_or_path: str | Path) -> None:
        """Open or make the database, and forget what was deleted more than a day ago."""
        self.url_or_path = url_or_path  # what is thought of answers is kept there too
        self._database = Database(url_or_path)
        with self._database.write() as db:
            db.execute(_conversation.delete().where(_conversation.c.deleted < time.time() - DAY))

    def close(self) -> None:
        """Let go of the database's connections; a later call opens new ones."""
        self._database.close()

    # The list

    def create(self, title: str = "") -> str:
        """A new, empty conversation's id. Without a title it gets one from its first question."""
        made = uuid.uuid4().hex
        now = time.time()
        with self._database.write() as db:
            db.execute(
                _conversation.insert().values(id=made, title=clean_title(title), created=now, updated=now)
            )
        return made

    def list(self, limit: int | None = None) -> tuple[Conversation, ...]:
        """The conversations that are not deleted, the one used last first."""
        table = _conversation.c
        query = (
            sa.select(table.id, table.title, table.created, table.updated)
            .where(table.deleted.is_(None))
            .order_by(table.updated.desc(), table.id)
            .limit(limit)
        )
        with self._database.read() as db:
            return tuple(Conversation(*row) for row in db.execute(query))

    def get(self, id: str) -> Conversation | None:
        """One conversation, or None where there is none of that id or it is deleted."""
        table = _conversation.c
        query = sa.select(table.id, table.title, table.created, table.updated)
        with self._database.read() as db:
            row = db.execute(query.where(table.id == id, table.deleted.is_(None))).first()
        return Conversation(*row) if row else None

    def rename(self, id: str, title: str) -> None:
        """Give a conversation another title."""
        title = clean_title(title)
        if not title:
            raise BadRequest("A conversation needs a name of at least one letter.")
        self._change(id, title=title)

    def delete(self, id: str) -> None:
        """Take a conversation off the list; `restore` brings it back for a day."""
        self._change(id, deleted=time.time())

    def restore(self, id: str) -> None:
        """Put a deleted conversation back on the list."""
        self._change(id, deleted=None)

    # The turns

    def turns(self, id: str) -> tuple[Answer, ...]:
        """The answers of a conversation in order; see `records` for how each arrived."""
        return tuple(record.answer for record in self.records(id))

    def records(self, id: str) -> tuple[Record, ...]:
        """The turns of a conversation in order, unfinished and unreadable ones among them."""
        query = sa.select(_turn).where(_turn.c.conversation == id).order_by(_turn.c.place)
        with self._database.read() as db:
            return tuple(_record(row) for row in db.execute(query))

    def add(self, id: str, answer: Answer) -> None:
        """Append a whole turn."""
        with self._database.write() as db:
            self._append(db, id, answer.question, answer, finished=True)

    def begin(self, id: str, question: str, keep: int | None = None) -> int:
        """Append a question whose answer is to come, and return its turn's id.

        With `keep`, all turns after the first `keep` make way for it in the same transaction.
        """
        with self._database.write() as db:
            if keep is not None:
                self._cut(db, id, keep)
            return self._append(db, id, question, Answer(question, GREEDY), finished=False)

    def progress(self, turn: int, answer: Answer) -> None:
        """Keep what there is of an unfinished turn's answer, for the case of a crash."""
        self._set(turn, answer, finished=False)

    def finish(self, turn: int, answer: Answer) -> None:
        """Complete a turn that `begin` began; nothing happens if it has been removed since."""
        self._set(turn, answer, finished=True)

    def replace_last(self, id: str, answer: Answer) -> None:
        """Put another whole turn in the place of the last one."""
        with self._database.write() as db:
            last = db.scalar(sa.select(sa.func.max(_turn.c.place)).where(_turn.c.conversation == id))
            if last is not None:
                self._cut(db, id, last)
            self._append(db, id, answer.question, answer, finished=True)

    def truncate(self, id: str, keep: int) -> None:
        """Remove all turns after the first `keep`."""
        with self._database.write() as db:
            self._cut(db, id, keep)

    def export_markdown(self, id: str) -> str:
        """A conversation as Markdown: questions, answers, the quotes behind them, the settings used."""
        found = self.get(id)
        if found is None:
            raise BadRequest("This conversation no longer exists.")
        return markdown(found.title, found.created, self.records(id))

    def _change(self, id: str, **values: Any) -> None:
        with self._database.write() as db:
            if not db.execute(_conversation.update().where(_conversation.c.id == id).values(values)).rowcount:
                raise BadRequest("This conversation no longer exists.")

    def _append(self, db: sa.Connection, id: str, question: str, answer: Answer, finished: bool) -> int:
        now = time.time()
        last = db.scalar(sa.select(sa.func.max(_turn.c.place)).where(_turn.c.conversation == id))
        done = db.execute(
            _turn.insert().values(
                conversation=id,
                place=0 if last is None else last + 1,
                question=encodable(question),
                answer=stored(answer),
                finished=finished,
                created=now,
            )
        )
        this = _conversation.c.id == id
        db.execute(_conversation.update().where(this).values(updated=now))
        title = shortened(clean_title(question))
        db.execute(_conversation.update().where(this, _conversation.c.title == "").values(title=title))
        key = done.inserted_primary_key
        assert key is not None
        return int(key[0])

    def _set(self, turn: int, answer: Answer, finished: bool) -> None:
        values = {"answer": stored(answer), "finished": finished}
        with self._database.write() as db:
            db.execute(_turn.update().where(_turn.c.id == turn).values(values))

    def _cut(self, db: sa.Connection, id: str, keep: int) -> None:
        of_it = _turn.c.conversation == id
        places = sa.select(_turn.c.place).where(of_it).order_by(_turn.c.place).offset(max(0, keep)).limit(1)
        first = db.scalar(places)
        if first is not None:
            db.execute(_turn.delete().where(of_it, _turn.c.place >= first))


def history(answers: Iterable[Answer]) -> tuple[Turn, ...]:
    """Earlier answers as the history of the next question; those without any text are left out."""
    return tuple(
        Turn(a.question, a.answer, tuple(c.passage_id for c in a.citations)) for a in answers if a.answer
    )


def _record(row: Any) -> Record:
    answer = restored(row.answer, row.question)
    if answer is None:
        return Record(row.id, Answer(row.question, GREEDY, stage="done"), "unreadable", row.created)
    return Record(row.id, answer, "whole" if row.finished else "unfinished", row.created)
