"""`unitutor quiz`: what it writes, what it says, and what it refuses before minutes are spent."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag import quiz as quizzes
from rag.items.types import Evidence, Item, Option, Quiz
from rag.quiz import Wanted
from ui import cli, tutor

ITEM = Item(
    "0123456789abcdef",
    "multiple-choice",
    "Which metal is in wires?",
    tuple(Option(text, f"About {text}.") for text in ("Tin", "Copper", "Gold", "Iron")),
    1,
    "The notes say so.",
    Evidence("Copper carries current.", "metals.pdf", 3, "Metals", "ab" * 8),
    "Copper",
    "easy",
    "remember",
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Wanted]:
    """What was wanted; three questions are written for two, and the third never comes after Ctrl-C."""
    wants: list[Wanted] = []

    def make(index: object, model: object, wanted: Wanted, halt: object) -> Iterator[Quiz]:
        wants.append(wanted)
        if wanted.topic == "nothing":
            yield Quiz((), wanted.count, 4, {"asked before": 4}, wanted.seed)
            return
        yield Quiz((ITEM,), wanted.count, 1, {}, wanted.seed)
        if wanted.topic == "interrupt":
            raise KeyboardInterrupt
        yield Quiz((ITEM,), wanted.count, 2, {"asked before": 1}, wanted.seed)
        yield Quiz((ITEM, ITEM), wanted.count, 3, {"asked before": 1}, wanted.seed)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(quizzes, "make_quiz", make)
    opened = tutor.Tutor(None, None, ("metals.pdf",), (), model=object())  # type: ignore[arg-type]
    monkeypatch.setattr(tutor, "open_tutor", lambda *a, **k: opened)
    return wants


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["unitutor", "quiz", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def test_it_shows_the_questions_and_says_what_became_of_the_others(
    asked: list[Wanted], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ("-n", "2", "--topic", "metals", "--seed", "7", "--kind", "true-false", "--source", "metals.pdf")
    assert run(monkeypatch, *chosen) == 0
    said = capsys.readouterr()
    assert "Question 1: Which metal is in wires?" in said.out and "Answer 1: b) Copper" in said.out
    assert "Asked for 2, wrote 3, 2 passed. Rejected: 1 asked before." in said.err
    assert asked == [Wanted(2, ("true-false",), "metals", ("metals.pdf",), 7)]


def test_each_format_goes_into_its_file(
    asked: list[Wanted], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert run(monkeypatch, "-n", "2", "--format", "json", "--out", "q.json") == 0
    assert json.loads((tmp_path / "q.json").read_text("utf-8"))
    assert run(monkeypatch, "-n", "2", "--format", "anki", "--out", "q.apkg") == 0
    assert (tmp_path / "q.apkg").read_bytes().startswith(b"PK")
    for form, shown in (("html", False), ("html-answers", True)):
        assert run(monkeypatch, "-n", "2", "--format", form, "--out", f"{form}.html") == 0
        assert ("metals.pdf" in (tmp_path / f"{form}.html").read_text("utf-8")) is shown


def test_ctrl_c_keeps_what_passed(
    asked: list[Wanted], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "-n", "2", "--topic", "interrupt") == 0
    assert "Question 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("-n", "0"), 1, "1 to 100 questions"),
        (("-n", "500"), 1, "1 to 100 questions"),
        (("--kind", "essay"), 1, "no kind of question"),
        (("--format", "anki"), 2, "needs --out FILE"),
        (("--format", "odt"), 2, "odt"),
        (("--out", "nowhere/q.json"), 1, "Cannot write into nowhere"),
        (("--source", "no.pdf"), 2, "no.pdf"),
        (("--topic", "nothing"), 1, "No question passed"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    asked: list[Wanted],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    status: int,
    said: str,
) -> None:
    assert run(monkeypatch, *arguments) == status
    told: Any = capsys.readouterr()
    assert said in told.err and "Traceback" not in told.err and told.out == ""
