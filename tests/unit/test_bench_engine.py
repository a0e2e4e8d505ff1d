"""The engine bench's own arithmetic: options, questions, ratios, tables, the plot. No model is loaded."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from tests.bench import engine, engine_report
from tests.bench.arms import CHUNK, Measured, _alike, _chunks
from tests.bench.labelled import EVAL, load


def measured(first: float, whole: float, refused: bool = False) -> dict:
    return asdict(Measured(first, whole, 400, 0.25, 21, "An answer.", refused))


def asked(ours: float, usual: float, own: float, refused: bool = False) -> dict:
    arms = {
        "unitutor": measured(ours, ours + 2, refused),
        "usual": measured(usual, usual + 4),
        "own-prompt": measured(own, own + 4),
    }
    return {"question": "?", "arms": arms}


FOUND = {
    "machine": "x86_64, 2 cores",
    "answers": [asked(1, 20, 4), asked(2, 22, 4), asked(1, 24, 2), asked(0.1, 90, 90, refused=True)],
    "memory": {"unitutor": 3_000_000_000, "usual": 2_000_000_000},
    "bandwidth": {"read": 20e9, "arms": {"unitutor": {"weights": 1_500_000_000, "rate": 8.0}}},
    "growth": {"unitutor": {"200": 1.5, "1000": 7.25}, "own-prompt": {"200": 6.0}},
    "students": {"unitutor": {"1": [2.0], "4": [3.0, 4.0, 9.0, 5.0]}},
    "quality": {
        "unitutor": [
            {"id": "a", "facts": 2, "found": 2, "refused": False},
            {"id": "b", "facts": 0, "found": 0, "refused": True},
            {"id": "c", "facts": 4, "found": 4, "refused": False},
        ],
        "usual": [
            {"id": "a", "facts": 2, "found": 1, "refused": False},
            {"id": "b", "facts": 0, "found": 0, "refused": False},
        ],
    },
}


def test_ratios_are_medians_of_the_questions_own() -> None:
    found = engine_report.ratios(FOUND["answers"])
    assert [(what, arm, ratio) for what, arm, ratio, _ in found] == [
        ("first word", "usual", 20),
        ("first word", "own-prompt", 2),
        ("whole answer", "usual", 8),
    ]


def test_the_tables_hold_every_part() -> None:
    text = engine_report.text(FOUND)
    assert "Medians of 3 questions" in text and "1 more were refused" in text
    assert "| Unitutor, int8 | 400 (25%) | 1.00 | 3.00 | 21 | 10.0 | 3.0 | 0% |" in text
    assert "| first word, against llama.cpp, our prompt | 2.0x | 2.5x | no |" in text
    assert "| Unitutor, int8 | 1.50 | 8.0 | 60% |" in text
    assert "| llama.cpp, our prompt | 6.00 |  |" in text
    assert "| Unitutor, int8 | 4 | 3.0 | 4.5 | 9.0 |" in text
    assert "| Unitutor, int8 | 2/2 | 0/1 | 1/1 |" in text  # only what both were asked is compared
    assert "| llama.cpp, four whole chunks | 1/2 | 0/1 | 0/1 |" in text


@pytest.mark.parametrize("part", [*FOUND, None])
def test_any_part_alone_makes_a_report(part: str | None, tmp_path: Path) -> None:
    found = {part: FOUND[part]} if part else FOUND
    if part in ("memory", None):
        pytest.importorskip("matplotlib")
    engine_report.text(found)
    engine_report.plot(found, tmp_path / "engine.png")
    assert (tmp_path / "engine.png").stat().st_size > 1000


def test_the_options() -> None:
    chosen = engine.arguments().parse_args([])
    assert chosen.repeat == 5 and "quality" not in chosen.parts and len(chosen.arms) == 4
    chosen = engine.arguments().parse_args(["--parts", "growth", "--sizes", "200", "--arms", "unitutor"])
    assert (chosen.parts, chosen.sizes, chosen.arms) == (["growth"], [200], ["unitutor"])
    with pytest.raises(SystemExit):
        engine.arguments().parse_args(["--parts", "everything"])


def test_no_question_is_asked_twice() -> None:
    for count in (1, 5, 30, 1000):
        chosen = engine.questions("dev", count)
        available = len(load(EVAL / "answerable.jsonl", "dev"))
        assert len(chosen) == len(set(chosen)) == min(count, available)


def test_what_others_do_meanwhile_is_watched() -> None:
    value, others = engine.undisturbed(0, sum, [1, 2])
    assert value == 3 and others >= 0


def test_the_chunks_of_the_usual_way() -> None:
    class Passage:
        source, title = "a.md", "Heading"
        text = "A sentence of some words. " * 100

    chunks = list(_chunks([Passage(), Passage()]))
    assert len(chunks) > 5 and max(map(len, chunks)) <= CHUNK
    assert _alike("abcd", "abxd") == 2 and _alike("ab", "abc") == 2
