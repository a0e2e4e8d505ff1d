"""An answer is kept however its page ends, and the engine takes one question at a time."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest
from fastapi import FastAPI

from ingest.errors import ModelUnusable, UnitutorError
from rag.sessions import Sessions
from rag.types import Answer, Ask
from tests.browser.scripted import TEXT, tutor
from ui.web.job import Job, Jobs
from ui.web.mounting import Served


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path / "sessions.sqlite")


def job(sessions: Sessions, question: str = "What is a GAN?", pause: float = 0.001, keep: int = 0) -> Job:
    return Job(tutor(pause, reading=0.02).chain, sessions, Ask(question), "", keep)


def test_updates_show_citations_before_prose(sessions: Sessions) -> None:
    asked = job(sessions)
    asked.start()
    seen = list(asked.updates(at_most_every=0))
    assert seen[0].stage == "searching"
    assert any(a.citations and not a.answer for a in seen)
    assert asked.answer.stage == "done"
    assert sessions.turns(asked.conversation) == (asked.answer,)


def test_stop_keeps_what_was_written(sessions: Sessions) -> None:
    asked = job(sessions, "a long one", pause=0.02)
    asked.start()
    while not asked.answer.answer:
        time.sleep(0.005)
    asked.stop()
    assert not asked.running
    (kept,) = sessions.records(asked.conversation)
    assert kept.state == "whole" and kept.answer.stopped and kept.answer.answer


def test_an_answer_whose_check_is_given_up_is_whole(sessions: Sessions) -> None:
    asked = job(sessions, "check this")
    asked.start()
    while asked.answer.stage != "checking":
        time.sleep(0.005)
    asked.stop()
    (kept,) = sessions.turns(asked.conversation)
    assert kept.answer == TEXT and not kept.stopped


def test_stopped_before_its_turn_leaves_nothing(sessions: Sessions) -> None:
    asked = job(sessions)
    asked.stop()
    asked.start()
    assert not asked.running and not asked.began and sessions.list() == ()


def test_a_refused_question_removes_nothing(sessions: Sessions) -> None:
    first = job(sessions)
    first.start()
    list(first.updates())
    again = Job(tutor().chain, sessions, Ask("x" * 5000), first.conversation, keep=0)
    again.start()
    list(again.updates())
    assert isinstance(again.error, UnitutorError) and "4,000" in str(again.error)
    assert sessions.turns(first.conversation) == (first.answer,)


def test_an_engine_that_fails_is_told_and_the_rest_kept(sessions: Sessions) -> None:
    asked = job(sessions, "broken engine")
    asked.start()
    list(asked.updates())
    assert isinstance(asked.error, ModelUnusable)


def test_one_at_a_time(sessions: Sessions) -> None:
    jobs = Jobs(places=1)
    first, second, third = (job(sessions, pause=0.02) for _ in range(3))
    assert jobs.put("a", first) and jobs.put("b", second) and jobs.put("c", third)
    assert not jobs.put("a", job(sessions))
    assert jobs.turn(first) == 0 and jobs.turn(second) == 1 and jobs.turn(third) == 2
    assert first.working and not second.working
    jobs.drop("b")
    assert jobs.turn(third) == 1
    jobs.drop("a")
    assert jobs.turn(third) == 0 and third.working
    third.stop()


def test_as_many_at_once_as_the_engine_takes(sessions: Sessions) -> None:
    jobs = Jobs(places=2)
    asked = [job(sessions, pause=0.02) for _ in range(4)]
    for number, one in enumerate(asked):
        jobs.put(str(number), one)
    assert [jobs.turn(one) for one in asked] == [0, 0, 1, 2]
    assert [one.working for one in asked] == [True, True, False, False]
    jobs.drop("1")
    assert [jobs.turn(one) for one in asked[2:]] == [0, 1]
    for one in asked:
        one.stop()


def test_a_page_that_is_gone_holds_up_nobody(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(places=1)
    first, second = job(sessions), job(sessions)
    jobs.put("a", first)
    jobs.put("b", second)
    assert jobs.turn(second) == 1
    first.seen -= 10
    assert jobs.turn(second) == 0
    list(second.updates())


def test_a_bug_in_the_chain_is_not_swallowed(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)

    class Broken:
        def stream(self, ask: Ask) -> Answer:
            raise ZeroDivisionError

    asked = Job(Broken(), sessions, Ask("q"), "", 0)  # type: ignore[arg-type]
    asked.start()
    list(asked.updates())
    assert asked._thread is not None
    asked._thread.join()
    assert isinstance(asked.error, ZeroDivisionError) and len(raised) == 1


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UnitutorError, match=rf"Cannot listen on .*:{port} .*--port"):
            Served(FastAPI(), "127.0.0.1", port)
    for bad in (-1, 70000):
        with pytest.raises(UnitutorError, match="--port"):
            Served(FastAPI(), "127.0.0.1", bad)
    with pytest.raises(UnitutorError, match="--host"):
        Served(FastAPI(), "no.such.host.invalid", 7860)
