"""Pages as read to pages of notes only: noise gone, characters right, lines whole, headings nested.

This joins the steps, each in its own file: repair (characters), noise (lines), lines (blocks),
headings. Words that are notes are never dropped; those that are none can be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from ingest.headings import with_headings
from ingest.lines import Block, blocks
from ingest.noise import without_noise
from ingest.removed import Removed, unheard
from ingest.repair import repair, speaks_of_ai
from ingest.types import Page

PLAIN = frozenset({".txt", ".pdf"})  # formats whose headings may be known by their look alone
MEANT = frozenset(  # formats where every line break is meant
    ".csv .docx .epub .htm .html .pptx .srt .tex .tsv .vtt .xhtml".split()
)


def clean(pages: Sequence[Page], removed: list[Removed] | None = None) -> list[Page]:
    """The pages of one file, as many as given, in the light Markdown of ingest.types.Page.

    Every word that goes is added to `removed`, with the reason.
    """
    if not pages:
        return []

    def heard(page: int, text: str, why: str) -> None:
        if removed is not None:
            removed.append(Removed(pages[page].number, " ".join(text.split()), why))

    tell = unheard if removed is None else heard
    suffix = PurePosixPath(pages[0].source).suffix.lower()
    ai = speaks_of_ai(" ".join(page.text for page in pages))
    texts = [repair(page.text, ai, at, tell) for at, page in enumerate(pages)]
    texts = without_noise(texts, [page.number for page in pages], tell)
    found = with_headings(blocks(texts, suffix not in MEANT, tell), suffix in PLAIN, tell)
    of_page: list[list[Block]] = [[] for _ in pages]
    for block in found:
        of_page[block.page].append(block)
    return [
        Page(page.source, page.number, markdown(group)) for page, group in zip(pages, of_page, strict=True)
    ]


def markdown(found: Sequence[Block]) -> str:
    """The blocks as light Markdown: a blank line between any two but items and rows of one list or table."""
    out: list[str] = []
    for at, block in enumerate(found):
        close = at and block.kind in ("item", "row") and found[at - 1].kind == block.kind
        out.append(("" if not at else "\n" if close else "\n\n") + line(block))
    return "".join(out)


def line(block: Block) -> str:
    """One block as light Markdown."""
    if block.kind == "heading":
        return f"{'#' * block.level} {block.text}"
    if block.kind == "item":
        mark = (
            block.number if block.number and block.number[-1] == "." and block.number[:-1].isdigit() else ""
        )
        text = f"{block.number} {block.text}" if block.number and not mark else block.text
        return "  " * block.indent + (f"{mark} {text}" if mark else f"- {text}")
    return block.text
