"""What a stranger wrote does nothing when it is shown, and still reads as written."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import BadRequest
from ingest.types import Place
from rag.decoding import GREEDY, decoding
from rag.sessions import Conversation
from rag.types import Answer, Citation, Quote, Sentence, Timings
from tests.browser.scripted import CITATIONS, HOSTILE, SENTENCES, TEXT
from ui.facsimile import Picture
from ui.web.cards import also, panel, place
from ui.web.controls import chosen_decoding, chosen_sources
from ui.web.foot import Shown, waiting
from ui.web.listing import listing
from ui.web.states import NOTHING_LEFT, narrowed, per_cent
from ui.web.text import answer_markdown, escaped, inert, passage_html, question_markdown, typed
from ui.web.viewer import GOES_ON, NOT_FOUND, Wanted, reading, view
from ui.web.why import whys

ANSWER = Answer("q", GREEDY, stage="done", answer=TEXT, citations=CITATIONS, sentences=SENTENCES)
OWN = re.compile(
    r'</?span(?: class="ut-[^<>]*")?>|<a href="#c\d+-\d+" class="ut-mark" title="[^"<>]*">|</a>'
    r'|<a href="#(?:s\d+-\d+|[a-z]+-\d+)" class="ut-(?:flag|do) [^"<>]*"(?: title="[^"<>]*")?>'
)
DANGEROUS = re.compile(r"<[A-Za-z/!?]|&#?\w+;|!\[|\][(\[:]|://|(?i:\bwww)\.|\w@\w|```\s*mermaid|%%")


@pytest.mark.parametrize(
    "text", ["", "plain", "a < b > c", "x[1] and y", "1. one\n2. two", "**bold** `code`", HOSTILE, "a\u2060b"]
)
def test_what_was_typed_comes_back(text: str) -> None:
    assert typed(inert(text)) == text.replace("\u2060", "")


@given(st.text(alphabet=st.sampled_from(list("<>/!?&;#a[]():@w.%`$\\ \n1|-*_^{}=mermaid")), max_size=60))
def test_prose_has_nothing_active(text: str) -> None:
    shown = question_markdown(text)
    for formula in re.findall(r"\\\(.+?\\\)|\\\[.+?\\\]", shown, re.DOTALL):
        assert not re.search("<[A-Za-z/!?]", formula)
        shown = shown.replace(formula, " ")  # what stands on both sides of it is apart
    assert not DANGEROUS.search(shown)
    assert not re.search(r"\\[()\[\]]", shown), "a delimiter that no formula of ours opened or closed"


def test_hostile_answers_hold_only_our_tags() -> None:
    cited = (Citation(1, HOSTILE, 1, HOSTILE, HOSTILE[:40], 0.5, "h", HOSTILE),)
    answer = Answer(HOSTILE, GREEDY, stage="done", answer=HOSTILE + " [1]", citations=cited)
    sentences = (Sentence(HOSTILE.split()[0], 0.1, "unsupported", ()),)
    shown = OWN.sub("", answer_markdown(replace(answer, sentences=sentences), 0))
    assert not re.search("<[A-Za-z/!?]", shown)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("$x_1$", r"\(x_1\)"),
        ("$$\\frac12$$", r"\[\frac12\]"),
        (r"\(a<b\)", r"\(a < b\)"),
        (r"\[a\]", r"\[a\]"),
        ("it costs $5 and $6", "it costs $5 and $6"),
        ("$HOME and $PATH", "$HOME and $PATH"),
        (r"\(unclosed", "\\\u2060(unclosed"),
        ("$a\\)b$", "$a\\\u2060)b$"),
    ],
)
def test_formulas(written: str, shown: str) -> None:
    assert question_markdown(written) == shown


def test_markers_point_at_cards() -> None:
    shown = answer_markdown(ANSWER, 2)
    assert '<a href="#c2-1" class="ut-mark" title="Show source 1">1</a>' in shown
    cards = panel([ANSWER, ANSWER, ANSWER])
    assert all(f'id="c2-{n}"' in cards for n in (1, 2, 3))
    assert 'href="#c' not in answer_markdown(replace(ANSWER, answer="see [9] and [1, 9]", sentences=()), 0)
    assert answer_markdown(replace(ANSWER, answer="[1, 2]", sentences=()), 0).count('href="#c') == 2
    assert 'href="#c' not in answer_markdown(replace(ANSWER, answer="`a[1]`", sentences=()), 0)


def test_sentences_the_notes_do_not_hold_up_are_flagged() -> None:
    shown = answer_markdown(ANSWER, 0)
    for label, count in (("supported", 3), ("partly", 1), ("unsupported", 1), ("contradicted", 1)):
        assert shown.count(f'class="ut-said ut-{label} ') == shown.count(f"ut-is-{label} ") == count
    assert '- <span class="ut-said ut-unsupported ut-s0-3">' in shown  # the list stays a list
    assert 'title="Supported, 93%">✓</a>' in shown and 'title="Supported, over 99%"' in shown
    assert "1 sentence contradicts the notes" in shown and "1 sentence not supported by the notes" in shown
    assert "I hope this helps!" in shown and "ut-s0-6" not in shown  # it claims nothing
    assert shown.count("<span") == shown.count("</span>") and shown.count("<a ") == shown.count("</a>")


def test_only_what_the_notes_support_can_be_shown() -> None:
    shown = answer_markdown(ANSWER, 0, shown=Shown(narrowed=True))
    assert "never errs" not in shown and "it costs $5" not in shown and "never sees" not in shown
    assert "2014" in shown and "minimax game" in shown and "I hope this helps!" in shown
    assert "- <span" in shown and not re.search(r"^- *$", shown, re.MULTILINE)
    assert 'href="#all-0"' in shown and 'href="#only-0"' not in shown
    assert "ut-s0-4" in shown and "ut-s0-3" not in shown  # the others keep their numbers
    assert ANSWER.answer == TEXT  # nothing is lost: it can be shown again
    assert 'href="#only-0"' in answer_markdown(ANSWER, 0) and "(hides 2)" in answer_markdown(ANSWER, 0)
    middle = replace(
        ANSWER,
        answer="One [1]. Two [2, 3]. Three.",
        sentences=tuple(
            Sentence(text, 0.5, label, ())
            for text, label in (("One", "supported"), ("Two", "contradicted"), ("Three.", "supported"))
        ),
    )
    assert narrowed(middle).answer == "One [1]. Three."
    nothing = replace(middle, sentences=tuple(replace(s, label="unsupported") for s in middle.sentences))
    assert narrowed(nothing).answer == NOTHING_LEFT


def test_probabilities_are_never_certain() -> None:
    assert [per_cent(p) for p in (0.0, 0.004, 0.01, 0.926, 0.99, 1.0)] == [
        "under 1%", "under 1%", "1%", "93%", "99%", "over 99%",
    ]  # fmt: skip


def test_strict_says_what_it_changed() -> None:
    strict = replace(ANSWER, rewritten=2, dropped=1)
    assert "Strict: 2 sentences put in the notes' words, 1 left out" in answer_markdown(strict, 0)
    assert "Strict: 1 sentence left out" in answer_markdown(replace(ANSWER, dropped=1), 0)
    assert "Strict" not in answer_markdown(ANSWER, 0)


def test_a_verdict_shows_on_its_thumb() -> None:
    shown = answer_markdown(ANSWER, 3, shown=Shown(verdict="down", reason="wrong page"))
    assert 'href="#down-3" class="ut-do ut-do-down on" title="Bad answer (wrong page): take it back"' in shown
    assert 'class="ut-do ut-do-up" title="Good answer"' in shown
    assert "#up-" not in answer_markdown(ANSWER, 3, "unfinished")
    assert "#up-" not in answer_markdown(ANSWER, 3, seconds=1.0)


def test_each_sentence_has_a_card_and_what_came_with_the_notes_is_inert() -> None:
    cards = whys([ANSWER])
    assert re.findall(r'id="(s\d-\d)"', cards) == ["s0-0", "s0-1", "s0-2", "s0-3", "s0-4", "s0-5"]
    assert "Supported, 93%" in cards and "Contradicted, probability of support 3%" in cards
    assert "unit-1-generative-ai.pdf, p. 7" in cards and r"\(V(D, G)\)" in cards
    nasty = Sentence("a", 0.4, "partly", (), (Quote(HOSTILE, HOSTILE, 1, "x", 0.4),))
    cards = whys([replace(ANSWER, sentences=(nasty,))])
    wanted = Wanted(HOSTILE, 2, HOSTILE[:30], HOSTILE, choices=2)
    made = (cards, reading(wanted), view(wanted, "s0-0.1", None, 2, HOSTILE))
    for shown in made:
        assert "\n" not in shown and "${" not in shown and "{{" not in shown
        for tag in ("script", "img", "svg", "iframe", "style"):
            assert f"<{tag}" not in shown


def test_the_page_shows_marks_steps_and_the_other_quotes() -> None:
    picture = Picture("image/png", "QUJD", 2, 3, ((0.1, 0.2, 0.3, 0.04),))
    wanted = Wanted("a.pdf", 2, "a quote", "before a quote after", choices=2)
    shown = view(wanted, "s0-0.1", picture, 2)
    assert "p. 2 of 3" in shown and "left:10.000%;top:20.000%;width:30.000%;height:4.000%" in shown
    assert 'data-to="1"' in shown and 'data-to="3"' in shown and " disabled" not in shown
    assert 'data-show="s0-0.0" aria-pressed="false"' in shown
    assert 'data-show="s0-0.1" aria-pressed="true"' in shown
    assert "Page 2 of a.pdf, the quote marked" in shown
    assert NOT_FOUND in view(wanted, "c0-1", replace(picture, marks=()), 2)
    other = view(wanted, "c0-1", replace(picture, number=3, marks=()), 3)
    assert 'data-to="4" aria-label="Next page" title="Next page" disabled' in other
    assert "The passage is on p. 2." in other
    assert GOES_ON.format(page="p. 2") in view(wanted, "c0-1", replace(picture, number=3), 3)
    assert reading(wanted) == '<p class="ut-text">before <mark>a quote</mark> after</p>'
    assert reading(replace(wanted, passage="")) == '<p class="ut-text"><mark>a quote</mark></p>'


def test_a_sentence_over_several_lines_keeps_its_list() -> None:
    text = "Three things:\n- one\n- two\n\n| a | b |"
    sentence = Sentence(text, 0.0, "unsupported", ())
    shown = answer_markdown(replace(ANSWER, answer=text, sentences=(sentence,)), 0)
    assert re.findall(r"^- <span", shown, re.MULTILINE) and "| a | b |" in shown
    assert shown.count("<span") == shown.count("</span>")


def test_the_line_while_an_answer_is_written() -> None:
    answer = Answer("q", GREEDY)
    assert "Searching the notes…</span>" in answer_markdown(answer, 0, seconds=0.3)
    assert "Searching the notes… 3 s" in answer_markdown(answer, 0, seconds=3.2)
    reading = replace(answer, stage="reading", citations=CITATIONS[:1])
    assert "Reading 1 passage…" in answer_markdown(reading, 0, seconds=1)
    assert answer_markdown(replace(reading, stage="writing", answer="A"), 0, seconds=1) == "A"
    assert "Checking" in answer_markdown(replace(reading, stage="checking", answer="A"), 0, seconds=1)
    assert "You are number 2" in waiting(2)


def test_the_line_after_an_answer() -> None:
    took = Timings(first_word_ms=900, total_ms=3210, output_tokens=84)
    shown = answer_markdown(Answer("q", decoding("top-k", seed=7), answer="A", timings=took, stopped=True), 0)
    assert "Stopped · 3.2\u00a0s · first word 0.9\u00a0s · 84\u00a0tokens · top-k, k 40" in shown
    assert "Cut off" in answer_markdown(Answer("q", GREEDY, answer="A"), 0, "unfinished")
    assert "damaged" in answer_markdown(Answer("q", GREEDY), 0, "unreadable")


def test_cards_show_place_quote_and_score() -> None:
    shown = panel([ANSWER])
    assert "p. 7" in shown and "slide 12" in shown
    assert "<mark>A generative adversarial network trains two networks against each other.</mark>" in shown
    assert "width:93%" in shown and r"\(V(D, G)\)" in shown
    assert "Whole passage" in shown  # only the long one folds
    assert shown.count("<details>") == 1
    refusal = Answer("q", GREEDY, stage="done", answer="No.", refused=True, closest=CITATIONS[:1])
    assert "Closest in the notes" in panel([refusal])
    assert panel([ANSWER, refusal]).count(" hidden>") == 1
    assert (place("a.PPTX", 2), place("a.pdf", 2), place("a.md", None)) == ("slide 2", "p. 2", "")


def test_cards_are_inert() -> None:
    cited = (Citation(1, HOSTILE, 1, HOSTILE, HOSTILE[:30], 7.0, "h", HOSTILE + "\n\n[x]: http://a.invalid"),)
    shown = panel([Answer(HOSTILE, GREEDY, answer="a", citations=cited)])
    assert "\n" not in shown and "${" not in shown and "{{" not in shown and "%%" not in shown
    for tag in ("script", "img", "svg", "iframe", "style"):
        assert f"<{tag}" not in shown
    assert "<" not in escaped(HOSTILE) and "://" not in passage_html("http://a.invalid")


def test_the_list_groups_by_day_and_escapes() -> None:
    day = 86400.0
    now = 20_000 * day + day / 2
    kept = [Conversation(str(n), t, now, now - n * day) for n, t in enumerate(["<b>", "y", "w", ""])]
    shown = listing(kept, "1", date.fromtimestamp(now), removed=kept[0])
    assert re.findall("<h3>(.*?)</h3>", shown) == ["Today", "Yesterday", "This week"]
    assert "<b>" not in shown and "Untitled" in shown and shown.count('class="on"') == 1
    assert 'data-act="restore" data-id="0"' in shown
    assert "listed here" in listing([], "", date.fromtimestamp(now))


class _Key:
    """Stands for each component that a value is read from."""

    def __init__(self) -> None:
        for name in ("sources", "strict", "name", "temperature", "k", "p", "min_p", "beams", "seed"):
            setattr(self, name, name)


def _chosen(**values: Any) -> Any:
    usual = {"name": "greedy", "temperature": 1, "k": 40, "p": 0.9, "min_p": 0.1, "beams": 4, "seed": ""}
    return chosen_decoding(_Key(), {**usual, **values})  # type: ignore[arg-type]


def test_settings_reach_the_decoding() -> None:
    assert _chosen() == GREEDY
    assert _chosen(name="top-k", k=5, seed="3") == decoding("top-k", k=5, seed=3)
    assert _chosen(name="beam", beams=3) == decoding("beam", beams=3)
    assert _chosen(name="random").seed != _chosen(name="random").seed


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "top-k", "k": 0}, "k must be"),
        ({"name": "top-k", "k": 2.5}, "whole number"),
        ({"name": "top-p", "p": 1.5}, "p must be"),
        ({"name": "random", "temperature": -1}, "temperature"),
        ({"name": "random", "seed": "-4"}, "seed must be"),
        ({"name": "random", "seed": "9" * 40}, "seed must be"),
        ({"name": "beam", "beams": 1}, "beam"),
        ({"name": "nonsense"}, "Unknown decoding"),
    ],
)
def test_bad_settings_are_one_line(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        _chosen(**values)


def test_choosing_all_files_is_choosing_none() -> None:
    def chosen(*names: str) -> tuple[str, ...]:
        return chosen_sources(_Key(), {"sources": list(names)}, ("a", "b"))  # type: ignore[arg-type]

    assert (chosen(), chosen("a", "b"), chosen("b"), chosen("gone", "a")) == ((), (), ("b",), ("a",))


def test_a_card_names_the_other_places() -> None:
    places = [("d.pptx", 3), ("d.pptx", 7), ("sum.pdf", 2), ("a.md", None), ("a.srt", 75), ("a.srt", 80)]
    cited = Citation(1, "d.pptx", 1, "H", "q", 0.5, "id", "q", tuple(Place(s, p, ()) for s, p in places))
    assert also(cited) == "Also on slides 3, 7; in sum.pdf, p. 2; in a.md; in a.srt, 1:15, 1:20"
    assert also(replace(cited, source="a.srt", also=cited.also[4:5])) == "Also at 1:15"
    assert also(replace(cited, also=())) == ""
    card = panel([Answer("q", GREEDY, "done", citations=(replace(cited, also=(Place(HOSTILE, 1, ()),)),))])
    assert "<script" not in card and "Also in" in card
