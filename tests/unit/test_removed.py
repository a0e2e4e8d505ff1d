"""The words that go are those that the cleaner names, each with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.clean import clean
from ingest.removed import Removed, words
from ingest.repair import repair, speaks_of_ai
from ingest.report import removed
from ingest.types import Page
from tests.ingest_fakes import write
from ui.terminal import removed_text


def gone(*contents: str, source: str = "n.pdf") -> list[Removed]:
    told: list[Removed] = []
    numbers = range(1, len(contents) + 1) if len(contents) > 1 else [None]
    clean([Page(source, number, text) for number, text in zip(numbers, contents, strict=True)], told)
    return told


def check(pages: list[Page]) -> None:
    """No word goes that is not told, and none is told that did not stand there."""
    told: list[Removed] = []
    kept = words("\n".join(page.text for page in clean(pages, told)))
    assert [page.text for page in clean(pages)] == [page.text for page in clean(pages, [])]
    said = words("\n".join(page.text for page in pages))
    named = words("\n".join(one.text for one in told))
    lost = said - kept
    assert not lost - named, (lost - named, told)
    ai = speaks_of_ai(" ".join(page.text for page in pages))
    right = words("\n".join(repair(page.text, ai) for page in pages))  # a title may go after it was put right
    assert not named - said - right, (named - said - right, told)


def test_each_reason() -> None:
    bodies = ("Cells divide.", "Rocks are hard.", "Birds can sing.", "Water is wet.")
    pages = [
        f"Biology 101, autumn\n\n{body}\n\n![alt text](pic{i}.png)\n\nOn {body.split()[0]}.\n\n{i} / 4"
        for i, body in enumerate(bodies, 1)
    ]
    told = gone(*pages)
    assert {one.why for one in told} == {"running header or footer", "dead image link"}
    assert Removed(2, "Biology 101, autumn", "running header or footer") in told
    assert Removed(3, "![alt text](pic3.png)", "dead image link") in told
    assert [one.text for one in gone("One.\n\nPage 3 of 9\n\nTwo.", source="n.md")] == ["Page 3 of 9"]
    told = gone(
        "- Water boils at a lower\n\nXY\n\ntemperature.\n\n- Ice\n\nXY\n\n- Fog\n\nXY\n", source="n.txt"
    )
    assert told == [Removed(None, "XY", "watermark")] * 3
    (told,) = gone("# Deck\n\n## Fields\n\n- one\n\n## Fields\n\n- two\n", source="n.md")
    assert told == Removed(None, "Fields", "repeated title")
    told = gone("It sur-\nrounds it. <b>So</b> <!-- not --> o", source="n.md")
    assert [(one.text, one.why) for one in told] == [
        ("not", "comment"), ("b b", "markup"), ("sur- rounds", "broken over two lines, joined")
    ]  # fmt: skip


def test_stamps_go_wherever_they_stand() -> None:
    for stamp in (
        "CONFIDENTIAL - do not distribute", "DRAFT", "© 2024 University of Somewhere", "Licensed to J. Doe",
        "All rights reserved.", "For internal use only", "Downloaded from example.org on 3 May",
    ):  # fmt: skip
        bodies = ["First there was rock.", "Then there was sand.", "At last came water."]
        pages = [
            f"Title {i}\n\n{b}\n\nIt is so.\n\n{stamp}\n\nAnd more.\n\nAnd yet more."
            for i, b in enumerate(bodies)
        ]
        told = gone(*pages)
        assert [one.why for one in told if one.text == stamp] == ["watermark"] * 3, stamp
    kept = "Draft the plan.\n\nDraft the plan.\n\nDraft the plan.\n\nSo it is."
    assert not [one for one in gone(kept, source="n.txt") if one.why == "watermark"]


@pytest.mark.parametrize("style", ["{}", "- {} -", "Page {}", "{} of 6", "{}/6", "p. {}", "Slide {}", "| {}"])
def test_page_numbers_of_every_style(style: str) -> None:
    nouns = ["rocks", "birds", "cells", "stars", "waves", "trees"]
    pages = [
        f"All about {noun}.\n\nThere is much to say.\n\nOf {noun}, too.\n\n{style.format(i)}"
        for i, noun in enumerate(nouns, 1)
    ]
    told: list[Removed] = []
    found = clean([Page("n.pdf", i, text) for i, text in enumerate(pages, 1)], told)
    assert [page.text.splitlines()[-1] for page in found] == [f"Of {noun}, too." for noun in nouns]
    assert {one.text for one in told} >= {style.format(i) for i in range(1, 7)}


def test_a_preface_numbered_in_roman() -> None:
    roman = ["i", "ii", "iii", "iv", "v", "vi"]
    pages = [
        f"What {w} says.\n\nIt is long.\n\nMore of {w}.\n\n{n}" for n, w in zip(roman, "abcdef", strict=True)
    ]
    told = gone(*pages)
    assert [one.text for one in told if one.why == "page number"] == roman


WORD = st.sampled_from(
    "alpha beta cells divide sur- rounds AI Al OpenAl <b>bold</b> **strong** $x_1$ `code_y` MÃ¼ller "
    "z\u00adw a\u00a0b ![alt](i.png) ![A_cell](c.png) <!--hidden--> 7 (a) 3.5 o".split(" ")
)
LINE = st.lists(WORD, min_size=1, max_size=9).map(" ".join)
MARK = st.sampled_from(["", "", "- ", "# ", "## ", "1. ", "  - ", "o ", "$\\circ$ ", "• o ", "> "])
FURNITURE = st.sampled_from(
    [
        "",
        "Course 101",
        "Page 3",
        "7",
        "DRAFT",
        "XY",
        "Kinds of rock",
        "Kinds of rock:",
        "---",
        "# Same",
        "iv",
        "Same\n====",
    ]
)
ENDED = st.tuples(st.one_of(FURNITURE, st.tuples(MARK, LINE).map("".join)), st.sampled_from(["\n", "\n\n"]))
BODY = st.lists(ENDED, max_size=9).map(lambda parts: "".join(line + end for line, end in parts))


@settings(max_examples=150, deadline=None)
@given(st.lists(BODY, min_size=1, max_size=5), st.sampled_from(["n.md", "n.txt", "n.pdf", "n.pptx"]))
def test_no_word_goes_unnamed(texts: list[str], source: str) -> None:
    paged = source.endswith(("pdf", "pptx"))
    check(
        [
            Page(source, at if paged else None, text)
            for at, text in enumerate(texts if paged else texts[:1], 1)
        ]
    )


def test_the_report_of_a_folder(tmp_path: Path) -> None:
    write(
        tmp_path / "notes",
        {
            "a.md": "# A\n\n![alt text](a.png)\n\nWords.\n\n![alt text](a.png)\n",
            "b.txt": "Nothing goes here.",
            "bad.pdf": b"no",
        },
    )
    found = dict(removed([tmp_path / "notes"], tmp_path / "ix"))
    assert {name: len(gone) for name, gone in found.items()} == {"a.md": 2, "b.txt": 0}
    rows = [
        {"file": file, "page": one.page, "text": one.text, "why": one.why}
        for file, gone in found.items()
        for one in gone
    ]
    assert removed_text(rows) == "a.md\n  dead image link: ![alt text](a.png) (2 times)\n"
    rows = [
        {"file": "d.pdf", "page": page, "text": "Head", "why": "running header or footer"}
        for page in range(1, 12)
    ]
    assert removed_text(rows) == "d.pdf\n  pages 1, 2, 3, 4, 5, 6, 7, 8, …: running header or footer: Head\n"
    assert removed_text([]) == "Nothing was taken away.\n"
