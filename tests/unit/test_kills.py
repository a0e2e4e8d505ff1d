"""Programs that write conversations are killed at random moments: what they said was kept is kept, once.

UNITUTOR_KILLS sets how many of them are killed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from rag.sessions import Sessions

KILLS = int(os.environ.get("UNITUTOR_KILLS", "12"))
THREADS = 4  # of each writer; half of them write to one conversation that all share
AT_ONCE = 2  # writers

# Imports once and forks a writer for each line it reads: starting anew would take most of the time.
# A writer says what is committed, in lines short enough to be written whole.
NURSERY = """
import os, sys, threading
from dataclasses import replace
from rag.decoding import decoding
from rag.feedback import Feedback
from rag.sessions import Sessions
from rag.types import Answer, Citation, Sentence, Timings

CITED = Citation(1, "gans.md", 3, "GANs", "Two nets.", 0.8, "ab12", "Two nets. " * 40)

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def write(kept, conversation, name):
    n = 0
    while True:
        question = f"{name}-{n}"
        growing = Answer(question, decoding("top-p", seed=n), citations=(CITED,))
        turn = kept.begin(conversation, question)
        say("begun", question, conversation)
        for part in (1, 2):
            kept.progress(turn, replace(growing, answer=question * part))
        whole = replace(
            growing, stage="done", answer=f"Answer to {question}.", timings=Timings(total_ms=n + 1.0),
            sentences=(Sentence(f"Answer to {question}.", 0.9, "supported", (1,)),),
        )
        kept.finish(turn, whole)
        say("done", question, conversation)
        n += 1

def writer(url, shared, name):
    kept = Sessions(url)
    for thread in range(int(sys.argv[3])):
        own = shared if thread % 2 else kept.create(f"{name}-{thread}")
        threading.Thread(target=write, args=(kept, own, f"{name}-{thread}")).start()

url, shared = sys.argv[1:3]
children = {}
for line in sys.stdin:
    what, name = line.split()
    if what == "go":
        children[name] = os.fork()
        if not children[name]:
            writer(url, shared, name)
            break
        say("born", name, children[name])
    else:
        os.waitpid(children.pop(name), 0)
        say("dead", name)
"""


class Writers:
    """Writers in processes of their own, and what they have said so far."""

    def __init__(self, nursery: subprocess.Popen[str]) -> None:
        self._nursery = nursery
        self._pids: dict[str, int] = {}
        self.begun: dict[str, str] = {}  # question: its conversation
        self.done: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        return list(self._pids)

    def start(self, name: str) -> None:
        self._tell(f"go {name}")
        self._pids[name] = int(self._until("born", name))

    def kill(self, name: str) -> None:
        os.kill(self._pids.pop(name), signal.SIGKILL)
        self._tell(f"wait {name}")
        self._until("dead", name)

    def hear(self) -> None:
        """Wait until another turn is begun, however slow the machine is."""
        assert self._nursery.stdout is not None
        known = len(self.begun)
        while len(self.begun) == known:
            self._keep(*self._nursery.stdout.readline().split())

    def _keep(self, said: str, about: str, conversation: str) -> None:
        {"begun": self.begun, "done": self.done}[said][about] = conversation

    def _tell(self, line: str) -> None:
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(line + "\n")
        self._nursery.stdin.flush()

    def _until(self, what: str, name: str) -> str:
        assert self._nursery.stdout is not None
        for line in self._nursery.stdout:
            said, about, *rest = line.split()
            if (said, about) == (what, name):
                return rest[0] if rest else ""
            self._keep(said, about, *rest)
        raise AssertionError("the nursery ended")


@contextmanager
def writers(url: str | Path, shared: str) -> Iterator[Writers]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", NURSERY, str(url), shared, str(THREADS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env) as nursery:
        made = Writers(nursery)
        try:
            yield made
        finally:
            for name in made.names:
                made.kill(name)
            assert nursery.stdin is not None
            nursery.stdin.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where programs fork")
def test_killed_writers_lose_no_turn_and_double_none(where: str | Path) -> None:
    kept = Sessions(where)
    shared = kept.create("shared")
    kept.close()  # what a fork takes along must not be open
    drawn = random.Random()
    with writers(where, shared) as run:
        for number in range(KILLS + AT_ONCE):
            if number >= AT_ONCE:
                run.hear()
                time.sleep(drawn.uniform(0, 0.5))
                run.kill(drawn.choice(run.names))
            run.start(f"w{number}")
        run.hear()
    begun, done = run.begun, run.done
    assert len(begun) > KILLS and set(done) <= set(begun)
    found: dict[str, tuple[str, str, str]] = {}
    for talk in kept.list():
        records = kept.records(talk.id)
        questions = [record.answer.question for record in records]
        assert len(set(questions)) == len(questions), "a turn is there twice"
        for record in records:
            found[record.answer.question] = (talk.id, record.state, record.answer.answer)
    assert {question: talk for question, (talk, _, _) in found.items()}.items() >= begun.items()
    for question, (_, state, text) in found.items():
        if state == "whole":
            assert text == f"Answer to {question}."
        else:
            assert state == "unfinished" and question not in done
            assert text in ("", question, question * 2)
    assert all(found[question][1] == "whole" for question in done)
    # A writer is killed between a commit and saying so at most once a thread.
    dead = KILLS + AT_ONCE
    assert len(set(found) - set(begun)) <= dead * THREADS
    with kept.database.read() as db:
        numbers = sa.text(
            "SELECT count(*), count(DISTINCT id), min(place), max(place) FROM turn WHERE conversation = :c"
        )
        count, distinct, first, last = db.execute(numbers, {"c": shared}).one()
        assert count == distinct == last + 1 and first == 0
        if kept.database.kind == "sqlite":
            assert db.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert db.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
    told = (
        f"{KILLS} killed: {len(done)} turns finished, {len(begun) - len(done)} more begun, {len(found)} found"
    )
    sys.stderr.write(f"{kept.database.kind}: {told}\n")
