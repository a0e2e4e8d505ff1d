"""Thumbs up and down on answers, with a reason, kept with the answer they are about.

Beside the conversations, in the same database (rag/database.py). A verdict keeps a copy of the
question and the answer as they were, so it still says what was wrong after the answer was written
again. It goes when its conversation goes. What is not here: the cases made from verdicts
(rag/regression.py), and what they add up to (rag/gaps.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import sqlalchemy as sa

from ingest.errors import BadRequest
from rag.database import Database, encodable, opened, restored
from rag.database import conversations as _conversation
from rag.database import feedback as _feedback
from rag.database import turns as _turn
from rag.decoding import GREEDY
from rag.types import Answer

REASONS = ("wrong", "not in the notes", "wrong page", "unclear")
LONGEST = 2000  # characters of a comment

Thumb = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reader thought of an answer."""

    verdict: Thumb
    reason: str  # one of REASONS, or ''
    comment: str
    when: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Rated:
    """A verdict with its evidence: the answer as it was when it was given."""

    verdict: Verdict
    conversation: str
    answer: Answer  # only its question where the copy is damaged


class Feedback:
    """One owner's verdicts in a database. Safe to share between threads and between processes."""

    def __init__(self, database: str | Path | Database, owner: str = "") -> None:
        """Open or make the database. Raises SessionsUnusable where it cannot be.

        `owner` is a person's id, '' on a machine without accounts; see rag/sessions.py.
        """
        self._database = opened(database)
        self.owner = owner

    def of(self, owner: str) -> Feedback:
        """The verdicts of another owner in the same database."""
        return Feedback(self._database, owner)

    def close(self) -> None:
        """Let go of the database's connections; a later call opens new ones."""
        self._database.close()

    def set(
        self, conversation: str, place: int, verdict: Thumb | None, reason: str = "", comment: str = ""
    ) -> None:
        """Give a verdict on the answer at `place` (0-based) of a conversation, or take it back with None.

        One verdict an answer: a later one replaces it. Raises BadRequest where there is no such
        answer, or the reason is none of REASONS.
        """
        if reason not in ("", *REASONS):
            raise BadRequest(f"The reason {reason[:40]!r} is unknown: choose one of {', '.join(REASONS)}.")
        comment = encodable(" ".join(comment.split()))
        if len(comment) > LONGEST:
            raise BadRequest(f"A comment may have {LONGEST:,} characters, not {len(comment):,}: shorten it.")
        at = sa.select(_turn).where(self._mine(_turn.c.conversation, conversation), _turn.c.place == place)
        with self._database.write() as db:
            turn = db.execute(at).first()
            if turn is None:
                raise BadRequest("This answer no longer exists.")
            db.execute(_feedback.delete().where(_feedback.c.turn == turn.id))
            if verdict is None:
                return
            db.execute(
                _feedback.insert().values(
                    conversation=conversation,
                    turn=turn.id,
                    verdict=verdict,
                    reason=reason,
                    comment=comment,
                    question=turn.question,
                    answer=turn.answer,
                    created=time.time(),
                )
            )

    def get(self, conversation: str) -> dict[int, Verdict]:
        """The verdicts on the answers that a conversation has now, by their 0-based places."""
        query = (
            sa.select(_feedback, _turn.c.place)
            .join(_turn, _turn.c.id == _feedback.c.turn)
            .where(self._mine(_feedback.c.conversation, conversation))
            .order_by(_turn.c.place)
        )
        with self._database.read() as db:
            return {row.place: _verdict(row) for row in db.execute(query)}

    def all(self, since: float = 0.0, until: float | None = None) -> tuple[Rated, ...]:
        """Everyone's verdicts given from `since` to before `until` (seconds since 1970), the oldest first.

        Answers that were written again are among them, conversations that were deleted are not.
        """
        query = (
            sa.select(_feedback)
            .join(_conversation, _conversation.c.id == _feedback.c.conversation)
            .where(_conversation.c.deleted.is_(None), _feedback.c.created >= since)
            .order_by(_feedback.c.created, _feedback.c.id)
        )
        if until is not None:
            query = query.where(_feedback.c.created < until)
        with self._database.read() as db:
            return tuple(_rated(row) for row in db.execute(query))

    def _mine(self, column: sa.Column[Any], id: str) -> sa.ColumnElement[bool]:
        its = sa.select(_conversation.c.id).where(_conversation.c.owner == self.owner)
        return column.in_(its.where(_conversation.c.id == id))


def _verdict(row: Any) -> Verdict:
    return Verdict(cast(Thumb, row.verdict), row.reason, row.comment, row.created)


def _rated(row: Any) -> Rated:
    answer = restored(row.answer, row.question) or Answer(row.question, GREEDY, stage="done")
    return Rated(_verdict(row), row.conversation, answer)
