"""The report of a check as one page of HTML: nothing is fetched, and it reads without a script.

Its only script is ours (table.js), named by its hash in the page's own policy, so that nothing else
could run even if something had come through unescaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from rag.claims import spans
from ui.checking import Checked
from ui.report import WORDS, About, summary
from ui.web import check_view
from ui.web.text import escaped

HERE = Path(__file__).parent
START = "\nunitutorTables(document.body);\n"


def html_report(checked: Sequence[Checked], about: About) -> str:
    """The whole page."""
    style = "\n".join((HERE / name).read_text("utf-8") for name in ("report.css", "table.css"))
    script = (HERE / "table.js").read_text("utf-8") + START
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'"
    mode = "wording, nearness and the language model" if about.full else "wording and nearness alone"
    several = len(checked) > 1
    above = check_view.overview(checked, linked=True) if several else ""
    sections = "".join(_section(number, one) for number, one in enumerate(checked, 1))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">'
        f"<title>Grounding report</title><style>{style}</style></head><body>"
        '<header><h1>Grounding report</h1><p class="about">'
        f"{len(checked):,} text{'s' if several else ''} checked against {escaped(about.against)} on "
        f"{about.made:%Y-%m-%d at %H:%M}, by {mode}. Support is the estimated probability that the notes say "
        f'so.</p></header><main class="ck">{check_view.chart(checked)}{above}{sections}</main>'
        f"<script>{script}</script></body></html>\n"
    )


def _section(number: int, one: Checked) -> str:
    name = f"Text {number}" if one.id is None else str(one.id)
    asked = f'<p class="asked">{escaped(one.question)}</p>' if one.question else ""
    if one.error:
        body = f'<ul class="ck-errors">{check_view.error(one)}</ul>'
    else:
        cut = "" if one.whole else " The check was stopped before its end."
        body = f'<p class="told">{summary(one)}{cut}</p><p class="text">{_marked(one)}</p>'
    return (
        f'<section id="t{number}"><h2>{escaped(name)}</h2>{asked}{body}'
        f"{check_view.sentences([one], several=False)}</section>"
    )


def _marked(one: Checked) -> str:
    """The text with each sentence underlined as its state has it, and the state's sign after it."""
    parts, at = [], 0
    for (start, end), sentence in zip(spans(one.text), one.sentences, strict=False):
        parts.append(escaped(one.text[at:start]))
        said = escaped(one.text[start:end])
        if sentence.label == "not-a-claim":
            parts.append(said)
        else:
            parts.append(
                f'<span class="ck-said ck-{sentence.label}">{said}</span>'
                f'<sup class="ck-{sentence.label}" title="{WORDS[sentence.label]}">'
                f"{check_view.SIGNS[sentence.label]}</sup>"
            )
        at = end
    return "".join([*parts, escaped(one.text[at:])])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
