"""What a terminal shows, and that notes cannot take it over."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from rag.decoding import GREEDY
from rag.types import Answer, Citation, Sentence
from ui.terminal import Bars, answer_text, clean, one_line

CITED = Citation(1, "a\x1b[31m.md", None, "H", "a \x1b]0;title\x07 quote", 0.5, "0" * 16, "text")
READING = Answer("q", GREEDY, "reading", citations=(CITED,))


def test_control_characters_are_taken_out() -> None:
    assert clean("a\x1b[2J\x07\u009bb\r\n\tc") == "a[2Jb\n\tc"
    assert one_line("a\nb   c") == "a b c"
    assert "\x1b" not in "".join(answer_text([READING], live=True))


def test_live_pieces_add_up_to_the_answer_with_its_markers() -> None:
    said = [
        "A GAN has",
        "A GAN has two networks. They",
        "A GAN has two networks. [1] They compete until neither of them can win any more",
        "A GAN has two networks. [1] They compete until neither of them can win any more. [1]",
    ]
    states = [READING, *(replace(READING, stage="writing", answer=text) for text in said)]
    pieces = list(answer_text(states, live=True))
    assert "".join(pieces).count("A GAN has") == 1 and said[-1] in "".join(pieces)
    assert pieces[0].startswith("From a[31m.md:") and len(pieces) > 4


def test_a_changed_answer_is_shown_again_whole() -> None:
    draft = replace(READING, stage="writing", answer="It was made in 1990 by someone whose name is unknown")
    final = replace(READING, stage="done", answer="The notes do not say.", refused=True, citations=())
    text = "".join(answer_text([draft, final], live=True))
    assert "After checking against the notes:\nThe notes do not say." in text
    assert "1990" not in "".join(answer_text([draft, final], live=False))


def test_unsupported_sentences_are_named() -> None:
    answer = replace(READING, stage="done", answer="X.", sentences=(Sentence("X.", 0.1, "unsupported", ()),))
    assert "Not found in the notes:\n  - X.\n" in "".join(answer_text([answer], live=False))


def test_progress_is_quiet_when_quick(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars() as progress:
        for done in range(5):
            progress("reading", done, 4)
    assert capsys.readouterr().err == ""


def test_progress_without_a_terminal_is_plain_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr("ui.terminal.time.monotonic", lambda: float(next(clock)))
    with Bars() as progress:
        for done in range(4):
            progress("embedding", done, 0 if done == 3 else 4)
    lines = capsys.readouterr().err.splitlines()
    assert lines and lines[0].startswith("embedding: ") and not any("\r" in line for line in lines)
    assert not sys.stderr.isatty()
