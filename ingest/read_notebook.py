"""Jupyter notebooks: Markdown cells, code, and what it gave as text, tables or formulas.

What is not here: pictures, and what a notebook's widgets show.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from ingest.errors import NotesError
from ingest.read_html import markdown
from ingest.read_text import decoded

OUTPUT = 4000  # characters of one output: a log is no notes


def read_notebook(data: bytes) -> Iterator[tuple[None, str]]:
    """One page without number, in the notebook's order; raises NotesError if it is no notebook."""
    import nbformat

    text = decoded(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong with a file is said by us, once
            book = nbformat.reads(text, as_version=4)
        language = str(book.metadata.get("language_info", {}).get("name", ""))
        blocks = [block for cell in book.cells for block in _cell(cell, language) if block.strip()]
    except (
        nbformat.reader.NotJSONError,
        nbformat.ValidationError,
        AttributeError,
        KeyError,
        TypeError,
    ) as err:
        raise NotesError("not a Jupyter notebook, or damaged: save it again as .ipynb") from err
    yield None, "\n\n".join(blocks)


def fenced(code: str, language: str = "") -> str:
    """Code between fences, which it cannot close itself."""
    body = code.strip("\n").replace("```", "'''").replace("~~~", "---")
    return f"```{language}\n{body}\n```" if body.strip() else ""


def _cell(cell: Any, language: str) -> Iterator[str]:
    if cell.cell_type == "code":
        yield fenced(cell.source, language)
        for output in cell.get("outputs", []):
            yield _output(output)
    else:
        yield str(cell.source)


def _output(output: Any) -> str:
    if output.output_type == "stream":
        return fenced(_cut(output.text))
    if output.output_type == "error":
        return fenced(f"{output.ename}: {output.evalue}")
    data = output.get("data", {})
    if "<table" in data.get("text/html", ""):
        return markdown(data["text/html"])  # a data frame: its rows with the names of its columns
    if "text/latex" in data:
        return str(data["text/latex"])
    if "text/markdown" in data:
        return str(data["text/markdown"])
    return fenced(_cut(data.get("text/plain", "")))


def _cut(text: str) -> str:
    return text if len(text) <= OUTPUT else text[:OUTPUT] + " …"
