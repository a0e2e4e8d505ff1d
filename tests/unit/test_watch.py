"""Notes that change while they are watched, and a chat that takes over their new index."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel

from ingest import store, watch
from ingest.build import Report, build
from ingest.errors import UnitutorError
from ingest.fresh import Changes
from ingest.store import open_index
from rag.retrieve import Retriever
from tests.ingest_fakes import FakeEncoder, write
from tests.waiting import until
from ui.living import LivingTutor, living
from ui.tutor import Tutor


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    notes = write(tmp_path / "notes", {"a.md": "# Rocks\n\nGranite is hard."})
    build([notes], tmp_path / "ix", FakeEncoder())
    return notes


@pytest.fixture
def told(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is told while the notes are watched."""
    monkeypatch.setattr(watch, "QUIET_MS", 50)
    monkeypatch.setattr(watch, "LOOK_MS", 1000)
    told: list[Any] = []
    stop = threading.Event()
    args = ([notes], tmp_path / "ix", FakeEncoder(), stop, told.append)
    thread = threading.Thread(target=watch.follow, args=args)
    thread.start()
    yield told
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def texts(folder: Path) -> list[str]:
    return [p.text for p in open_index(folder, FakeEncoder()).passages]


def test_changes_are_followed(notes: Path, told: list[Any], tmp_path: Path) -> None:
    write(notes, {"b.md": "# Sand\n\nSand is small."})
    until(lambda: any(isinstance(news, Report) for news in told))
    assert told[0] == Changes(added=("b.md",)) and told[1].read == 1
    assert texts(tmp_path / "ix") == ["Granite is hard.", "Sand is small."]
    (notes / "b.md").unlink()
    until(lambda: len(told) == 4)
    assert texts(tmp_path / "ix") == ["Granite is hard."]


def test_what_goes_wrong_is_told_once_and_the_index_stays(
    notes: Path, told: list[Any], tmp_path: Path
) -> None:
    write(notes, {"a.md": b"\0\1\2" * 99})
    until(lambda: any(isinstance(news, UnitutorError) for news in told))
    time.sleep(2.5)  # it is looked at again
    assert [type(news) for news in told].count(Changes) == 1
    assert len([news for news in told if isinstance(news, UnitutorError)]) == 1
    assert texts(tmp_path / "ix") == ["Granite is hard."]
    write(notes, {"a.md": "# Rocks\n\nGranite is hard again."})
    until(lambda: isinstance(told[-1], Report))
    assert texts(tmp_path / "ix") == ["Granite is hard again."]


def opened(folder: Path) -> Tutor:
    encoder = FakeEncoder()
    retriever = Retriever(open_index(folder, encoder), encoder)
    model = FakeListChatModel(responses=["yes"])
    return Tutor("first", retriever, retriever.sources, (), model)  # type: ignore[arg-type]


def test_a_new_index_is_taken_over_between_two_questions(notes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ix"
    alive = LivingTutor(opened(folder), folder, (notes,))
    assert not alive.look() and alive.chain == "first" and alive.sources == ("a.md",)
    held = alive.retriever
    write(notes, {"b.md": "# Sand\n\nWhat is sand? Sand is small."})
    alive.look_at_the_notes()
    assert "b.md was added" in alive.notice and f"unitutor ingest {notes} --index {folder}" in alive.notice
    build([notes], folder, FakeEncoder())
    assert alive.sources == ("a.md",)  # until it looks, and for an answer that has begun
    assert alive.look() and not alive.look()
    assert alive.sources == ("a.md", "b.md") and alive.chain != "first"
    assert held.search("granite")[0].passage.text == "Granite is hard."
    assert "small" in alive.retriever.search("sand small")[0].passage.text
    alive.look_at_the_notes()
    assert alive.notice == ""


def test_an_index_that_cannot_be_opened_leaves_the_old_one(notes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ix"
    alive = LivingTutor(opened(folder), folder, (notes,))
    build([notes], folder, FakeEncoder("fake@2"))
    assert alive.look()
    assert alive.chain == "first" and "fake@2" in alive.notice and "\n" not in alive.notice
    build([notes], folder, FakeEncoder(), force=True)
    assert alive.look() and alive.notice == ""


def test_news_become_a_notice(notes: Path, tmp_path: Path) -> None:
    alive = LivingTutor(opened(tmp_path / "ix"), tmp_path / "ix", (notes,))
    alive.hear(Changes(changed=("a.md",)))
    assert (
        alive.notice
        == "The notes have changed (a.md was changed); until the index has, answers are from before."
    )
    alive.hear(UnitutorError("the disk\nis full"))
    assert alive.notice.endswith("the disk is full")
    alive.hear(Report(1, 1, 1, (), 0.1, False))
    assert alive.notice == ""


def test_a_chat_that_watches(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "QUIET_MS", 50)
    folder = tmp_path / "ix"
    with living(opened(folder), folder, (notes,), watch=True) as alive:
        write(notes, {"c.md": "# Clay\n\nClay is soft."})
        until(lambda: alive.sources == ("a.md", "c.md") and not alive.notice)
    assert store.current(folder)
    until(lambda: not [t for t in threading.enumerate() if t.name in ("watch", "keep_fresh")])


def test_an_index_renewed_by_another_process(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.living.LOOK", 0.05)
    monkeypatch.setattr("ui.living.STALE", 0.1)
    folder = tmp_path / "ix"
    with living(opened(folder), folder) as alive:
        write(notes, {"c.md": "# Clay\n\nClay is soft."})
        until(lambda: "c.md was added" in alive.notice)  # it knows where its notes lie
        build([notes], folder, FakeEncoder())
        until(lambda: alive.sources == ("a.md", "c.md") and not alive.notice)
