"""What goes wrong beneath conversations: told in a line, nothing lost, and going on once it is over."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.errors import UnitutorError
from rag.database import Database
from rag.sessions import Sessions
from tests import postgres
from tests.unit.test_sessions import answered


def impatient(kept: Sessions) -> None:
    """Have SQLite wait a moment for a lock in the place of ten seconds."""

    @sa.event.listens_for(kept.database._engine, "checkout")
    def _(connection: sqlite3.Connection, *_rest: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")


def test_a_database_that_another_program_holds(tmp_path: Path) -> None:
    kept = Sessions(tmp_path / "x.sqlite")
    made = kept.create()
    turn = kept.begin(made, "a")
    impatient(kept)
    with sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        for call in (lambda: kept.finish(turn, answered("a")), lambda: kept.add(made, answered("b"))):
            with pytest.raises(
                UnitutorError, match=r"cannot be written: .*locked.*: close the other program"
            ):
                call()
        assert [r.state for r in kept.records(made)] == ["unfinished"]  # reading goes on
        other.execute("COMMIT")
    other.close()
    kept.finish(turn, answered("a"))
    assert [(r.answer.question, r.state) for r in kept.records(made)] == [("a", "whole")]


# Files may grow no further, which is what a full disk looks like.
FULL = """
import resource, signal, sys
from rag.decoding import GREEDY
from rag.sessions import Sessions
from rag.types import Answer
from ingest.errors import UnitutorError

kept = Sessions(sys.argv[1])
made = kept.create("talk")
turn = kept.begin(made, "going on")
kept.progress(turn, Answer("going on", GREEDY, answer="Two"))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
number = 0
try:
    while number < 1000:
        kept.add(made, Answer(str(number), GREEDY, answer="x" * 20_000))
        number += 1
except UnitutorError as error:
    sys.stdout.write(f"{number}|{error}\\n")
try:
    kept.finish(turn, Answer("going on", GREEDY, answer="Two nets." * 3000))
except UnitutorError:
    sys.stdout.write("again\\n")
assert len(kept.turns(made)) == number + 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
kept.add(made, Answer("room again", GREEDY))
"""


@pytest.mark.skipif(os.name == "nt", reason="limits of a process are Unix's")
def test_a_full_disk(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    path = tmp_path / "x.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], env=env, capture_output=True, text=True, check=True
    )
    first, again = done.stdout.splitlines()
    number, _, said = first.partition("|")
    assert again == "again" and "cannot be written" in said and "full: make room" in said
    kept = Sessions(path)
    records = kept.records(kept.list()[0].id)
    assert [r.answer.question for r in records] == [
        "going on", *map(str, range(int(number))), "room again"
    ]  # fmt: skip
    assert (records[0].state, records[0].answer.answer) == ("unfinished", "Two")
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_server_that_goes_and_comes_back() -> None:
    if postgres.programs() is None:
        pytest.skip(postgres.MISSING)
    with postgres.server() as server:
        kept = Sessions(server.url())
        made = kept.create()
        turn = kept.begin(made, "a")
        server.kill()
        with pytest.raises(UnitutorError, match="cannot be written") as refused:
            kept.finish(turn, answered("a"))
        assert "\n" not in str(refused.value)
        server.start()
        assert [r.state for r in kept.records(made)] == ["unfinished"]
        kept.finish(turn, answered("a"))
        assert [r.state for r in kept.records(made)] == ["whole"]
        kept.close()


def test_no_server_is_one_line_without_the_password() -> None:
    with pytest.raises(UnitutorError, match="cannot be read") as refused:
        Database("postgresql://ada:secret@127.0.0.1:1/x")
    assert "secret" not in str(refused.value) and "\n" not in str(refused.value)


def test_two_writers_of_one_conversation_wait_for_each_other(where: str | Path) -> None:
    kept = Sessions(where)
    made = kept.create()
    failed: list[BaseException] = []

    def write(name: int) -> None:
        own = Sessions(where)
        try:
            for number in range(8):
                turn = own.begin(made, f"{name}-{number}")
                own.progress(turn, replace(answered(f"{name}-{number}"), answer="Tw"))
                own.finish(turn, answered(f"{name}-{number}"))
        except BaseException as error:
            failed.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = kept.records(made)
    assert not failed and len({r.answer.question for r in records}) == len(records) == 32
    assert {r.state for r in records} == {"whole"}


def test_a_long_list_is_asked_for_in_parts(postgresql: Callable[[], str], tmp_path: Path) -> None:
    for where in (tmp_path / "x.sqlite", postgresql()):
        kept = Sessions(where, "ada")
        with kept.database.write() as db:
            db.execute(sa.text(TEN_THOUSAND))
        assert [c.title for c in kept.list(3)] == ["Number 5000", "Number 9999", "Number 9998"]
        assert [c.title for c in kept.list(2, offset=9998)] == ["Number 1", "Number 0"]
        assert kept.list(50, search="NUMBER 7779")[0].title == "Number 7779"
        assert len(kept.list()) == 10_000
        assert kept.of("bob").list(50) == ()
        kept.close()


TEN_THOUSAND = """
INSERT INTO conversation (id, title, folded, created, updated, owner, pinned)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
SELECT CAST(i AS TEXT), 'Number ' || i, 'number ' || i, 1.0, i, 'ada', i = 5000 FROM n
"""
