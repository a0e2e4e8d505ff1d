"""A conversation as one page of HTML: its questions, answers, and the notes' words behind them.

It holds all it needs: no script, nothing is fetched, and it reads offline. Everything that was typed,
written by a model or comes from notes is escaped; the page's own policy allows nothing but its style.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable
from datetime import datetime

from lxml import etree

from ingest.pages import page_name
from rag.export import content
from rag.sessions import Conversation, Record
from rag.transcript import settings
from rag.types import Answer, Citation
from ui.web.states import STATES

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .4rem; }
h1, h2, p, blockquote { overflow-wrap: anywhere; }
.note { font-size: .88em; opacity: .75; } .sign { font-weight: 600; }
blockquote { margin: .4rem 0; padding-inline-start: .8rem; border-inline-start: 3px solid; opacity: .9; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } }
"""


def conversation_html(talk: Conversation, records: Iterable[Record]) -> str:
    """The whole page."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    name = html.escape(content.line(talk.title)) or "Conversation"
    made = f"{datetime.fromtimestamp(talk.created):%Y-%m-%d %H:%M}"
    body = "".join(_turn(number, record) for number, record in enumerate(records, 1))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{name}</title><style>{STYLE}</style></head><body>"
        f'<header><h1 dir="auto">{name}</h1><p class="note">Unitutor, {made}</p></header>'
        f'<main dir="auto">{body}</main></body></html>\n'
    )


def _turn(number: int, record: Record) -> str:
    answer = record.answer
    parts = [f"<section><h2>{number}. {_shown(answer.question)}</h2>"]
    if record.state == "unreadable":
        return "".join([*parts, _note("This answer is damaged and cannot be shown."), "</section>"])
    parts += [f"<p>{_shown(line)}</p>" for line in answer.answer.splitlines() if line.strip()]
    if record.state == "unfinished":
        parts.append(_note("Cut off."))
    elif answer.stopped:
        parts.append(_note("Stopped."))
    parts.append(_support(answer))
    shown = answer.closest if answer.refused else answer.citations
    if shown:
        parts.append(_note("Closest in the notes:" if answer.refused else "Sources:"))
        parts += [_cited(citation) for citation in shown]
    used = [f"Decoding: {settings(answer.decoding)}"]
    if answer.timings.total_ms:
        used.append(f"{answer.timings.total_ms / 1000:.1f} s, {answer.timings.output_tokens} tokens")
    return "".join([*parts, _note(f"{'; '.join(used)}."), "</section>"])


def _support(answer: Answer) -> str:
    """The sentences that the notes do not hold up, each with what is the matter."""
    weak = [one for one in answer.sentences if one.label in ("partly", "unsupported", "contradicted")]
    return "".join(
        f'<p class="note"><span class="sign">{STATES[one.label].sign}</span> {_shown(one.text)}</p>'
        for one in weak
    )


def _cited(citation: Citation) -> str:
    parts = (citation.source, page_name(citation.source, citation.page), citation.heading)
    where = _shown(", ".join(filter(None, parts)))
    return f"<blockquote><b>[{citation.marker}]</b> {where}<br>{_shown(citation.quote)}</blockquote>"


def _note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>'


def _shown(text: str) -> str:
    """One line as HTML, its formulas as MathML."""
    return content.inner(content.filled(etree.Element("span"), content.line(text), with_mathml=True))
