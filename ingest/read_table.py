"""CSV and TSV tables: a line of cells for each row, the names of the columns first.

Splitting repeats the names in every passage (ingest/split.py). What is not here: spreadsheets.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ingest.errors import NotesError
from ingest.read_text import decoded
from ingest.rows import cell, line, rows

LOOKED_AT = 20  # lines that tell what stands between the cells


def read_table(data: bytes) -> Iterator[tuple[None, str]]:
    """One page without number; raises NotesError if it is no table of text."""
    text = decoded(data)
    try:
        found = [
            [cell(text) for text in row] for row in csv.reader(io.StringIO(text), delimiter=_between(text))
        ]
    except csv.Error as err:
        raise NotesError(f"damaged table ({err}): save it again as CSV") from err
    found = [row for row in found if any(row)]
    width = max(map(len, found), default=0)
    if width < 2:
        yield None, rows(found)
        return
    # A line above the names of the columns, such as a title, has fewer cells than they.
    first = next((i for i, row in enumerate(found[:LOOKED_AT]) if 2 * sum(map(bool, row)) > width), 0)
    above = "\n\n".join(" ".join(filter(None, row)) for row in found[:first])
    yield None, "\n\n".join(filter(None, [above, "\n".join(line(row) for row in found[first:])]))


def _between(text: str) -> str:
    """The character between cells: the one that cuts most lines into the same number, at least two."""
    head = text[:100_000].split("\n")[:LOOKED_AT]

    def agreed(sign: str) -> tuple[int, int]:
        cells = [len(row) for row in csv.reader(head, delimiter=sign) if row]
        usual = max(set(cells), key=cells.count, default=1)
        return (cells.count(usual) if usual > 1 else 0, usual)

    try:
        return max(",;\t|", key=agreed)
    except csv.Error:
        return ","
