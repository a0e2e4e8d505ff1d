"""What doctor finds, without loading a model."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingest.errors import IndexUnusable, ModelUnusable
from ui import cli, doctor, tutor

PARTS = {"found": True, "state": "there"}


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is there, and nothing is measured."""
    monkeypatch.setattr(doctor, "_encoder", lambda *_: dict(PARTS))
    monkeypatch.setattr(doctor, "_model", lambda *_: {**PARTS, "ready": True})
    monkeypatch.setattr(doctor, "_index", lambda *_: {**PARTS, "fresh": True})
    speed = {
        "read_tokens_per_s": 130.0,
        "write_tokens_per_s": 6.0,
        "predicted_first_word_s": 5.0,
        "saved_by_reading_ahead_s": 4.1,
        "predicted_answer_s": 21.7,
    }
    monkeypatch.setattr(doctor, "_speed", lambda *_: dict(speed))


def examined(url: str | None = None) -> dict[str, Any]:
    return doctor.examine(Path("data/index"), None, None, None, url)


@pytest.mark.usefixtures("whole")
def test_a_whole_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = examined()
    assert found["missing"] == [] and found["outbound_connections"] == [] and not found["leaves_this_machine"]
    text = doctor.as_text(found)
    assert "reads 130 tokens/s, writes 6.0 tokens/s" in text and "connections: none" in text
    assert "4 s sooner where they were read ahead" in text


@pytest.mark.usefixtures("whole")
def test_what_leaves_the_machine_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    told = examined("https://models.example/v1")["leaves_this_machine"]
    assert "models.example" in told[0] and "Hugging Face" in told[1]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert examined("http://127.0.0.1:8080/v1")["leaves_this_machine"] == []


@pytest.mark.usefixtures("whole")
def test_a_model_that_fails_to_load_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_speed", lambda *_: {"error": "The prepared model is damaged."})
    found = examined()
    assert found["missing"] == ["language_model: The prepared model is damaged."]
    assert "speed here      not measured" in doctor.as_text(found)


@pytest.mark.usefixtures("whole")
def test_exit_1_only_when_something_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def status() -> int:
        monkeypatch.setattr(sys, "argv", ["unitutor", "doctor", "--json"])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0)

    assert status() == 0
    monkeypatch.setattr(doctor, "_encoder", lambda *_: {"found": False, "state": "not installed"})
    assert status() == 1


def test_an_index_and_the_notes_it_holds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    (notes / "week 1").mkdir(parents=True)
    (notes / "week 1" / "a.md").write_text("A")
    (notes / ".hidden").write_text("no note")
    held = {"week 1/a.md": hashlib.sha256(b"A").hexdigest()}
    known = SimpleNamespace(files=held, made_of=held, passages=1)
    monkeypatch.setattr(tutor, "open_retriever", lambda *_: None)
    monkeypatch.setattr("ingest.store.peek", lambda _: known)
    assert doctor._index(tmp_path / "index", notes, None)["fresh"] is True
    (notes / "week 1" / "a.md").write_text("B")
    found = doctor._index(tmp_path / "index", notes, None)
    assert found["fresh"] is False and "unitutor ingest" in found["state"] and found["found"]
    (notes / "week 1" / "a.md").write_text("A")
    (notes / "b.md").write_text("new")
    assert doctor._index(tmp_path / "index", notes, None)["fresh"] is False


def test_a_missing_index_and_encoder_are_states_and_no_tracebacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def gone(*_: object) -> None:
        raise IndexUnusable("no index: run: unitutor ingest")

    def none(*_: object) -> None:
        raise ModelUnusable("no encoder")

    monkeypatch.setattr(tutor, "open_retriever", gone)
    monkeypatch.setattr("ingest.embed.load_encoder", none)
    assert doctor._index(tmp_path, None, None) == {
        "found": False,
        "state": "no index: run: unitutor ingest",
        "fresh": None,
    }
    assert doctor._encoder(None) == {"found": False, "state": "no encoder"}


def test_another_model_is_taken_at_its_word_until_loaded() -> None:
    assert doctor._model("some/model", None)["ready"] is True


def test_a_model_server_is_asked_whether_it_is_there() -> None:
    found = doctor._model("any", "http://127.0.0.1:9/v1")
    assert not found["found"] and not found["ready"]
    assert found["state"].startswith("No model server answers at http://127.0.0.1:9/v1")
