"""`unitutor lab` over a very small random model."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.build import build
from ingest.store import open_index
from rag.retrieve import Retriever
from tests.ingest_fakes import FakeEncoder
from tests.tiny_model import tiny_model
from ui import cli, tutor

Unitutor = Callable[..., tuple[int, str, str]]


@pytest.fixture
def unitutor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Unitutor:
    (tmp_path / "notes.md").write_text("# Words\n\nThe w3 does what w5 w6 does. Then comes w7 and w8.\n")
    encoder = FakeEncoder(dimension=64)
    build([tmp_path], tmp_path / "index", encoder)
    retriever = Retriever(open_index(tmp_path / "index", encoder), encoder)
    model = tiny_model()
    opened = tutor.Tutor(None, retriever, ("notes.md",), (), model)  # type: ignore[arg-type]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tutor, "open_tutor", lambda *a, **k: opened)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["unitutor", "lab", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return call


def test_it_shows_texts_and_a_table(unitutor: Unitutor) -> None:
    status, out, _ = unitutor("what does w3 do", "--strategies", "greedy,top-k:5,beam:2", "--seeds", "2")
    assert status == 0
    assert out.startswith("From notes.md:\n")
    assert "\ntop-k:5, seed 0\nw" in out and "\ntop-k:5, seed 1\nw" in out and "\nbeam:2\nw" in out
    table = out[out.index("strategy ") :].splitlines()
    assert table[0].split() == [
        "strategy", "seed", "tokens", "seconds", "tokens/s", "distinct-2", "grounding",
    ]  # fmt: skip
    assert [line.split()[0] for line in table[1:7]] == ["greedy", "top-k:5", "beam:2"] * 2
    assert table[9].split()[:4] == ["greedy", "2", "0.00", "0.00"]


def test_json_is_all_that_is_printed(unitutor: Unitutor) -> None:
    status, out, _ = unitutor("what does w3 do", "--json", "--seed", "4")
    found = json.loads(out)
    assert status == 0
    assert [run["strategy"] for run in found["runs"]] == ["greedy", "top-k:40", "top-p:0.9"]
    assert found["runs"][1]["seed"] == 4
    assert found["runs"][1]["tokens"][0]["kept"] == 40


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["q", "--strategies", "greedy"], 1, "2 to 5 strategies"),
        (["q", "--strategies", "greedy,top-k:0"], 1, "k must be between"),
        (["q", "--strategies", "greedy,,random"], 1, "Unknown strategy ''"),
        (["q", "--url", "http://127.0.0.1:9/v1"], 1, "needs the local engine"),
        (["  "], 1, "empty"),
        (["q", "--seeds", "0"], 2, "--seeds"),
        ([], 2, "question"),
    ],
)
def test_errors_are_told_before_a_model_is_loaded(
    unitutor: Unitutor, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, says: str
) -> None:
    monkeypatch.setattr(tutor, "open_tutor", lambda *a, **k: pytest.fail("a model was loaded"))
    found, out, err = unitutor(*arguments)
    assert (found, out) == (status, "")
    assert says in err
