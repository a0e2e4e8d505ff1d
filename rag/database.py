"""The database that conversations, people and verdicts rest in: its tables, and how it is reached.

SQLite in WAL mode, or PostgreSQL by URL. What is committed is on the disk. A database is brought up to
these tables when it is opened (rag/migrate.py); one that a newer program made is refused. What is not
here: what the rows mean (rag/sessions.py, rag/feedback.py, rag/people.py, rag/apikeys.py), and the
tables of quizzes (rag/items/tables.py).
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
from rag import migrate
from rag.migrations import HEAD
from rag.types import Answer, from_json, to_json

metadata = sa.MetaData()
# The number of the newest step, for programs from before there were steps: they refuse what is above 1.
sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, nullable=False))
conversations = sa.Table(
    "conversation",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("updated", sa.Double, nullable=False, index=True),
    sa.Column("deleted", sa.Double, nullable=True),
    sa.Column("owner", sa.String(32), nullable=False, server_default="", index=True),
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("folded", sa.Text, nullable=False, server_default=""),  # the title, see rag/wordsearch.py
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
    sa.Column("folded", sa.Text, nullable=False, server_default=""),
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
# An owner or a student elsewhere is a person's id, or '' on a machine without accounts.
people = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("folded", sa.Text, nullable=False, unique=True),  # the name without case
    sa.Column("role", sa.String(16), nullable=False),  # 'student' or 'instructor'
    sa.Column("secret", sa.Text, nullable=False),  # '' for no password
    sa.Column("subject", sa.Text, nullable=False, index=True),  # '' or OpenID's issuer and subject
    sa.Column("created", sa.Double, nullable=False),
)
# A browser that is signed in, or on its way to be: see rag/signins.py.
signins = sa.Table(
    "signin",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # SHA-256 of what its cookie holds
    sa.Column("person", sa.String(32), nullable=False, index=True),  # '' before somebody is signed in
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("seen", sa.Double, nullable=False),
)
api_keys = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("owner", sa.String(32), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hashed", sa.String(64), nullable=False, unique=True),  # SHA-256 of the key
    sa.Column("scopes", sa.Text, nullable=False),  # separated by blanks
    sa.Column("per_minute", sa.Integer, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("used", sa.Double, nullable=True),
    sa.Column("revoked", sa.Double, nullable=True),
)
settings = sa.Table(
    "setting",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

GONE = "This conversation no longer exists."


class SessionsUnusable(UnitutorError):
    """Conversations that cannot be read or written."""


class Database:
    """The rows in one database. Safe to share between threads and between processes."""

    def __init__(self, url_or_path: str | Path) -> None:
        """Open or make it. Raises SessionsUnusable where that fails or a newer version wrote it."""
        self.url_or_path = url_or_path
        text = str(url_or_path)
        if "://" not in text:
            try:
                Path(text).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SessionsUnusable(f"Cannot keep conversations in {text}: {error.strerror}.") from error
        self._where = "the database" if "://" in text else text
        self._engine = _engine(text)
        with self.read() as db:
            found = migrate.version(db)
        if found < HEAD:
            with self.write() as db:
                migrate.alone(db)
                found = migrate.version(db)
                if found < HEAD:
                    migrate.upgrade(db)
        if found > HEAD:
            raise SessionsUnusable(
                f"The conversations in {self._where} were written by a newer Unitutor "
                f"(version {found}, this one reads {HEAD}): update Unitutor, or move the file away."
            )

    @property
    def kind(self) -> str:
        """'sqlite' or 'postgresql'."""
        return self._engine.dialect.name

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
    def write(self, conflict: str = GONE) -> Iterator[sa.Connection]:
        """A transaction. Raises BadRequest(conflict) where another row is in the way or one it needs is
        gone, SessionsUnusable if it fails.
        """
        try:
            with self._engine.connect().execution_options(writes=True) as db, db.begin():
                yield db
        except IntegrityError as error:
            raise BadRequest(conflict) from error
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._unusable(error, "written") from error

    def scrub(self) -> bool:
        """Write the files anew, without what was deleted, and say whether that was done.

        SQLite overwrites what is deleted anyway, in what programs without that left it is found here;
        another program that reads at this moment is in the way of it. On a PostgreSQL server copies
        stay in its log of writes until it has gone through that, and in backups.
        """
        try:
            if self.kind == "sqlite":
                return _sqlite_scrub(self._engine)
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
                db.exec_driver_sql("COMMIT")  # the look whether the server is there began a transaction
                db.execute(sa.text("SET lock_timeout = '10s'"))
                for table in sa.inspect(db).get_table_names():
                    db.execute(sa.text(f'VACUUM FULL "{table}"'))
                db.execute(sa.text("RESET lock_timeout"))
        except (SQLAlchemyError, sqlite3.Error):
            return False
        return True

    def _unusable(self, error: Exception, done: str) -> SessionsUnusable:
        reason = _reason(error)
        todo = next((todo for words, todo in _TODO if words in reason), "")
        return SessionsUnusable(f"The conversations in {self._where} cannot be {done}: {reason}{todo}.")


def opened(database: str | Path | Database) -> Database:
    """The database itself, or the one at this URL or path."""
    return database if isinstance(database, Database) else Database(database)


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
    """Text that can be stored: half a surrogate pair cannot, nor, on PostgreSQL, a NUL."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def _engine(text: str) -> sa.Engine:
    if "://" not in text:
        engine = sa.create_engine(sa.URL.create("sqlite", database=text))
    else:
        try:
            url = sa.make_url(text)
            if url.drivername in ("postgres", "postgresql"):
                url = url.set(drivername="postgresql+pg8000")
            engine = sa.create_engine(url, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise SessionsUnusable(
                f"This database needs {error.name}, which is not installed: pip install 'unitutor[postgres]'"
            ) from error
        except (SQLAlchemyError, ValueError) as error:
            raise SessionsUnusable(
                "This is no address of a database: write it as postgresql://NAME:PASSWORD@HOST/DATABASE"
            ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _sqlite_connect)
        sa.event.listen(engine, "begin", _sqlite_begin)
    return engine


# What can be done about SQLite's reasons, by words of them.
_TODO = (
    ("is locked", ": close the other program that holds it, or wait for it"),
    ("is full", ": make room on the disk"),
    ("disk I/O error", ": the disk may be full: make room on it"),
)


def _reason(error: Exception) -> str:
    """Why a database did not do what it was asked, in its own words."""
    found: Any = getattr(error, "orig", None) or error
    told = found.args[0] if found.args else ""
    if isinstance(told, dict):  # pg8000 gives the server's message as fields, 'M' the one to read
        told = told.get("M", "")
    return " ".join(str(told or found).split()).rstrip(".")


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_sqlite_begin` says, not later
    cursor = connection.cursor()
    # The order matters: a database that another process is opening must be waited for.
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
    cursor.close()


def _sqlite_scrub(engine: sa.Engine) -> bool:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        found = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # busy, frames, moved
        cursor.close()
    finally:
        connection.close()
    return not found[0]


def _sqlite_begin(db: sa.Connection) -> None:
    # A writer takes the lock at once: one that reads first and then writes could be refused.
    db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get("writes") else "BEGIN")
