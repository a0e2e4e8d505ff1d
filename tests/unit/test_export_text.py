"""Text, Markdown, CSV, JSON and Anki cards, read back field by field; and the files they go into."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sqlite3
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from ingest.errors import BadRequest
from rag.export import anki
from rag.export.formats import FORMATS, save, write
from rag.items.types import KINDS, Item, Option, from_json
from tests.unit.items_strategy import FORMULAS, expected, hostile, mathjax, seen, typed

TITLE = "Unit 1: *GANs* <b>"


# Text


def read_text(block: str) -> dict[str, Any]:
    """A block of lines, each a label and what is said under it."""
    fields: dict[str, list[str]] = {}
    for line in block.split("\n"):
        found = re.match(r"((?:[A-Z][a-z]+(?: right)?) \d+[a-z]?: ?|[a-z]\) )(.*)", line)
        assert found, line
        fields.setdefault(found[1].strip(), []).append(found[2])
    number = re.match(r"Question (\d+):", block)[1]  # type: ignore[index]
    options = [fields[f"{letter})"][0] for letter in "abcd" if f"{letter})" in fields]
    (answer,) = fields[f"Answer {number}:"]
    kind = {0: "typed", 2: "true-false", 4: "multiple-choice"}[len(options)]
    if options:
        letter, said = answer.split(") ", 1)
        right = ["abcd".index(letter) == place for place in range(len(options))]
        assert options["abcd".index(letter)] == said
    else:
        options = [answer, *fields.get(f"Also right {number}:", [])]
        right = [True] * len(options)
    feedback = [fields[f"Feedback {number}{letter}:"][0] for letter, _ in zip("abcd", options, strict=False)]
    return {
        "kind": kind,
        "stem": fields[f"Question {number}:"][0],
        "options": list(zip(options, feedback, right, strict=True)),
        "explanation": fields[f"Explanation {number}:"][0],
        "quote": fields[f"Quote {number}:"][0],
        "where": fields[f"Page {number}:"][0],
    }


def test_text_reads_back() -> None:
    items = hostile()
    title, *blocks = write(items, "text", TITLE).decode().rstrip("\n").split("\n\n")
    assert title == TITLE
    assert len(blocks) == len(items)
    for item, block in zip(items, blocks, strict=True):
        assert read_text(block) == expected(item, str)


def test_text_is_the_course_s_own_format() -> None:
    item = next(item for item in hostile() if item.kind == "multiple-choice")
    options = "".join(
        f"{letter}) {option.text}\n" for letter, option in zip("abcd", item.options, strict=True)
    )
    head = f"Question 1: {item.stem}\n{options}Answer 1: {'abcd'[item.key]}) {item.answer}\n"
    assert write([item], "text", "").decode().startswith(head)


# Markdown, as CommonMark's own reader and the usual rule for formulas have it


def block_text(element: Any) -> str:
    return str(element.text_content()).strip("\n")


def read_markdown(source: str) -> list[dict[str, Any]]:
    reader = MarkdownIt("commonmark").use(dollarmath_plugin, double_inline=True, allow_space=False)
    reader.enable(["table", "strikethrough"])
    reader.options["linkify"] = False
    math = {"math_inline": "\\({}\\)", "math_inline_double": "\\[{}\\]", "math_block": "\\[{}\\]"}
    for name, form in math.items():
        reader.add_render_rule(
            name, lambda _, tokens, at, *__, form=form: html_escaped(form.format(tokens[at].content))
        )
    body = html.fragment_fromstring(reader.render(source), create_parent="body")
    allowed = {"h1", "h2", "p", "ul", "li", "strong", "blockquote"}
    assert {element.tag for element in body.iterdescendants()} <= allowed
    found: list[dict[str, Any]] = []
    lists: list[list[tuple[str, str]]] = []
    for element in body:
        text = block_text(element)
        label = element.find("strong").text_content() if element.find("strong") is not None else ""
        if element.tag == "h2":
            lists = []
            found.append({"lists": lists})
        elif element.tag == "ul":
            lists.append([after_label(row) for row in element])
        elif element.tag == "blockquote":
            assert text[0] == "“" and text[-1] == "”"
            found[-1]["Quote:"] = text[1:-1]
        elif element.tag == "p":
            found[-1][label] = text[len(label) + 1 :]
        else:
            assert text == TITLE
    return found


def html_escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def after_label(row: Any) -> tuple[str, str]:
    label = row.find("strong").text_content()
    return label, str(row.text_content())[len(label) + 1 :].rstrip("\n")


def test_markdown_reads_back() -> None:
    items = hostile()
    read = read_markdown(write(items, "md", TITLE).decode())
    assert len(read) == len(items)
    for item, found in zip(items, read, strict=True):
        wanted = expected(item, answers=mathjax)
        told = [feedback for _, feedback, _ in wanted["options"]]
        said = [text for text, _, _ in wanted["options"]]
        assert found["Question:"] == wanted["stem"]
        assert found["Explanation:"] == wanted["explanation"]
        assert found["Quote:"] == wanted["quote"]
        assert found["Page:"] == wanted["where"]
        if typed(item):
            assert found["lists"] == [
                [(f"{text}:", feedback) for text, feedback in zip(said, told, strict=True)]
            ]
            assert found["Answer:"] == said[0]
        else:
            letters = [f"{letter})" for letter in "abcd"[: len(said)]]
            assert found["lists"] == [
                list(zip(letters, said, strict=True)),
                list(zip(letters, told, strict=True)),
            ]
            assert found["Answer:"] == f"{letters[item.key]} {said[item.key]}"


def test_markdown_leaves_formulas_as_they_are() -> None:
    item = replace(hostile()[0], stem=" and ".join(FORMULAS))
    assert f"**Question:** {item.stem}\n" in write([item], "md", "").decode()


# CSV and JSON


def test_csv_reads_back_and_nothing_in_it_runs() -> None:
    items = hostile()
    content = write(items, "csv", TITLE).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert len(rows) == len(items)
    for item, row in zip(items, rows, strict=True):
        assert None not in row
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())
        cells = {name: cell.removeprefix("'") for name, cell in row.items()}
        options = [(cells[f"option {letter}"], cells[f"feedback {letter}"]) for letter in "abcd"]
        assert options[: len(item.options)] == [(option.text, option.feedback) for option in item.options]
        assert set(options[len(item.options) :]) <= {("", "")}
        assert (cells["id"], cells["kind"], cells["question"]) == (item.id, item.kind, item.stem)
        assert (cells["answer"], cells["key"]) == (item.answer, "abcd"[item.key])
        found = item.evidence
        assert (cells["explanation"], cells["quote"]) == (item.explanation, found.quote)
        place = (found.source, str(found.page or ""), found.heading)
        assert (cells["source"], cells["page"], cells["heading"]) == place
        assert (cells["topic"], cells["difficulty"], cells["bloom"]) == (
            item.topic,
            item.difficulty,
            item.bloom,
        )
        assert [bool(cells["general knowledge"]), bool(cells["by hand"])] == [item.general, item.by_hand]


def test_json_is_exact() -> None:
    items = (*hostile(), replace(hostile()[0], stem="two\nlines\x07 and \x00"))
    values = json.loads(write(items, "json", TITLE))
    assert values["title"] == TITLE
    assert tuple(map(from_json, values["items"])) == items


# Anki


def collection(content: bytes, folder: Path) -> sqlite3.Connection:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None and sorted(package.namelist()) == ["collection.anki2", "media"]
        assert json.loads(package.read("media")) == {}
        package.extract("collection.anki2", folder)
    return sqlite3.connect(folder / "collection.anki2")


def listed(field: str) -> list[str]:
    body = html.fragment_fromstring(field, create_parent="body")
    assert [element.tag for element in body] == ["ol"]
    assert {element.tag for element in body.iterdescendants()} <= {"ol", "li", "span"}
    return [str(row.text_content()) for row in body[0]]


def test_anki_reads_back(tmp_path: Path) -> None:
    items = hostile()
    read = collection(write(items, "anki", TITLE, made=1.7e9), tmp_path)
    ((models, decks),) = read.execute("select models, decks from col")
    (model,) = json.loads(models).values()
    fields = [field["name"] for field in model["flds"]]
    assert model["id"] == anki.MODEL or int(model["id"]) == anki.MODEL
    named = {deck["name"]: int(deck["id"]) for deck in json.loads(decks).values()}
    assert set(named) == {"Default", TITLE}
    notes = list(read.execute("select guid, mid, mod, tags, flds from notes order by id"))
    assert len(notes) == len(items) == len({guid for guid, *_ in notes})
    assert list(read.execute("select did, count(*) from cards group by did")) == [(named[TITLE], len(items))]
    for item, (guid, mid, mod, tags, flds) in zip(items, notes, strict=True):
        assert (guid, mid, mod) == (anki.guid(item), anki.MODEL, 1_700_000_000)
        values = dict(zip(fields, flds.split("\x1f"), strict=True))
        wanted = expected(item, answers=mathjax)
        said = [text for text, _, _ in wanted["options"]]
        assert seen(values["Question"]) == wanted["stem"]
        assert listed(values["Feedback"]) == [feedback for _, feedback, _ in wanted["options"]]
        assert seen(values["Explanation"]) == wanted["explanation"]
        assert seen(values["Quote"]) == wanted["quote"]
        assert seen(values["Page"]) == wanted["where"]
        assert (seen(values["Topic"]), values["Item"]) == (mathjax(item.topic), item.id)
        if typed(item):
            assert values["Options"] == ""
            assert (listed(values["Answer"]) if len(said) > 1 else [seen(values["Answer"])]) == said
        else:
            assert listed(values["Options"]) == said
            lead = f"{'abcd'[item.key]}) " if item.kind == "multiple-choice" else ""
            assert seen(values["Answer"]) == lead + said[item.key]
        assert not re.search(r"\[(\$|latex|sound:|anki:)", flds)
        assert f"difficulty:_{item.difficulty}" in tags.split(" ")


def test_a_second_export_changes_the_cards_of_the_first(tmp_path: Path) -> None:
    """Anki knows a note by its guid, and takes one over that is newer than its own."""
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    item = hostile()[0]
    edited = replace(item, stem="Edited", explanation="Otherwise.")
    first = collection(write([item], "anki", TITLE, made=1.7e9), tmp_path / "1")
    second = collection(write([edited], "anki", TITLE), tmp_path / "2")
    query = "select guid, mid, mod from notes"
    ((guid, mid, mod),) = first.execute(query)
    ((guid_2, mid_2, mod_2),) = second.execute(query)
    assert (guid, mid) == (guid_2, mid_2) and mod_2 > mod
    decks = [set(json.loads(read.execute("select decks from col").fetchone()[0])) for read in (first, second)]
    assert decks[0] == decks[1]


# All of them


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_items_are_the_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    items = hostile()[:20]
    first = hashlib.sha256(write(items, name, TITLE, made=1.7e9)).hexdigest()
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2040, 1, 1, 1, 1, 1, 0, 1, 0))
    assert hashlib.sha256(write(items, name, TITLE, made=1.7e9)).hexdigest() == first


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_lines_and_control_characters_do_not_leave_a_field(name: str) -> None:
    """They make no difference: what is one line in the notes' words is written."""
    evil = "one\n\ntwo\r\n::x::\x00\x0b\x1b[2J\ud800\ufffe\u2028end"
    clean = "one two ::x:: [2J end"

    def with_text(item: Item, text: str) -> Item:
        options = tuple(Option(text, text) for _ in item.options)
        evidence = replace(item.evidence, quote=text, source=text, heading=text)
        return replace(item, stem=text, explanation=text, topic=text, options=options, evidence=evidence)

    items = [next(item for item in hostile() if item.kind == kind) for kind in KINDS if kind != "true-false"]
    written = [
        write([with_text(item, text) for item in items], name, text, made=1.7e9) for text in (evil, clean)
    ]
    assert written[0] == written[1]
    assert write([], name, "", made=1.7e9)


def test_a_name_that_is_no_format_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"No format is called docx: take one of json, md, "):
        write([], "docx", "")


def test_files_are_written_beside_and_renamed(tmp_path: Path) -> None:
    at = tmp_path / "quiz.csv"
    save(at, b"old")
    save(at, b"new")
    assert at.read_bytes() == b"new" and list(tmp_path.iterdir()) == [at]
    with pytest.raises(BadRequest, match=r"Cannot write .*quiz\.csv: .+\.$"):
        save(at / "quiz.csv", b"")
    with pytest.raises(BadRequest, match="Cannot write"):
        save(tmp_path, b"")
    assert at.read_bytes() == b"new" and list(tmp_path.iterdir()) == [at]
