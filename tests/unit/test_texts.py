"""Texts to check from files: what each line becomes, and that what is wrong with one is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import BadRequest
from ui.texts import LONGEST, Text, read, texts


def lines(*values: Any) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in values)


def test_json_lines_have_a_text_or_our_own_answer() -> None:
    own = {"id": 2, "question": "What?", "answer": "Two networks [1].", "refused": False, "citations": []}
    found = texts(lines({"id": "a", "text": "So it is.", "passages": ["It is so."]}, b"", own), "in.jsonl")
    assert found == [
        Text("a", "So it is.", ("It is so.",)),
        Text(2, "Two networks [1].", None, "What?"),
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"not json", "Line 2 is not JSON"),
        (b"\xff\xfe", "Line 2 is not JSON in UTF-8"),
        (b"[]", "Line 2 is not an object like {id, text}"),
        ({"text": "no id"}, "Line 2 has no id"),
        ({"id": "x"}, "Line 2 has no text"),
        ({"id": "x", "text": " "}, "Line 2: there is no text"),
        ({"id": "x", "text": 5}, "Line 2: a text is a string"),
        ({"id": "x", "text": "t", "passages": "p"}, "Line 2: a text is a string, passages a list"),
        ({"id": "x", "text": "t", "passages": [1]}, "Line 2: a text is a string, passages a list"),
        ({"id": "x", "text": "t" * (LONGEST + 1)}, "Line 2: the text has 50,001 characters"),
        ({"id": "x", "text": "t", "passages": ["p" * 600_000]}, "Line 2: passages may have 500,000"),
        ({"id": "x", "error": "The model\nbroke."}, "Line 2 has no answer, but an error: The model broke."),
        (b"[" * 100_000, "Line 2 is"),
    ],
)
def test_a_bad_line_is_named_and_the_others_stand(line: Any, says: str) -> None:
    good = {"id": "good", "text": "So it is."}
    found = texts(lines(good, line, good), "in.jsonl")
    assert [one.error == "" for one in found] == [True, False, True]
    assert found[1].error.startswith(says) and "\n" not in found[1].error and len(found[1].error) < 200


def test_half_a_character_is_replaced() -> None:
    assert texts(b'{"id": 1, "text": "so \\ud800 it is"}', "in.jsonl")[0].text == "so ? it is"


@pytest.mark.parametrize(
    "table",
    [
        'id,text,passages,question\r\n\r\na,"1, 2.\r\n3.","P one.\r\n\r\nP two.",What?\r\nb,Four.,,\r\n',
        '\ufeffid;Text ;passage 1;passage 2;question\na;"1, 2.\n3.";P one.;P two.;What?\nb;Four.;;;\n',
        'id\tanswer\tpassages\tquestion\na\t"1, 2.\n3."\t"P one.\n\nP two."\tWhat?\nb\tFour.\t\t\n',
    ],
)
def test_tables_of_spreadsheets(table: str) -> None:
    for raw in (table.encode(), b"\xff\xfe" + table.removeprefix("\ufeff").encode("utf-16-le")):
        first, second = texts(raw, "Answers.CSV")
        assert first.id == "a" and first.text.replace("\r", "") == "1, 2.\n3."
        assert (first.passages, first.question) == (("P one.", "P two."), "What?")
        assert second == Text("b", "Four.")


def test_without_ids_a_row_is_called_by_its_line() -> None:
    found = texts(b'text\n"a\nb"\n\nlast\n', "in.csv")
    assert [(one.id, one.text) for one in found] == [(2, "a\nb"), (5, "last")]


def test_a_bad_row_is_named_and_the_others_stand() -> None:
    found = texts(b"id,text\na,one\nb,two,three\n,four\nc,\nd,five\n", "in.csv")
    assert [one.error for one in found] == [
        "",
        "Line 3 has 3 cells, the first line 2.",
        "Line 4 has no id.",
        "Line 5 has no text (nor an answer) to check.",
        "",
    ]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"id,words\n1,a\n", "has no column text"),
        (b'id,text\n1,a\n2,"b\n', "line 3: this is not CSV"),
        (b'id,text\n1,"a"b\n', "line 2: this is not CSV"),
        (b"id,text\n1,caf\xe9\n", "is not text in UTF-8"),
        (b"PK\x03\x04\0\0", "is not text in UTF-8"),
    ],
)
def test_what_is_no_table_is_one_line(raw: bytes, says: str) -> None:
    with pytest.raises(BadRequest, match=says) as caught:
        texts(raw, "in.csv")
    assert "\n" not in str(caught.value) and str(caught.value).startswith("in.csv")


def test_nothing_gives_nothing_and_no_file_is_told(tmp_path: Path) -> None:
    assert texts(b"", "in.csv") == texts(b"id,text\n", "in.csv") == texts(b"\n", "in.jsonl") == []
    with pytest.raises(BadRequest, match="Cannot read"):
        read(tmp_path / "none.csv")
