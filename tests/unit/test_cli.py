"""The command line's contract, with a stand-in for everything that takes long."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from ingest.build import Report, Skipped
from ingest.errors import IndexUnusable, ModelUnusable
from ingest.types import Hit, Passage
from rag.decoding import NAMES
from rag.types import Answer, Ask, Citation, Sentence
from ui import cli, index_cli, serving, tutor
from ui.options import Name

PASSAGE = Passage(
    "ab" * 8, "unit.pdf", 3, ("Models", "GANs"), "A GAN has two networks.", ("A GAN has two networks.",)
)
HIT = Hit(PASSAGE, 1.5, 0.9, 0.8, 0)
CITATION = Citation(
    1, "unit.pdf", 3, "Models > GANs", "A GAN has two networks.", 0.8, PASSAGE.id, PASSAGE.text
)


class Chain:
    """Answers at once with the question and how many turns came before it."""

    def __init__(self) -> None:
        self.asked: list[Ask] = []

    def stream(self, ask: Ask) -> Iterator[Answer]:
        self.asked.append(ask)
        if ask.question == "explode":
            raise ModelUnusable("The model\nbroke: do something.")
        if ask.question == "interrupt":
            raise KeyboardInterrupt
        if ask.question == "refuse":
            yield Answer(
                ask.question, ask.decoding, "done", "Not in the notes.", refused=True, closest=(CITATION,)
            )
            return
        answer = Answer(ask.question, ask.decoding, "reading", citations=(CITATION,))
        yield answer
        text = f"Heard {ask.question} after {len(ask.history)} turns."
        yield replace(answer, stage="writing", answer=text[:12])
        sentences = (Sentence(text, 0.9, "supported", (1,)), Sentence("Made up.", 0.1, "unsupported", ()))
        yield replace(answer, stage="done", answer=text + " [1] Made up.", sentences=sentences)

    def invoke(self, ask: Ask) -> Answer:
        return list(self.stream(ask))[-1]


class Found:
    sources = ("unit.pdf",)

    def search(self, question: str, k: int = 5, sources: tuple[str, ...] = ()) -> list[Hit]:
        return [HIT][:k]


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Chain:
    chain = Chain()
    monkeypatch.chdir(tmp_path)
    opened = tutor.Tutor(chain, Found(), ("unit.pdf",), ())  # type: ignore[arg-type]
    monkeypatch.setattr(tutor, "open_tutor", lambda *a, **k: opened)
    monkeypatch.setattr(tutor, "open_retriever", lambda *a, **k: Found())
    return chain


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit status of `unitutor` with these arguments."""
    monkeypatch.setattr(sys, "argv", ["unitutor", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def unitutor(monkeypatch: pytest.MonkeyPatch, chain: Chain, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        status = run(monkeypatch, *arguments)
        out, err = capsys.readouterr()
        return status, out, err

    return call


def test_ask_shows_passages_then_prose_then_sources(unitutor: Any) -> None:
    status, out, err = unitutor("ask", "hello")
    assert status == 0 and err == ""
    assert (
        out.index("From unit.pdf, p. 3:") < out.index("Heard hello") < out.index('"A GAN has two networks."')
    )
    assert "Not found in the notes:\n  - Made up." in out


def test_ask_json_has_the_contract(unitutor: Any) -> None:
    status, out, _ = unitutor("ask", "hello", "--json", "--decoding", "top-p", "--p", "0.8", "--seed", "4")
    found = json.loads(out)
    assert status == 0
    assert found["question"] == "hello" and found["refused"] is False
    assert {"marker", "source", "page", "heading", "quote", "score"} <= set(found["citations"][0])
    assert {"text", "support", "label", "markers"} <= set(found["sentences"][0])
    assert (found["decoding"]["name"], found["decoding"]["p"], found["decoding"]["seed"]) == ("top-p", 0.8, 4)
    wanted = {"retrieve_ms", "first_word_ms", "total_ms", "prompt_tokens", "output_tokens"}
    assert wanted <= set(found["timings"])


def test_a_refusal_exits_0_and_says_what_came_closest(unitutor: Any) -> None:
    status, out, _ = unitutor("ask", "refuse")
    assert status == 0 and "What came closest:" in out and "unit.pdf, p. 3, Models > GANs" in out


def test_an_error_is_one_line_on_stderr_and_exit_1(unitutor: Any) -> None:
    status, _, err = unitutor("ask", "explode")
    assert (status, err) == (1, "The model broke: do something.\n")


@pytest.mark.parametrize("question", ["", "   ", "x" * 50_000])
def test_a_question_that_cannot_be_read_exits_1(unitutor: Any, chain: Chain, question: str) -> None:
    for command in ("ask", "search"):
        status, out, err = unitutor(command, question)
        assert status == 1 and err.count("\n") == 1 and len(err) < 200 and out == "" and not chain.asked


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask"],
        ["ask", "q", "--decoding", "clever"],
        ["ask", "q", "--batch", "nowhere.jsonl", "--out", "o"],
        ["ask", "q", "--out", "o"],
        ["ask", "q", "--source", "other.pdf"],
        ["search", "q", "--source", "week1/*"],
        ["search", "q", "--source", "unit.pdf:9-3"],
        ["search"],
        ["chat", "--port", "99999"],
        ["fly"],
    ],
)
def test_usage_exits_2(unitutor: Any, arguments: list[str]) -> None:
    assert unitutor(*arguments)[0] == 2


@pytest.mark.parametrize(
    "flags",
    [["--temperature", "9"], ["--decoding", "top-k", "--k", "0"], ["--seed", "-1"], ["--beams", "3"]],
)
def test_settings_out_of_range_exit_1(unitutor: Any, flags: list[str]) -> None:
    status, _, err = unitutor("ask", "hello", *flags)
    assert status == 1 and err.count("\n") == 1


def test_the_names_of_strategies_are_those_of_rag() -> None:
    assert get_args(Name) == NAMES


def test_ctrl_c_exits_130_quietly(unitutor: Any, chain: Chain) -> None:
    status, out, err = unitutor("ask", "interrupt")
    assert (status, out.strip(), err) == (130, "", "")
    assert chain.asked[-1].stop.is_set()


def test_a_missing_index_is_one_line(unitutor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise IndexUnusable("no index in data/index: run: unitutor ingest NOTES --index data/index")

    monkeypatch.setattr(tutor, "open_tutor", gone)
    status, _, err = unitutor("ask", "hello")
    assert status == 1 and err.startswith("no index in data/index") and err.count("\n") == 1


def test_a_session_keeps_the_conversation_by_title_and_by_id(unitutor: Any, tmp_path: Path) -> None:
    assert "after 0 turns" in unitutor("ask", "one", "--session", "revision")[1]
    assert "after 1 turns" in unitutor("ask", "two", "--session", "revision", "--json")[1]
    from rag.sessions import Sessions

    kept = Sessions(tmp_path / tutor.SESSIONS / tutor.SESSIONS_FILE)
    (only,) = kept.list()
    assert only.title == "revision"
    assert "after 2 turns" in unitutor("ask", "three", "--session", only.id)[1]
    assert [turn.question for turn in kept.turns(only.id)] == ["one", "two", "three"]


def test_an_error_leaves_no_empty_conversation(unitutor: Any, tmp_path: Path) -> None:
    from rag.sessions import Sessions

    assert unitutor("ask", "explode", "--session", "s")[0] == 1
    assert Sessions(tmp_path / tutor.SESSIONS / tutor.SESSIONS_FILE).list() == ()


def test_batch_answers_lines_and_turns_and_goes_on_after_bad_ones(unitutor: Any, tmp_path: Path) -> None:
    lines = [
        b'{"id": "a", "question": "one"}',
        b"",
        b'{"id": 2, "turns": ["one", "two"]}',
        b"not json",
        b'{"id": "b"}',
        b'{"question": "no id"}',
        b'{"id": "c", "question": "explode"}',
        b'{"id": "d", "turns": []}',
        b"\xff\xfe",
        b'{"id": "e", "question": "last"}',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    status, out, err = unitutor("ask", "--batch", "in.jsonl", "--out", "out.jsonl")
    assert (status, out) == (0, "")
    assert "6 of 9 lines" in err
    results = written(tmp_path / "out.jsonl")
    assert [r["id"] for r in results] == ["a", 2, None, "b", None, "c", "d", None, "e"]
    assert results[0]["answer"].startswith("Heard one after 0") and results[1]["answer"].startswith(
        "Heard two after 1"
    )
    assert results[5] == {"id": "c", "error": "The model broke: do something."}
    assert "Line 4" in results[2]["error"] and results[8]["question"] == "last"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_batch_that_cannot_write_says_so(unitutor: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": 1, "question": "q"}\n')
    status, _, err = unitutor("ask", "--batch", "in.jsonl", "--out", "none/out.jsonl")
    assert status == 1 and err.startswith("Cannot write none/out.jsonl") and err.count("\n") == 1


def test_an_interrupted_batch_leaves_an_earlier_output_alone(unitutor: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": 1, "question": "interrupt"}\n')
    (tmp_path / "out.jsonl").write_text("earlier")
    assert unitutor("ask", "--batch", "in.jsonl", "--out", "out.jsonl")[0] == 130
    assert (tmp_path / "out.jsonl").read_text() == "earlier"
    assert len(list(tmp_path.iterdir())) == 2


def test_batch_of_nothing_but_errors_exits_1(unitutor: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("{}\n[]\n")
    status, _, err = unitutor("search", "--batch", "in.jsonl", "--out", "out.jsonl")
    assert status == 1 and err.startswith("None of the 2 lines") and len(written(tmp_path / "out.jsonl")) == 2


def test_search_json_and_text_and_batch(unitutor: Any, tmp_path: Path) -> None:
    status, out, _ = unitutor("search", "gan", "--json")
    wanted = {
        "source": "unit.pdf",
        "page": 3,
        "heading": "Models > GANs",
        "text": PASSAGE.text,
        "score": 1.5,
    }
    assert status == 0 and json.loads(out) == [wanted]
    assert "1. unit.pdf, p. 3, Models > GANs (score 1.50)" in unitutor("search", "gan")[1]
    (tmp_path / "in.jsonl").write_text('{"id": "x", "question": "gan"}\n')
    assert unitutor("search", "--batch", "in.jsonl", "--out", "out.jsonl")[0] == 0
    assert written(tmp_path / "out.jsonl") == [{"id": "x", "hits": [wanted]}]


def test_ingest_names_what_it_left_out_and_exits_0(unitutor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report(2, 5, 9, (Skipped("bad.pdf", "encrypted:\nremove its password"),), 1.25, False)
    monkeypatch.setattr(tutor, "build_index", lambda *a, **k: report)
    monkeypatch.setattr(index_cli, "prepared", lambda: False)
    status, out, err = unitutor("ingest", "notes", "--json")
    assert status == 0 and err == "Left out bad.pdf: encrypted: remove its password\n"
    assert json.loads(out) == {
        "files": 2,
        "pages": 5,
        "passages": 9,
        "skipped": [{"file": "bad.pdf", "reason": "encrypted: remove its password"}],
        "seconds": 1.25,
    }
    assert unitutor("ingest")[1] == "data/index: 2 files, 5 pages, 9 passages in 1.2 s.\n"


def test_ingest_reads_ahead_where_the_model_is_there(unitutor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report(2, 5, 9, (), 1.25, unchanged=False)
    minutes: list[float] = []
    monkeypatch.setattr(tutor, "build_index", lambda *a, **k: report)
    monkeypatch.setattr(index_cli, "prepared", lambda: True)
    monkeypatch.setattr(index_cli, "for_minutes", lambda *a: minutes.append(a[2]) or (7, 9))
    status, out, err = unitutor("ingest")
    assert status == 0 and out.endswith("9 passages in 1.2 s.\n") and "7 of 9 passages are read" in err
    assert unitutor("ingest", "--read-ahead", "0.5")[0] == 0
    assert unitutor("ingest", "--read-ahead", "0")[2] == ""
    report = Report(2, 5, 9, (), 1.25, unchanged=True)
    assert unitutor("ingest")[2] == ""  # nothing has changed
    assert minutes == [5, 0.5]


def test_a_port_in_use_is_told_before_anything_is_loaded(unitutor: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, _, err = unitutor("chat", "--port", str(taken.getsockname()[1]))
    assert status == 1 and err.startswith("Cannot listen on 127.0.0.1:") and err.count("\n") == 1


@pytest.mark.parametrize("host", ["no such host", "300.1.1.1", "x" * 300])
def test_a_bad_host_is_one_line(host: str) -> None:
    with pytest.raises(serving.CannotServe):
        serving.check_port(host, 7860)
