"""Items as CSV for spreadsheets, and as JSON for programs.

A cell of the CSV that a spreadsheet would calculate (it begins with = + - @, a tab or a line's end)
gets an apostrophe in front, as in the reports of `unitutor ground`, and so does a cell that begins with
an apostrophe: whoever takes one off each cell that begins with one has what was there. The JSON is
exact: what `from_json` of rag/items/types.py reads.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from rag.export.content import letter, line
from rag.items.types import Item, to_json

_FORMULA = ("=", "+", "-", "@", "'", "＝", "＋", "－", "＠")  # full-width signs are calculated in Japan
_EVIDENCE = ("quote", "source", "page", "heading")


def columns(items: Sequence[Item]) -> list[str]:
    """The header: room for as many options as any item has, and for four at least."""
    most = max([4, *(len(item.options) for item in items)])
    options = [
        name for number in range(most) for name in (f"option {letter(number)}", f"feedback {letter(number)}")
    ]
    return [
        "id", "kind", "question", "answer", "key", *options, "explanation", *_EVIDENCE,
        "topic", "difficulty", "bloom", "general knowledge", "by hand",
    ]  # fmt: skip


def csv_table(items: Sequence[Item], title: str) -> bytes:
    """A row an item, in UTF-8 with a mark that tells spreadsheets so. `title` has no place in it."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns(items), restval="")
    writer.writeheader()
    for item in items:
        writer.writerow({name: _cell(value) for name, value in _row(item).items()})
    return file.getvalue().encode("utf-8-sig", "replace")


def json_list(items: Sequence[Item], title: str) -> bytes:
    """`{"title": …, "items": […]}`."""
    values = {"title": title, "items": [to_json(item) for item in items]}
    return (json.dumps(values, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace")


def _row(item: Item) -> dict[str, str]:
    found = item.evidence
    row = {"id": item.id, "kind": item.kind, "question": item.stem, "answer": item.answer}
    row["key"] = letter(item.key)
    for number, option in enumerate(item.options):
        row[f"option {letter(number)}"] = option.text
        row[f"feedback {letter(number)}"] = option.feedback
    page = "" if found.page is None else str(found.page)
    row |= {"explanation": item.explanation, "quote": found.quote, "source": found.source}
    row |= {"page": page, "heading": found.heading, "topic": item.topic}
    row |= {"difficulty": item.difficulty, "bloom": item.bloom}
    return row | {"general knowledge": "yes" * item.general, "by hand": "yes" * item.by_hand}


def _cell(value: str) -> str:
    text = line(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
