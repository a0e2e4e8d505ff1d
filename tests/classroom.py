"""A class with accounts, served from scripts: two students, an instructor, and what the first one did."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import argon2
import sqlalchemy as sa
from starlette.testclient import TestClient

from rag.database import Database, metadata
from rag.decoding import GREEDY
from rag.feedback import Feedback
from rag.items.attempts import Attempts
from rag.items.bank import Bank
from rag.journal import Journal
from rag.people import People
from rag.sessions import Sessions
from rag.types import Answer
from tests.browser.scripted import CITATIONS, SENTENCES, tutor
from tests.browser.scripted_quiz import Maker, quizzing
from tests.ingest_fakes import FakeEncoder
from tests.quiz_items import choice
from ui.web.app import build_app
from ui.web.mounting import mounted

ORIGIN = {"origin": "http://testserver"}
HTML = {"accept": "text/html"}
WORD = "correct horse"
SECRET = "PRIVATE-TO-ADA"


class Class:
    """A class with accounts: two students, an instructor, and what the first student did."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "sessions.sqlite")
        cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.people = People(self.database, cheap)
        self.ids = {
            name: self.people.add(name, WORD, role).id
            for name, role in (("Ada", "student"), ("Bob", "student"), ("Eve", "instructor"))
        }
        self.sessions = Sessions(self.database)
        mine = self.sessions.of(self.ids["Ada"])
        self.talk = mine.create(f"{SECRET} title")
        mine.add(
            self.talk,
            Answer(
                f"{SECRET} question?",
                GREEDY,
                stage="done",
                answer=f"{SECRET} answer [1].",
                citations=CITATIONS,
                sentences=SENTENCES,
            ),
        )
        Feedback(self.database, self.ids["Ada"]).set(self.talk, 0, "down", "wrong", f"{SECRET} comment")
        self.bank = Bank(self.database)
        self.bank.add([choice(0), choice(1)])
        attempts = Attempts(self.database)
        quiz = self.bank.keep_quiz([choice(0)], f"{SECRET} quiz", student=self.ids["Ada"])
        self.attempt = attempts.begin([choice(0)], f"{SECRET} quiz", quiz, self.ids["Ada"]).id
        attempts.answer(self.attempt, 0, 1, "", 2.0, self.ids["Ada"])
        index = SimpleNamespace(passages=(), manifest=SimpleNamespace(files={}))
        notes = SimpleNamespace(index=index, places={}, encoder=FakeEncoder())
        made = tutor()
        held = {**vars_of(made), "journal": Journal(folder), "folder": folder, "retriever": notes}
        alive: Any = SimpleNamespace(**held)
        self.blocks = build_app(alive, self.sessions, quizzing(Maker()), accounts=True)
        self.app = mounted(self.blocks, self.people)

    def rows(self) -> str:
        """All that is kept, but for who is signed in."""
        tables = [table for table in metadata.sorted_tables if table.name != "signin"]
        with self.database.read() as db:
            return "\n".join(
                f"{table.name}: {sorted(map(str, db.execute(sa.select(table))))}" for table in tables
            )

    def client(self, name: str = "") -> TestClient:
        """A browser, signed in by its form."""
        browser = TestClient(self.app, follow_redirects=False, headers=ORIGIN)
        if name:
            told = browser.post("/signin", data={"name": name, "password": WORD, "next": "/"})
            assert told.status_code == 303, told.text
        return browser

    def functions(self, *pages: str) -> list[int]:
        """The numbers of the functions of some pages."""
        return [number for number, fn in self.blocks.fns.items() if fn.page in pages and callable(fn.fn)]


def vars_of(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}
