"""Study aids as one page of HTML: no script, nothing is fetched, formulas as MathML, fit to print.

What the page holds is what rag/study_text.py writes as Markdown. Everything from notes and answers is
escaped; the page's own policy allows nothing but its style.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence

from lxml import etree

from rag.claims import bare
from rag.export import content
from rag.items.terms import Definition
from rag.items.types import Evidence
from rag.study import evidence
from rag.study_cards import Card
from rag.study_guide import Guide
from rag.study_review import Answered
from rag.study_summary import Point
from rag.study_text import LETTERS, cited_places, left_out, where

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.3rem; margin-top: 2rem; }
h3, h4, h5, h6 { margin: 1.2rem 0 .3rem; }
ul { padding-inline-start: 1.2rem; } li { margin: .3rem 0; }
dt { font-weight: 600; margin-top: .9rem; } dd { margin: .1rem 0 0; }
.where { font-size: .85em; opacity: .75; white-space: nowrap; }
blockquote { margin: .4rem 0; padding-inline-start: .8rem; border-inline-start: 3px solid; opacity: .9; }
.card { border: 1px solid; border-radius: .5rem; padding: .6rem .9rem; margin: .7rem 0; break-inside: avoid; }
.front { font-weight: 600; margin: 0 0 .3rem; } .card p { margin: .2rem 0; } .refused { font-style: italic; }
@media print { body { margin: 0; max-width: none; } h2, h3 { break-after: avoid; } }
"""


def terms_html(found: Sequence[Definition]) -> str:
    """Key terms, sorted, as a list of definitions."""
    parts = []
    for one in sorted(found, key=lambda one: one.term.lower()):
        place = evidence(one.passage, one.text)
        parts.append(f"<dt>{_shown(one.term)}</dt><dd>{_shown(one.text)} {_where(place)}</dd>")
    return _page("Key terms", f"{len(found)} terms", f"<dl>{''.join(parts)}</dl>")


def cards_html(cards: Sequence[Card]) -> str:
    """Flashcards, front above back."""
    parts = [
        f'<section class="card"><p class="front">{_shown(card.front)}</p><p>{_shown(card.back)}</p>'
        f"<p>{_where(card.evidence)}</p></section>"
        for card in cards
    ]
    return _page("Flashcards", f"{len(cards)} cards", "".join(parts))


def guide_html(found: Sequence[Guide]) -> str:
    """Study guides, one file after another."""
    parts = []
    for guide in found:
        parts.append(f"<h2>{_shown(guide.source)}</h2>")
        for section in guide.sections:
            level = min(6, section.depth + 2)
            parts.append(f"<h{level}>{_shown(section.title)}</h{level}>")
            lines = "".join(f"<li>{_shown(bare(one.quote))} {_where(one)}</li>" for one in section.lines)
            parts.append(f"<ul>{lines}</ul>" if lines else "")
    return _page("Study guide", "In the notes' own words", "".join(parts))


def review_html(found: Sequence[Answered]) -> str:
    """Review questions with answers and quotes."""
    parts = []
    for number, one in enumerate(found, 1):
        parts.append(f"<section><h2>{number}. {_shown(one.question.text)}</h2>")
        if one.question.options:
            listed = zip(LETTERS, one.question.options, strict=False)
            parts.append(
                f"<ul>{''.join(f'<li>{letter}) {_shown(text)}</li>' for letter, text in listed)}</ul>"
            )
        style = ' class="refused"' if one.answer.refused else ""
        parts += [f"<p{style}>{_shown(text)}</p>" for text in one.answer.answer.splitlines() if text.strip()]
        if changed := left_out(one.answer):
            parts.append(f"<p><em>{_shown(changed)}</em></p>")
        parts += [
            f"<blockquote>{mark} {_shown(place.quote)} {_where(place)}</blockquote>"
            for mark, place in cited_places(one.answer)
        ]
        if one.question.given:
            parts.append(f"<p>The notes print as the answer: {_shown(one.question.given)}</p>")
        parts.append(f"<p>Asked in {_where(one.question.evidence)}</p></section>")
    return _page("Review questions", f"{len(found)} questions, answered from the notes", "".join(parts))


def summary_html(found: Sequence[Point], title: str) -> str:
    """A conversation's summary."""
    parts = []
    for point in found:
        parts.append(f"<h2>{_shown(point.question)}</h2>")
        for line in point.lines:
            quotes = "".join(
                f"<blockquote>{_shown(place.quote)} {_where(place)}</blockquote>" for place in line.evidence
            )
            parts.append(f"<p>{_shown(line.text)}</p>{quotes}")
    return _page(title or "Summary", "What the notes support of this conversation", "".join(parts))


def _page(title: str, about: str, body: str) -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    name = html.escape(content.line(title))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{name}</title><style>{STYLE}</style></head><body>"
        f'<header><h1 dir="auto">{name}</h1><p>{html.escape(about)}</p></header>'
        f'<main dir="auto">{body}</main></body></html>\n'
    )


def _shown(text: str) -> str:
    """One line as HTML, its formulas as MathML."""
    return content.inner(content.filled(etree.Element("span"), content.line(text), with_mathml=True))


def _where(place: Evidence) -> str:
    return f'<span class="where">({_shown(where(place))})</span>'
