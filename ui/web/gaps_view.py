"""The gap report as HTML, for the page and for a file of its own: charts as SVG, and all figures as tables.

All that came from elsewhere goes through `escaped`. Charts are drawn in per cent of their width, so
that their text keeps its size; what they show is told by pattern and figure as well as by colour.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from rag.feedback import Rated
from rag.gaps import Asked, File, Gaps, Topic, Week
from rag.regression import Place
from ui.check_text import uncited
from ui.terminal import place
from ui.web.text import escaped

HERE = Path(__file__).parent
MOST = 25  # rows of a table that the page shows; a file has all
TALL, FOOT = 168, 22  # pixels of the chart of weeks, and of its labels below
LABELS = 12  # weeks that are named under it, at most
KINDS = (("fine", "answered"), ("weak", "answered with low support"), ("refused", "refused"))
Heads = Sequence[tuple[str, str]]  # each column's name and what kind it is: count, wide or ''
HIDDEN = '<span class="lab-hidden">Bars</span>'
WEEK = tuple((name, "count") for name in ("Week of", "Asked", "Refused", "Low support", "Up", "Down"))
NONE = '<p class="gp-none">None in these weeks.</p>'
# A pattern each, so that no colour needs to be told from another. They are drawn once a page.
PATTERNS = (
    '<svg class="gp-patterns" width="0" height="0" aria-hidden="true"><defs>'
    '<pattern id="gp-weak" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect class="gp-ground" width="6" height="6"/>'
    '<rect class="gp-ink" width="3" height="6"/></pattern>'
    '<pattern id="gp-refused" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect class="gp-ground" width="6" height="6"/><circle class="gp-ink" cx="3" cy="3" r="1.9"/></pattern>'
    "</defs></svg>"
)


def page_html(found: Gaps, weeks: int) -> str:
    """The report as one page that needs nothing else and runs nothing."""
    style = "\n".join((HERE / name).read_text("utf-8") for name in ("report.css", "gaps.css"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">'
        f"<title>What the notes lack</title><style>{style}</style></head><body>"
        f'<header><h1>What the notes lack</h1><p class="about">{_span(weeks)}, as of '
        f"{datetime.now():%Y-%m-%d at %H:%M}.</p></header>"
        f"<main>{report(found, whole=True)}</main></body></html>\n"
    )


def report(found: Gaps, whole: bool = False) -> str:
    """All of it; not `whole`, tables stop after MOST rows."""
    most = None if whole else MOST
    if not found.asked and not found.up and not found.down:
        empty = '<p class="gp-empty">Nothing was logged in these weeks.</p>'
        return f'<div class="gp">{PATTERNS}{empty}{_pages(found.files, most)}</div>'
    return (
        f'<div class="gp">{PATTERNS}{_figures(found)}{_weekly(found.weeks)}'
        f"{_refused(found.refused, most)}{_weak(found.weak, most)}{_topics(found.topics, most)}"
        f"{_pages(found.files, most)}{_thumbs(found, most)}</div>"
    )


def _span(weeks: int) -> str:
    return f"The last {weeks} weeks" if weeks > 1 else "This week"


def _figures(found: Gaps) -> str:
    refused, weak = (sum(one.times for one in some) for some in (found.refused, found.weak))
    down = sum(found.reasons.values())
    figures = [
        ("Questions", f"{found.asked:,}", ""),
        ("Refused", f"{refused:,}", _share(refused, found.asked)),
        ("Low support", f"{weak:,}", _share(weak, found.asked)),
        ("Thumbs", f"{found.up} up", f"{down} down"),
    ]
    if found.first_word_ms is not None:
        figures.append(("First word", f"{found.first_word_ms / 1000:.1f}\u00a0s", "median"))
    cells = "".join(
        f"<div><dt>{name}</dt><dd>{value}<small>{more}</small></dd></div>" for name, value, more in figures
    )
    return f'<dl class="gp-figures">{cells}</dl>'


def _weekly(weeks: Sequence[Week]) -> str:
    """A column a week, stacked; its table holds the same and the thumbs."""
    if not weeks:
        return ""
    most = max(max(week.asked for week in weeks), 1)
    step, named = 100 / len(weeks), -(-len(weeks) // LABELS)
    columns = "".join(
        _column(week, place * step, step, most, place % named == 0) for place, week in enumerate(weeks)
    )
    rows = [
        (
            f"{_day(week.start)} {week.start.year}",
            *map(str, (week.asked, week.refused, week.weak, week.up, week.down)),
        )
        for week in weeks
    ]
    table = _table("Questions and thumbs by week", WEEK, rows, "gp-numbers")
    told = f"Questions by week, from {_day(weeks[0].start)} to {_day(weeks[-1].start)}, at most {most}"
    return (
        f'<section><h2>By week</h2><figure class="gp-weeks"><svg width="100%" height="{TALL + FOOT}" '
        f'role="img" aria-label="{told}; the table below has the figures">'
        f'<line class="gp-axis" x1="0" x2="100%" y1="{TALL}" y2="{TALL}"/>{columns}</svg>'
        f"<figcaption>{_key()}</figcaption></figure>"
        f"<details><summary>The figures</summary>{table}</details></section>"
    )


def _column(week: Week, x: float, step: float, most: int, named: bool) -> str:
    """One week: answered at the bottom, refused on top, the sum above, its Monday below."""
    counts = (week.asked - week.refused - week.weak, week.weak, week.refused)
    told = f"Week of {_day(week.start)}: {week.asked} asked, {week.refused} refused, {week.weak} low support"
    wide, y = step * 0.68, float(TALL)
    parts = [f"<title>{told}</title>"]
    for (kind, _), count in zip(KINDS, counts, strict=True):
        if count:
            high = (TALL - 20) * count / most
            y -= high
            parts.append(
                f'<rect class="gp-{kind}" x="{x + step * 0.16:.2f}%" y="{y:.1f}" width="{wide:.2f}%" '
                f'height="{high:.1f}"/>'
            )
    middle = f'x="{x + step / 2:.2f}%"'
    if named:
        if week.asked:
            parts.append(f'<text class="gp-sum" {middle} y="{y - 5:.1f}">{week.asked}</text>')
        parts.append(f'<text class="gp-tick" {middle} y="{TALL + 16}">{_day(week.start)}</text>')
    return f"<g>{''.join(parts)}</g>"


def _key() -> str:
    return "".join(
        f'<span><svg width="14" height="14" aria-hidden="true"><rect class="gp-{kind}" x=".5" y=".5" '
        f'width="13" height="13"/></svg>{words}</span>'
        for kind, words in KINDS
    )


def _refused(some: Sequence[Asked], most: int | None) -> str:
    return _section(
        "Questions the notes did not answer",
        "What a next version of the notes could say.",
        (("Question", ""), ("Times", "count"), ("Last", "count"), ("Nearest pages", "")),
        [(escaped(one.question), str(one.times), _date(one.last), _places(one.pages)) for one in some],
        most,
    )


def _weak(some: Sequence[Asked], most: int | None) -> str:
    return _section(
        "Answers with low support",
        "Answered, but with a sentence that the notes do not hold up; the least supported first.",
        (("Question", ""), ("Times", "count"), ("Support", "count"), ("Cited", "")),
        [(escaped(one.question), str(one.times), _percent(one.support), _places(one.pages)) for one in some],
        most,
    )


def _topics(some: Sequence[Topic], most: int | None) -> str:
    longest = max((one.asked for one in some), default=1)
    rows = [
        (
            escaped(one.name) + _questions(one.questions),
            _bar((one.asked - one.refused - one.weak, one.weak, one.refused), longest),
            *map(str, (one.asked, one.refused, one.weak)),
        )
        for one in some
    ]
    return _section(
        "Asked about most",
        "Questions that share a word stem are one topic, the most shared stem first.",
        (("Topic", ""), ("", "wide"), ("Asked", "count"), ("Refused", "count"), ("Low support", "count")),
        rows,
        most,
    )


def _questions(questions: Sequence[str]) -> str:
    items = "".join(f"<li>{escaped(question)}</li>" for question in questions[:MOST])
    count = f"{len(questions)} question{'' if len(questions) == 1 else 's'}"
    return f"<details><summary>{count}</summary><ul>{items}</ul></details>"


def _pages(files: Sequence[File], most: int | None) -> str:
    rows = []
    for one in files:
        cited = one.pages - len(one.uncited)
        left = escaped(uncited(one)) if one.uncited else "none"
        rows.append((escaped(one.source), _bar((cited, 0, 0), one.pages), f"{cited} of {one.pages}", left))
    return _section(
        "Pages that no answer cites",
        "Nobody asked about them, or nobody finds them.",
        (("File", ""), ("", "wide"), ("Pages cited", "count"), ("Never cited", "")),
        rows,
        most,
    )


def _thumbs(found: Gaps, most: int | None) -> str:
    if not found.down and not found.up:
        return ""
    longest = max((found.up, *found.reasons.values()), default=1) or 1
    rows = [("Thumbs up", _bar((found.up, 0, 0), longest), str(found.up))]
    for reason, count in found.reasons.items():
        name = escaped(f"Down: {reason or 'no reason given'}")
        rows.append((name, _bar((0, 0, count), longest), str(count)))
    said = "".join(map(_said, found.down if most is None else found.down[:most]))
    listed = f'<ul class="gp-said">{said}</ul>' if said else ""
    return _section("Thumbs", "", (("Verdict", ""), ("", "wide"), ("Count", "count")), rows, None, listed)


def _said(one: Rated) -> str:
    answer = one.answer.answer
    comment = f"<p>{escaped(one.verdict.comment)}</p>" if one.verdict.comment else ""
    text = f"<details><summary>The answer</summary><p>{escaped(answer)}</p></details>" if answer else ""
    why = escaped(one.verdict.reason or "no reason given")
    return (
        f"<li><b>{escaped(one.answer.question)}</b> <span>{why}, {_date(one.verdict.when)}</span>"
        f"{comment}{text}</li>"
    )


def _section(
    title: str, about: str, heads: Heads, rows: Sequence[Sequence[str]], most: int | None, after: str = ""
) -> str:
    """A titled table of at most `most` rows; each row's first cell names it."""
    if not rows:
        return f"<section><h2>{title}</h2>{NONE}</section>"
    left = len(rows) - (len(rows) if most is None else min(most, len(rows)))
    more = f'<p class="gp-more">And {left:,} more: save the report to see them.</p>' if left else ""
    told = f"<p>{about}</p>" if about else ""
    table = _table(title, heads, rows[: len(rows) - left])
    return f"<section><h2>{title}</h2>{told}{table}{more}{after}</section>"


def _table(title: str, heads: Heads, rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """A table whose cells carry the name of their column, for when they stand under each other."""
    named = "".join(f'<th scope="col">{name or HIDDEN}</th>' for name, _ in heads)
    body = []
    for first, *cells in rows:
        parts = [
            f'<td class="gp-{kind}" data-name="{name}">{cell}</td>'
            for (name, kind), cell in zip(heads[1:], cells, strict=True)
        ]
        body.append(f'<tr><th scope="row">{first}</th>{"".join(parts)}</tr>')
    return (
        f'<table class="{kind}"><caption>{title}</caption><thead><tr>{named}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table>"
    )


def _bar(counts: Sequence[int], longest: int) -> str:
    """Fine, weak and refused side by side; the figures stand in the cells beside it."""
    x, rects = 0.0, []
    for (kind, _), count in zip(KINDS, counts, strict=True):
        wide = 100 * count / longest
        if wide:
            rects.append(f'<rect class="gp-{kind}" x="{x:.2f}%" width="{wide:.2f}%" height="12"/>')
        x += wide
    rail = '<rect class="gp-rail" width="100%" height="12"/>'
    return f'<svg class="gp-bar" width="100%" height="12" aria-hidden="true">{rail}{"".join(rects)}</svg>'


def _places(pages: Sequence[Place]) -> str:
    return "<br>".join(escaped(place(*where)) for where in pages[:3]) or "–"


def _share(count: int, of: int) -> str:
    return f"{100 * count / of:.0f}%" if of else ""


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f}%"


def _day(day: date) -> str:
    return f"{day.day}\u00a0{day:%b}"


def _date(when: float) -> str:
    return f'<span class="gp-date">{_day(datetime.fromtimestamp(when).date())}</span>'
