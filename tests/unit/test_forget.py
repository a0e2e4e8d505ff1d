"""How long things are kept, and that what is forgotten is nowhere: in no row, log or byte of a file."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import rag.memory  # noqa: F401 - its table belongs to the metadata
from ingest.errors import BadRequest
from rag import retention
from rag.apikeys import ApiKeys
from rag.archive import read_in
from rag.database import Database, metadata
from rag.feedback import Feedback
from rag.forget import everything, forget
from rag.items.attempts import Attempts
from rag.items.bank import Bank
from rag.journal import Journal
from rag.people import People
from rag.sessions import Sessions
from tests.quiz_items import choice
from tests.unit import test_cli
from tests.unit.test_sessions import answered
from tests.waiting import until
from ui import tutor

SECRET = "Xylophonquartett"


def left_by(database: Database, journal: Journal, owner: str, word: str) -> str:
    """Something of an owner in every table and in the log."""
    kept = Sessions(database, owner)
    made = kept.create()
    kept.add(made, answered(f"What is a {word}?", f"{word} [1]."))
    kept.begin(made, f"More {word}?")
    gone = kept.create(word)
    kept.add(gone, answered(f"Deleted {word}"))
    Feedback(database, owner).set(made, 0, "down", "unclear", f"{word}!")
    kept.delete(gone)
    journal.note(answered(f"What is a {word}?"))
    bank, attempts = Bank(database), Attempts(database)
    bank.add([choice()])
    quiz = bank.keep_quiz([choice()], f"{word} quiz", student=owner)
    taken = attempts.begin([choice()], f"{word} quiz", quiz, owner)
    attempts.answer(taken.id, 0, chosen=0, student=owner)
    key, _ = ApiKeys(database).create(f"{word} key", owner)
    turn = kept.records(made)[0].id
    row = {"id": turn % 2**31, "turn": turn, "role": "student", "owner": owner, "conversation": made}
    row |= {"course": "", "created": 1.0, "encoder": "e", "vector": b"1234"}
    with database.write() as db:
        db.execute(metadata.tables["message"].insert().values(row))
    return key.id


@pytest.fixture
def people(where: str | Path) -> tuple[Database, str, str]:
    database = Database(where)
    found = People(database)
    return database, found.add("Ada").id, found.add("Bob").id


def rows(database: Database) -> dict[str, list[Any]]:
    with database.read() as db:
        return {
            name: sorted(map(repr, db.execute(sa.select(table)))) for name, table in metadata.tables.items()
        }


def test_forgetting_takes_all_of_one_and_nothing_of_another(
    people: tuple[Database, str, str], tmp_path: Path
) -> None:
    database, ada, bob = people
    journal = Journal(tmp_path / "log")
    left_by(database, journal, bob, "Bobsled")
    before = rows(database)
    key = left_by(database, journal, ada, SECRET)
    asked: list[Collection[str]] = []

    def by_key(keys: Collection[str]) -> int:
        asked.append(keys)
        return 7

    gone = forget(database, ada, journal, by_key, {"pictures": lambda owner: 3 if owner == ada else 0})
    assert gone.scrubbed and asked == [{key}]
    assert gone.counts == {
        "lines of the log": 1,
        "lines of the request log": 7,
        "pictures": 3,
        "vectors of messages": 1,
        "thumbs": 1,
        "turns": 3,
        "conversations": 2,
        "answers in quizzes": 1,
        "attempts at quizzes": 1,
        "quizzes": 1,
        "questions due again": 1,
        "API keys": 1,
    }
    assert rows(database) == before
    assert [line.question for line in journal.entries()] == ["What is a Bobsled?"]
    again = forget(database, ada, journal)
    assert not any(again.counts.values()) and rows(database) == before


def test_what_is_forgotten_is_not_in_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    database = Database(folder / "x.sqlite")
    journal = Journal(folder)
    People(database)
    left_by(database, journal, "", SECRET)

    def held() -> set[str]:
        return {path.name for path in folder.iterdir() if SECRET.encode() in path.read_bytes()}

    assert held() & {"x.sqlite", "x.sqlite-wal"} and "log.jsonl" in held()
    forget(database, "", journal)
    assert held() == set()


def test_what_a_program_without_overwriting_left_goes_too(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite")
    kept = Sessions(database)
    for number in range(50):
        kept.add(kept.create(), answered(f"{SECRET} {number}", SECRET * 200))
    with sqlite3.connect(tmp_path / "x.sqlite") as db:
        db.execute("PRAGMA secure_delete=OFF")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("DELETE FROM conversation")
    db.close()
    database.close()
    assert SECRET.encode() in (tmp_path / "x.sqlite").read_bytes()
    assert forget(database, "").scrubbed
    assert not any(SECRET.encode() in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_one_who_reads_is_in_the_way_of_writing_the_files_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(tmp_path / "x.sqlite")
    Sessions(database).create("a")
    with sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM conversation").fetchall()
        with database.read() as db:
            db.exec_driver_sql("PRAGMA busy_timeout=50")
        gone = forget(database, "")
        assert gone.counts["conversations"] == 1 and not gone.scrubbed
        reader.execute("COMMIT")
    reader.close()
    assert database.scrub()


def test_everything_is_given_out_and_conversations_can_be_read_in_again(
    people: tuple[Database, str, str], tmp_path: Path
) -> None:
    database, ada, bob = people
    journal = Journal(tmp_path / "log")
    left_by(database, journal, ada, SECRET)
    left_by(database, journal, bob, "Bobsled")
    found = json.loads(json.dumps(everything(database, ada, journal)))
    text = json.dumps(found)
    assert "Bobsled" not in text and "hashed" not in text
    assert [len(found[name]) for name in ("attempts", "quizzes", "due_again", "api_keys", "log")] == [1] * 5
    assert found["attempts"][0]["responses"][0]["place"] == 0
    assert found["deleted_conversations"]["conversations"][0]["title"] == SECRET
    assert len(read_in(Sessions(database, bob), json.dumps(found["conversations"]).encode())) == 1
    assert everything(database, "nobody", journal)["conversations"]["conversations"] == ()


def test_kept_for_some_days(people: tuple[Database, str, str], tmp_path: Path) -> None:
    database, ada, bob = people
    journal = Journal(tmp_path / "log")
    left_by(database, journal, ada, SECRET)
    assert retention.kept_days(database) is None and retention.sweep(database) == 0
    for days in (0, -1, 40_000):
        with pytest.raises(BadRequest, match="forever"):
            retention.keep_days(database, days)
    retention.keep_days(database, 30)
    assert retention.kept_days(database) == 30 and retention.sweep(database) == 0
    fresh = Sessions(database, bob).create("fresh")
    old = time.time() - 31 * retention.DAY
    with database.write() as db:
        for table, column in (("attempt", "started"), ("quiz", "made"), ("memory", "due")):
            db.execute(sa.text(f"UPDATE {table} SET {column} = :old"), {"old": old})
        db.execute(sa.text("UPDATE conversation SET updated = :o WHERE id <> :f"), {"o": old, "f": fresh})
    Sessions(database)  # opening is enough
    assert [c.id for c in Sessions(database, bob).list()] == [fresh] and not Sessions(database, ada).list()
    left = {name for name, found in rows(database).items() if found}
    assert left == {"conversation", "person", "schema_version", "setting", "api_key", "item"}
    retention.keep_days(database, None)
    assert retention.kept_days(database) is None


def test_a_server_sweeps_at_once_and_the_log_too(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite")
    journal = Journal(tmp_path)
    journal.note(answered("old"))
    line = journal.path.read_text("utf-8")
    entry = journal.entries()[0]
    journal.path.write_text(
        line.replace(str(entry.when), str(entry.when - 3 * retention.DAY)) + line, "utf-8"
    )
    retention.keep_days(database, 2)
    with retention.daily(database, journal):
        until(lambda: len(journal.entries()) <= 1, 30)
    assert [one.when for one in journal.entries()] == [entry.when]


@pytest.fixture
def unitutor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = test_cli.run(monkeypatch, "data", *arguments)
        out, err = capsys.readouterr()
        return status, out, err

    return call


def test_the_commands(unitutor: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    folder = tmp_path / tutor.SESSIONS
    database = Database(folder / tutor.SESSIONS_FILE)
    left_by(database, Journal(folder), "", SECRET)
    assert unitutor("keep") == (0, "Conversations are kept until they are deleted.\n", "")
    assert unitutor("keep", "--days", "90")[1] == (
        "Conversations are kept for 90 days after they were last used.\n"
    )
    assert unitutor("keep", "--days", "soon")[0] == 2
    assert unitutor("keep", "--days", "0")[0] == 1
    status, out, _ = unitutor("export", "--out", "mine.json")
    assert (status, out) == (0, "mine.json: 1 conversation, 1 quiz taken.\n")
    found = json.loads(Path("mine.json").read_text("utf-8"))
    Path("talks.json").write_text(json.dumps(found["conversations"]), "utf-8")
    status, out, err = unitutor("delete")
    assert status == 1 and "--yes" in err
    status, out, _ = unitutor("delete", "--yes")
    assert status == 0 and out.startswith("Deleted: 1 lines of the log, 1 vectors of messages, 1 thumbs, ")
    assert unitutor("delete", "--yes")[1] == "Deleted: nothing, for nothing was kept.\n"
    assert unitutor("import", "talks.json")[1] == "1 conversation added.\n"
    assert [c.title for c in Sessions(database).list()] == [f"What is a {SECRET}?"]
    status, _, err = unitutor("import", "nothing.json")
    assert status == 1 and err.count("\n") == 1 and "Cannot read" in err
    assert unitutor("keep", "--days", "forever")[1].startswith("Conversations are kept until")


def test_the_commands_with_accounts(unitutor: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    folder = tmp_path / tutor.SESSIONS
    database = Database(folder / tutor.SESSIONS_FILE)
    people = People(database)
    ada, bob = people.add("Ada").id, people.add("Bob").id
    for owner, word in ((ada, SECRET), (bob, "Bobsled")):
        left_by(database, Journal(folder), owner, word)
    for command in (("export", "--out", "x.json"), ("delete", "--yes")):
        assert unitutor(*command) == (1, "", "Say whose: --user NAME.\n")
        assert unitutor(*command, "--user", "Eve")[0] == 1
    assert not Path("x.json").exists()
    assert unitutor("export", "--user", "ADA", "--out", "x.json")[0] == 0
    assert SECRET in Path("x.json").read_text("utf-8") and "Bobsled" not in Path("x.json").read_text("utf-8")
    people.remove("Bob")
    status, out, _ = unitutor("delete", "--user", bob, "--yes", "--json")
    told = json.loads(out)
    assert status == 0 and told["scrubbed"] and told["deleted"]["conversations"] == 2
    assert Sessions(database, bob).list() == () and len(Sessions(database, ada).list()) == 1
    assert b"Bobsled" not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_forgotten_while_an_answer_is_written(where: str | Path) -> None:
    kept = Sessions(where)
    turn = kept.begin(kept.create(), SECRET)
    forget(kept.database, "")
    kept.progress(turn, answered(SECRET))
    kept.finish(turn, replace(answered(SECRET), stopped=True))
    assert not any(SECRET in row for found in rows(kept.database).values() for row in found)
