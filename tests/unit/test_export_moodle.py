"""Moodle XML and GIFT, read back by the rules of Moodle's documentation, and GIFT by pygiftparser as well."""

from __future__ import annotations

import io
import re
import sys
import warnings
from types import ModuleType
from typing import Any

import pytest
from lxml import etree

from rag.export.gift import gift
from rag.export.moodle import moodle_xml
from rag.items.types import Evidence, Item, Option
from tests.unit.items_strategy import expected, hostile, seen, told, typed

TITLE = "Unit 1: GANs / {VAEs} = <b>"


def small(kind: Any = "short-answer", stem: str = "Which?", *texts: str) -> Item:
    options = tuple(Option(text, f"about {text}") for text in texts or ("yes",))
    evidence = Evidence("A quote.", "u.pdf", 3, "A > B", "p")
    return Item("0" * 16, kind, stem, options, 0, "Because.", evidence, "topic", "easy", "remember")


# Moodle XML


def text_of(parent: Any, path: str) -> str:
    found = parent.findall(f"{path}/text")
    assert len(found) == 1, path
    return (found[0].text or "").strip()


def html_of(parent: Any, path: str) -> str:
    assert parent.find(path).get("format") == "html"
    return text_of(parent, path)


def read_xml(question: Any) -> dict[str, Any]:
    kind = {"multichoice": "multiple-choice", "truefalse": "true-false", "shortanswer": "typed"}[
        question.get("type")
    ]
    options = []
    for answer in question.findall("answer"):
        said = text_of(answer, ".")
        if kind == "multiple-choice":
            assert answer.get("format") == "html"
            said = seen(said)
        elif kind == "true-false":
            assert said in ("true", "false")
            said = said.capitalize()
        else:
            said = typed_answer(said)
        options.append((said, seen(html_of(answer, "feedback")), answer.get("fraction") == "100"))
    if kind == "multiple-choice":
        assert question.findtext("single") == "true"
    if kind == "typed":
        assert question.findtext("usecase") == "0"
    stem = seen(html_of(question, "questiontext"))
    return {"kind": kind, "stem": stem, "options": options, **told(html_of(question, "generalfeedback"))}


def typed_answer(pattern: str) -> str:
    """The one answer that a pattern of Moodle's short answers stands for: no star in it is a wildcard."""
    assert not re.search(r"(?<!\\)\*", pattern), pattern
    return pattern.replace("\\*", "*")


def test_moodle_xml_reads_back() -> None:
    items = hostile()
    root = etree.fromstring(moodle_xml(items, TITLE))
    category, *questions = root.findall("question")
    assert category.get("type") == "category"
    assert text_of(category, "category") == "$course$/top/Unit 1 GANs VAEs b"
    assert len(questions) == len(items)
    for item, question in zip(items, questions, strict=True):
        assert read_xml(question) == expected(item)
        assert question.findtext("idnumber") == item.id
        assert text_of(question, "name")
        tags = [text_of(tag, ".") for tag in question.findall("tags/tag")]
        assert {f"difficulty: {item.difficulty}", f"Bloom: {item.bloom}"} <= set(tags)
        assert ("general knowledge" in tags, "edited by hand" in tags) == (item.general, item.by_hand)
        assert len(item.topic) > 50 or item.topic in tags


def test_moodle_compares_typed_answers_as_they_are() -> None:
    root = etree.fromstring(moodle_xml([small("short-answer", "Which?", "a * b", "<i> & $x$")], ""))
    assert [text_of(answer, ".") for answer in root.iter("answer")] == ["a \\* b", "<i> & $x$"]
    assert [question.get("type") for question in root] == ["shortanswer"]  # no title, no category


# GIFT, by the documentation: a backslash makes ~ = # { } : and itself mean themselves, and n a new line.

SIGNS = "~=#{}:\\"


def units(text: str) -> list[tuple[str, bool]]:
    """Characters, each with whether it means itself."""
    made, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text) and text[at + 1] in SIGNS:
            made.append((text[at + 1], True))
            at += 2
        else:
            assert text[at : at + 2] != "\\n", "a new line that no one wrote"
            made.append((text[at], False))
            at += 1
    return made


def find(text: list[tuple[str, bool]], signs: str, start: int = 0) -> int:
    """Where `signs`, none of them escaped, stand next, or -1."""
    wanted = [(sign, False) for sign in signs]
    for at in range(start, len(text) - len(signs) + 1):
        if text[at : at + len(signs)] == wanted:
            return at
    return -1


def plain(text: list[tuple[str, bool]]) -> str:
    return "".join(c for c, _ in text).strip()


def formatted(text: list[tuple[str, bool]]) -> tuple[str, str]:
    """The format that a text names, if it is one of Moodle's four, and the rest."""
    said = plain(text)
    found = re.match(r"\[(html|plain|moodle|markdown)\]", said)
    return (found[1], said[found.end() :].strip()) if found else ("html", said)


def html_said(text: list[tuple[str, bool]]) -> str:
    form, said = formatted(text)
    assert form == "html"
    return seen(said)


def read_gift(source: str) -> dict[str, Any]:
    text = units(source)
    assert text[:2] == [(":", False), (":", False)]
    named = find(text, "::", 2)
    opened, closed = find(text, "{"), find(text, "}")
    assert 2 < named < opened < closed and not plain(text[closed + 1 :])
    assert plain(text[named + 2 :]).startswith("[html]")
    answers = text[opened + 1 : closed]
    general = max(at for at in range(len(answers)) if find(answers[at : at + 4], "####") == 0)
    body, after = answers[:general], answers[general + 4 :]
    stem = html_said(text[named + 2 : opened])
    assert formatted(after)[0] == "html"
    known = {"stem": stem, **told(formatted(after)[1])}
    bare = "".join(c if not escaped else " " for c, escaped in body).strip()
    if "~" in bare:
        kind = "multiple-choice"
    elif "=" in bare and "->" in plain(body):
        raise AssertionError("a matching question")
    elif bare.split("#")[0].strip() in ("T", "TRUE", "F", "FALSE"):
        parts = split(body, "#")
        assert len(parts) == 3
        key = plain(parts[0]).startswith("T")
        wrong, right = html_said(parts[1]), html_said(parts[2])
        options = [("True", right if key else wrong, key), ("False", wrong if key else right, not key)]
        return {"kind": "true-false", "options": options, **known}
    else:
        kind = "typed"
    options = []
    for sign, part in marked(body, "~="):
        share = re.match(r"%(-?\d{1,3})%", plain(part))
        if share:
            assert share[1] == "100" and sign == "="
            part = part[share.end() :]
        said, feedback = part[: find(part, "#")], part[find(part, "#") + 1 :]
        if kind == "multiple-choice":
            answer = html_said(said)
        else:
            answer = typed_answer(formatted(said)[1].replace("-*>", "->"))
        options.append((answer, html_said(feedback), sign == "="))
    return {"kind": kind, "options": options, **known}


def split(text: list[tuple[str, bool]], sign: str) -> list[list[tuple[str, bool]]]:
    parts: list[list[tuple[str, bool]]] = [[]]
    for unit in text:
        if unit == (sign, False):
            parts.append([])
        else:
            parts[-1].append(unit)
    return parts


def marked(text: list[tuple[str, bool]], signs: str) -> list[tuple[str, list[tuple[str, bool]]]]:
    """The parts that unescaped signs begin."""
    parts: list[tuple[str, list[tuple[str, bool]]]] = []
    for unit in text:
        if unit[0] in signs and not unit[1]:
            parts.append((unit[0], []))
        elif parts:
            parts[-1][1].append(unit)
        else:
            assert unit[0].isspace()
    return parts


def questions_of(content: bytes) -> list[str]:
    """The stretches between empty lines, without comments and the category."""
    parts = re.split(r"\n\s*\n", content.decode().strip())
    assert not any(line.strip().startswith("//") for part in parts for line in part.splitlines())
    assert parts[0] == "$CATEGORY: $course$/top/Unit 1 GANs VAEs b"
    return parts[1:]


def test_gift_reads_back() -> None:
    items = hostile()
    sources = questions_of(gift(items, TITLE))
    assert len(sources) == len(items)
    for item, source in zip(items, sources, strict=True):
        wanted = expected(item)
        assert read_gift(source) == wanted, source


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("%50% of it", "=%100%%50% of it#"),
        ("[html] tag", "=[plain][html] tag#"),
        ("[0, 1]", "=[0, 1]#"),
        ("a -> b", "=a -*> b#"),
        ("a * b", r"=a \\* b#"),
        (r"\nu = 1: {x}", r"=\\nu \= 1\: \{x\}#"),
        ("TRUE", "=TRUE#"),
    ],
)
def test_gift_answers_are_plain_and_mean_nothing_else(text: str, written: str) -> None:
    assert written in gift([small("short-answer", "Which?", text)], "").decode()


def said(text: str) -> str:
    """What pygiftparser leaves to the reader: escapes taken off."""
    return re.sub(r"\\([~=#{}:\\])", r"\1", text).strip()


def test_gift_by_pygiftparser(monkeypatch: pytest.MonkeyPatch) -> None:
    """pygiftparser 1.1 ends an answer at an escaped brace and takes a backslash before an n for a new line,
    so it reads items without these; every other sign is in them. Only its HTML needs the Markdown that it
    pins, which no longer loads beside a current setuptools."""
    monkeypatch.setitem(sys.modules, "markdown", ModuleType("markdown"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pygiftparser import parser
    items = hostile(("{", "}", "\\n"))
    read = parser.parseFile(io.StringIO(gift(items, TITLE).decode()))
    assert len(read) == len(items)
    for item, question in zip(items, read, strict=True):
        wanted = expected(item)
        assert question.valid and question.markup == "html"
        assert question.title and question.title == said(question.title)
        assert seen(said(question.text)) == wanted["stem"]
        general = told(said(question.generalFeedback))
        assert general == {name: wanted[name] for name in general}
        if item.kind == "true-false":
            feedback = {option[2]: option[1] for option in wanted["options"]}
            assert question.answers.answer is (item.answer == "True")
            assert seen(said(question.answers.feedbackCorrect)) == feedback[True]
            assert seen(said(question.answers.feedbackWrong)) == feedback[False]
            continue
        assert type(question.answers).__name__ == ("ShortSet" if typed(item) else "SelectSet")
        options = []
        for answer in question.answers.answers:
            text = said(answer.answer)
            if typed(item):
                text = typed_answer(text.removeprefix("[plain]").replace("-*>", "->"))
            else:
                text = seen(text)
            options.append((text, seen(said(answer.feedback)), answer.fraction == 100))
        assert options == wanted["options"]
