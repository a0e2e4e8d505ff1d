"""The lines under an answer: what is being done, what the notes do not hold up, how it ended, what to do.

What can be done is a link to a name that ui/web/evidence.js knows: the chat lets no button through.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.transcript import settings
from rag.types import Answer, Stage
from ui.web.states import HIDDEN, STATES, count

STAGES: dict[Stage, str] = {
    "searching": "Searching the notes…",
    "reading": "Reading the notes…",
    "writing": "Writing…",
    "checking": "Checking each sentence against the notes…",
    "done": "",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """How the page shows an answer that is kept."""

    narrowed: bool = False  # only what the notes support
    verdict: str = ""  # 'up' or 'down', or '' where none was given
    reason: str = ""  # of a thumb down
    teaches: bool = True  # whether the instructor's acts are offered


def working(answer: Answer, seconds: float) -> str:
    """The line that says what is being done, until there is text; and while it is checked."""
    if answer.stage == "writing" and answer.answer:
        return ""
    words = STAGES[answer.stage]
    if answer.citations and not answer.answer:
        number = len(answer.citations)
        words = f"Reading {number} passage{'s' if number != 1 else ''}…"
    clock = f" {seconds:.0f} s" if seconds >= 2 and not answer.answer else ""
    return small("stage", words + clock) if words else ""


def waiting(number: int) -> str:
    """What stands in the place of an answer whose turn has not come."""
    return small("stage", f"You are number {number} in the line…")


def foot(answer: Answer, turn: int, state: str, shown: Shown) -> str:
    """The quiet lines under an answer that is kept."""
    facts = ["Cut off"] if state == "unfinished" else ["Stopped"] if answer.stopped else []
    took = answer.timings
    if took.total_ms:
        facts.append(f"{took.total_ms / 1000:.1f}\u00a0s")
    if took.first_word_ms:
        facts.append(f"first word {took.first_word_ms / 1000:.1f}\u00a0s")
    if took.output_tokens:
        facts.append(f"{took.output_tokens}\u00a0tokens")
    if took.output_tokens and answer.decoding.name != "greedy":
        facts.append(settings(answer.decoding))
    last = " · ".join(facts)
    if state == "whole" and answer.answer:
        last = f"{last} {_opinion(turn, shown)}".strip()
    lines = (_doubts(answer, turn, shown), _changed(answer), last)
    return "\n".join(small("foot", line) for line in lines if line)


def small(kind: str, words: str) -> str:
    """A line in small letters."""
    return f'<span class="ut-{kind}">{words}</span>'


def _doubts(answer: Answer, turn: int, shown: Shown) -> str:
    """How many sentences the notes do not hold up, and the offer to leave those out."""
    hidden = count(answer, *HIDDEN)
    if shown.narrowed and hidden:
        what = f"{_sentences(hidden)} left out that the notes do not support"
        return f"{what} · {_act('all', turn, 'Show the whole answer')}"
    parts = []
    for label in ("contradicted", "unsupported", "partly"):
        number = count(answer, label)
        if number:
            state = STATES[label]
            parts.append(f"{state.sign} {_sentences(number)} {state.words if number > 1 else state.one}")
    if hidden:
        parts.append(_act("only", turn, f"Show only what the notes support (hides {hidden})"))
    return " · ".join(parts)


def _changed(answer: Answer) -> str:
    """What strict mode did: '2 sentences put in the notes' words, 1 left out'."""
    parts = []
    if answer.rewritten:
        parts.append(f"{_sentences(answer.rewritten)} put in the notes' words")
    if answer.dropped:
        parts.append(f"{answer.dropped if parts else _sentences(answer.dropped)} left out")
    return f"Strict: {', '.join(parts)}" if parts else ""


def _opinion(turn: int, shown: Shown) -> str:
    up, down = shown.verdict == "up", shown.verdict == "down"
    because = f" ({shown.reason})" if down and shown.reason else ""
    return (
        _act("up", turn, "", "Good answer: take it back" if up else "Good answer", up)
        + _act("down", turn, "", f"Bad answer{because}: take it back" if down else "Bad answer", down)
        + (_act("more", turn, "…", "For the instructor") if shown.teaches else "")
    )


def _act(name: str, turn: int, words: str, title: str = "", on: bool = False) -> str:
    told = f' title="{title}"' if title else ""
    return f'<a href="#{name}-{turn}" class="ut-do ut-do-{name}{" on" if on else ""}"{told}>{words}</a>'


def _sentences(number: int) -> str:
    return f"{number} sentence{'s' if number != 1 else ''}"
