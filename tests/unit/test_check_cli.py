"""unitutor check, gaps and log, with a stand-in for everything that takes long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag.feedback import Feedback
from rag.journal import Journal
from rag.regression import save
from rag.sessions import Sessions
from rag.types import Ask
from tests.unit import test_cli
from tests.unit.test_cli import Chain
from ui import tutor

CASES = (
    '{"question": "one", "facts": [["heard one"]], "sources": [["unit.pdf", 3]]}\n'
    '{"turns": ["one", "two"], "facts": [["after 1 turns"]]}\n'
    '{"question": "refuse", "must_refuse": true}\n'
)


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Chain:
    made = Chain()
    monkeypatch.chdir(tmp_path)
    opened = tutor.Tutor(made, test_cli.Found(), ("unit.pdf",), ())  # type: ignore[arg-type]
    monkeypatch.setattr(tutor, "open_tutor", lambda *a, **k: opened)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "regression.jsonl").write_text(CASES, "utf-8")
    return made


@pytest.fixture
def unitutor(monkeypatch: pytest.MonkeyPatch, chain: Chain, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        status = test_cli.run(monkeypatch, *arguments)
        out, err = capsys.readouterr()
        return status, out, err

    return call


def test_check_is_quiet_where_all_is_well_and_says_what_got_worse(unitutor: Any, tmp_path: Path) -> None:
    status, out, err = unitutor("check")
    assert (status, err) == (0, "") and out == "3 cases: 0 worse, 0 better, 3 as before.\n"
    status, _, err = unitutor("check", "--accept")
    assert status == 0 and "data/regression.accepted.json" in err
    accepted = tmp_path / "data" / "regression.accepted.json"
    was = json.loads(accepted.read_text("utf-8"))
    first = next(iter(was["cases"].values()))
    first["met"]["states heard one"], first["answer"] = False, "Something else."
    accepted.write_text(json.dumps(was), "utf-8")
    status, out, _ = unitutor("check")
    assert status == 0 and "Better:\n  one\n    now: states heard one\n    before: Something else." in out
    assert "3 cases: 0 worse, 1 better, 2 as before." in out


def test_a_regression_exits_1_until_it_is_accepted(unitutor: Any, tmp_path: Path) -> None:
    line = '{"question": "late", "facts": [["never said"]]}\n'
    (tmp_path / "own.jsonl").write_text(CASES + line, "utf-8")
    status, out, _ = unitutor("check", "--set", "own.jsonl")
    assert status == 1 and "Worse:\n  late\n    no longer: states never said\n" in out
    status, out, _ = unitutor("check", "--set", "own.jsonl", "--json")
    found = json.loads(out)
    assert status == 1 and found["cases"] == 4 and found["worse"][0]["turns"] == ["late"]
    assert found["worse"][0]["after"]["answer"].startswith("Heard late")
    assert unitutor("check", "--set", "own.jsonl", "--accept")[0] == 0
    status, out, _ = unitutor("check", "--set", "own.jsonl")
    assert status == 0 and "As before, and not as expected:\n  late" in out
    (tmp_path / "own.accepted.json").write_text("torn", "utf-8")
    status, _, err = unitutor("check", "--set", "own.jsonl")
    assert status == 1 and err.count("\n") == 1 and "remove the file" in err
    assert unitutor("check", "--set", "own.jsonl", "--accept")[0] == 0


def test_check_without_a_set_or_with_a_bad_line_is_one_line(
    unitutor: Any, chain: Chain, tmp_path: Path
) -> None:
    assert unitutor("check", "--set", "none.jsonl")[0] == 1
    (tmp_path / "bad.jsonl").write_text('{"question": "q"}\n', "utf-8")
    status, _, err = unitutor("check", "--set", "bad.jsonl")
    assert status == 1 and err.startswith("Line 1 of bad.jsonl expects nothing") and err.count("\n") == 1
    assert chain.asked == []


def test_an_interrupted_check_goes_on(unitutor: Any, chain: Chain, tmp_path: Path) -> None:
    line = '{"question": "explode", "must_refuse": true}\n'
    (tmp_path / "own.jsonl").write_text(CASES + line, "utf-8")
    status, _, err = unitutor("check", "--set", "own.jsonl")
    assert status == 1 and err == "The model broke: do something.\n"
    asked = len(chain.asked)
    unitutor("check", "--set", "own.jsonl")
    assert [one.question for one in chain.asked[asked:]] == ["explode"]


def test_an_approved_answer_is_met_again(unitutor: Any, chain: Chain, tmp_path: Path) -> None:
    save(tmp_path / "data" / "regression.jsonl", chain.invoke(Ask("again")), "approved")
    assert unitutor("check")[:2] == (0, "4 cases: 0 worse, 0 better, 4 as before.\n")


def test_the_log_is_shown_switched_and_deleted(unitutor: Any, chain: Chain, tmp_path: Path) -> None:
    journal = Journal(tmp_path / tutor.SESSIONS)
    journal.note(chain.invoke(Ask("What is logged?")))
    status, out, _ = unitutor("log")
    assert status == 0 and "The log is on" in out and "1 questions, the latest 1:" in out
    assert "What is logged?" in out and "And not" not in out and "who asked" in out
    assert len(json.loads(unitutor("log", "show", "--json")[1])["entries"]) == 1
    assert "The log is off" in unitutor("log", "off")[1] and not journal.on
    assert unitutor("log", "delete")[1] == "Deleted: 1 question.\n" and journal.entries() == ()
    assert "The log is on" in unitutor("log", "on")[1] and journal.on
    assert unitutor("log", "eat")[0] == 2


def test_gaps_as_text_json_and_a_page(unitutor: Any, chain: Chain, tmp_path: Path) -> None:
    folder = tmp_path / tutor.SESSIONS
    journal = Journal(folder)
    for question in ("refuse", "What is a GAN?"):
        journal.note(chain.invoke(Ask(question)))
    sessions = Sessions(folder / tutor.SESSIONS_FILE)
    talk = sessions.create()
    sessions.add(talk, chain.invoke(Ask("What is a GAN?")))
    Feedback(folder / tutor.SESSIONS_FILE).set(talk, 0, "down", "unclear", "too short")
    status, out, _ = unitutor("gaps")
    assert status == 0 and "2 questions in the last 12 weeks: 1 refused, 1 answered with low support" in out
    assert "1x unclear" in out and "too short" in out
    assert json.loads(unitutor("gaps", "--json")[1])["asked"] == 2
    assert unitutor("gaps", "--html", "gaps.html") == (0, "", "")
    assert "What is a GAN?" in (tmp_path / "gaps.html").read_text("utf-8")
    status, _, err = unitutor("gaps", "--html", "gaps.html/in.html")
    assert status == 1 and err.startswith("Cannot write gaps.html/in.html") and err.count("\n") == 1


def test_gaps_of_nothing_makes_nothing(unitutor: Any, tmp_path: Path) -> None:
    assert unitutor("gaps")[1].startswith("0 questions")
    assert not (tmp_path / tutor.SESSIONS).exists()
