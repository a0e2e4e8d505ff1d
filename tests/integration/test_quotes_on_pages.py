"""Quotes of our own notes, as the index has them, on the pages of the PDF that they come from."""

from __future__ import annotations

from pathlib import Path

import pypdfium2

from ingest.clean import clean
from ingest.read import read
from ingest.split import Splitter, split
from ui.drawing import _characters
from ui.finding import found

NOTES = Path(__file__).parents[2] / "data" / "notes"
FILE = NOTES / "02-model-families.pdf"


def test_nearly_every_sentence_is_found_on_its_page() -> None:
    document = pypdfium2.PdfDocument(FILE)
    pages = {number: _characters(page.get_textpage()) for number, page in enumerate(document, 1)}
    passages = split(clean(read(FILE, NOTES)), Splitter())
    quotes = [(passage, sentence) for passage in passages for sentence in passage.sentences]
    assert len(quotes) > 100
    missed = [
        sentence
        for passage, sentence in quotes
        if not any(  # a passage may go on over the page's end
            found(sentence, pages.get((passage.page or 1) + on, []), passage.text) for on in (0, 1)
        )
    ]
    assert len(missed) <= 0.03 * len(quotes), missed
    marked = found(quotes[0][1], pages[quotes[0][0].page or 1], quotes[0][0].text)
    assert all(start < end for start, end in marked)
