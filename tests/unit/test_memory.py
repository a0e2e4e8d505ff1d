"""What was said earlier is found again, by its owner alone, and only while it is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from rag import memory as module
from rag.database import Database
from rag.database import turns as turn_rows
from rag.decoding import GREEDY
from rag.memory import Memory, messages
from rag.memory_stores import Entry, FaissStore, Span, _of
from rag.sessions import Sessions
from rag.types import Answer
from tests.ingest_fakes import FakeEncoder

ANNA, BEN = "a" * 32, "b" * 32


def answered(question: str, text: str = "Two nets compete [1].") -> Answer:
    return Answer(question, GREEDY, stage="done", answer=text)


@pytest.fixture
def database(where: str | Path) -> Iterator[Database]:
    opened = Database(where)
    yield opened
    opened.close()


@pytest.fixture
def anna(database: Database) -> Sessions:
    return Sessions(database, ANNA)


def remembering(database: Database) -> Memory:
    return Memory(database, FakeEncoder(), "unit")


def asked(sessions: Sessions, *questions: str) -> str:
    made = sessions.create()
    for question in questions:
        sessions.add(made, answered(question))
    return made


def rows(database: Database) -> list[tuple[str, str]]:
    with database.read() as db:
        return sorted(tuple(row) for row in db.execute(sa.select(messages.c.owner, messages.c.role)))


def test_turns_are_found_by_meaning_with_what_they_are_kept_with(database: Database, anna: Sessions) -> None:
    made = asked(anna, "how do nets train", "granite rock")
    memory = remembering(database)
    first, *_ = memory.search(ANNA, "granite rock", role="student")
    assert (first.answer.question, first.conversation, first.place) == ("granite rock", made, 1)
    assert first.role == "student" and first.score == pytest.approx(1, abs=1e-5)
    assert len(memory.search(ANNA, "granite rock")) == 2  # each turn once, though each has two messages
    with database.read() as db:
        kept = db.execute(sa.select(messages).order_by(messages.c.turn, messages.c.role)).all()
    assert [(row.owner, row.role, row.course) for row in kept] == [
        (ANNA, role, "unit") for _turn in range(2) for role in ("student", "tutor")
    ]
    assert all(row.conversation == made and row.created > 0 for row in kept)


def test_another_owner_finds_nothing_by_any_way(database: Database, anna: Sessions) -> None:
    asked(anna, "my secret exam")
    asked(anna.of(BEN), "a robin sings")
    memory = remembering(database)
    assert memory.catch_up() == 2
    assert [f.answer.question for f in memory.search(BEN, "my secret exam", k=50)] == ["a robin sings"]
    assert memory.search("", "my secret exam") == () == memory.between("")
    assert [f.answer.question for f in memory.between(BEN)] == ["a robin sings"]
    assert len(memory.search(ANNA, "exam")) == 1
    store = memory._store()
    vector = FakeEncoder().encode(["my secret exam"])[0]
    theirs = {id for id, _ in store.search(ANNA, vector, 50, Span())}
    assert theirs and not theirs & {id for id, _ in store.search(BEN, vector, 50, Span())}


def test_a_store_that_lies_is_checked_against_the_rows(
    database: Database, anna: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(anna, "my secret exam")
    asked(anna.of(BEN), "a robin sings")
    memory = remembering(database)
    memory.catch_up()
    with database.read() as db:
        every = [(row, 1.0) for row in db.scalars(sa.select(messages.c.id))]
    monkeypatch.setattr(memory._store(), "search", lambda *_args: [*every, (12345, 1.0)])
    assert [f.answer.question for f in memory.search(BEN, "exam")] == ["a robin sings"]


def test_what_is_deleted_does_not_come_back(database: Database, anna: Sessions) -> None:
    made, other = asked(anna, "granite rock"), asked(anna, "an owl hunts", "granite again")
    memory = remembering(database)
    assert len(memory.search(ANNA, "granite rock")) == 3
    anna.delete(made)
    assert {f.conversation for f in memory.search(ANNA, "granite rock")} == {other}
    assert {f.conversation for f in memory.between(ANNA)} == {other}
    anna.restore(made)
    assert {f.conversation for f in memory.search(ANNA, "granite rock")} == {made, other}
    anna.truncate(other, keep=1)
    assert [f.answer.question for f in memory.search(ANNA, "granite again")] == [
        "granite rock",
        "an owl hunts",
    ]
    anna.delete(made)
    with database.write() as db:  # a day later
        db.execute(sa.text("UPDATE conversation SET deleted = 1 WHERE deleted IS NOT NULL"))
    Sessions(database, ANNA)
    assert len(rows(database)) == 2, "vectors outlived their conversation"


def test_only_finished_turns_are_embedded_and_only_once(database: Database, anna: Sessions) -> None:
    made = anna.create()
    turn = anna.begin(made, "granite rock")
    memory = remembering(database)
    assert memory.search(ANNA, "granite rock") == () and rows(database) == []
    assert [f.whole for f in memory.between(ANNA)] == [False]
    anna.finish(turn, answered("granite rock"))
    assert len(memory.search(ANNA, "granite rock")) == 1
    assert memory.catch_up() == 0 and len(rows(database)) == 2


def test_a_new_process_and_another_one_have_the_same_memory(database: Database, anna: Sessions) -> None:
    asked(anna, "granite rock")
    ours, theirs = remembering(database), remembering(Database(database.url_or_path))
    assert len(ours.search(ANNA, "granite")) == len(theirs.search(ANNA, "granite")) == 1
    encoder = theirs._encoder
    assert isinstance(encoder, FakeEncoder)
    assert encoder.encoded == 1, "what was embedded before was embedded again"
    asked(anna, "granite and sand")
    assert len(theirs.search(ANNA, "granite")) == len(ours.search(ANNA, "granite")) == 2


def test_vectors_that_are_lost_or_damaged_or_of_another_encoder_do_no_harm(
    database: Database, anna: Sessions
) -> None:
    asked(anna, "granite rock", "an owl hunts")
    remembering(database).catch_up()
    with database.write() as db:
        db.execute(
            messages.delete().where(messages.c.turn == db.scalar(sa.select(sa.func.min(turn_rows.c.id))))
        )
        db.execute(messages.update().where(messages.c.role == "tutor").values(vector=b"\x00\x01"))
    found = remembering(database).search(ANNA, "granite rock")
    assert [f.answer.question for f in found] == ["granite rock", "an owl hunts"]
    other = Memory(database, FakeEncoder("other@2", 8), "unit")
    assert other.search(ANNA, "granite rock")[0].answer.question == "granite rock"


def test_forgetting_takes_one_owners_vectors_and_tells_how_many(database: Database, anna: Sessions) -> None:
    asked(anna, "granite rock", "an owl hunts")
    asked(anna.of(BEN), "a robin sings")
    memory = remembering(database)
    memory.search(ANNA, "granite")
    memory.catch_up()
    assert module.forget(database, ANNA) == 4
    assert {owner for owner, _ in rows(database)} == {BEN}
    assert module.forget(database, ANNA) == 0
    anna.delete(anna.list()[0].id)
    assert memory.search(ANNA, "granite") == ()
    assert len(memory.search(BEN, "robin")) == 1


def test_days_and_roles_limit_a_search(database: Database, anna: Sessions) -> None:
    made = asked(anna, "granite one", "granite two", "granite three")
    with database.write() as db:
        for place in range(3):
            at = (turn_rows.c.conversation == made) & (turn_rows.c.place == place)
            db.execute(turn_rows.update().where(at).values(created=100.0 * (place + 1)))
    memory = remembering(database)

    def questions(**limits: float) -> list[str]:
        return sorted(f.answer.question for f in memory.search(ANNA, "granite", **limits))

    assert questions(since=200.0) == ["granite three", "granite two"]
    assert questions(until=200.0) == ["granite one"]
    assert questions(since=150, until=250) == ["granite two"]
    assert [f.answer.question for f in memory.between(ANNA, 150, 301)] == ["granite three", "granite two"]
    assert {f.role for f in memory.search(ANNA, "Two nets compete .", role="tutor")} == {"tutor"}


def test_embedding_at_the_same_time_leaves_each_message_once(
    database: Database, anna: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 4)
    asked(anna, *(f"question {n} on rocks" for n in range(24)))
    threads = [threading.Thread(target=remembering(database).catch_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    remembering(database).catch_up()
    assert len(rows(database)) == 48
    assert len(remembering(database).search(ANNA, "question 3 on rocks", k=50)) == 24


def test_a_turn_removed_while_it_is_embedded_leaves_nothing(
    database: Database, anna: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = asked(anna, "granite rock", "an owl hunts")
    memory = remembering(database)
    encode = FakeEncoder.encode

    def meanwhile(self: FakeEncoder, texts: list[str]) -> np.ndarray:
        anna.truncate(made, keep=1)
        return encode(self, texts)

    monkeypatch.setattr(FakeEncoder, "encode", meanwhile)
    memory.catch_up()
    monkeypatch.undo()
    assert len(rows(database)) == 2
    assert [f.answer.question for f in memory.search(ANNA, "owl")] == ["granite rock"]


def test_a_store_keeps_few_owners_and_drops_what_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.memory_stores.OWNERS", 2)
    store = FaissStore(4)
    rows = np.eye(4, dtype=np.float32)
    entries = [Entry(2**61 + n, n, "c", "student", "", float(n)) for n in range(4)]
    for owner in ("1", "2", "3"):
        store.add(owner, entries, rows)
    assert store.held("1") == set() and len(store.held("3")) == 4
    store.add("3", entries, rows)  # known already
    store.drop("3", {2**61, 5})
    assert [id for id, _ in store.search("3", rows[0], 9, Span())] and 2**61 not in store.held("3")
    assert store.search("3", rows[1], 1, Span()) == [(2**61 + 1, 1.0)]
    assert store.search("3", rows[1], 1, Span(since=2.0))[0][0] in {2**61 + 2, 2**61 + 3}


@pytest.mark.parametrize("owner", ['" or owner != "', "A", "x y", "é"])
def test_an_owner_is_no_part_of_an_expression(owner: str) -> None:
    with pytest.raises(ValueError):
        _of(owner)


def test_what_is_found_says_where_it_stands(database: Database, anna: Sessions) -> None:
    made = asked(anna, "first", "second", "third")
    anna.rename(made, "Rocks")
    (found,) = [f for f in remembering(database).between(ANNA) if f.answer.question == "second"]
    assert (found.title, found.place) == ("Rocks", 1)
    memory = remembering(database)
    assert [turn.question for turn in memory.earlier(found)] == ["first"]
    assert memory.earlier(replace(found, place=0)) == ()
