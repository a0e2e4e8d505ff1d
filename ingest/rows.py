"""Tables as lines of cells joined by ' | ', the first of them the names of the columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

EMPTY = "–"  # a cell that keeps its place, so that the others stay under their columns


def rows(table: Iterable[Sequence[str]]) -> str:
    """A line for each row that holds anything. A table of one column is a list below its first cell."""
    found = [[cell(text) for text in row] for row in table]
    found = [row for row in found if any(row)]
    if found and max(map(len, found)) == 1:
        return "\n".join([found[0][0].rstrip(":") + ":", *(f"- {row[0]}" for row in found[1:])])
    return "\n".join(line(row) for row in found)


def line(cells: Sequence[str]) -> str:
    """One row of at least two cells, with something in every one."""
    whole = [text or EMPTY for text in cells]
    return " | ".join(whole if len(whole) > 1 else [*whole, EMPTY])


def cell(text: str) -> str:
    """The text of one cell on one line, and no bar in it that would end it."""
    text = re.sub(r"\s*\|\s*", "|", " ".join(text.split()))
    # A bracket that stays open would make the row look like the maths of 'p(x | y)'.
    return text + ")" * max(0, text.count("(") - text.count(")"))
