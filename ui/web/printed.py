"""A quiz as one page of HTML to print, with its answers or without: no script, and nothing is fetched.

Formulas are MathML, which browsers show by themselves; one that cannot be turned into it stands as its
LaTeX. Without answers nothing in the file tells one: no key, feedback, explanation, quote or page.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from pathlib import Path

from lxml import etree

from rag.export import content
from rag.items.types import BLANK, Item

HERE = Path(__file__).parent
KINDS = {
    "multiple-choice": "Choose one.",
    "true-false": "True or false?",
    "short-answer": "Answer in a few words.",
    "fill-in": "Fill in the blank.",
}


def printed(items: Sequence[Item], title: str, answers: bool) -> str:
    """The whole page."""
    style = (HERE / "printed.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    name = html.escape(content.line(title)) or "Quiz"
    number = f"{len(items)} question{'' if len(items) == 1 else 's'}"
    told = "<p>Name: <span class='rule'></span> Date: <span class='rule'></span></p>"
    body = "".join(_item(place, item, answers) for place, item in enumerate(items, 1))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light">'
        f"<title>{name}</title><style>{style}</style></head><body>"
        f'<header><h1 dir="auto">{name}</h1><p>{number}{", with answers" if answers else ""}</p>'
        f"{'' if answers else told}</header>"
        f"<main>{body}</main></body></html>\n"
    )


def _item(number: int, item: Item, answers: bool) -> str:
    parts = [f'<h2>Question {number}</h2><p class="stem" dir="auto">{_stem(item)}</p>']
    if content.chosen(item):
        parts.append(_options(item, answers))
    else:
        parts.append(f'<p class="how">{KINDS[item.kind]}</p>')
        parts.append(_typed(item) if answers else "<p class='line'></p>" * (item.kind == "short-answer"))
    if answers:
        parts.append(
            f'<p class="why" dir="auto"><b>Explanation.</b> {_shown(item.explanation)}</p>'
            f'<blockquote dir="auto">{_shown(item.evidence.quote)}</blockquote>'
            f'<p class="where">{_shown(content.where(item))}</p>'
        )
    return f'<section class="item">{"".join(parts)}</section>'


def _stem(item: Item) -> str:
    """The stem, with a rule to write on in place of the blank."""
    stem = content.line(item.stem)
    if item.kind != "fill-in" or BLANK not in stem:
        return _shown(stem)
    before, _, after = stem.partition(BLANK)
    return f"{_shown(before)} <span class='rule'>{BLANK}</span> {_shown(after)}"


def _options(item: Item, answers: bool) -> str:
    rows = []
    for place, option in enumerate(item.options):
        if not answers:
            rows.append(f'<li dir="auto">{_shown(option.text)}</li>')
            continue
        right = place == item.key
        sign = " <b class='sign'>✓ right</b>" if right else ""
        rows.append(
            f'<li class="{"right" if right else "wrong"}" dir="auto">{_shown(option.text)}{sign}'
            f'<p class="told">{_shown(option.feedback)}</p></li>'
        )
    return f'<ol type="a">{"".join(rows)}</ol>'


def _typed(item: Item) -> str:
    rows = [
        f'<li class="right" dir="auto">{html.escape(content.line(option.text))}'
        f'<p class="told">{_shown(option.feedback)}</p></li>'
        for option in item.options
    ]
    return f'<p class="how"><b>Answer</b></p><ul>{"".join(rows)}</ul>'


def _shown(text: str) -> str:
    return content.inner(content.filled(etree.Element("p"), content.line(text), with_mathml=True))
