"""What the chat page shows of what is kept: its components, and the values that fill them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import gradio as gr

from ingest.errors import UnitutorError
from rag.feedback import REASONS, Feedback
from rag.sessions import Conversation, Record, Sessions
from rag.types import Answer
from ui.web.cards import panel
from ui.web.controls import Controls
from ui.web.foot import Shown, waiting
from ui.web.listing import SHOWN, listing
from ui.web.temporary import TEMPORARY, Passing
from ui.web.text import answer_markdown, escaped, question_markdown
from ui.web.who import owner, tab, teaches
from ui.web.why import whys

Changes = dict[Any, Any]

PASSING = "Nothing of it is kept: not the conversation, nothing to be found later, no line in the log."


@dataclass(frozen=True, slots=True)
class Parts:
    """The components that handlers read and change."""

    where: gr.Textbox  # the open conversation's id, '' for one that has no turn yet
    box: gr.Textbox
    line: gr.HTML  # one line under the box: what went wrong
    chat: gr.Chatbot
    panel: gr.Markdown
    whys: gr.Markdown  # a hidden card for each sentence, shown by the page's script
    viewer: gr.HTML  # the page behind a quote; what is clicked under an answer comes from here too
    reading: gr.Markdown  # the passage under that page
    title: gr.HTML
    side: gr.HTML
    download: gr.JSON
    controls: Controls
    notice: gr.HTML  # one line over the box: what to know of the index now
    recall: gr.HTML  # over the box: earlier questions, or the answer that one had
    found: gr.HTML  # in the place of the list: what a search in it has found

    def shown(self) -> list[Any]:
        """All that a handler may change."""
        shown = [self.where, self.box, self.line, self.chat, self.panel, self.title, self.side]
        shown += [self.whys, self.viewer, self.reading, self.notice, self.controls.sources]
        return [*shown, self.recall]


class _Ways:
    """In which ways kept answers are shown, whoever sees them."""

    def __init__(self) -> None:
        self.changed = 0
        self.narrowed: set[int] = set()  # ids of the turns of which only what is supported is shown


class View:
    """Makes the changes that bring the page in line with a conversation."""

    def __init__(self, sessions: Sessions, feedback: Feedback, parts: Parts) -> None:
        """Read from `sessions` and `feedback`, to fill `parts`."""
        self.sessions = sessions
        self.feedback = feedback
        self.parts = parts
        self.passing = Passing()
        self._ways = _Ways()
        self._teaches = True  # whether the instructor's acts are offered

    def of(self, request: gr.Request) -> View:
        """What is theirs who asks."""
        other = copy.copy(self)
        other.sessions = self.passing.over(self.sessions.of(owner(request)), tab(request))
        other.feedback = self.feedback.of(owner(request))
        other._teaches = teaches(request)
        return other

    @property
    def changed(self) -> int:
        """How often the way in which kept answers are shown has changed."""
        return self._ways.changed

    def change(self) -> None:
        """It has, once more."""
        self._ways.changed += 1

    def show(self, conversation: str) -> Changes:
        """A whole conversation, or the empty page where there is none of that id; no page is beside it."""
        return {**self.settled(conversation), **self.shut()}

    def settled(self, conversation: str) -> Changes:
        """A whole conversation; the page that is open beside it stays."""
        p = self.parts
        found = self.sessions.get(conversation) if conversation else None
        records = self.sessions.records(conversation) if found else ()
        return {
            p.where: conversation if found else "",
            p.chat: self.messages(conversation, records),
            p.panel: panel([record.answer for record in records]),
            p.whys: whys([record.answer for record in records]),
            p.title: titled(found),
            p.recall: "",
            p.box: self.box(),
            p.line: "",
            **self.listed(conversation if found else ""),
        }

    def growing(
        self, earlier: Sequence[dict[str, str]], answer: Answer, seconds: float, number: int = 0
    ) -> Changes:
        """The chat with an answer being written, `number` its place in the line, 0 where it has begun."""
        turn = len(earlier) // 2
        text = waiting(number) if number else answer_markdown(answer, turn, seconds=seconds)
        last = [
            {"role": "user", "content": question_markdown(answer.question)},
            {"role": "assistant", "content": text or "…"},
        ]
        return {self.parts.chat: [*earlier, *last]}

    def cards(self, records: Sequence[Record], answer: Answer) -> Changes:
        """The passages of the turns so far and of the answer being written."""
        return {self.parts.panel: panel([*(record.answer for record in records), answer])}

    def whys(self, records: Sequence[Record], answer: Answer) -> Changes:
        """The cards of the sentences so far."""
        return {self.parts.whys: whys([*(record.answer for record in records), answer])}

    def shut(self) -> Changes:
        """No page beside the answer."""
        return {self.parts.viewer: "", self.parts.reading: ""}

    def talk(self, conversation: str) -> Changes:
        """The chat alone, as it is shown now."""
        return {self.parts.chat: self.messages(conversation, self.sessions.records(conversation))}

    def narrow(self, turn: int, on: bool) -> None:
        """Show only what the notes support of the turn with this id, or all of it."""
        self.change()
        (self._ways.narrowed.add if on else self._ways.narrowed.discard)(turn)

    def messages(self, conversation: str, records: Sequence[Record]) -> list[dict[str, str]]:
        """Turns as the chat takes them."""
        given = self.feedback.get(conversation) if records else {}
        out = []
        for turn, record in enumerate(records):
            answer = replace(record.answer, stage="done")
            verdict = given.get(turn)
            reason = verdict.reason if verdict and verdict.reason in REASONS else ""
            narrowed = record.id in self._ways.narrowed
            shown = Shown(narrowed, verdict.verdict if verdict else "", reason, self._teaches)
            state = TEMPORARY if conversation == TEMPORARY and record.state == "whole" else record.state
            text = answer_markdown(answer, turn, state, shown=shown)
            out.append({"role": "user", "content": question_markdown(answer.question)})
            out.append({"role": "assistant", "content": text or "…"})
        return out

    def listed(self, current: str, removed: Conversation | None = None) -> Changes:
        """The list of conversations, with a way to undo one's deletion."""
        kept = self.sessions.list(limit=SHOWN + 1)
        return {self.parts.side: listing(kept, current, date.today(), removed)}

    def notes(self, sources: Sequence[str], notice: str) -> Changes:
        """The files that can be searched, and what to know of the index."""
        line = f'<p class="ut-notice" role="status">{escaped(notice)}</p>' if notice else ""
        return {self.parts.controls.sources: gr.Dropdown(choices=list(sources)), self.parts.notice: line}

    def box(self, running: bool = False, text: str | None = None) -> gr.Textbox:
        """The box with its button to send or to stop; without `text`, what is typed stays."""
        if text is None:
            return gr.Textbox(submit_btn=not running, stop_btn=running)
        return gr.Textbox(value=text, submit_btn=not running, stop_btn=running)


def titled(conversation: Conversation | None) -> str:
    """The open conversation's title, as it stands over it."""
    if conversation is None or not conversation.title:
        return ""
    kept = "" if conversation.id != TEMPORARY else f'<p class="ut-passing" role="status">{PASSING}</p>'
    return f"<h1>{escaped(conversation.title)}</h1>{kept}"


def guarded(change: Callable[[], Any], line: Any) -> Changes:
    """What `change` shows; in the component `line` what went wrong, where it is for the reader to mend."""
    try:
        return dict(change())
    except UnitutorError as error:
        return {line: error_line(str(error))}


def error_line(words: str) -> str:
    """What went wrong, as it stands over the box."""
    return f'<p class="ut-error" role="alert">{escaped(words)}</p>' if words else ""


def said_line(words: str) -> str:
    """What was done, as it stands over the box."""
    return f'<p class="ut-told" role="status">{escaped(words)}</p>'
