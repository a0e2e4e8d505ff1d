"""The instructor's desk as HTML: the queue, and one question with its key, its evidence, its history.

The question is shown by a gr.Markdown, which renders formulas and lets no button through: what can be
done is a link to a name that desk.js knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.items.bank import Held, State
from rag.items.marking import WRITTEN
from rag.transcript import shortened
from ui.web.quiz_form import LABELS
from ui.web.quiz_view import where
from ui.web.text import escaped, passage_html

SIGNS: dict[State, str] = {"proposed": "•", "approved": "✓", "rejected": "✗"}
WORDS: dict[State, str] = {"proposed": "Proposed", "approved": "Approved", "rejected": "Rejected"}
EMPTY: dict[State, str] = {
    "proposed": "Nothing waits for review. Questions come here from the quiz page as soon as they pass.",
    "approved": "The shared set is empty: approve some questions.",
    "rejected": "Nothing was rejected.",
}


def queue(held: Sequence[Held], current: str, state: State) -> str:
    """The questions of a state, the open one marked."""
    if not held:
        return f'<p class="dk-empty">{EMPTY[state]}</p>'
    rows = "".join(_row(number, one, one.item.id == current) for number, one in enumerate(held, 1))
    return f'<nav aria-label="{WORDS[state]} questions"><ol>{rows}</ol></nav>'


def question(held: Held, can_replace: bool) -> str:
    """One question with everything that is known of it; a link a distractor where it can be replaced."""
    item = held.item
    facts = [LABELS[item.kind], escaped(item.topic), item.difficulty, item.bloom]
    facts += ["general knowledge"] if item.general else []
    facts += ["edited by hand"] if item.by_hand else []
    facts += [f"version {held.version}"] if held.version > 1 else []
    reason = f": {escaped(held.reason)}" if held.reason else ""
    options = "".join(_option(held, place, can_replace) for place in range(len(item.options)))
    heading = f" · {escaped(item.evidence.heading)}" if item.evidence.heading else ""
    return (
        f'<article class="dk-item dk-{held.state}"><p class="dk-facts"><b>{SIGNS[held.state]} '
        f"{WORDS[held.state]}{reason}</b> · {' · '.join(fact for fact in facts if fact)}</p>"
        f'<h2 class="dk-stem">{passage_html(item.stem)}</h2><ul class="dk-options">{options}</ul>'
        f'<p class="dk-why"><b>Why:</b> {passage_html(item.explanation)}</p>'
        f'<p class="qz-quote"><mark>{passage_html(item.evidence.quote)}</mark></p>'
        f'<p class="dk-facts">{where(item)}{heading}</p></article>'
    )


def _option(held: Held, place: int, can_replace: bool) -> str:
    item, option = held.item, held.item.options[place]
    key = place == item.key or item.kind in WRITTEN
    sign = "✓ Right" if key else "✗ Wrong"
    told = f'<span class="dk-told">{passage_html(option.feedback)}</span>' if option.feedback else ""
    act = ""
    if can_replace and not key and item.kind == "multiple-choice":
        act = f'<a href="#another-{place}" class="qz-do">Write another</a>'
    return (
        f'<li class="dk-option {"dk-key" if key else "dk-other"}"><b class="dk-sign">{sign}</b>'
        f'<span class="qz-text">{passage_html(option.text)}{told}</span>{act}</li>'
    )


def _row(number: int, held: Held, on: bool) -> str:
    mark = ' class="on" aria-current="true"' if on else ""
    stem = escaped(shortened(" ".join(held.item.stem.split()), 110))
    return (
        f'<li{mark}><button type="button" data-id="{escaped(held.item.id)}"><span>{number}</span>'
        f"{SIGNS[held.state]} {stem}</button></li>"
    )
