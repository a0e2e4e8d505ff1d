"""Conversations, kept as SQL rows in rag/database.py.

A turn is committed before the call that wrote it returns. A turn whose answer has not arrived
whole is there too, unfinished: whoever reads it after a crash sees it as cut off. All that is asked
of the database is asked for one owner: what is another's does not exist. What is not here: who the
owners are (rag/people.py), and search by meaning (rag/memory.py).
"""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from ingest.errors import BadRequest
from rag.database import GONE, Database, encodable, opened, restored, stored
from rag.database import conversations as _conversation
from rag.database import turns as _turn
from rag.decoding import GREEDY
from rag.retention import sweep
from rag.transcript import clean_title, markdown, shortened
from rag.types import Answer, Turn
from rag.wordsearch import folded, holds, said, words

WENT_ON = "This conversation went on in another tab: here it is as it is now. Nothing was changed."
State = Literal["whole", "unfinished", "unreadable"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of the list of conversations; times are seconds since 1970."""

    id: str
    title: str
    created: float
    updated: float
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A turn as it rests: its answer and whether that arrived whole."""

    id: int
    answer: Answer  # of an unreadable turn, only the question
    state: State
    created: float


class Sessions:
    """One owner's conversations in a database. Safe to share between threads and between processes."""

    def __init__(self, database: str | Path | Database, owner: str = "") -> None:
        """Open or make the database, and forget what is too old to be kept (rag/retention.py).

        `owner` is a person's id, '' on a machine without accounts.
        """
        self.database = opened(database)
        self.owner = owner
        self.url_or_path = self.database.url_or_path
        sweep(self.database)

    def of(self, owner: str) -> Sessions:
        """The conversations of another owner in the same database."""
        other = copy.copy(self)
        other.owner = owner
        return other

    def close(self) -> None:
        """Let go of the database's connections; a later call opens new ones."""
        self.database.close()

    # The list

    def create(self, title: str = "") -> str:
        """A new, empty conversation's id. Without a title it gets one from its first question."""
        made = uuid.uuid4().hex
        now = time.time()
        values = {"id": made, "created": now, "updated": now, "owner": self.owner, "pinned": False}
        with self.database.write() as db:
            db.execute(_conversation.insert().values(values | _titled(clean_title(title))))
        return made

    def list(self, limit: int | None = None, offset: int = 0, search: str = "") -> tuple[Conversation, ...]:
        """The conversations that are not deleted, pinned ones first, then the one used last.

        With `search`, those that hold all its words, in their titles, questions or answers.
        """
        table = _conversation.c
        query = self._listed().order_by(table.pinned.desc(), table.updated.desc(), table.id)
        for word in words(search):
            inside = sa.exists().where(_turn.c.conversation == table.id, holds(_turn.c.folded, word))
            query = query.where(holds(table.folded, word) | inside)
        with self.database.read() as db:
            return tuple(Conversation(*row) for row in db.execute(query.limit(limit).offset(offset)))

    def get(self, id: str) -> Conversation | None:
        """One conversation, or None where there is none of that id or it is deleted."""
        with self.database.read() as db:
            row = db.execute(self._listed().where(_conversation.c.id == id)).first()
        return Conversation(*row) if row else None

    def rename(self, id: str, title: str) -> None:
        """Give a conversation another title."""
        title = clean_title(title)
        if not title:
            raise BadRequest("A conversation needs a name of at least one letter.")
        self._change(id, **_titled(title))

    def pin(self, id: str, pinned: bool = True) -> None:
        """Keep a conversation at the top of the list, or no longer."""
        self._change(id, pinned=pinned)

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
        mine = _turn.c.conversation.in_(self._ids(id))
        query = sa.select(_turn).where(mine).order_by(_turn.c.place)
        with self.database.read() as db:
            return tuple(_record(row) for row in db.execute(query))

    def add(self, id: str, answer: Answer) -> None:
        """Append a whole turn."""
        with self.database.write() as db:
            self._append(db, id, answer.question, answer, finished=True)

    def begin(self, id: str, question: str, keep: int | None = None, seen: float | None = None) -> int:
        """Append a question whose answer is to come, and return its turn's id.

        With `keep`, all turns after the first `keep` make way for it in the same transaction. Raises
        BadRequest where the last one is not that of the time `seen`: it went on in another tab.
        """
        with self.database.write() as db:
            if keep is not None:
                self._cut(db, id, keep, seen)
            return self._append(db, id, question, Answer(question, GREEDY), finished=False)

    def progress(self, turn: int, answer: Answer) -> None:
        """Keep what there is of an unfinished turn's answer, for the case of a crash."""
        self._set(turn, answer, finished=False)

    def finish(self, turn: int, answer: Answer) -> None:
        """Complete a turn that `begin` began; nothing happens if it has been removed since."""
        self._set(turn, answer, finished=True)

    def replace_last(self, id: str, answer: Answer) -> None:
        """Put another whole turn in the place of the last one."""
        with self.database.write() as db:
            last = self._last(db, id)
            if last is not None:
                self._cut(db, id, last)
            self._append(db, id, answer.question, answer, finished=True)

    def truncate(self, id: str, keep: int, seen: float | None = None) -> None:
        """Remove all turns after the first `keep`; for `seen` see `begin`."""
        with self.database.write() as db:
            self._cut(db, id, keep, seen)

    def export_markdown(self, id: str) -> str:
        """A conversation as Markdown: questions, answers, the quotes behind them, the settings used."""
        found = self.get(id)
        if found is None:
            raise BadRequest(GONE)
        return markdown(found.title, found.created, self.records(id))

    def _listed(self) -> sa.Select[Any]:
        table = _conversation.c
        query = sa.select(table.id, table.title, table.created, table.updated, table.pinned)
        return query.where(table.owner == self.owner, table.deleted.is_(None))

    def _ids(self, id: str | None = None) -> sa.Select[Any]:
        """The ids of the owner's conversations: of all of them, or at most of one."""
        query = sa.select(_conversation.c.id).where(_conversation.c.owner == self.owner)
        return query if id is None else query.where(_conversation.c.id == id)

    def _change(self, id: str, **values: Any) -> None:
        this = (_conversation.c.id == id) & (_conversation.c.owner == self.owner)
        with self.database.write() as db:
            if not db.execute(_conversation.update().where(this).values(values)).rowcount:
                raise BadRequest(GONE)

    def _last(self, db: sa.Connection, id: str) -> int | None:
        """The last turn's place. Of two writers to a conversation the second waits here for the first."""
        if db.scalar(self._ids(id).with_for_update()) is None:
            raise BadRequest(GONE)
        return db.scalar(sa.select(sa.func.max(_turn.c.place)).where(_turn.c.conversation == id))

    def number(self, db: sa.Connection) -> dict[str, int]:
        """A turn's number where the database would give that of one removed since to another.

        Whoever still writes the removed one's answer must not write it there.
        """
        if self.database.kind != "sqlite":
            return {}
        return {"id": max(time.time_ns() // 1000, 1 + (db.scalar(sa.select(sa.func.max(_turn.c.id))) or 0))}

    def _append(self, db: sa.Connection, id: str, question: str, answer: Answer, finished: bool) -> int:
        now = time.time()
        last = self._last(db, id)
        done = db.execute(
            _turn.insert().values(
                **self.number(db),
                conversation=id,
                place=0 if last is None else last + 1,
                question=encodable(question),
                answer=stored(answer),
                finished=finished,
                created=now,
                folded=said(question, answer.answer),
            )
        )
        this = _conversation.c.id == id
        db.execute(_conversation.update().where(this).values(updated=now))
        title = _titled(shortened(clean_title(question)))
        db.execute(_conversation.update().where(this, _conversation.c.title == "").values(title))
        key = done.inserted_primary_key
        assert key is not None
        return int(key[0])

    def _set(self, turn: int, answer: Answer, finished: bool) -> None:
        values = {
            "answer": stored(answer),
            "finished": finished,
            "folded": said(answer.question, answer.answer),
        }
        this = (_turn.c.id == turn) & _turn.c.conversation.in_(self._ids())
        if not finished:
            this &= _turn.c.finished.is_(False)  # what comes late takes nothing away
        with self.database.write() as db:
            db.execute(_turn.update().where(this).values(values))

    def _cut(self, db: sa.Connection, id: str, keep: int, seen: float | None = None) -> None:
        of_it = _turn.c.conversation.in_(self._ids(id))
        last = sa.select(_turn.c.created).where(of_it).order_by(_turn.c.place.desc()).limit(1)
        if seen is not None and db.scalar(last) != seen:
            raise BadRequest(WENT_ON)
        places = sa.select(_turn.c.place).where(of_it).order_by(_turn.c.place).offset(max(0, keep)).limit(1)
        first = db.scalar(places)
        if first is not None:
            db.execute(_turn.delete().where(of_it, _turn.c.place >= first))


def history(answers: Iterable[Answer]) -> tuple[Turn, ...]:
    """Earlier answers as the history of the next question; those without any text are left out."""
    return tuple(
        Turn(a.question, a.answer, tuple(c.passage_id for c in a.citations)) for a in answers if a.answer
    )


def _titled(title: str) -> dict[str, str]:
    title = encodable(title)
    return {"title": title, "folded": folded(title)}


def _record(row: Any) -> Record:
    answer = restored(row.answer, row.question)
    if answer is None:
        return Record(row.id, Answer(row.question, GREEDY, stage="done"), "unreadable", row.created)
    return Record(row.id, answer, "whole" if row.finished else "unfinished", row.created)
