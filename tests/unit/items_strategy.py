"""Hostile items for the tests of rag/export/: a hundred from hypothesis, and what a reader must find."""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import html

from rag.items.types import BLANK, KINDS, Evidence, Item, Option, new_id

COUNT = int(os.environ.get("UNITUTOR_HOSTILE", "100"))
# LaTeX, and the delimiters it stands between in the notes.
FORMULAS = (
    r"$\frac{a}{b}$", r"$x_1^2 < y$", r"$\nabla_\theta \{1\}$", r"$a \& b = c$", r"$\text{if } x > 0$",
    r"$$E = mc^2$$", r"$$\sum_{i=1}^{n} x_i$$", r"$\undefined{x$", r"$\href{javascript:a}{b}$",
    r"$\text{<b>}$",
)  # fmt: skip
TOKENS = (
    *FORMULAS,
    "-->", "]]>", "<script>alert(1)</script>", "=1+1", "+1", "-2", "@SUM(A1)", "'x", "&amp;", "&#35;",
    "&&058;", "\\n", "\\\\", "\\(", "->", "%50%", "[html]", "[plain]", "####", "::x::", "//", "// x", "{T}",
    "~%-50%", "{{c1::x}}", "[sound:a.mp3]", "[latex]", "$5", "$", "*", "**b**", "x_y", "1.", "- a", "# h",
    "> q", "![i](u)", "[l](u)", "www.a.bc", "https://x.yz/?a=1&b=2", "a@b.cd", "``", "|", "a|b", "TRUE", "F",
    "@@FILE@@", "שלום", "مرحبا", "\u200f!", "👩‍🔬", "𝒳", "é", "中文", "\ufeff", "\u2060", "a) b",
    "Answer 1: b", '"', "''", "%", ";",
)  # fmt: skip
ALPHABET = "~=#{}:<>&\"'\\%|;*_`[]-+@!^/,.?aBt9é中🙂שع"


def texts(without: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """One line of words and signs, a space between two; `without` names what is in none of them."""
    words = st.text("".join(c for c in ALPHABET if c not in without), min_size=1, max_size=6).filter(
        _no_formula
    )
    tokens = st.sampled_from([token for token in TOKENS if not any(part in token for part in without)])
    return st.lists(st.one_of(tokens, tokens, words), min_size=1, max_size=4).map(" ".join)


def _no_formula(word: str) -> bool:
    return not any(sign in word for sign in ("\\[", "\\]", "__"))


@st.composite
def items(draw: st.DrawFn, without: tuple[str, ...] = ()) -> Item:
    text = texts(without)
    kind = draw(st.sampled_from(KINDS))
    stem = f"{draw(text)} {BLANK} {draw(text)}" if kind == "fill-in" else draw(text)
    if kind == "true-false":
        said = ["True", "False"]
    else:
        size = 4 if kind == "multiple-choice" else draw(st.integers(1, 3))
        said = draw(st.lists(text, min_size=size, max_size=size, unique_by=str.casefold))
    key = draw(st.integers(0, len(said) - 1)) if kind in ("multiple-choice", "true-false") else 0
    source = draw(text.map(lambda name: " ".join(f"{name.replace('/', '')}.pdf".split())))
    page = draw(st.one_of(st.none(), st.integers(1, 999)))
    return Item(
        id="",
        kind=kind,
        stem=stem,
        options=tuple(Option(text=one, feedback=draw(text)) for one in said),
        key=key,
        explanation=draw(text),
        evidence=Evidence(draw(text), source, page, draw(st.one_of(st.just(""), text)), "p"),
        topic=draw(text),
        difficulty=draw(st.sampled_from(("easy", "medium", "hard"))),
        bloom=draw(st.sampled_from(("remember", "understand", "apply", "analyse"))),
        general=draw(st.booleans()),
        by_hand=draw(st.booleans()),
    )


@functools.cache
def hostile(without: tuple[str, ...] = (), count: int = COUNT) -> tuple[Item, ...]:
    """The same items each time, each with an id of its own."""
    made: list[Item] = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(items(without))
    def collect(item: Item) -> None:
        made.append(replace(item, id=new_id(str(len(made)), item.stem)))

    collect()
    assert len(made) >= count
    return tuple(made[:count])


def mathjax(text: str) -> str:
    """What a reader sees of `text` whose formulas stand in MathJax's delimiters."""
    for formula in FORMULAS:
        tex = formula.strip("$")
        text = text.replace(formula, f"\\[{tex}\\]" if formula.startswith("$$") else f"\\({tex}\\)")
    return text


def where(item: Item) -> str:
    found = item.evidence
    return ", ".join(filter(None, [found.source, f"p. {found.page}" if found.page else "", found.heading]))


def typed(item: Item) -> bool:
    return item.kind in ("short-answer", "fill-in")


def expected(item: Item, shown: Any = mathjax, answers: Any = None) -> dict[str, Any]:
    """What must be found in an export: texts as `shown`, typed answers as `answers`, or as they are."""
    said = (answers or str) if typed(item) else shown
    return {
        "kind": "typed" if typed(item) else item.kind,
        "stem": shown(item.stem),
        "options": [
            (said(option.text), shown(option.feedback), typed(item) or place == item.key)
            for place, option in enumerate(item.options)
        ],
        "explanation": shown(item.explanation),
        "quote": shown(item.evidence.quote),
        "where": shown(where(item)),
    }


def seen(fragment: str, allowed: frozenset[str] = frozenset({"span"})) -> str:
    """What a browser shows of a piece of HTML, in which only `allowed` elements may stand."""
    body = html.fragment_fromstring(fragment, create_parent="body")
    assert {element.tag for element in body.iterdescendants()} <= allowed, fragment
    text: str = body.text_content()
    return text


def told(fragment: str) -> dict[str, str]:
    """The explanation, the quote and its place, as general feedback has them."""
    body = html.fragment_fromstring(fragment, create_parent="body")
    assert [element.tag for element in body] == ["p", "blockquote", "p"], fragment
    assert {element.tag for element in body.iterdescendants()} <= {"p", "blockquote", "span"}
    explanation, quote, place = (element.text_content() for element in body)
    return {"explanation": explanation, "quote": quote, "where": place}
