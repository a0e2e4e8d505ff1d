"""The local log keeps what it says, in lines that survive several writers, and goes when it is told to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from langchain_core.runnables import RunnableGenerator

from ingest.errors import UnitutorError
from rag import journal as module
from rag.decoding import GREEDY
from rag.journal import KEEPS, KEEPS_NOT, Entry, Journal, entry, logged
from rag.parted import UNANSWERED
from rag.types import Answer, Ask, Citation, Sentence, Timings

CITED = Citation(1, "m.pdf", 2, "VAE", "It learns.", 0.8, "ab", "It learns.")
ANSWER = Answer(
    "How does a VAE learn its latent space?",
    GREEDY,
    stage="done",
    answer="It learns [1]. SECRET WORDS.",
    citations=(CITED, replace(CITED, marker=2)),
    sentences=(
        Sentence("It learns.", 0.9, "supported", (1,)),
        Sentence("SECRET WORDS.", 0.21, "unsupported", ()),
        Sentence("Hello.", 1.0, "not-a-claim", ()),
    ),
    timings=Timings(40, 900, 2000, 400, 0, 20),
)


def test_it_keeps_what_it_says_and_no_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new")
    journal.note(ANSWER)
    (found,) = journal.entries()
    assert found == replace(entry(ANSWER), when=found.when)
    assert (found.support, found.labels) == ((0.9, 0.21), ("supported", "unsupported"))
    assert found.pages == (("m.pdf", 2),) and found.words == ("vae", "learn", "latent", "space")
    assert "SECRET" not in journal.path.read_text("utf-8") and "answer's text" in KEEPS_NOT
    values = json.loads(journal.path.read_text("utf-8"))
    assert set(values) == set(asdict(found)) and len(KEEPS) == 6


def test_a_refusal_keeps_the_nearest_pages(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note(replace(ANSWER, refused=True, citations=(), closest=(CITED,), sentences=()))
    (found,) = journal.entries()
    assert found.refused and found.pages == (("m.pdf", 2),) and found.support == ()


def test_a_part_that_the_notes_do_not_answer_counts_as_one_without_support(tmp_path: Path) -> None:
    told = Sentence(UNANSWERED.format("where was he born"), 1.0, "not-a-claim", ())
    found = entry(replace(ANSWER, sentences=(ANSWER.sentences[0], told)))
    assert (found.support, found.labels) == ((0.9, 0.0), ("supported", "unsupported"))


def test_switched_off_it_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    journal, other = Journal(tmp_path), Journal(tmp_path)
    assert journal.on
    journal.switch(False)
    other.note(ANSWER)
    assert not other.on and other.entries() == ()
    other.switch(True)
    journal.note(ANSWER)
    assert len(other.entries()) == 1


def test_deleted_nothing_of_it_is_left_but_the_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 600)
    journal = Journal(tmp_path)
    for _ in range(4):
        journal.note(ANSWER)
    journal.switch(False)
    assert journal.delete() > 1
    assert journal.entries() == () and not journal.on
    assert not list(tmp_path.glob("log*.jsonl"))
    assert Journal(tmp_path / "never").delete() == 0 and not (tmp_path / "never").exists()


def test_it_never_grows_beyond_its_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2000)
    journal = Journal(tmp_path)
    for number in range(40):
        journal.note(replace(ANSWER, question=f"Question {number}?"))
    assert all(path.stat().st_size <= 2000 for path in tmp_path.glob("log*.jsonl"))
    kept = [one.question for one in journal.entries()]
    assert kept == [f"Question {number}?" for number in range(40 - len(kept), 40)] and len(kept) > 5


def test_a_torn_line_costs_one_entry(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note(ANSWER)
    with journal.path.open("ab") as file:
        file.write(b'{"when": 12, "ques')
    journal.note(replace(ANSWER, question="After?"))
    with journal.path.open("ab") as file:
        file.write(b'{"when": "then"}\n[]\n\xff\n')
    assert [one.question for one in journal.entries()] == [ANSWER.question, "After?"]


def test_several_programs_write_whole_lines(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag import jsonlines\n"
        "for n in range(60): jsonlines.append(Path(sys.argv[1]), {'n': n, 'text': 'x' * 9000}, 400_000, "
        "Path(sys.argv[1] + '.older'))"
    )
    path = tmp_path / "log.jsonl"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(2)]
    assert [one.wait(60) for one in running] == [0, 0]
    lines = [
        json.loads(line) for name in (f"{path}.older", path) for line in Path(name).read_bytes().splitlines()
    ]
    assert sorted(line["n"] for line in lines)[-1] == 59 and all(len(line["text"]) == 9000 for line in lines)
    assert len(lines) > 43 and path.stat().st_size <= 400_000


def test_only_the_time_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    for when in (100.0, 200.0, 300.0):
        monkeypatch.setattr(module.time, "time", lambda when=when: when)
        journal.note(ANSWER)
    assert [one.when for one in journal.entries(150, 300)] == [200.0]


def test_the_chain_logs_an_answer_once_and_never_fails_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stream(asks: Iterator[Ask]) -> Iterator[Answer]:
        for ask in asks:
            yield replace(ANSWER, stage="writing", question=ask.question)
            yield replace(ANSWER, question=ask.question)

    chain = RunnableGenerator(stream)
    journal = Journal(tmp_path)
    assert logged(chain, None) is chain
    watched = logged(chain, journal)
    seen = list(watched.stream(Ask("Why?")))
    assert [one.stage for one in seen] == ["writing", "done"]
    assert [one.question for one in journal.entries()] == ["Why?"]

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.jsonlines, "append", fails)
    assert watched.invoke(Ask("And then?")).stage == "done"
    with pytest.raises(UnitutorError, match="No space left"):
        journal.note(ANSWER)


def test_what_a_stranger_asks_is_kept_as_text(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note(replace(ANSWER, question='half \ud800 "quoted"\n\u2028line' + "x" * 5000))
    (found,) = journal.entries()
    assert isinstance(found, Entry) and found.question.startswith('half ? "quoted"\n\u2028line')
    assert len(found.question) == module.LONGEST
