"""Checked texts as HTML, for page and report: a chart of the states, a line a text, a table of sentences.

All that came from elsewhere goes through `escaped`. Sorting and filtering are added by table.js where
scripts run; nothing here needs it to be read.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.pages import page_name
from rag.types import Label, Quote, Sentence
from ui.checking import Checked, Run
from ui.report import WORDS, counts
from ui.web.states import STATES
from ui.web.text import escaped

ROWS = 200  # sentences that the page shows; a report has all
LATEST = 20  # of so many, those shown while more are checked
NONE = "–"
SIGNS: dict[Label, str] = {label: STATES[label].sign if label in STATES else "·" for label in WORDS}
BAR, LEFT, STEP, WIDE = 190, 168, 26, 420  # of the chart, in its own units


def results(run: Run, running: bool) -> str:
    """All that the page shows of a check, so far or at its end."""
    checked = run.checked
    if not checked:
        return ""
    count = sum(len(one.sentences) for one in checked)
    several = len(checked) > 1
    shown = list(checked)
    note = ""
    if count > ROWS:
        shown = _some(checked, running)
        told = f"the last {LATEST}" if running else f"the {ROWS} that are supported least"
        note = f'<p class="ck-note">Of {count:,} sentences, {told}; the reports have them all.</p>'
    above = overview(checked[-ROWS:]) if several else ""
    return f'<div class="ck">{chart(checked)}{above}{_errors(checked)}{note}{sentences(shown, several)}</div>'


def chart(checked: Sequence[Checked]) -> str:
    """How many sentences have each state, as a picture that needs nothing else."""
    found = counts(checked)
    most = max(found.values(), default=0) or 1
    rows, told = [], []
    for place, (label, count) in enumerate(found.items()):
        sign, words = SIGNS[label], WORDS[label]
        y = place * STEP
        width = BAR * count / most
        rows.append(
            f'<text x="0" y="{y + 17}"><tspan class="ck-sign">{sign}</tspan></text>'
            f'<text x="20" y="{y + 17}">{words}</text>'
            f'<rect class="ck-bar ck-{label}" x="{LEFT}" y="{y + 5}" width="{width:.1f}" height="16" rx="3"/>'
            f'<text class="ck-count" x="{LEFT + width + 8:.1f}" y="{y + 17}">{count:,}</text>'
        )
        told.append(f"{count} {words}")
    return (
        f'<figure class="ck-chart"><svg viewBox="0 0 {WIDE} {STEP * len(found)}" role="img" '
        f'aria-label="Sentences by state: {", ".join(told)}">{"".join(rows)}</svg>'
        f"<figcaption>{_told(checked)}</figcaption></figure>"
    )


def overview(checked: Sequence[Checked], linked: bool = False) -> str:
    """A line a text: how much of it is supported, and its worst sentence; `linked` to what is below."""
    rows = []
    for number, one in enumerate(checked, 1):
        name = escaped(_name(one))
        named = f'<a href="#t{number}">{name}</a>' if linked else name
        share = one.supported
        cells = (
            (f'<th scope="row" data-v="{name}">{named}</th>')
            + _cell("Sentences", str(len(one.sentences)), len(one.sentences), "ck-figure")
            + _cell("Supported", _percent(share), -1 if share is None else share, "ck-figure")
            + _cell("Worst sentence", _worst(one), one.worst.support if one.worst else 2)
        )
        rows.append(f"<tr>{cells}</tr>")
    return (
        '<table class="ck-table ck-overview" data-sortable><caption>By text</caption><thead><tr>'
        f"{_heads('Text', 'Sentences', 'Supported', 'Worst sentence')}"
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def sentences(checked: Sequence[Checked], several: bool) -> str:
    """The table of sentences; with the text each is from, where there are `several`."""
    heads = [*(["Text"] if several else []), "Sentence", "Support", "State", "Quote", "Source", "Page"]
    rows = "".join(_row(one, _name(text) if several else "") for text in checked for one in text.sentences)
    if not rows:
        return ""
    return (
        '<table class="ck-table ck-sentences" data-sortable data-filtered><caption>By sentence</caption>'
        f"<thead><tr>{_heads(*heads)}</tr></thead><tbody>{rows}</tbody></table>"
    )


def state(label: Label) -> str:
    """A state with its sign."""
    sign = f'<b aria-hidden="true">{SIGNS[label]}</b>'
    return f'<span class="ck-state ck-{label}">{sign} {WORDS[label]}</span>'


def error(checked: Checked) -> str:
    """Why a text could not be checked; '' if it was."""
    if not checked.error:
        return ""
    name = f"<b>{escaped(_name(checked))}</b>: " if checked.id is not None else ""
    return f"<li>{name}{escaped(checked.error)}</li>"


def _errors(checked: Sequence[Checked]) -> str:
    found = [line for one in checked if (line := error(one))]
    more = f"<li>and {len(found) - LATEST} more</li>" if len(found) > LATEST else ""
    return f'<ul class="ck-errors">{"".join(found[:LATEST])}{more}</ul>' if found else ""


def _some(checked: Sequence[Checked], running: bool) -> list[Checked]:
    """Texts with only the sentences that are shown of very many."""
    pairs = [(text, one) for text in checked for one in text.sentences]
    if running:
        pairs = pairs[-LATEST:]
    else:
        claims = [pair for pair in pairs if pair[1].label != "not-a-claim"]
        pairs = sorted(claims, key=lambda pair: pair[1].support)[:ROWS]
    return [Checked(text.id, text.text, (one,), text.question) for text, one in pairs]


def _told(checked: Sequence[Checked]) -> str:
    claims = [one for text in checked for one in text.claims]
    if not claims:
        return "No claims yet."
    share = sum(one.label == "supported" for one in claims) / len(claims)
    return f"{_percent(share)} of {len(claims):,} claim{'' if len(claims) == 1 else 's'} supported"


def _row(one: Sentence, name: str) -> str:
    claim = one.label != "not-a-claim"
    best = one.quotes[0] if one.quotes and claim else None
    where = page_name(best.source, best.page) if best else ""
    cells = _cell("Text", escaped(name), None) if name else ""
    cells += _cell("Sentence", f'<span class="ck-said ck-{one.label}">{escaped(one.text)}</span>', None)
    bar = (
        f'<svg class="ck-meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="ck-rail" width="100" height="6"/>'
        f'<rect class="ck-bar ck-{one.label}" width="{100 * one.support:.0f}" height="6"/></svg>'
    )
    support = f"{_likely(one.support)}{bar}" if claim else NONE
    cells += _cell("Support", support, one.support if claim else 2, "ck-figure")
    cells += _cell("State", state(one.label), list(WORDS).index(one.label))
    cells += _cell("Quote", "".join(map(_quote, range(2), one.quotes)) if claim else "", None)
    cells += _cell("Source", escaped(best.source) if best else "", None)
    cells += _cell("Page", escaped(where), best.page or 0 if best else None, "ck-page")
    return f'<tr data-state="{one.label}">{cells}</tr>'


def _quote(place: int, quote: Quote) -> str:
    where = ", ".join(filter(None, [quote.source, page_name(quote.source, quote.page)]))
    also = f'<span class="ck-where"> {escaped(where)}</span>' if place and where else ""
    return (
        f"<q>{escaped(quote.text)}</q>{also}"
        if not place
        else f"<div><q>{escaped(quote.text)}</q>{also}</div>"
    )


def _worst(one: Checked) -> str:
    if one.error:
        return f'<span class="ck-where">{escaped(one.error)}</span>'
    worst = one.worst
    if worst is None:
        return NONE
    return f"{state(worst.label)} {_likely(worst.support)}: {escaped(worst.text)}"


def _name(one: Checked) -> str:
    return NONE if one.id is None else str(one.id)


def _heads(*names: str) -> str:
    return "".join(f'<th scope="col">{name}</th>' for name in names)


def _cell(name: str, html: str, value: float | None, kind: str = "") -> str:
    """A cell under the head `name`; `value` is what it is sorted by where that is not its text."""
    sorts = "" if value is None else f' data-v="{value:.4g}"'
    kinds = " ".join(filter(None, [kind, "" if html else "ck-none"]))
    names = f' class="{kinds}"' if kinds else ""
    return f'<td data-name="{name}"{sorts}{names}>{html}</td>'


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.0f}%"


def _likely(probability: float) -> str:
    """A support: nothing is certain, so it is never 0 or 100%."""
    share = round(100 * probability)
    return "&gt;99%" if share > 99 else "&lt;1%" if share < 1 else f"{share}%"
