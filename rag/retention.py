"""How long conversations are kept: until they are deleted, or so many days after they were last used.

An instructor sets the days; without, nothing goes by itself. What was deleted by hand is kept one more
day, so that it can be taken back. What is not here: what a person may have deleted (rag/forget.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ingest.errors import BadRequest, UnitutorError
from rag.database import Database, settings
from rag.database import conversations as _conversation
from rag.items.tables import attempts, cards, quizzes

if TYPE_CHECKING:
    from rag.journal import Journal

DAY = 24 * 60 * 60.0  # seconds; how long a deleted conversation can be restored
LONGEST = 36_500  # days
_NAME = "keep_days"


def kept_days(database: Database) -> int | None:
    """How many days conversations are kept after they were last used; None for until they are deleted."""
    with database.read() as db:
        return _days(db)


def keep_days(database: Database, days: int | None) -> None:
    """Set it. What is too old goes at the next `sweep`. Raises BadRequest for no such number of days."""
    if days is not None and not 1 <= days <= LONGEST:
        raise BadRequest(f"Conversations can be kept 1 to {LONGEST:,} days, or forever.")
    with database.write() as db:
        db.execute(settings.delete().where(settings.c.name == _NAME))
        if days is not None:
            db.execute(settings.insert().values(name=_NAME, value=str(days)))


def until(days: int) -> float:
    """Before when, in seconds since 1970, something is too old."""
    return time.time() - days * DAY


def sweep(database: Database) -> int:
    """Remove what is too old, whoever's it is, and say how many conversations that were.

    Too old are conversations by when they were last used, pinned ones too, with their feedback and
    vectors; quizzes and attempts by when they began; what is due again by when it was. Questions in
    the bank are the course's and stay.
    """
    with database.write() as db:
        table = _conversation.c
        old = table.deleted < until(1)
        days = _days(db)
        if days is not None:
            before = until(days)
            old |= table.updated < before
            db.execute(attempts.delete().where(attempts.c.started < before))
            db.execute(quizzes.delete().where(quizzes.c.made < before))
            db.execute(cards.delete().where(cards.c.due < before))
        gone = int(db.execute(_conversation.delete().where(old)).rowcount)
    return gone


def trim(journal: Journal, before: float) -> int:
    """Take the lines out of the log that are from before a time; how many. Raises CannotKeep."""
    return journal.remove(lambda line: line.when < before)


@contextmanager
def daily(database: Database, journal: Journal | None = None) -> Iterator[None]:
    """Sweep now and once a day, the log too, in a thread that ends with this."""
    stop = threading.Event()

    def go() -> None:
        while True:
            try:
                sweep(database)
                if journal is not None and (days := kept_days(database)) is not None:
                    trim(journal, until(days))
            except UnitutorError:
                pass  # a database that is busy or away: tomorrow again
            if stop.wait(DAY):
                return

    thread = threading.Thread(target=go, name="retention", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


def _days(db: sa.Connection) -> int | None:
    found = db.scalar(sa.select(settings.c.value).where(settings.c.name == _NAME))
    return int(found) if found is not None and found.isdecimal() else None
