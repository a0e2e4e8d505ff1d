"""What was said in earlier conversations, found again by its meaning.

Each message of a finished turn, the student's question and the tutor's answer, has a row with its
vector, owner, conversation, time, role and course, beside the turns themselves. The rows are the truth:
they are written in transactions, they go when their turn goes, and what lacks one is embedded when it is
next looked for. Stores (rag/memory_stores.py) hold copies to search in.

A vector in a row costs 1.5 kB and a search reads an owner's once; in return nothing can be out of step
after a crash, a copy of the database is whole, and several processes see the same memory. What is not
here: prompts. Nothing found here is ever shown to a language model.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa

from ingest.errors import BadRequest
from ingest.types import Encoder
from rag.database import Database, metadata, restored
from rag.database import conversations as _conversation
from rag.database import turns as _turn
from rag.followup import own_words
from rag.memory_stores import Entry, Span, Store, forget_in, opened
from rag.sessions import history
from rag.types import Answer, Turn

BATCH = 64  # turns embedded and written at a time
AT_ONCE = 256  # turns that a search embeds before it looks; more are left to `catch_up`
LONGEST = 4000  # characters of a message that are embedded; the encoder reads fewer

Role = Literal["student", "tutor"]

messages = sa.Table(
    "message",
    metadata,
    # Random, so that no id is ever given twice: stores know messages by nothing else.
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("turn", sa.ForeignKey("turn.id", ondelete="CASCADE"), nullable=False),
    sa.Column("role", sa.String(8), nullable=False),
    sa.Column("owner", sa.String(32), nullable=False, index=True),
    sa.Column("conversation", sa.String(32), nullable=False),
    sa.Column("course", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),  # float32, little-endian, length 1
    sa.UniqueConstraint("turn", "role", "encoder"),
)
_message = messages


@dataclass(frozen=True, slots=True)
class Found:
    """A turn of an earlier conversation."""

    conversation: str
    title: str
    turn: int  # its id
    place: int  # 0-based, among the turns of its conversation
    answer: Answer  # with its question
    whole: bool  # its answer arrived whole
    created: float  # seconds since 1970
    role: Role  # which of its messages was found
    score: float  # cosine of what was looked for with that message, -1..1


class Memory:
    """The messages in one database. Safe to share between threads and between processes."""

    def __init__(
        self, database: Database, encoder: Encoder, course: str = "", folder: Path | None = None
    ) -> None:
        """`encoder` is the notes' own; `course` is what messages embedded here are said to be about.

        `folder` is the notes' index: where Milvus has its vectors, Milvus searches messages too.
        """
        self._database = database
        self._encoder = encoder
        self._course = course
        self._folder = folder
        self._opened: Store | None = None
        self._lock = threading.RLock()

    def catch_up(self, owner: str | None = None, at_most: int | None = None) -> int:
        """Embed the finished turns that have no vectors yet, the newest first; how many there were.

        Without `owner`, those of everybody. Raises SessionsUnusable, ModelUnusable.
        """
        done = 0
        failed = 0
        while at_most is None or done < at_most:
            some = self._lacking(owner, min(BATCH, at_most - done) if at_most is not None else BATCH)
            if not some:
                break
            try:
                self._embed(some)
                done += len(some)
            except BadRequest:  # deleted, or embedded by another process, in this moment
                failed += 1
                if failed > 5:
                    break
        return done

    def search(
        self,
        owner: str,
        text: str,
        k: int = 20,
        since: float | None = None,
        until: float | None = None,
        role: Role | None = None,
    ) -> tuple[Found, ...]:
        """The owner's turns nearest to `text` in meaning, the nearest first, at most k.

        A turn comes once, by its nearer message. Deleted conversations never come. Raises
        SessionsUnusable, ModelUnusable, and IndexUnusable where Milvus cannot answer.
        """
        self.catch_up(owner, AT_ONCE)
        vector = self._encoder.encode([text[:LONGEST]])[0]
        span = Span(since, until, role)
        with self._lock:
            self._align(owner)
            near = self._store().search(owner, vector, 2 * k if role is None else k, span)
        return self._turns_of(owner, near, span)[:k]

    def between(
        self, owner: str, since: float | None = None, until: float | None = None, limit: int = 20
    ) -> tuple[Found, ...]:
        """The owner's turns asked from `since` to before `until` (seconds since 1970), the newest first."""
        query = _turns(owner).order_by(_turn.c.created.desc(), _turn.c.id.desc()).limit(limit)
        query = query if since is None else query.where(_turn.c.created >= since)
        query = query if until is None else query.where(_turn.c.created < until)
        with self._database.read() as db:
            found = [_found(row, "student", 1.0) for row in db.execute(query)]
        return tuple(one for one in found if one is not None)

    def earlier(self, found: Found) -> tuple[Turn, ...]:
        """What was said in its conversation before a turn."""
        query = sa.select(_turn).where(_turn.c.conversation == found.conversation).order_by(_turn.c.place)
        with self._database.read() as db:
            rows = db.execute(query.limit(found.place)).all()
        answers = (restored(row.answer, row.question) for row in rows)
        return history(answer for answer in answers if answer is not None)

    # In line with the rows

    def _store(self) -> Store:
        if self._opened is None:
            self._opened = opened(self._folder, self._encoder.name, self._encoder.dimension)
        return self._opened

    def _align(self, owner: str) -> None:
        """Make the store hold what the rows hold of the owner's: no more, no less."""
        query = (
            sa.select(_message.c.id)
            .join(_turn, _turn.c.id == _message.c.turn)
            .join(_conversation, _conversation.c.id == _turn.c.conversation)
            .where(_message.c.encoder == self._encoder.name, *_owned(owner))
        )
        with self._database.read() as db:
            wanted = set(db.scalars(query).all())
        store = self._store()
        held = store.held(owner)
        if held - wanted:
            store.drop(owner, held - wanted)
        missing = sorted(wanted - held)
        for at in range(0, len(missing), 500):
            with self._database.read() as db:
                rows = db.execute(sa.select(_message).where(_message.c.id.in_(missing[at : at + 500]))).all()
            size = 4 * self._encoder.dimension
            rows = [row for row in rows if len(row.vector) == size]  # a damaged one is no vector
            if rows:
                vectors = np.stack([np.frombuffer(row.vector, "<f4") for row in rows])
                store.add(owner, [_entry(row) for row in rows], vectors)

    def _lacking(self, owner: str | None, limit: int) -> Sequence[Any]:
        has = sa.select(_message.c.turn).where(
            _message.c.turn == _turn.c.id,
            _message.c.role == "student",
            _message.c.encoder == self._encoder.name,
        )
        query = (
            sa.select(_turn, _conversation.c.owner)
            .join(_conversation, _conversation.c.id == _turn.c.conversation)
            .where(_turn.c.finished, _conversation.c.deleted.is_(None), ~has.exists())
            .order_by(_turn.c.id.desc())
            .limit(limit)
        )
        if owner is not None:
            query = query.where(_conversation.c.owner == owner)
        with self._database.read() as db:
            return db.execute(query).all()

    def _embed(self, rows: Sequence[Any]) -> None:
        said: list[tuple[Any, Role, str]] = []
        for row in rows:
            said.append((row, "student", row.question))
            answer = restored(row.answer, row.question)
            if answer is not None and answer.answer.strip():
                said.append((row, "tutor", own_words(answer.answer)))
        vectors = self._encoder.encode([text[:LONGEST] for _, _, text in said]).astype("<f4")
        with self._database.write() as db:
            there = set(db.scalars(sa.select(_turn.c.id).where(_turn.c.id.in_([row.id for row in rows]))))
            values = [
                {
                    "id": secrets.randbits(62),
                    "turn": row.id,
                    "role": role,
                    "owner": row.owner,
                    "conversation": row.conversation,
                    "course": self._course,
                    "created": row.created,
                    "encoder": self._encoder.name,
                    "vector": vector.tobytes(),
                }
                for (row, role, _), vector in zip(said, vectors, strict=True)
                if row.id in there
            ]
            if values:
                db.execute(_message.insert(), values)

    def _turns_of(self, owner: str, near: Sequence[tuple[int, float]], span: Span) -> tuple[Found, ...]:
        """The turns of these messages, as the rows have them now: the store is not taken at its word."""
        query = _turns(owner).add_columns(_message.c.id.label("message"), _message.c.role)
        query = query.join(_message, _message.c.turn == _turn.c.id)
        with self._database.read() as db:
            rows = {r.message: r for r in db.execute(query.where(_message.c.id.in_([id for id, _ in near])))}
        found: dict[int, Found] = {}
        for id, score in near:
            row = rows.get(id)
            if row is None or row.id in found or (span.role is not None and row.role != span.role):
                continue
            one = _found(row, row.role, score)
            if one is not None:
                found[row.id] = one
        return tuple(found.values())


def forget(database: Database, owner: str, folder: Path | None = None) -> int:
    """Remove every vector of the owner's messages, in the rows and in the Milvus of the index in `folder`.

    Returns how many rows went; stores in memory follow the rows. Raises SessionsUnusable, IndexUnusable.
    """
    forget_in(folder, owner)
    with database.write() as db:
        return int(db.execute(_message.delete().where(_message.c.owner == owner)).rowcount)


def _owned(owner: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _conversation.c.owner == owner, _conversation.c.deleted.is_(None)


def _turns(owner: str) -> sa.Select[Any]:
    """The owner's turns, with their places and conversations."""
    before = _turn.alias()
    place = (
        sa.select(sa.func.count())
        .where(before.c.conversation == _turn.c.conversation, before.c.place < _turn.c.place)
        .scalar_subquery()
    )
    return (
        sa.select(_turn, place.label("number"), _conversation.c.title)
        .join(_conversation, _conversation.c.id == _turn.c.conversation)
        .where(*_owned(owner))
    )


def _found(row: Any, role: Role, score: float) -> Found | None:
    answer = restored(row.answer, row.question)
    if answer is None:
        return None
    whole = bool(row.finished)
    return Found(row.conversation, row.title, row.id, row.number, answer, whole, row.created, role, score)


def _entry(row: Any) -> Entry:
    return Entry(row.id, row.turn, row.conversation, row.role, row.course, row.created)
