"""The lab's HTML: figures, the chart of a token, what varies; what a stranger wrote does nothing in it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ingest.errors import BadRequest
from rag.decoding import GREEDY, Decoding, decoding
from rag.engines.writing import Candidate
from rag.lab import Experiment, Run, Token, course_example
from rag.types import Citation
from ui.web.chart import chart, percent, shown
from ui.web.example import example
from ui.web.lab_view import columns, first_choice, legend, passages, titled, token_chart, variation_table
from ui.web.pickers import chosen

EVIL = "<script>alert(1)</script>\"'${x}{{y}}"
TAGS = {
    "article", "button", "code", "dd", "details", "div", "dl", "dt", "figcaption", "figure", "h2", "h3",
    "header", "i", "li", "mark", "ol", "p", "section", "span", "summary", "table", "tbody", "td", "th",
    "thead", "tr", "b", "br",
}  # fmt: skip


def token(text: str, *drawn_first: bool) -> Token:
    first = drawn_first[0] if drawn_first else True
    one = Candidate(1, text, 0.6, 0.7, True, first)
    other = Candidate(2, EVIL, 0.3, 0.25, True, not first)
    return Token(text, (one, other, Candidate(3, " out", 0.05, 0.04, False, False)), 2, 0.95)


def made(text: str = EVIL) -> Experiment:
    hows = (GREEDY, decoding("top-k", k=2, temperature=0.7, seed=3), decoding("beam"))
    tokens = (token(text), token(" then", False), replace(token("<|im_end|>"), text=""))
    runs = [
        Run(0, hows[0], text, tokens, 3, 0.5, True, 0.8),
        Run(1, hows[1], text + " then", tokens, 3, 0.5, True, None),
        Run(2, hows[2], text, (), 3, 0.9, True, 0.8),
    ]
    citation = Citation(1, EVIL, 2, EVIL, EVIL, 0.5, "id", EVIL)
    return Experiment(EVIL, hows, "done", False, (citation,), (*runs, *runs))


def safe(html: str) -> bool:
    """Whether all tags are ours, and nothing is a template."""
    tags = {name.lower() for name in re.findall(r"<\s*/?\s*([^\s>/]+)", html)}
    return tags <= TAGS and "${" not in html and "{{" not in html and "\n" not in html


def test_what_a_stranger_wrote_does_nothing() -> None:
    lab = made()
    shots = [columns(lab, (1, 0), False), token_chart(lab, (1, 1)), variation_table(lab), passages(lab)]
    assert all(map(safe, shots))
    assert "&lt;script&gt;" in shots[0] and "&lt;script&gt;" in shots[1] and "&lt;script&gt;" in shots[3]
    assert safe(legend())


def test_the_chart_shows_both_temperatures_what_is_kept_and_what_was_drawn() -> None:
    html = token_chart(made("Top"), (1, 1))
    assert "Token 2 of 3" in html and "temperature 0.7, seed 3" in html and "after “Top”" in html
    assert html.count('class="before"') == 4 and html.count('class="after"') == 5  # with the key's
    assert html.count('<tr class="kept') == 2 and html.count("drawn</span>") == 1
    assert re.search(r'<tr class="kept drawn">.*?<td>30%</td><td>25%</td><td>26%</td>', html)
    assert "Kept: 2 tokens with 95% of the probability" in html
    assert "all other tokens, none of them kept" in html
    assert 'data-step="next" aria-label="Next token">' in html


def test_a_temperature_of_1_shows_one_bar() -> None:
    html = chart(token("a"), decoding("top-k", k=2), "")
    assert 'class="before"' not in html and "Temperature 1 changes nothing" in html


def test_there_is_no_chart_where_there_is_no_token() -> None:
    lab = made()
    assert token_chart(lab, (2, 0)) == token_chart(lab, (0, 3)) == token_chart(lab, (9, 0)) == ""
    assert first_choice(lab) == (0, 1)
    assert first_choice(Experiment("q", lab.hows)) is None


def test_tokens_are_buttons_of_which_one_takes_tab() -> None:
    html = columns(made("Top"), (1, 1), False)
    assert html.count('role="button"') == 6
    assert html.count('tabindex="0"') == 2  # one in each column of tokens
    assert html.count('aria-pressed="true"') == 1
    assert "■" in html


def test_no_variation_before_a_second_seed() -> None:
    lab = made()
    assert variation_table(Experiment(lab.question, lab.hows, runs=lab.runs[:3])) == ""
    assert "1 different text<" in variation_table(lab)


def test_signs_and_shares() -> None:
    assert shown(" a\n") == "␣a↵"
    assert "end of the text" in shown("<|im_end|>")
    assert [percent(one) for one in (0, 0.0001, 0.004, 0.4, 1)] == ["0%", "&lt;0.1%", "0.4%", "40%", "100%"]


@pytest.mark.parametrize(
    ("settings", "how", "title"),
    [
        (("greedy", 40, 2.0, 9), decoding("greedy", seed=9), "Greedy decoding"),
        (("top-k", 40.0, 0.7, 2.0), decoding("top-k", 0.7, 40, seed=2), "Top-k sampling, k = 40"),
        (("top-p", 0.85, 1, 0), decoding("top-p", p=0.85), "Top-p (nucleus) sampling, p = 0.85"),
        (("beam", 3, 1, 0), decoding("beam", beams=3), "Beam search, B = 3"),
        (("min-p", None, None, None), decoding("min-p"), "Min-p sampling, min-p = 0.1"),
    ],
)  # fmt: skip
def test_a_card_describes_a_decoding(settings: tuple, how: Decoding, title: str) -> None:
    assert chosen(*settings) == how
    assert titled(how) == title


@pytest.mark.parametrize("settings", [("top-k", 4.5, 1, 0), ("top-p", 2, 1, 0), ("random", 0, 1, -1)])
def test_a_bad_card_is_one_line(settings: tuple) -> None:
    with pytest.raises(BadRequest):
        chosen(*settings)


def test_the_example_shows_what_the_notes_say() -> None:
    def kept(html: str) -> list[str]:
        return re.findall(r'<tr class="kept"><th scope="row"><code>(\w+)', html)

    assert kept(example("top-k", 2, 1)) == ["happy", "tired"]
    assert kept(example("top-p", 0.8, 1)) == ["happy", "tired", "hungry"]
    assert kept(example("greedy", None, None)) == ["happy"]
    assert "57%" in example("top-k", 2, 1) and "43%" in example("top-k", 2, 1)
    assert "44%" in example("top-p", 0.8, 1) and "33%" in example("top-p", 0.8, 1)
    assert "53%" in example("random", None, 0.5)
    assert "ut-error" in example("top-p", 7, 1)
    assert safe(example("top-p", 0.8, 2)) and course_example(GREEDY).kept == 1
