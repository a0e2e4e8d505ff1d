"""What gives a sentence of a passage its subject: heading, the line that leads into it, a table's head."""

from __future__ import annotations

import re

from ingest.sentences import is_row
from ingest.types import Passage

_MARK = re.compile(r"( *)(- |\d{1,3}[.)] )?")


def leads(passage: Passage) -> tuple[int, ...]:
    """Per sentence: the index of the sentence that introduces it, or -1.

    That is the first sentence of its list item, the item or title line it stands under, or, for a
    table row, the row of column names. Follow it upwards for the whole introduction.
    """
    found: list[int] = []
    stack: list[tuple[int, int]] = []  # (indent, sentence) of the items that are open
    part, title, head, first = -1, -1, -1, -1  # numbered title, title, column names, first of its line
    at, line_start = 0, -1
    for i, sentence in enumerate(passage.sentences):
        place = passage.text.find(sentence, at)
        place = at if place < 0 else place
        at = place + len(sentence)
        start = passage.text.rfind("\n", 0, place) + 1
        mark = _MARK.match(passage.text, start)
        bullet, indent = (mark[2] or "", len(mark[1])) if mark else ("", 0)
        above = title if title >= 0 else part
        if start == line_start:
            found.append(first if bullet else above if above != first else -1)
            continue
        line_start, first = start, i
        head = (head if head >= 0 else i) if is_row(sentence) else -1
        if head >= 0:
            found.append(head if head != i else above)
        elif bullet[:1].isdigit() and not indent and _entitles(passage.text, start):
            found.append(-1)
            part, title, stack = i, -1, []
        elif bullet:
            while stack and stack[-1][0] >= indent:
                stack.pop()
            found.append(stack[-1][1] if stack else above)
            stack.append((indent, i))
        else:
            stack = []
            found.append(part if sentence.endswith(":") else above)
            title = i if sentence.endswith(":") else title
    return tuple(found)


def _entitles(text: str, start: int) -> bool:
    """Whether the numbered line is a title: it ends in ':' and what follows is not a list within it."""
    line, _, rest = text[start:].partition("\n")
    return line.endswith(":") and not rest.startswith(" ")


def contexts(passage: Passage) -> tuple[str, ...]:
    """Per sentence the words it is found by: 'last heading: lead-in: sentence'; rows name their columns."""
    above = leads(passage)
    out = []
    for i, sentence in enumerate(passage.sentences):
        lead, parts = above[i], [sentence]
        if is_row(sentence) and lead >= 0 and is_row(passage.sentences[lead]):
            parts = [_with_columns(sentence, passage.sentences[lead])]
            lead = above[lead]
        while lead >= 0 and len(parts) < 3:
            parts.insert(0, _label(passage.sentences[lead]))
            lead = above[lead]
        parts.insert(0, passage.heading[-1] if passage.heading else "")
        out.append(": ".join(part.rstrip(": ") for part in parts if part.strip(": ")))
    return tuple(out)


def _with_columns(row: str, names: str) -> str:
    columns, cells = names.split(" | "), row.split(" | ")
    columns += [""] * (len(cells) - len(columns))
    pairs = zip(columns, cells, strict=False)
    return "; ".join(f"{name}: {cell}" if name.strip("–") else cell for name, cell in pairs)


def _label(sentence: str) -> str:
    # Of a whole sentence only what names its subject: 'Training: The generator ...'.
    if len(sentence.split()) <= 8 or sentence.endswith(":"):
        return sentence if len(sentence.split()) <= 20 else ""
    label, colon, _ = sentence.partition(": ")
    return label if colon and len(label.split()) <= 6 else ""
