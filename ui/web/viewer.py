"""The page behind a quote, beside the answer: a picture of it with the quote marked, or the passage.

What is not here: drawing (ui/facsimile.py). All that came with the notes is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest.pages import page_name
from ui.facsimile import Picture
from ui.web.text import escaped, passage_html

NOT_FOUND = "The quote was not found among the words of this page, so nothing is marked."
ELSEWHERE = "The passage is on {page}."
GOES_ON = "The passage begins on {page}, the quote stands here."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be shown: a quote, where it stands, and the passage that it is taken from."""

    source: str
    page: int | None  # as the index counts
    quote: str
    passage: str  # '' where it is not known
    choices: int = 1  # quotes of the same sentence


def view(wanted: Wanted, name: str, picture: Picture | None, page: int, line: str = "") -> str:
    """The head with its buttons, a line if there is something to say, and the picture.

    `name` is what the browser asks for this by. `page` is the page shown.
    """
    source = escaped(wanted.source)
    own = wanted.page or 1
    where = page_name(wanted.source, page if picture else wanted.page)
    count = f" of {picture.count}" if picture else ""
    line = line or (_line(wanted, picture, page, own) if picture else "")
    said = f'<p class="ut-view-line" role="status">{escaped(line)}</p>' if line else ""
    return (
        f'<section class="ut-view" role="region" tabindex="-1" aria-label="{source}, {where}"'
        f' data-name="{escaped(name)}" data-page="{page}">'
        f'<header><span class="ut-source" title="{source}">{source}</span>'
        f'<span class="ut-page">{where}{count}</span>{_steps(picture, page)}'
        '<button type="button" data-shut aria-label="Close" title="Close (Esc)">×</button></header>'
        f"{_others(name, wanted.choices)}{said}{_sheet(wanted, picture, page)}</section>"
    )


def reading(wanted: Wanted) -> str:
    """The passage with the quote marked, for a gr.Markdown; the quote alone where no passage is known."""
    at = wanted.passage.find(wanted.quote) if wanted.quote else -1
    mark = f"<mark>{passage_html(wanted.quote)}</mark>" if wanted.quote else ""
    if at < 0:
        rest = f"<br>{passage_html(wanted.passage)}" if wanted.passage else ""
        return f'<p class="ut-text">{mark}{rest}</p>'
    before, after = wanted.passage[:at], wanted.passage[at + len(wanted.quote) :]
    return f'<p class="ut-text">{passage_html(before)}{mark}{passage_html(after)}</p>'


def _line(wanted: Wanted, picture: Picture, page: int, own: int) -> str:
    if page != own:
        return (GOES_ON if picture.marks else ELSEWHERE).format(page=page_name(wanted.source, own))
    return "" if picture.marks else NOT_FOUND


def _steps(picture: Picture | None, page: int) -> str:
    if picture is None:
        return ""
    buttons = []
    for name, to, sign in (("Previous page", page - 1, "‹"), ("Next page", page + 1, "›")):
        off = "" if 1 <= to <= picture.count else " disabled"
        buttons.append(
            f'<button type="button" data-to="{to}" aria-label="{name}" title="{name}"{off}>{sign}</button>'
        )
    larger = '<button type="button" data-larger aria-pressed="false" title="Larger">+</button>'
    return "".join(buttons) + larger


def _others(name: str, choices: int) -> str:
    """Buttons for the other quotes of the same sentence."""
    if choices < 2:
        return ""
    stem, _, current = name.rpartition(".")
    buttons = []
    for at in range(choices):
        on = "true" if current == str(at) else "false"
        show = f'data-show="{escaped(stem)}.{at}"'
        buttons.append(f'<button type="button" {show} aria-pressed="{on}">Quote {at + 1}</button>')
    return f'<div class="ut-others" role="group" aria-label="Quotes">{"".join(buttons)}</div>'


def _sheet(wanted: Wanted, picture: Picture | None, page: int) -> str:
    if picture is None:
        return ""
    marks = "".join(
        f'<i class="ut-box" style="left:{100 * left:.3f}%;top:{100 * top:.3f}%;'
        f'width:{100 * width:.3f}%;height:{100 * height:.3f}%"></i>'
        for left, top, width, height in picture.marks
    )
    told = f"Page {page} of {escaped(wanted.source)}" + (", the quote marked" if picture.marks else "")
    image = f'<img alt="{told}" src="data:{picture.kind};base64,{picture.code}">'
    return f'<div class="ut-sheet">{image}{marks}</div>'
