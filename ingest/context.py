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
    title, head, line_start, first = -1, -1, -1, -1
    at = 0
    for i, sentence in enumerate(passage.sentences):
        place = passage.text.find(sentence, at)
        place = at if place < 0 else place
        at = place + len(sentence)
        start = passage.text.rfind("\n", 0, place) + 1
        if start == line_start:
            item = _MARK.match(passage.text, start)
            found.append(first if item and item[2] else title if title != first else -1)
            continue
        line_start, first = start, i
        row = is_row(sentence)
        head = (head if head >= 0 else i) if row else -1
        mark = _MARK.match(passage.text, start)
        if row:
            found.append(head if head != i else title)
        elif mark and mark[2]:
            indent = len(mark[1])
            while stack and stack[-1][0] >= indent:
                stack.pop()
            found.append(stack[-1][1] if stack else title)
            stack.append((indent, i))
        else:
            stack = []
            leading = sentence.endswith(":")
            found.append(-1 if leading else title)
            title = i if leading else title
    return tuple(found)


def contexts(passage: Passage) -> tuple[str, ...]:
    """Per sentence the words it is found by: 'last heading: lead-in: sentence'; rows name their columns."""
    heading = passage.heading[-1] if passage.heading else ""
    out = []
    for sentence, lead in zip(passage.sentences, leads(passage), strict=True):
        above = passage.sentences[lead] if lead >= 0 else ""
        if is_row(sentence) and is_row(above):
            names, cells = above.split(" | "), sentence.split(" | ")
            names += [""] * (len(cells) - len(names))
            pairs = zip(names, cells, strict=False)
            sentence, above = "; ".join(f"{n}: {c}" if n else c for n, c in pairs if c), ""
        short = above if len(above.split()) <= 20 else ""
        out.append(": ".join(part.rstrip(": ") for part in (heading, short, sentence) if part.strip(": ")))
    return tuple(out)
