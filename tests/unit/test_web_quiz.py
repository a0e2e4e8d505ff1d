"""The quiz page and the desk as HTML: nothing is told too early, what a stranger wrote does nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gradio as gr
import pytest

from ingest.errors import BadRequest
from rag.decoding import GREEDY
from rag.items.attempts import Attempt, Response
from rag.items.bank import Held
from rag.items.types import Evidence, Item, Kind, Option, Quiz
from rag.sessions import Record
from rag.types import Answer
from tests.browser.scripted import CITATIONS, HOSTILE
from tests.quiz_items import choice, truth, written
from ui.web import desk_form, desk_view, quiz_form, quiz_view
from ui.web.quiz_form import count_of, seed_of, wished
from ui.web.quiz_taking import _given

ITEMS = (choice(0), written(), truth(), written("fill-in", 1))
GIVEN = Response(0, "", False, 2.0, 1.7e9)
SAID = Response(None, "1999", False, 2.0, 1.7e9)
LAYOUTS = [(whole, end) for whole in (False, True) for end in (False, True)]


def attempt(items: tuple[Item, ...] = ITEMS, **changes: Any) -> Attempt:
    orders = tuple(tuple(range(len(item.options))) for item in items)
    made = Attempt("a1", "Quiz", "q1", items, orders, False, False, 1.7e9)
    return replace(made, **changes)


def other(item: Item) -> Item:
    """The same question with everything else about it different."""
    evidence = Evidence("Another quote.", "other.pdf", 99, "Other", "zz")
    chosen = item.kind in ("multiple-choice", "true-false")
    options = tuple(Option(option.text if chosen else "Secret", "Other feedback") for option in item.options)
    changed = replace(
        item, id="f" * 16, options=options, explanation="Other.", evidence=evidence, topic="Other"
    )
    return replace(changed, key=(item.key + 1) % 2 if chosen else 0, general=True, difficulty="hard")


@pytest.mark.parametrize(("whole", "end"), LAYOUTS)
def test_the_sheet_is_the_same_whatever_is_right(whole: bool, end: bool) -> None:
    one = attempt(all_at_once=whole, at_the_end=end)
    another = replace(one, items=tuple(map(other, ITEMS)))
    for at in range(len(ITEMS)):
        assert quiz_view.sheet(one, at) == quiz_view.sheet(another, at)
        assert "KEYWORD" not in quiz_view.sheet(one, at) and "2014" not in quiz_view.sheet(one, at)
    said = {0: GIVEN, 1: SAID}
    for told in (dict.fromkeys(said, right) for right in (True, False)):
        answered = {place: replace(one, right=told[place]) for place, one in said.items()}
        after = [replace(each, responses=answered) for each in (one, another)]
        if end:  # even an answer that is kept tells nothing
            assert quiz_view.sheet(after[0], 0) == quiz_view.sheet(after[1], 0)
            assert quiz_view.sheet(after[0], 1) == quiz_view.sheet(replace(one, responses=said), 1)
        else:
            assert "KEYWORD explanation 0" in quiz_view.sheet(after[0], 0)
            assert "KEYWORD feedback 2 of 0" not in quiz_view.sheet(after[0], 0)


def test_what_was_chosen_and_what_is_right_have_signs_and_words() -> None:
    missed = quiz_view.sheet(attempt(responses={0: GIVEN}), 0)
    assert "✗ Your answer is not right." in missed and "✓ The right answer." in missed
    assert 'href="#look-0"' in missed and 'href="#fresh-0"' in missed
    assert "unit-1-generative-ai.pdf, p. 7" in missed and "<mark>KEYWORD quote 0.</mark>" in missed
    right = quiz_view.sheet(attempt(responses={0: replace(GIVEN, chosen=1, right=True)}), 0)
    assert "✓ Your answer is right." in right and "fresh-0" not in right and "✗" not in right
    typed = quiz_view.sheet(attempt(responses={1: SAID}), 1)
    assert "Your answer, not right: 1999" in typed and "The answer is: 2014" in typed
    over = quiz_view.sheet(attempt(responses={1: SAID}, ended=1.7e9), 0)
    assert over.count("Not answered.") == 3 and "0 of 4 right" in over
    assert over.index("GANs") < over.index("Question 1")


def test_options_stand_in_the_attempts_order() -> None:
    one = attempt((choice(0),), orders=((3, 1, 0, 2),))
    shown = re.findall(r'id="q-0-(\d)".*?The (\w+) of', quiz_view.sheet(one, 0))
    assert shown == [("0", "sampler"), ("1", "discriminator"), ("2", "generator"), ("3", "encoder")]
    picked = quiz_view.sheet(replace(one, responses={0: GIVEN}, at_the_end=True), 0)
    assert re.findall(r'qz-on" id="q-0-(\d)"', picked) == ["2"]
    assert _given([{"place": 0, "chosen": 2, "text": ""}], one) == [(0, 0, "")]


def test_what_the_page_sends_is_not_believed() -> None:
    one = attempt()
    assert _given([{"place": 0, "chosen": 9, "text": "x"}, {"place": 1, "chosen": 0, "text": " "}], one) == []
    assert _given("nonsense", one) == [] and _given(None, one) == []
    for place in (4, -1, "0", None, 1.5):
        with pytest.raises(BadRequest):
            _given([{"place": place, "chosen": 0}], one)


def hostile(kind: Kind) -> Item:
    count = {"multiple-choice": 4, "true-false": 2}.get(kind, 1)
    options = tuple(Option(f"{HOSTILE} {place}", HOSTILE) for place in range(count))
    evidence = Evidence(HOSTILE, HOSTILE[:80], 3, HOSTILE, "h")
    return Item("a" * 16, kind, HOSTILE, options, 0, HOSTILE, evidence, HOSTILE, "easy", "remember")


@pytest.mark.parametrize("kind", ["multiple-choice", "true-false", "short-answer", "fill-in"])
def test_what_a_stranger_wrote_is_shown_as_text(kind: Kind) -> None:
    item = hostile(kind)
    mine = Response(0 if len(item.options) > 1 else None, HOSTILE, False, 1.0, 1.7e9)
    one = attempt((item,), title=HOSTILE)
    held = Held(item, "rejected", HOSTILE, 2, "", 0.0, 0.0)
    quiz = Quiz((item,), 2, 3, {HOSTILE: 1}, stopped=True)
    pages = [quiz_view.sheet(one, 0), quiz_view.sheet(replace(one, responses={0: mine}), 0)]
    pages += [quiz_view.sheet(replace(one, responses={0: mine}, ended=1.7e9), 0), quiz_view.listed([one])]
    pages += [quiz_view.made(quiz, False), desk_view.question(held, True)]
    pages.append(desk_view.queue([held], "", "rejected"))
    for page in pages:
        assert "\n" not in page and "${" not in page and "{{" not in page
        for tag in ("script", "img", "svg", "iframe", "style", "input"):
            assert f"<{tag}" not in page
        assert "javascript:" not in re.sub(r"\\\(.*?\\\)|\\\[.*?\\\]", "", page)


def test_formulas_are_rendered_by_the_page() -> None:
    item = replace(
        choice(0), stem="What is $V(D, G)$?", options=(Option("$a<b$", ""), *choice(0).options[1:])
    )
    shown = quiz_view.sheet(attempt((item,)), 0)
    assert r"\(V(D, G)\)" in shown and r"\(a &lt; b\)" in shown


def test_how_the_making_went() -> None:
    quiz = Quiz(ITEMS, 10, 16, {"negative stem": 2, "longest option is the key": 10})
    assert "Question 5 of 10: wrote 16, 4 passed" in quiz_view.made(quiz, True)
    over = quiz_view.made(quiz, False)
    assert "Asked for 10, wrote 16, 4 passed. The notes chosen gave no more" in over
    assert over.index("longest option") < over.index("negative stem") and "12 did not pass" in over
    assert quiz_view.made(replace(quiz, stopped=True), False).count("Stopped. Asked for 10") == 1
    assert quiz_view.rejections(Quiz((), 1, 0)) == ""


def test_earlier_attempts_are_listed() -> None:
    rows = quiz_view.listed([attempt(), attempt(ended=1.8e9, responses={0: replace(GIVEN, right=True)})])
    assert "0 of 4 answered" in rows and "1 of 4 right" in rows
    assert rows.count("Take again") == 4 and ">Continue<" in rows and ">Look back<" in rows
    assert quiz_view.listed([]) == ""


@pytest.fixture(scope="module")
def parts() -> tuple[quiz_form.Parts, desk_form.Parts]:
    with gr.Blocks():
        return quiz_form.form(("a.pdf",), True), desk_form.form({}, True)


def values(p: quiz_form.Parts, **changes: Any) -> Mapping[Any, Any]:
    said = {"count": 3, "topic": " the\n loss ", "sources": [], "kinds": ["fill-in"], "seed": 7, **changes}
    return {getattr(p, name): value for name, value in said.items()}


def test_the_form_says_what_is_wanted(parts: tuple[quiz_form.Parts, desk_form.Parts]) -> None:
    p = parts[0]
    wish = wished(values(p), p)
    assert (wish.count, wish.kinds, wish.topic, wish.seed, wish.title) == (
        3,
        ("fill-in",),
        "the loss",
        7,
        "the loss",
    )
    assert wished(values(p, topic=None, sources=["a.pdf:3", "b"]), p).title == "a.pdf:3 and others"
    for bad in ({"kinds": []}, {"kinds": None}, {"topic": "x" * 201}, {"count": None}, {"seed": -1}):
        with pytest.raises(BadRequest) as said:
            wished(values(p, **bad), p)
        assert "\n" not in str(said.value)


@pytest.mark.parametrize("value", [0, 51, 500, -1, 2.5, None, "x", float("nan"), float("inf")])
def test_a_number_of_questions_that_cannot_be(value: Any) -> None:
    with pytest.raises(BadRequest, match="1 to 50"):
        count_of(value)


def test_a_seed_may_be_left_out() -> None:
    assert seed_of(None) == 0 and seed_of(5.0) == 5
    for bad in (2**31, 0.5, float("nan")):
        with pytest.raises(BadRequest):
            seed_of(bad)


def test_the_pages_that_a_conversation_cites() -> None:
    answer = Answer("q", GREEDY, "done", "a", citations=CITATIONS)
    refused = replace(answer, refused=True)
    records = [
        Record(1, answer, "whole", 0.0),
        Record(2, answer, "whole", 0.0),
        Record(3, refused, "whole", 0.0),
    ]
    known = ["unit-1-generative-ai.pdf", "people.txt"]
    assert quiz_form.cited(records, known) == ["unit-1-generative-ai.pdf:7", "people.txt"]
    assert quiz_form.cited(records[2:], known) == []


@pytest.mark.parametrize("item", [*ITEMS, choice(0, key=3)])
def test_an_item_that_is_not_edited_stays_as_it_is(
    item: Item, parts: tuple[quiz_form.Parts, desk_form.Parts]
) -> None:
    p = parts[1]
    shown = desk_form.filled(item, p)
    plain = {part: getattr(value, "value", value) for part, value in shown.items()}
    assert desk_form.edited(item, plain, p) == item
    changed = desk_form.edited(item, {**plain, p.stem: " New? ", p.key: None}, p)
    assert changed.stem == "New?" and changed.key == (0 if item.kind in ("short-answer", "fill-in") else -1)


def test_the_desk_shows_the_key_and_offers_another_for_the_others() -> None:
    held = Held(choice(0), "proposed", "", 1, "", 0.0, 0.0)
    shown = desk_view.question(held, True)
    assert shown.count("✓ Right") == 1 and shown.count("✗ Wrong") == 3
    assert re.findall(r"#another-(\d)", shown) == ["0", "2", "3"]
    assert "#another" not in desk_view.question(held, False)
    assert "#another" not in desk_view.question(replace(held, item=truth()), True)
    by_hand = desk_view.question(replace(held, item=replace(choice(0), by_hand=True), version=3), True)
    assert "edited by hand" in by_hand and "version 3" in by_hand
    assert "Nothing waits for review" in desk_view.queue([], "", "proposed")
    assert desk_view.queue([held], held.item.id, "proposed").count('aria-current="true"') == 1
