"""Items as Moodle XML, by https://docs.moodle.org/en/Moodle_XML_format and what Moodle's importer reads.

Texts are HTML but for the answers of typed items, which Moodle compares as they are, with * for any
characters; a star of our own is therefore \\*.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lxml import etree

from rag.export import content
from rag.export.packing import add, xml
from rag.items.types import Item

_TYPES = {"multiple-choice": "multichoice", "true-false": "truefalse"}  # the others: shortanswer


def moodle_xml(items: Sequence[Item], title: str) -> bytes:
    """The items as one category of Moodle's question bank."""
    quiz = etree.Element("quiz")
    name = category(title)
    if name:
        _text(add(add(quiz, "question", type="category"), "category"), f"$course$/top/{name}")
    for item in items:
        _question(quiz, item)
    return xml(quiz)


def category(title: str) -> str:
    """A title as the name of a category: no sign that parts or ends one, in XML or in GIFT."""
    return " ".join(re.sub(r"[/~=#{}:\\$<>&]", " ", content.line(title)).split())[:200].strip()


def wildcards(answer: str) -> str:
    """A typed answer as Moodle compares it."""
    return content.line(answer).replace("*", "\\*")


def _question(quiz: Any, item: Item) -> None:
    question = add(quiz, "question", type=_TYPES.get(item.kind, "shortanswer"))
    _text(add(question, "name"), content.title(item))
    _html(question, "questiontext", content.html(item.stem))
    _html(question, "generalfeedback", content.explained(item))
    add(question, "defaultgrade", "1")
    add(question, "penalty", "1" if item.kind == "true-false" else "0.3333333")
    add(question, "hidden", "0")
    add(question, "idnumber", item.id)
    if item.kind == "multiple-choice":
        add(question, "single", "true")
        add(question, "shuffleanswers", "false")  # the key's place is random already
        add(question, "answernumbering", "abc")
    elif item.kind != "true-false":
        add(question, "usecase", "0")
    for place, option in enumerate(item.options):
        right = place == item.key or not content.chosen(item)
        answer = add(question, "answer", fraction="100" if right else "0")
        if item.kind == "multiple-choice":
            answer.set("format", "html")
            _text(answer, content.html(option.text))
        else:
            answer.set("format", "moodle_auto_format")
            said = content.line(option.text)
            _text(answer, said.casefold() if item.kind == "true-false" else wildcards(said))
        _html(answer, "feedback", content.html(option.feedback))
    tags = add(question, "tags")
    for tag in content.tags(item):
        _text(add(tags, "tag"), tag)


def _html(parent: Any, name: str, html: str) -> None:
    _text(add(parent, name, format="html"), html)


def _text(parent: Any, text: str) -> None:
    add(parent, "text", text)
