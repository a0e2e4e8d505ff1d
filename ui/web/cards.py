"""The panel beside the chat: a card for every passage behind an answer.

The panel is HTML inside a gr.Markdown, which renders formulas and sanitises what it is given:
no attribute beginning with data- or aria- comes through, and no line may be empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.pages import page_name
from rag.transcript import clean_title, shortened
from rag.types import Answer, Citation
from ui.web.text import escaped, passage_html

ALSO = 6  # places, and files, named beside a card's own
MANY = {"p.": "pp.", "slide": "slides"}
BEFORE, AFTER = 160, 260  # characters of a passage shown before and after the quote


def panel(answers: Sequence[Answer], shown: int | None = None) -> str:
    """The cards of all answers of a conversation; those of answer `shown`, or the last, are visible."""
    if not answers:
        return _empty("The passages behind an answer appear here, each with its page.")
    shown = len(answers) - 1 if shown is None else shown
    sections = (_section(answer, turn, turn == shown) for turn, answer in enumerate(answers))
    return f'<div class="ut-panel">{"".join(sections)}</div>'


def place(source: str, page: int | None) -> str:
    """'p. 3', 'slide 3', '12:05', or '' for a file without pages."""
    return page_name(source, page)


def also(citation: Citation) -> str:
    """Where else the same is said: 'Also on slides 3, 7; in summary.pdf, p. 2'."""
    told = []
    for source in dict.fromkeys(found.source for found in citation.also):
        pages = [found.page for found in citation.also if found.source == source]
        here = source == citation.source
        shown = [page for page in dict.fromkeys(pages) if page is not None][:ALSO]
        more = ", …" if len(set(pages)) > ALSO else ""
        if shown:
            named = [place(source, page) for page in shown]
            word = named[0].rpartition(" ")[0]  # 'p.', 'slide', or '' for times
            if len(named) > 1 and word:
                named = [f"{MANY[word]} {shown[0]}", *map(str, shown[1:])]
            where = ", ".join(named) + more
            told.append(f"{'on' if word else 'at'} {where}" if here else f"in {source}, {where}")
        elif not here:
            told.append(f"in {source}")
    more = "; …" if len(told) > ALSO else ""
    return f"Also {'; '.join(told[:ALSO])}{more}" if told else ""


def _section(answer: Answer, turn: int, shown: bool) -> str:
    cards = answer.closest if answer.refused else answer.citations
    title = "Closest in the notes" if answer.refused else "Sources"
    question = escaped(shortened(clean_title(answer.question), 90))
    body = "".join(_card(citation, turn) for citation in cards)
    if not cards:
        working = answer.stage in ("searching", "reading") and not answer.stopped
        body = _empty("Searching the notes…" if working else "No passage was used for this answer.")
    hidden = "" if shown else " hidden"
    return (
        f'<section class="ut-turn"{hidden}><h2>{title}</h2><p class="ut-for">{question}</p>{body}</section>'
    )


def _card(citation: Citation, turn: int) -> str:
    score = round(100 * min(1.0, max(0.0, citation.score)))
    where = place(citation.source, citation.page)
    name = f"c{turn}-{citation.marker}"
    page = f'<a href="#{name}" class="ut-page" title="Show {where or "the passage"}">{where or "open"}</a>'
    bar = f'<span class="ut-score" role="img" title="Fit: {score}%"><i style="width:{score}%"></i></span>'
    heading = f'<div class="ut-heading">{escaped(citation.heading)}</div>' if citation.heading else ""
    heading += f'<div class="ut-heading">{escaped(also(citation))}</div>' if citation.also else ""
    return (
        f'<article class="ut-card" id="{name}" tabindex="0">'
        f'<header><span class="ut-number">{citation.marker}</span>'
        f'<span class="ut-source" title="{escaped(citation.source)}">{escaped(citation.source)}</span>{page}'
        f"{bar}</header>"
        f"{heading}{_passage(citation)}</article>"
    )


def _passage(citation: Citation) -> str:
    """The quote marked among the words around it, and the whole passage behind a fold."""
    text, quote = citation.text, citation.quote
    at = text.find(quote) if quote else -1
    if at < 0:
        shown = shortened(text, BEFORE + AFTER)
        marked = f"<mark>{passage_html(quote)}</mark> " if quote else ""
        lead = f'<p class="ut-text">{marked}{passage_html(shown)}</p>'
        return lead + (_whole(passage_html(text)) if shown != text else "")
    before, after = text[:at], text[at + len(quote) :]
    mark = f"<mark>{passage_html(quote)}</mark>"
    head = before if len(before) <= BEFORE else "…" + before[-BEFORE:].partition(" ")[2]
    tail = shortened(after, AFTER)
    lead = f'<p class="ut-text">{passage_html(head)}{mark}{passage_html(tail)}</p>'
    full = passage_html(before) + mark + passage_html(after)
    return lead if (head, tail) == (before, after) else lead + _whole(full)


def _whole(passage: str) -> str:
    return f'<details><summary>Whole passage</summary><p class="ut-text">{passage}</p></details>'


def _empty(words: str) -> str:
    return f'<p class="ut-empty">{words}</p>'
