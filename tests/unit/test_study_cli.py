"""unitutor study: each aid in each format, and one clear line where it cannot be made."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from ingest.build import build
from ingest.errors import UnitutorError
from ingest.store import open_index
from rag.retrieve import Retriever
from rag.sessions import Sessions
from tests.ingest_fakes import FakeEncoder
from tests.unit.test_study import answer, said
from ui import study_cli, tutor

NOTES = """# Cells

A mitochondrion is an organelle that makes most of the ATP of a cell.
Osmosis is the movement of water through a membrane into the stronger solution.
The membrane of a cell lets water pass and holds back salt.

# Review questions

1. What is osmosis?
2. Describe what a mitochondrion does.
"""


class Chain:
    def invoke(self, asked: Any) -> Any:
        assert asked.strict  # on a sheet nothing says which sentence is in doubt
        return answer(asked.question, said("Water moves through a membrane."))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    (folder / "cells.md").write_text(NOTES, "utf-8")
    (folder / "short").mkdir()
    (folder / "short" / "two.md").write_text("Cells are small. They live long.", "utf-8")
    build([folder / "cells.md"], folder / "index", FakeEncoder())
    build([folder / "short"], folder / "tiny", FakeEncoder())
    return folder / "index"


@pytest.fixture
def unitutor(
    monkeypatch: pytest.MonkeyPatch, index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Any:
    app = typer.Typer()
    study_cli.register(app, print, lambda text: print(text, file=sys.stderr))
    app.command("other")(lambda: None)  # one command alone would be the program itself

    def retriever(at: Path, *_: object) -> Retriever:
        return Retriever(open_index(at, FakeEncoder()), FakeEncoder())

    monkeypatch.setattr(tutor, "open_retriever", retriever)
    monkeypatch.setattr(
        tutor,
        "open_tutor",
        lambda at, *a: tutor.Tutor(Chain(), retriever(at), (), ()),  # type: ignore[arg-type]
    )
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[str, str]:
        where = () if "--index" in arguments or arguments[0] == "summary" else ("--index", str(index))
        with pytest.raises(SystemExit) as left:
            app(["study", *arguments, *where])
        assert left.value.code == 0
        told = capsys.readouterr()
        return told.out, told.err

    return call


@pytest.mark.parametrize(
    ("aid", "word"),
    [("terms", "Osmosis"), ("cards", "Mitochondrion"), ("guide", "stronger"), ("review", "osmosis?")],
)
def test_every_aid_in_every_format(unitutor: Any, aid: str, word: str) -> None:
    assert word in unitutor(aid)[0]
    assert word in unitutor(aid, "--format", "html")[0]
    assert word in json.dumps(json.loads(unitutor(aid, "--format", "json")[0]))


def test_a_file_is_written_and_told(unitutor: Any, tmp_path: Path) -> None:
    out, told = unitutor("cards", "--format", "anki", "--out", "deck.apkg")
    assert out == "" and "2 cards: deck.apkg" in told
    assert (tmp_path / "deck.apkg").read_bytes().startswith(b"PK")
    assert [path.name for path in tmp_path.iterdir()] == ["deck.apkg"]


def test_a_conversation_is_summed_up(unitutor: Any, tmp_path: Path) -> None:
    kept = Sessions(tmp_path / "kept" / tutor.SESSIONS_FILE)
    kept.add(kept.create("Water"), answer("What is osmosis?", said("Water moves through a membrane.")))
    kept.close()
    out, _ = unitutor("summary", "Water", "--sessions", "kept")
    assert "- Water moves through a membrane." in out and "bio.pdf, p. 2" in out
    with pytest.raises(UnitutorError, match="no conversation 'Fire'"):
        unitutor("summary", "Fire", "--sessions", "kept")
    with pytest.raises(UnitutorError, match="no conversation 'Fire'"):
        unitutor("summary", "Fire", "--sessions", "nowhere")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("terms", "--index", "nowhere"), "no index in nowhere"),
        (("terms", "--source", "x.pdf"), "No file 'x.pdf'"),
        (("guide", "--source", "x.pdf"), "No file 'x.pdf'"),
        (("terms", "--out", "none/terms.md"), "Cannot write none"),
        (("review", "--index", "tiny"), "only 2 sentences"),
        (("guide", "--index", "tiny"), "only 2 sentences"),
    ],
)
def test_what_cannot_be_made_is_one_clear_line(unitutor: Any, index: Path, arguments: Any, line: str) -> None:
    here = [str(index.parent / "tiny") if one == "tiny" else one for one in arguments]
    with pytest.raises(UnitutorError, match=line) as error:
        unitutor(*here)
    assert "\n" not in str(error.value)


def test_notes_without_review_questions_are_told(unitutor: Any, index: Path, tmp_path: Path) -> None:
    (tmp_path / "plain.md").write_text(NOTES.split("# Review")[0], "utf-8")
    build([tmp_path / "plain.md"], tmp_path / "plain", FakeEncoder())
    with pytest.raises(UnitutorError, match="No review questions"):
        unitutor("review", "--index", str(tmp_path / "plain"))


def test_a_damaged_index_is_told(unitutor: Any, tmp_path: Path) -> None:
    build([Path(__file__).parents[2] / "data" / "notes" / "04-sampling.md"], tmp_path / "i", FakeEncoder())
    next((tmp_path / "i").glob("gen-*/passages.sqlite")).write_bytes(b"no database")
    with pytest.raises(UnitutorError, match="damaged"):
        unitutor("terms", "--index", str(tmp_path / "i"))
