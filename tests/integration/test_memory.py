"""Memory with the real encoder, in faiss and in a real Milvus Lite; what was said reaches no prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from typer.testing import CliRunner

from ingest.build import build
from ingest.embed import load_encoder
from ingest.store import open_index
from ingest.types import Encoder
from ingest.where import located, milvus_uri
from rag import memory as module
from rag.chain import answer_chain
from rag.database import Database
from rag.decoding import GREEDY
from rag.memory import Memory
from rag.memory_stores import MilvusStore, Span
from rag.recall import recall, remembered
from rag.repeats import repeated
from rag.retrieve import Retriever
from rag.sessions import Sessions
from rag.types import Answer, Ask
from tests.ingest_fakes import FakeEncoder, write
from ui.cli import app

ANNA, BEN = "a" * 32, "b" * 32
ASKED = ("How does a GAN train its two networks?", "What is nucleus sampling?", "Who wrote ELIZA?")


def asked(sessions: Sessions, *questions: str) -> None:
    made = sessions.create()
    for question in questions:
        sessions.add(made, Answer(question, GREEDY, stage="done", answer="The zebra secret is 4711 [1]."))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "conversations.db")
    yield made
    made.close()


def test_meaning_finds_what_words_do_not(database: Database, encoder: Encoder) -> None:
    asked(Sessions(database, ANNA), *ASKED)
    memory = Memory(database, encoder)
    first, *_ = memory.search(ANNA, "training adversarial nets", role="student")
    assert first.answer.question == ASKED[0]
    wanted = recall("What did I ask about adversarial networks today?", date.today())
    assert wanted is not None
    assert [one.answer.question for one in remembered(memory, ANNA, wanted)] == [ASKED[0]]
    assert remembered(memory, BEN, wanted) == ()
    assert repeated(memory, ANNA, "Who created ELIZA?") is None, "an answer without sources was offered"


def test_milvus_holds_the_same_and_keeps_owners_apart(tmp_path: Path, database: Database) -> None:
    pytest.importorskip("langchain_milvus")
    folder = located(Path(f"milvus:{tmp_path}/notes.db"))
    anna, memory = Sessions(database, ANNA), Memory(database, FakeEncoder(), "unit", folder)
    asked(anna, *ASKED)
    asked(anna.of(BEN), "A robin sings")
    plain = Memory(database, FakeEncoder(), "unit")
    for owner in (ANNA, BEN, ""):
        ours, theirs = (one.search(owner, "How does a robin train?") for one in (memory, plain))
        assert [one.turn for one in ours] == [one.turn for one in theirs]
        assert np.allclose([one.score for one in ours], [one.score for one in theirs], atol=1e-5)
    store = memory._store()
    assert isinstance(store, MilvusStore)
    assert len(store.held(ANNA)) == 6 and len(store.held(BEN)) == 2 and store.held("") == set()
    vector = FakeEncoder().encode(["A robin sings"])[0]
    assert store.search("", vector, 10, Span()) == []
    assert len(store.search(ANNA, vector, 10, Span(role="tutor", since=1.0))) == 3
    anna.truncate(anna.list()[0].id, keep=1)
    assert [one.answer.question for one in memory.search(ANNA, "ELIZA")] == [ASKED[0]]
    assert len(store.held(ANNA)) == 2, "Milvus has vectors of turns that are gone"
    assert module.forget(database, ANNA, folder) == 2 and store.held(ANNA) == set()
    assert len(store.held(BEN)) == 2
    arguments = ["data", "delete", "--user", BEN, "--yes", "--sessions", str(tmp_path)]
    told = CliRunner().invoke(app, [*arguments, "--index", f"milvus:{tmp_path}/notes.db"])
    assert told.exit_code == 0 and "2 vectors of messages" in told.output and store.held(BEN) == set()
    from milvus_lite.server_manager import server_manager_instance

    server_manager_instance.release_server(str(milvus_uri(folder)))


def test_no_earlier_conversation_reaches_a_prompt(
    tmp_path: Path, database: Database, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "notes", {"unit.md": "# ELIZA\n\nJoseph Weizenbaum wrote ELIZA at MIT in 1966."})
    build([tmp_path / "notes"], tmp_path / "index", encoder)
    asked(Sessions(database), "Who wrote ELIZA?", "What is the zebra secret?")
    memory = Memory(database, encoder)
    assert len(memory.search("", "zebra secret")) == 2
    shown: list[str] = []

    class Listening(GenericFakeChatModel):
        def _generate(self, messages: list[BaseMessage], *args: object, **settings: object):  # type: ignore[no-untyped-def,override]
            shown.extend(str(message.content) for message in messages)
            return super()._generate(messages, *args, **settings)  # type: ignore[arg-type]

    said = iter([AIMessage("Joseph Weizenbaum wrote ELIZA [1].")] * 2)
    chain = answer_chain(
        Retriever(open_index(tmp_path / "index", encoder), encoder), Listening(messages=said)
    )
    answer = chain.invoke(Ask("Who wrote ELIZA?"))
    assert "Weizenbaum" in answer.answer and any("Weizenbaum" in text for text in shown)
    assert not re.search("zebra|4711", " ".join([*shown, str(answer)]))


def test_the_terminal_tells_what_was_asked_without_a_model(tmp_path: Path) -> None:
    runner, sessions = CliRunner(), tmp_path / "sessions"
    question = ["ask", "What did I ask about ELIZA today?", "--sessions", str(sessions)]
    nothing = runner.invoke(app, question)
    assert nothing.exit_code == 0 and "You asked nothing about ELIZA" in nothing.output
    assert not sessions.exists()
    kept = Sessions(sessions / "conversations.db")
    asked(kept, *ASKED)
    asked(kept.of(ANNA), "Who used ELIZA?")
    told = runner.invoke(app, question)
    assert told.exit_code == 0 and "You asked one question about ELIZA on" in told.output
    assert "Who wrote ELIZA?\n  The zebra secret is 4711." in told.output
    as_json = runner.invoke(app, [*question, "--json"])
    assert '"turn": 3' in as_json.output and "Who used ELIZA?" not in as_json.output
    assert not (sessions / "log.jsonl").exists()
