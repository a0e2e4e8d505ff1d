"""For each sentence of an answer a card with its state and the quotes behind it, shown on hover and focus.

The cards lie hidden in a gr.Markdown, like the panel's (ui/web/cards.py); ui/web/evidence.js shows a
copy of one beside its sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.pages import page_name
from rag.transcript import shortened
from rag.types import Answer, Quote, Sentence
from ui.web.states import STATES, said
from ui.web.text import escaped, passage_html

LONGEST = 400  # characters of a quote


def whys(answers: Sequence[Answer]) -> str:
    """The cards of all sentences that claim something, by the numbers of their turn and place."""
    cards = (
        _why(sentence, f"s{turn}-{number}")
        for turn, answer in enumerate(answers)
        for number, sentence in enumerate(answer.sentences)
        if sentence.label in STATES
    )
    return "".join(cards)


def _why(sentence: Sentence, name: str) -> str:
    state = STATES[sentence.label]
    quotes = "".join(_quote(quote) for quote in sentence.quotes)
    none = "" if quotes else '<p class="ut-quote">No words of the notes were found that say this.</p>'
    more = '<p class="ut-hint">Enter or a click shows the page.</p>' if quotes else ""
    return (
        f'<section class="ut-why" id="{name}"><p class="ut-verdict ut-is-{sentence.label}">'
        f"<b>{state.sign}</b> {said(sentence)}</p>{quotes}{none}{more}</section>"
    )


def _quote(quote: Quote) -> str:
    where = ", ".join(filter(None, (escaped(quote.source), page_name(quote.source, quote.page))))
    text = passage_html(shortened(quote.text, LONGEST))
    return f'<p class="ut-quote">“{text}”</p><p class="ut-where">{where}</p>'
