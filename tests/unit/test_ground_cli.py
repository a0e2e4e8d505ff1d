"""`unitutor ground`: its contract, over a small encoder; the check itself is scripted but for one test.

tests/integration/test_ground.py runs it with the real encoder.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.build import build
from tests.checker import TEXT, Checker
from tests.ingest_fakes import FakeEncoder
from ui import cli, tutor

Unitutor = Callable[..., tuple[int, str, str]]
NOTES = "# GANs\n\nA GAN trains two networks against each other. The generator makes samples from noise.\n"


@pytest.fixture
def unitutor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Unitutor:
    monkeypatch.chdir(tmp_path)
    encoder = FakeEncoder(dimension=64)
    monkeypatch.setattr("ingest.embed.load_encoder", lambda name=None: encoder)
    monkeypatch.setattr(tutor, "open_model", lambda *a, **k: "the model")
    (tmp_path / "notes.md").write_text(NOTES)
    build([tmp_path / "notes.md"], tmp_path / tutor.INDEX, encoder)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["unitutor", "ground", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return call


@pytest.fixture
def checker(monkeypatch: pytest.MonkeyPatch) -> Checker:
    made = Checker()
    monkeypatch.setattr("rag.grounding.check_text", made)
    return made


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_fast_check_needs_no_language_model(unitutor: Unitutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tutor, "open_model", lambda *a, **k: pytest.fail("a model was loaded"))
    text = "Hello! A GAN trains two networks against each other. Bananas ripen in Ecuador by 1999."
    status, out, _ = unitutor(text, "--fast", "--json")
    found = json.loads(out)["sentences"]
    assert status == 0 and found[0]["label"] == "not-a-claim"
    assert 0 <= found[2]["support"] < found[1]["support"] <= 1
    assert (found[1]["source"], found[1]["page"]) == ("notes.md", None)
    assert found[1]["quote"] == "A GAN trains two networks against each other."
    assert found[2]["label"] in ("unsupported", "contradicted")


def test_a_text_a_file_and_a_pipe_are_told_as_a_table(
    unitutor: Unitutor, checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "essay.txt").write_text(TEXT, "utf-8-sig")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    shown = [unitutor(given) for given in (TEXT, "essay.txt", "-")]
    assert [one["text"] for one in checker.asked] == [TEXT] * 3 and checker.asked[0]["model"] == "the model"
    assert shown[0] == shown[1] == shown[2]
    status, out, err = shown[0]
    assert (status, err) == (0, "")
    assert out.startswith("support  label         sentence\n") and "    97%  supported     A GAN" in out
    assert "unit-1.pdf, p. 7" in " ".join(out.split()) and "Supported: 25% of 4 claims." in out


def test_batch_has_the_contract_and_goes_on_after_bad_lines(
    unitutor: Unitutor, checker: Checker, tmp_path: Path
) -> None:
    lines = [
        {"id": "a", "text": TEXT, "passages": ["It is so."]},
        {"id": 2, "question": "Why?", "answer": "It trains two networks.", "refused": False},
        {"id": "c"},
        {"id": "d", "text": "They explode."},
    ]
    raw = [*map(json.dumps, lines), "nonsense"]
    (tmp_path / "in.jsonl").write_text("\n".join(raw))
    status, out, err = unitutor("--batch", "in.jsonl", "--out", "out.jsonl", "--report", "r.html",
                                "--report", "r.csv")  # fmt: skip
    assert (status, out) == (0, "")
    assert err == "3 of 5 lines of in.jsonl have an error instead of a check: see out.jsonl\n"
    found = written(tmp_path / "out.jsonl")
    assert [one["id"] for one in found] == ["a", 2, "c", "d", None]
    assert [one["label"] for one in found[0]["sentences"]] == [
        "not-a-claim", "supported", "partly", "contradicted", "unsupported",
    ]  # fmt: skip
    first = found[0]["sentences"][1]
    assert (first["support"], first["source"], first["page"]) == (0.97, "unit-1.pdf", 7) and first["quote"]
    assert found[1]["supported"] == 1
    assert found[2]["error"].startswith("Line 3 ") and found[4]["error"].startswith("Line 5 ")
    assert found[3]["error"] == "The model broke: do something."
    assert checker.asked[0]["passages"] == ("It is so.",) and checker.asked[1]["passages"] is None
    assert checker.asked[1]["question"] == "Why?"
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.count("<section") == 5 and "Line 3 has no text" in page
    assert len((tmp_path / "r.csv").read_text("utf-8").splitlines()) == 1 + 5 + 1 + 3
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_a_csv_may_leave_only_a_report(unitutor: Unitutor, checker: Checker, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f'id,text\n1,"{TEXT}"\n,x\n')
    status, out, err = unitutor("--batch", "in.csv", "--report", "r.json")
    assert (status, out) == (0, "") and err.startswith("1 of 2 lines of in.csv")
    found = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert [one["id"] for one in found["texts"]] == ["1", None] and found["counts"]["supported"] == 1


def test_passages_need_no_index(unitutor: Unitutor, checker: Checker, tmp_path: Path) -> None:
    line = {"id": 1, "text": TEXT, "passages": ["A GAN trains two networks against each other."]}
    (tmp_path / "in.jsonl").write_text(json.dumps(line))
    arguments = ("--batch", "in.jsonl", "--out", "o.jsonl", "--index", "none")
    assert unitutor(*arguments)[0] == 0 and len(written(tmp_path / "o.jsonl")[0]["sentences"]) == 5
    (tmp_path / "in.jsonl").write_text(json.dumps(line) + '\n{"id": 2, "text": "It is."}\n')
    status, _, err = unitutor(*arguments)
    assert status == 1 and err.startswith("no index in none") and err.count("\n") == 1


def test_an_interrupted_batch_leaves_an_earlier_output_alone(
    unitutor: Unitutor, checker: Checker, tmp_path: Path
) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": 1, "text": "one"}\n{"id": 2, "text": "interrupt"}\n')
    (tmp_path / "out.jsonl").write_text("earlier")
    before = sorted(tmp_path.iterdir())
    assert unitutor("--batch", "in.jsonl", "--out", "out.jsonl")[0] == 130
    assert (tmp_path / "out.jsonl").read_text() == "earlier" and sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "either a text or --batch"),
        (["t", "--batch", "in.jsonl", "--out", "o"], 2, "either a text or --batch"),
        (["t", "--out", "o"], 2, "--out goes with --batch"),
        (["--batch", "in.jsonl"], 2, "needs --out"),
        (["--batch", "none.jsonl", "--out", "o"], 2, "none.jsonl"),
        ([" \n "], 1, "There is no text to check."),
        (["x" * 60_000], 1, "The text has 60,000 characters"),
        (["essay.txt"], 1, "There is no file essay.txt."),
        (["in.jsonl"], 1, "give it with --batch"),
        (["t", "--report", "r.pdf"], 1, "end it in .html, .csv or .json"),
        (["t", "--report", "none/r.csv"], 1, "Cannot write none/r.csv"),
        (["photo"], 1, "photo is not text in UTF-8"),
        (["They explode."], 1, "The model broke: do something."),
        (["--batch", "in.jsonl", "--out", "o"], 1, "None of the 1 lines could be checked; the first: Line 1"),
        (["--batch", "in.jsonl", "--report", "r.csv"], 1, "None of the 1 lines could be checked"),
        (["t", "--index", "none"], 1, "no index in none"),
    ],
)
def test_errors_are_one_line_and_usage_exits_2(
    unitutor: Unitutor, checker: Checker, tmp_path: Path, arguments: list[str], status: int, says: str
) -> None:
    (tmp_path / "in.jsonl").write_text("{}\n")
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff\xe0\0\0")
    found, out, err = unitutor(*arguments)
    assert (found, out) == (status, "") and says in " ".join(err.split())
    if status == 1:
        assert err.count("\n") == 1 and len(err) < 250
