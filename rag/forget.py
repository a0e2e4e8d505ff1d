"""All that is kept of one person: given out as JSON, or deleted so that it is nowhere in the files.

The local log keeps no names (rag/journal.py); its lines are a person's where they hold a question of
theirs and the time it was asked. What is not here: the account itself (rag/people.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from rag.archive import archived
from rag.database import Database, api_keys, encodable
from rag.database import conversations as _conversation
from rag.database import feedback as _feedback
from rag.database import turns as _turn
from rag.items.tables import attempts as _attempt
from rag.items.tables import cards as _card
from rag.items.tables import quizzes as _quiz
from rag.items.tables import responses as _response
from rag.journal import LONGEST, Entry, Journal
from rag.sessions import Sessions

FORMAT = "unitutor-person"
WINDOW = 3600.0  # seconds after a question within which its answer was logged

Count = Callable[[str], int]  # removes what an owner left elsewhere, and says how much that was


def everything(database: Database, owner: str, journal: Journal | None = None) -> dict[str, Any]:
    """All that is kept of an owner, as plain JSON values; `conversations` can be imported again.

    Not in it: what follows from the rest (vectors), and what is secret (hashes of passwords and keys).
    Conversations that were deleted less than a day ago are among them.
    """
    sessions = Sessions(database, owner)
    mine = _logged_by(database, owner)
    with database.read() as db:
        tried = [_values(row) for row in db.execute(sa.select(_attempt).where(_attempt.c.student == owner))]
        for one in tried:
            answered = sa.select(_response).where(_response.c.attempt == one["id"])
            one["responses"] = [_values(row) for row in db.execute(answered.order_by(_response.c.place))]
            one["items"] = [json.loads(item) for item in json.loads(one["items"])]
        made = [_values(row) for row in db.execute(sa.select(_quiz).where(_quiz.c.student == owner))]
        due = [_values(row) for row in db.execute(sa.select(_card).where(_card.c.student == owner))]
        shown = [column for column in api_keys.c if column.name != "hashed"]
        keys = [_values(row) for row in db.execute(sa.select(*shown).where(api_keys.c.owner == owner))]
    lines = [] if journal is None else [one for one in journal.entries() if mine(one)]
    return {
        "format": FORMAT,
        "version": 1,
        "written": time.time(),
        "conversations": archived(sessions),
        "deleted_conversations": archived(sessions, deleted=True),
        "attempts": tried,
        "quizzes": made,
        "due_again": due,
        "api_keys": keys,
        "log": [{"when": one.when, "question": one.question, "refused": one.refused} for one in lines],
    }


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went."""

    counts: dict[str, int]  # by what it was, in words: 'conversations', 'turns', …
    scrubbed: bool  # the database's files were written anew, without it: see Database.scrub


def forget(
    database: Database,
    owner: str,
    journal: Journal | None = None,
    by_key: Callable[[Collection[str]], int] | None = None,
    elsewhere: Mapping[str, Count] | None = None,
) -> Forgotten:
    """Delete all that is kept of an owner, and say how much of what that was.

    `by_key` removes log lines of API keys, by their ids; `elsewhere` names what else is removed, and
    by what. The logs go first: if this is cut short, the rows still tell which lines were theirs, and
    running it again finishes it.
    """
    mine = _logged_by(database, owner)
    counts = {} if journal is None else {"lines of the log": journal.remove(mine)}
    with database.read() as db:
        keys = set(db.scalars(sa.select(api_keys.c.id).where(api_keys.c.owner == owner)))
    if by_key is not None:
        counts["lines of the request log"] = by_key(keys) if keys else 0
    for name, remove in (elsewhere or {}).items():
        counts[name] = remove(owner)
    talks = sa.select(_conversation.c.id).where(_conversation.c.owner == owner)
    taken = sa.select(_attempt.c.id).where(_attempt.c.student == owner)
    parts = [
        ("thumbs", _feedback, _feedback.c.conversation.in_(talks)),
        ("turns", _turn, _turn.c.conversation.in_(talks)),
        ("conversations", _conversation, _conversation.c.owner == owner),
        ("answers in quizzes", _response, _response.c.attempt.in_(taken)),
        ("attempts at quizzes", _attempt, _attempt.c.student == owner),
        ("quizzes", _quiz, _quiz.c.student == owner),
        ("questions due again", _card, _card.c.student == owner),
        ("API keys", api_keys, api_keys.c.owner == owner),
    ]
    with database.write() as db:
        vectors = sa.Table("message", sa.MetaData(), sa.Column("owner", sa.String(32)))  # rag/memory.py
        gone = db.execute(vectors.delete().where(vectors.c.owner == owner)).rowcount
        counts["vectors of messages"] = counts.get("vectors of messages", 0) + int(gone)
        for name, table, which in parts:  # what is part of a row before the row
            counts[name] = int(db.execute(table.delete().where(which)).rowcount)
    return Forgotten(counts, database.scrub())


def _logged_by(database: Database, owner: str) -> Callable[[Entry], bool]:
    """Whether a line of the log holds a question of the owner's, at the time it was asked."""
    asked: dict[str, list[float]] = {}
    mine = sa.select(_conversation.c.id).where(_conversation.c.owner == owner)
    with database.read() as db:
        for table in (_turn, _feedback):
            query = sa.select(table.c.question, table.c.created).where(table.c.conversation.in_(mine))
            for question, when in db.execute(query):
                asked.setdefault(encodable(question)[:LONGEST], []).append(when)

    def theirs(line: Entry) -> bool:
        times = asked.get(encodable(line.question)[:LONGEST], ())
        return any(when - WINDOW <= line.when <= when + WINDOW for when in times)

    return theirs


def _values(row: Any) -> dict[str, Any]:
    return dict(row._mapping)
