"""The page to print: whole, with answers or without a trace of them, and nothing in it does anything."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from lxml import html

from rag.items.types import BLANK
from tests.unit.items_strategy import expected, hostile, typed
from ui.web.printed import printed

ALLOWED = set(
    "html head meta title style body header main section h1 h2 p b span ol ul li blockquote "
    "math semantics annotation mrow mi mn mo mtext mspace mfrac "
    "msub msup msubsup munder mover munderover".split()
)


def read(element: Any) -> str:
    """What an element shows, formulas as their LaTeX in MathJax's delimiters."""
    text = element.text or ""
    for child in element:
        if child.tag == "math":
            tex = child.findtext(".//annotation")
            text += f"\\[{tex}\\]" if child.get("display") == "block" else f"\\({tex}\\)"
        elif child.tag != "p" and child.get("class") != "sign":
            text += read(child)
        text += child.tail or ""
    return " ".join(text.split())


@pytest.mark.parametrize("answers", [True, False])
def test_the_page_reads_back(answers: bool) -> None:
    items = hostile()
    page = html.document_fromstring(printed(items, "Unit <1>", answers))
    assert page.findtext(".//h1") == "Unit <1>"
    sections = page.findall(".//section")
    assert len(sections) == len(items)
    for item, section in zip(items, sections, strict=True):
        wanted = expected(item)
        assert read(section.find("p[@class='stem']")) == " ".join(wanted["stem"].split())
        rows = section.findall(".//li")
        if not typed(item):
            assert [read(row) for row in rows] == [text for text, _, _ in wanted["options"]]
        if not answers:
            assert not section.xpath(".//blockquote|.//*[@class='right' or @class='told' or @class='where']")
            continue
        assert [row.get("class") == "right" for row in rows] == [right for _, _, right in wanted["options"]]
        assert [read(row.find("p[@class='told']")) for row in rows] == [f for _, f, _ in wanted["options"]]
        assert read(section.find("blockquote")) == wanted["quote"]
        assert read(section.find("p[@class='where']")) == wanted["where"]
        assert read(section.find("p[@class='why']")).removeprefix("Explanation. ") == wanted["explanation"]


def test_nothing_in_it_does_anything_or_is_fetched() -> None:
    source = printed(hostile(), '"><script>alert(1)</script>', True)
    page = html.document_fromstring(source)
    assert {element.tag for element in page.iter() if isinstance(element.tag, str)} <= ALLOWED
    loaded = {"src", "href", "action", "style", "srcset", "background"}
    assert not any(loaded & set(element.attrib) for element in page.iter())
    assert "default-src 'none'" in source and "url(" not in page.findtext(".//style")


def test_without_answers_the_file_does_not_tell_them() -> None:
    item = next(item for item in hostile() if item.kind == "short-answer")
    secret = replace(
        item,
        options=tuple(replace(option, text="SECRET1", feedback="SECRET2") for option in item.options),
        explanation="SECRET3",
        evidence=replace(item.evidence, quote="SECRET4", source="SECRET5.pdf", heading="SECRET6"),
        topic="SECRET7",
    )
    assert "SECRET" not in printed([secret], "Quiz", answers=False)
    assert len(set(re.findall(r"SECRET\d", printed([secret], "Quiz", answers=True)))) == 6


def test_a_blank_is_a_rule_to_write_on() -> None:
    item = next(item for item in hostile() if item.kind == "fill-in")
    page = html.document_fromstring(printed([item], "Quiz", answers=False))
    assert [rule.text for rule in page.findall(".//section//span[@class='rule']")] == [BLANK]
    assert "Name: " in page.findtext(".//header/p[2]")
