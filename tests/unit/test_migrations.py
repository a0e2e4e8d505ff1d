"""A database is brought up to date at its opening, whole or not at all, and keeps what it held."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from setuptools import find_packages

import rag.items.tables
import rag.memory  # noqa: F401 - the tables of both belong to the metadata
from ingest.errors import UnitutorError
from rag import database as module
from rag import migrate
from rag.database import Database, metadata, stored
from rag.decoding import GREEDY
from rag.feedback import Feedback
from rag.items.attempts import Attempts
from rag.migrations import HEAD
from rag.sessions import Sessions
from rag.types import Answer

FOLDER = Path(migrate.__file__).parent / "migrations"

# A database as the last program without steps made it.
OLD = """
CREATE TABLE schema_version (
	version INTEGER NOT NULL
);
CREATE TABLE conversation (
	id VARCHAR(32) NOT NULL,
	title TEXT NOT NULL,
	created DOUBLE NOT NULL,
	updated DOUBLE NOT NULL,
	deleted DOUBLE,
	PRIMARY KEY (id)
);
CREATE INDEX ix_conversation_updated ON conversation (updated);
CREATE TABLE item (
	number INTEGER NOT NULL,
	id VARCHAR(16) NOT NULL,
	course TEXT NOT NULL,
	made DOUBLE NOT NULL,
	version INTEGER NOT NULL,
	content TEXT NOT NULL,
	state VARCHAR(8) NOT NULL,
	reason TEXT NOT NULL,
	changed DOUBLE NOT NULL,
	deleted DOUBLE,
	PRIMARY KEY (number),
	UNIQUE (id)
);
CREATE INDEX ix_item_state ON item (state);
CREATE TABLE item_past (
	number INTEGER NOT NULL,
	item VARCHAR(16) NOT NULL,
	version INTEGER NOT NULL,
	content TEXT NOT NULL,
	state VARCHAR(8) NOT NULL,
	reason TEXT NOT NULL,
	changed DOUBLE NOT NULL,
	deleted DOUBLE,
	PRIMARY KEY (number)
);
CREATE INDEX ix_item_past_item ON item_past (item);
CREATE TABLE quiz (
	id VARCHAR(32) NOT NULL,
	student TEXT NOT NULL,
	title TEXT NOT NULL,
	items TEXT NOT NULL,
	seed INTEGER NOT NULL,
	made DOUBLE NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX ix_quiz_student ON quiz (student);
CREATE TABLE attempt (
	id VARCHAR(32) NOT NULL,
	student TEXT NOT NULL,
	quiz VARCHAR(32) NOT NULL,
	title TEXT NOT NULL,
	items TEXT NOT NULL,
	orders TEXT NOT NULL,
	all_at_once BOOLEAN NOT NULL,
	at_the_end BOOLEAN NOT NULL,
	started DOUBLE NOT NULL,
	ended DOUBLE,
	PRIMARY KEY (id)
);
CREATE INDEX ix_attempt_quiz ON attempt (quiz);
CREATE INDEX ix_attempt_student ON attempt (student);
CREATE TABLE memory (
	student TEXT NOT NULL,
	item VARCHAR(16) NOT NULL,
	card TEXT NOT NULL,
	due DOUBLE NOT NULL,
	PRIMARY KEY (student, item)
);
CREATE TABLE turn (
	id INTEGER NOT NULL,
	conversation VARCHAR(32) NOT NULL,
	place INTEGER NOT NULL,
	question TEXT NOT NULL,
	answer TEXT NOT NULL,
	finished BOOLEAN NOT NULL,
	created DOUBLE NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (conversation, place),
	FOREIGN KEY(conversation) REFERENCES conversation (id) ON DELETE CASCADE
);
CREATE TABLE response (
	number INTEGER NOT NULL,
	attempt VARCHAR(32) NOT NULL,
	place INTEGER NOT NULL,
	chosen INTEGER,
	text TEXT NOT NULL,
	correct BOOLEAN NOT NULL,
	seconds DOUBLE NOT NULL,
	answered DOUBLE NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (attempt, place),
	FOREIGN KEY(attempt) REFERENCES attempt (id) ON DELETE CASCADE
);
CREATE TABLE feedback (
	id INTEGER NOT NULL,
	conversation VARCHAR(32) NOT NULL,
	turn INTEGER,
	verdict VARCHAR(8) NOT NULL,
	reason VARCHAR(40) NOT NULL,
	comment TEXT NOT NULL,
	question TEXT NOT NULL,
	answer TEXT NOT NULL,
	created DOUBLE NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(conversation) REFERENCES conversation (id) ON DELETE CASCADE,
	UNIQUE (turn),
	FOREIGN KEY(turn) REFERENCES turn (id) ON DELETE SET NULL
);
CREATE INDEX ix_feedback_conversation ON feedback (conversation);
CREATE INDEX ix_feedback_created ON feedback (created);
INSERT INTO schema_version VALUES (1);
"""


def old(path: Path, turns: int = 1, without: str = "") -> None:
    with sqlite3.connect(path) as db:
        statements = [s for s in OLD.split(";") if not without or without not in s]
        db.executescript(";".join(statements))
        db.execute("INSERT INTO conversation VALUES ('abc', 'Über GANs', 1.0, 2.0, NULL)")
        answer = stored(Answer("What is a GAN?", GREEDY, answer="Two Nets [1] compete."))
        for place in range(turns):
            row = ("abc", place, "What is a GAN?", answer, True, 1.5)
            db.execute(
                "INSERT INTO turn (conversation, place, question, answer, finished, created)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        db.execute("INSERT INTO turn VALUES (900, 'abc', 900, 'Damaged?', '{', 1, 1.5)")
        if without != "feedback":
            db.execute("INSERT INTO feedback VALUES (1, 'abc', 1, 'up', '', 'Good', 'q', ?, 3.0)", (answer,))
    db.close()


def differences(path: str | Path) -> list[object]:
    database = Database(path)
    with database.read() as db:
        context = MigrationContext.configure(db, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def test_the_steps_make_the_tables_of_the_metadata(tmp_path: Path) -> None:
    assert differences(tmp_path / "new.sqlite") == []
    old(tmp_path / "old.sqlite")
    assert differences(tmp_path / "old.sqlite") == []


def test_the_newest_step_is_the_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    assert ScriptDirectory.from_config(config).get_heads() == [f"{HEAD:04d}"]


def test_what_an_older_program_kept_is_there(tmp_path: Path) -> None:
    old(tmp_path / "x.sqlite")
    kept = Sessions(tmp_path / "x.sqlite")
    (talk,) = kept.list()
    assert (talk.id, talk.title, talk.created, talk.updated, talk.pinned) == (
        "abc", "Über GANs", 1.0, 2.0, False,
    )  # fmt: skip
    assert [(r.answer.question, r.answer.answer, r.state) for r in kept.records("abc")] == [
        ("What is a GAN?", "Two Nets [1] compete.", "whole"),
        ("Damaged?", "", "unreadable"),
    ]
    assert Feedback(kept.database).get("abc")[0].comment == "Good"
    assert kept.list(search="über compete") == kept.list(search="damaged") == (talk,)
    assert kept.of("ada").list() == ()
    kept.add("abc", Answer("And?", GREEDY, answer="More."))
    assert len(kept.turns("abc")) == 3


@pytest.mark.parametrize("table", ["feedback", "attempt"])
def test_tables_that_came_later_are_made(tmp_path: Path, table: str) -> None:
    old(tmp_path / "x.sqlite", without=table)
    assert Feedback(tmp_path / "x.sqlite").of("").get("abc").keys() == ({0} if table != "feedback" else set())
    assert Attempts(tmp_path / "x.sqlite").list() == ()
    assert differences(tmp_path / "x.sqlite") == []


def test_a_step_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    for change in (
        "UPDATE alembic_version SET version_num = '0999'",
        "UPDATE schema_version SET version = 99",
    ):
        path = tmp_path / f"{len(change)}.sqlite"
        Database(path).close()
        with sqlite3.connect(path) as db:
            db.execute(change)
        with pytest.raises(UnitutorError, match="newer Unitutor"):
            Database(path)


def test_older_programs_refuse_what_is_newer(tmp_path: Path) -> None:
    Database(tmp_path / "x.sqlite").close()
    with sqlite3.connect(tmp_path / "x.sqlite") as db:  # they compare this number with 1
        assert db.execute("SELECT version FROM schema_version").fetchall() == [(HEAD,)]


def test_a_step_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.sqlite"
    old(path)
    with sqlite3.connect(path) as db:
        before = list(db.iterdump())
        db.execute("CREATE TABLE setting (name TEXT)")  # what the second step makes is in the way
    with pytest.raises(UnitutorError, match="cannot be written: table setting already exists"):
        Database(path)
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE setting")
        assert list(db.iterdump()) == before
    Database(path)


def test_on_postgresql_too(postgresql: Callable[[], str]) -> None:
    assert differences(postgresql()) == []


def test_the_steps_are_installed() -> None:
    found = find_packages(str(FOLDER.parents[1]), include=["rag*"])  # as pyproject.toml says
    assert {"rag.migrations", "rag.migrations.versions"} <= set(found)


def test_two_that_open_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    old(path, turns=50)
    failed: list[BaseException] = []

    def go() -> None:
        try:
            Sessions(path).add("abc", Answer("And?", GREEDY))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and len(Sessions(path).turns("abc")) == 55


OPENER = """
import sys
from rag.database import Database
sys.stdout.write("go\\n")
sys.stdout.flush()
Database(sys.argv[1])
"""


def test_killed_while_it_is_brought_up_to_date(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for kill in range(int(os.environ.get("UNITUTOR_KILLS", "2"))):
        path = tmp_path / f"{kill}.sqlite"
        old(path, turns=800)
        command = [sys.executable, "-c", OPENER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as opener:
            assert opener.stdout is not None and opener.stdout.readline() == b"go\n"
            time.sleep(0.05 + 0.37 * kill % 0.6)
            opener.send_signal(signal.SIGKILL)
        with sqlite3.connect(path) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (number,) = db.execute("SELECT version FROM schema_version").fetchone()
            columns = {row[1] for row in db.execute("PRAGMA table_info(conversation)")}
            assert (number, "owner" in columns) in ((1, False), (HEAD, True))
        kept = Sessions(path)
        assert len(kept.turns("abc")) == 801 and kept.list(search="compete")


def test_an_up_to_date_database_is_opened_without_alembic(tmp_path: Path) -> None:
    Database(tmp_path / "x.sqlite").close()
    code = OPENER + "assert 'alembic' not in sys.modules"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.sqlite")], env=env, check=True)


@pytest.mark.parametrize("url", ["nonsense://x", "postgresql+pg8000://u:secret@h:port/x", "://"])
def test_an_address_that_is_none_is_one_line(url: str) -> None:
    with pytest.raises(UnitutorError, match="no address of a database") as refused:
        Database(url)
    assert "secret" not in str(refused.value)


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pg8000", None)
    with pytest.raises(UnitutorError, match=r"pg8000.*pip install 'unitutor\[postgres\]'"):
        module.Database("postgresql://u:p@localhost/x")
