"""Thumbs on answers: kept with their evidence, gone with their conversation."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from ingest.errors import BadRequest, UnitutorError
from rag import retention
from rag.decoding import GREEDY
from rag.feedback import LONGEST, REASONS, Feedback, Verdict
from rag.sessions import Sessions
from rag.types import Answer


def answered(question: str, text: str = "Two nets.") -> Answer:
    return Answer(question, GREEDY, stage="done", answer=text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture
def kept(path: Path) -> Sessions:
    return Sessions(path)


@pytest.fixture
def feedback(path: Path) -> Feedback:
    return Feedback(path)


@pytest.fixture
def talk(kept: Sessions) -> str:
    made = kept.create()
    kept.add(made, answered("What is a GAN?"))
    kept.add(made, answered("Who made it?", "Goodfellow."))
    return made


def test_a_verdict_comes_back_at_its_place_and_the_last_one_counts(feedback: Feedback, talk: str) -> None:
    feedback.set(talk, 1, "up")
    feedback.set(talk, 1, "down", "wrong page", "  it is\non page 4 ")
    (place,) = found = feedback.get(talk)
    assert place == 1
    assert found[1] == Verdict("down", "wrong page", "it is on page 4", found[1].when)
    assert [rated.verdict for rated in feedback.all()] == [found[1]]


def test_it_is_taken_back_with_none(feedback: Feedback, talk: str) -> None:
    feedback.set(talk, 0, "up")
    feedback.set(talk, 0, None)
    assert feedback.get(talk) == {} and feedback.all() == ()


def test_the_evidence_is_the_answer_as_it_was(kept: Sessions, feedback: Feedback, talk: str) -> None:
    feedback.set(talk, 1, "down", "wrong")
    kept.replace_last(talk, answered("Who made it?", "Bengio."))
    assert feedback.get(talk) == {}, "the new answer has no verdict"
    (rated,) = feedback.all()
    assert (rated.conversation, rated.answer) == (talk, answered("Who made it?", "Goodfellow."))
    feedback.set(talk, 1, "up")
    assert [one.verdict.verdict for one in feedback.all()] == ["down", "up"]
    assert feedback.get(talk)[1].verdict == "up"


def test_what_is_deleted_is_gone(
    kept: Sessions, feedback: Feedback, talk: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feedback.set(talk, 0, "up")
    kept.delete(talk)
    assert feedback.all() == ()
    kept.restore(talk)
    assert len(feedback.all()) == 1
    kept.delete(talk)
    now = retention.time.time()
    monkeypatch.setattr(retention.time, "time", lambda: now + retention.DAY + 60)
    Sessions(path)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM feedback").fetchone() == (0,)


def test_only_the_time_asked_for(feedback: Feedback, talk: str) -> None:
    feedback.set(talk, 0, "up")
    (rated,) = feedback.all()
    when = rated.verdict.when
    assert len(feedback.all(since=when, until=when + 1)) == 1
    assert feedback.all(until=when) == () and feedback.all(since=when + 1) == ()


@pytest.mark.parametrize(
    ("place", "reason", "comment"),
    [(5, "", ""), (-1, "", ""), (0, "boring", ""), (0, "wrong", "x" * (LONGEST + 1))],
)
def test_what_cannot_be_kept_is_one_line(
    feedback: Feedback, talk: str, place: int, reason: str, comment: str
) -> None:
    with pytest.raises(BadRequest) as said:
        feedback.set(talk, place, "down", reason, comment)
    assert "\n" not in str(said.value) and len(str(said.value)) < 200
    assert feedback.all() == ()


def test_every_reason_and_any_character_is_kept(feedback: Feedback, talk: str) -> None:
    for reason in REASONS:
        feedback.set(talk, 0, "down", reason, "half a pair \ud800, '; DROP TABLE turn; --")
        assert feedback.get(talk)[0].reason == reason
    assert feedback.get(talk)[0].comment.startswith("half a pair ?")


def test_a_verdict_is_its_owners(kept: Sessions, talk: str, feedback: Feedback) -> None:
    feedback.set(talk, 0, "up")
    stranger = feedback.of("ada")
    with pytest.raises(BadRequest, match="no longer exists"):
        stranger.set(talk, 0, "down")
    with pytest.raises(BadRequest, match="no longer exists"):
        stranger.set(talk, 0, None)
    assert stranger.get(talk) == {} and feedback.get(talk)[0].verdict == "up"
    made = kept.of("ada").create()
    kept.of("ada").add(made, Answer("And?", GREEDY))
    stranger.set(made, 0, "down")
    assert [rated.verdict.verdict for rated in feedback.all()] == ["up", "down"]


def test_a_damaged_copy_leaves_the_question(feedback: Feedback, talk: str, path: Path) -> None:
    feedback.set(talk, 0, "up")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE feedback SET answer = 'torn'")
    assert feedback.all()[0].answer == Answer("What is a GAN?", GREEDY, stage="done")


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(UnitutorError, match="cannot be"):
        Feedback(tmp_path / "x.db")


def test_threads_and_a_second_opener_lose_nothing(kept: Sessions, path: Path) -> None:
    made = kept.create()
    for number in range(8):
        kept.add(made, answered(f"q{number}"))
    openers = (Feedback(path), Feedback(path))
    threads = [
        threading.Thread(target=openers[place % 2].set, args=(made, place, "up")) for place in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(openers[0].get(made)) == list(range(8))
