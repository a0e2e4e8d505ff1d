"""The database that conversations and what was said of their answers rest in: its tables, how it is reached.

SQLite in WAL mode, or any database SQLAlchemy reaches by URL. What is committed is on the disk. What
is not here: what the rows mean (rag/sessions.py, rag/feedback.py), the tables of quizzes
(rag/items/tables.py), and migrations; a database made by a newer version is refused. A table more is
no new version: older programs leave it alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ingest.errors import BadRequest, UnitutorError
from rag.types import Answer, from_json, to_json

VERSION = 1

metadata = sa.MetaData()
_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, nullable=False))
conversations = sa.Table(
    "conversation",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("updated", sa.Double, nullable=False, index=True),
    sa.Column("deleted", sa.Double, nullable=True),
)
turns = sa.Table(
    "turn",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("conversation", sa.ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.UniqueConstraint("conversation", "place"),
)
# What is said of an answer outlives an answer that another takes the place of, but not its conversation.
feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column(
        "conversation", sa.ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("turn", sa.ForeignKey("turn.id", ondelete="SET NULL"), nullable=True, unique=True),
    sa.Column("verdict", sa.String(8), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False, index=True),
)


class SessionsUnusable(UnitutorError):
    """Conversations that cannot be read or written."""


class Database:
    """The rows in one database. Safe to share between threads and between processes."""

    def __init__(self, url_or_path: str | Path) -> None:
        """Open or make it. Raises SessionsUnusable where that fails or a newer version wrote it."""
        text = str(url_or_path)
        if "://" not in text:
            try:
                Path(text).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SessionsUnusable(f"Cannot keep conversations in {text}: {error.strerror}.") from error
        self._where = "the database" if "://" in text else text
        url = text if "://" in text else sa.URL.create("sqlite", database=text)
        self._engine = sa.create_engine(url)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _sqlite_connect)
            sa.event.listen(self._engine, "begin", _sqlite_begin)
        with self.write() as db:
            metadata.create_all(db)
            found = db.scalar(sa.select(_version.c.version))
            if found is None:
                db.execute(_version.insert().values(version=VERSION))
            elif found > VERSION:
                raise SessionsUnusable(
                    f"The conversations in {self._where} were written by a newer Unitutor "
                    f"(version {found}, this one reads {VERSION}): update Unitutor, or move the file away."
                )

    def close(self) -> None:
        """Let go of the connections; a later call opens new ones."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection to read with. Raises SessionsUnusable where that fails."""
        try:
            with self._engine.connect() as db:
                yield db
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._unusable(error, "read") from error

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction. Raises BadRequest if its conversation is gone, SessionsUnusable if it fails."""
        try:
            with self._engine.connect().execution_options(writes=True) as db, db.begin():
                yield db
        except IntegrityError as error:
            raise BadRequest("This conversation no longer exists.") from error
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._unusable(error, "written") from error

    def _unusable(self, error: Exception, done: str) -> SessionsUnusable:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        return SessionsUnusable(f"The conversations in {self._where} cannot be {done}: {reason}.")


def stored(answer: Answer) -> str:
    """An answer as it is kept in a row."""
    return encodable(json.dumps(to_json(answer), ensure_ascii=False))


def restored(text: str, question: str) -> Answer | None:
    """The answer to `question` that `stored` gave `text` for; None where the text is damaged."""
    try:
        answer = replace(from_json(json.loads(text)), question=question)
        for part in (answer.answer, *(c.text for c in answer.citations), *(s.text for s in answer.sentences)):
            part.encode()  # a number or null in the place of text fails here and not in the page
    except (ValueError, TypeError, KeyError, AttributeError, BadRequest):
        return None
    return answer


def encodable(text: str) -> str:
    """Text that can be stored: half a surrogate pair cannot."""
    return text.encode("utf-8", "replace").decode()


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_sqlite_begin` says, not later
    cursor = connection.cursor()
    # The order matters: a database that another process is opening must be waited for.
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(db: sa.Connection) -> None:
    # A writer takes the lock at once: one that reads first and then writes could be refused.
    db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get("writes") else "BEGIN")
