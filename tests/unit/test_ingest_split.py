"""Passages follow headings and sentences, and keep what gives a list its subject."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.context import contexts, leads
from ingest.duplicates import merged
from ingest.split import Splitter, pieces, sentences, split
from ingest.store import searchable
from ingest.types import Page, Passage

FILLER = "The quick brown fox jumps over the lazy dog near the old river bank every single morning."


def passages(text: str, source: str = "n.md", splitter: Splitter | None = None) -> list[Passage]:
    return split([Page(source, None, text)], splitter)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Small words, e.g. cats, i.e. felines. Next.", ["Small words, e.g. cats, i.e. felines.", "Next."]),
        (
            "Shown by Dr. Smith et al. In Fig. 3 it is 2.5 times.",
            ["Shown by Dr. Smith et al. In Fig. 3 it is 2.5 times."],
        ),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("- one item. Still it.\n- two", ["one item.", "Still it.", "two"]),
        ("1. First step\n2. Second step", ["1. First step", "2. Second step"]),
        ("A | B\nx. Y | 2", ["A | B", "x. Y | 2"]),
        ("Set $x = 1. Y$ here. Done.", ["Set $x = 1. Y$ here.", "Done."]),
        ("一句话。第二句。", ["一句话。", "第二句。"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_heading_path_page_and_id() -> None:
    pages = [
        Page("a.pdf", 1, "# Deck\n\n## Rocks\n\nThey are hard."),
        Page("a.pdf", 2, "They are old.\n\n## Sand\n\nIt is soft."),
    ]
    first, second = split(pages)
    assert (first.heading, first.page, first.text) == (
        ("Deck", "Rocks"),
        1,
        "They are hard.\n\nThey are old.",
    )
    assert (second.heading, second.page) == (("Deck", "Sand"), 2)
    assert len(first.id) == 16
    assert int(first.id, 16) >= 0
    assert split(pages) == [first, second]
    assert first.title == "Deck > Rocks"


def test_small_numbered_sections_stand_together_under_their_titles() -> None:
    text = "# Rocks\n\n" + "\n\n".join(
        f"## {i}. Kind {i}\n\n- Found: place {i}\n- Use: none" for i in range(1, 5)
    )
    (found,) = passages(text)
    assert found.heading == ("Rocks",)
    assert "2. Kind 2:\n- Found: place 2\n- Use: none" in found.text
    at = found.sentences.index("Found: place 3")
    assert found.sentences[leads(found)[at]] == "3. Kind 3:"
    assert contexts(found)[at] == "Rocks: 3. Kind 3: Found: place 3"


def test_many_parts_are_named_together() -> None:
    text = "# Cycle\n\n" + "\n\n".join(
        f"## {i}. Stage {i}\n\n{FILLER} {FILLER} {FILLER} {i}" for i in range(1, 6)
    )
    found = passages(text)
    assert found[0].text == "\n".join(f"{i}. Stage {i}" for i in range(1, 6))
    assert [p.heading for p in found[1:]] == [("Cycle", f"{i}. Stage {i}") for i in range(1, 6)]


def test_a_table_of_contents_is_no_passage() -> None:
    part = "## Part {0}\n\n" + "\n\n".join(f"### Piece {{0}}{i}\n\n{FILLER} {FILLER} {FILLER}" for i in "ab")
    found = passages("# Book\n\n" + "\n\n".join(part.format(name) for name in ("one", "two", "three")))
    assert {p.heading for p in found} == {
        ("Book", f"Part {name}", f"Piece {name}{i}") for name in ("one", "two", "three") for i in "ab"
    }


def test_parts_that_the_text_names_are_not_named_again() -> None:
    parts = "\n\n".join(f"## {i}. Stage{i}\n\n{FILLER} {FILLER} {FILLER}" for i in range(1, 5))
    found = passages("# Cycle\n\nThere are Stage1, Stage2, Stage3 and Stage4.\n\n" + parts)
    assert found[0].text == "There are Stage1, Stage2, Stage3 and Stage4."
    assert len(found) == 5


def test_a_long_list_keeps_its_lead_in() -> None:
    text = "# Tools\n\nThese tools are used:\n" + "\n".join(
        f"- Tool {i} does this: {FILLER}" for i in range(20)
    )
    found = passages(text)
    assert len(found) > 1
    assert found[0].heading == ("Tools",)
    assert all(p.heading == ("Tools", "These tools are used") for p in found[1:])
    assert sum(p.text.count("does this") for p in found) == 20


def test_nested_items_keep_their_parent() -> None:
    text = "# Harm\n\n- Cause: x\n- Ways out:\n" + "\n".join(f"  - Way {i}: {FILLER}" for i in range(16))
    found = passages(text)
    assert len(found) > 1
    assert all(p.heading == ("Harm", "Ways out") for p in found[1:])
    first = found[0]
    assert first.sentences[leads(first)[first.sentences.index(f"Way 0: {FILLER}")]] == "Ways out:"


def test_a_long_table_repeats_its_head() -> None:
    text = "# Data\n\nName | Size | Remark\n" + "\n".join(f"item {i} | {i} | {FILLER}" for i in range(20))
    found = passages(text)
    assert len(found) > 1
    assert all(p.text.startswith("Name | Size | Remark\n") for p in found)
    at = next(i for i, s in enumerate(found[-1].sentences) if s.startswith("item 19"))
    assert contexts(found[-1])[at].startswith("Data: Name: item 19; Size: 19; Remark: The quick")


def test_questions_keep_options_and_answer() -> None:
    options = "- a) first\n- b) second\n- c) third"
    one = f"Question {{0}}:\n\nWhich of them is number {{0}} of all?\n\n{options}\n\nAnswer {{0}}: b) second"
    found = passages("# Quiz\n\n" + "\n\n".join(one.format(i) for i in range(1, 15)))
    assert len(found) > 1
    for passage in found:
        assert (
            passage.text.count("Which of them")
            == passage.text.count("b) second\n- c)")
            == passage.text.count("Answer")
        )


def test_nothing_said_twice() -> None:
    found = split([Page("s.pptx", n, "# Same\n\nThe same words on every slide.") for n in (1, 2, 3)])
    ((only,), _) = merged(found)
    assert (only.text, only.page) == ("The same words on every slide.", 1)
    assert [place.page for place in only.also] == [2, 3]
    again = split([Page("s.md", None, "# Same\n\nThe same words.\n\n# Same\n\nThe same words.")])
    assert [p.text for p in again] == ["The same words."]


def test_empty_headings_are_not_lost() -> None:
    words = " ".join(p.text for p in passages("# Deck\n\n## Picture only\n\n## Words\n\nSome words here."))
    assert "Picture only" in words


def test_a_monstrous_sentence_is_cut() -> None:
    found = passages(" ".join(f"word{i}" for i in range(3000)) + "\n\n" + "x" * 5000)
    assert len(found) > 10
    assert all(pieces(searchable(p)) <= Splitter().maximum + 2 for p in found)


def test_a_last_sentence_of_many_short_words_is_one_passage() -> None:
    # More words than a passage should have, and fewer word pieces than the encoder reads.
    assert len(passages("The first.\n\n" + "a b " * 90)[-1].text.split()) >= 180


def test_text_without_headings() -> None:
    found = passages("\n\n".join([f"{FILLER} {FILLER}"] * 1 + [f"Number {i}. {FILLER}" for i in range(30)]))
    assert all(p.heading == () for p in found)
    assert all(80 <= len(p.text.split()) <= 165 for p in found)


LINE = st.tuples(
    st.sampled_from(["", "- ", "  - ", "# ", "## ", "### ", "1. "]),
    st.lists(
        st.sampled_from("rock sand. water: fire! e.g. 3.5 P(x|y) Mr. A | B".split(" ")),
        min_size=1,
        max_size=60,
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=25))
def test_any_page_splits_into_passages_that_fit(lines: list[tuple[str, list[str]]]) -> None:
    text = "\n".join(mark + " ".join(words) for mark, words in lines)
    found = passages(text)
    assert len({p.id for p in found}) == len(found)
    for passage in found:
        assert passage.text.strip()
        assert passage.sentences
        assert all(sentence in passage.text for sentence in passage.sentences)
        above = leads(passage)
        assert len(above) == len(passage.sentences) == len(contexts(passage))
        assert all(-1 <= lead < i for i, lead in enumerate(above))
        # Headings longer than the text they head are the page's own doing.
        if pieces(passage.title) < 100:
            assert pieces(searchable(passage)) <= Splitter().maximum + 10
