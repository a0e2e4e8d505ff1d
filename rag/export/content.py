"""What all formats say of an item, and how its text goes into the HTML and XML that some of them hold.

Text is plain, with LaTeX between dollar signs. In HTML it is escaped and its formulas stand in
MathJax's delimiters, \\(…\\) and \\[…\\], which Moodle, Canvas and Anki all show; what would mean
something to one of them but is prose is broken up. HTML is made of elements, never of strings.
"""

from __future__ import annotations

import re
import string
from typing import Any

from lxml import etree

from ingest.pages import page_name
from rag.formulas import mathml, pieces
from rag.items.types import Item

LONGEST_TITLE = 80
LONGEST_TAG = 50  # characters; Moodle cuts there

# MathJax's delimiters, and what Anki does something about: a sound, a picture made of LaTeX.
_ACTIVE = re.compile(
    r"(?<=\\)(?=[()\[\]])|(?<=\$)(?=\$)|(?<=\[)(?=/?\$|/?latex\]|sound:|anki:)", re.IGNORECASE
)


def line(text: str) -> str:
    """`text` on one line, without what XML 1.0 cannot hold: control characters, halves of characters."""
    return " ".join(
        "".join(" " if c.isspace() else c for c in text if c.isspace() or _holdable(ord(c))).split()
    )


def letter(number: int) -> str:
    """What the option at a place, 0-based, is called: a, b, c, …"""
    return string.ascii_lowercase[number] if number < 26 else str(number + 1)


def title(item: Item) -> str:
    """A short name to find an item by: its stem without signs that mean something in a format's names."""
    plain = re.sub(r"[^\w\s.,;?!'()%+/-]+|_{2,}", " ", line(item.stem))
    return _cut(" ".join(plain.split()), LONGEST_TITLE) or "Question"


def where(item: Item) -> str:
    """Where the notes say it: 'unit.pdf, p. 3, Models > GANs'."""
    found = item.evidence
    named = (found.source, page_name(found.source, found.page), found.heading)
    return ", ".join(filter(None, map(line, named)))


def tags(item: Item) -> tuple[str, ...]:
    """What a collection is sorted by: topic, difficulty, Bloom's level, and what the gate left open."""
    topic = _cut(line(item.topic), LONGEST_TAG)
    marks = ("general knowledge",) * item.general + ("edited by hand",) * item.by_hand
    return (*filter(None, [topic]), f"difficulty: {item.difficulty}", f"Bloom: {item.bloom}", *marks)


def chosen(item: Item) -> bool:
    """Whether one of the options is picked; otherwise an answer is typed, and each option counts as right."""
    return item.kind in ("multiple-choice", "true-false")


def says_true(item: Item) -> bool:
    """Whether a true-false item's key is 'True'."""
    return line(item.answer).casefold() == "true"


def html(text: str) -> str:
    """One line of an item's text as HTML, without a paragraph around it."""
    return inner(filled(etree.Element("p"), line(text)))


def explained(item: Item) -> str:
    """What everyone is told after the answer, as HTML: the explanation, the quote, and where it stands."""
    body = etree.Element("div")
    filled(etree.SubElement(body, "p"), line(item.explanation))
    filled(etree.SubElement(etree.SubElement(body, "blockquote"), "p"), line(item.evidence.quote))
    filled(etree.SubElement(body, "p"), where(item))
    return inner(body)


def inner(element: Any) -> str:
    """The HTML inside an element."""
    whole: str = etree.tostring(element, encoding="unicode", method="html", with_tail=False)
    return whole[whole.index(">") + 1 : whole.rindex("<")]


def filled(element: Any, text: str, with_mathml: bool = False) -> Any:
    """`element` with a `line` at its end: prose made inert, formulas in MathJax's delimiters or as MathML."""
    for form, piece in pieces(text):
        if form == "prose":
            _prose(element, piece)
            continue
        math = mathml(piece, form) if with_mathml else None
        if math is not None:
            element.append(math)
        else:
            _add(element, f"\\[{piece}\\]" if form == "display" else f"\\({piece}\\)")
    return element


def _prose(element: Any, text: str) -> None:
    """Prose with an empty element where two signs together would begin or end something."""
    name = etree.QName(etree.QName(element).namespace, "span")
    for number, part in enumerate(_ACTIVE.split(text)):
        if number:
            etree.SubElement(element, name)
        _add(element, part)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _add(element: Any, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _holdable(code: int) -> bool:
    """Whether XML 1.0 has the character (production 2, Char), and it is no control character."""
    return (
        code >= 0x20 and not 0x7F <= code < 0xA0 and not 0xD800 <= code < 0xE000 and code & 0xFFFE != 0xFFFE
    )
