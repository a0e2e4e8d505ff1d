"""Questions mended at the instructor's desk: edited by hand, or one of their distractors written anew.

An edited question passes the gate again or is marked 'by hand'. What is not here: how a question is
judged and a distractor written (ui/quizzing.py names both).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest, UnitutorError
from rag.items.bank import GateRefused, Held
from rag.items.types import Item
from ui.quizzing import Quizzing
from ui.web.desk_form import Parts, edited, filled
from ui.web.trial import Trials
from ui.web.view import Changes, error_line, said_line
from ui.web.who import tab

if TYPE_CHECKING:
    from ui.web.desk import Desk

BUSY = "The last change is still being checked. Press Esc to stop it."
STOPPED = "Stopped: nothing was changed."


class Mending:
    """The handlers of one page that change a question. A `request`'s session tells the tabs apart."""

    def __init__(self, desk: Desk, quizzing: Quizzing, parts: Parts) -> None:
        """`desk` shows what has changed."""
        self.desk = desk
        self.quizzing = quizzing
        self.parts = parts
        self.trials = Trials[Held]()

    def edit(self, values: Changes) -> Changes:
        """The open question's fields."""

        def opened() -> Changes:
            p = self.parts
            shown = {p.editor: gr.Column(visible=True), p.why: gr.Column(visible=False), p.line: ""}
            return {**shown, **filled(self.desk.opened(values).item, p)}

        return self.desk.guarded(opened)

    def save(self, values: Changes, request: gr.Request) -> Changes:
        """Check the edited question; it is kept where it passes."""
        return self.desk.guarded(
            lambda: self._begin(
                lambda held, _: edited(held.item, values, self.parts), self.quizzing.gate, values, request
            )
        )

    def save_by_hand(self, values: Changes, request: gr.Request) -> Changes:
        """Keep the edited question as it is, and say so on it."""

        def saved() -> Changes:
            held = self.desk.opened(values)
            after = self.desk.bank.edit(held.item.id, edited(held.item, values, self.parts))
            self.desk.last[tab(request)] = held.item.id
            return {
                **self.desk.show(after.state, held.item.id, request),
                self.parts.line: said_line("Saved."),
            }

        return self.desk.guarded(saved)

    def another(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """Another distractor in the place of one."""

        def begun() -> Changes:
            place, write = event.place, self.quizzing.another
            held = self.desk.opened(values)
            if write is None or not isinstance(place, int) or not 0 <= place < len(held.item.options):
                raise BadRequest("No other option can be written for this question.")
            # What comes back has passed the gate.
            return self._begin(
                lambda held, halt: write(held.item, place, halt), lambda *_: "", values, request
            )

        return self.desk.guarded(begun)

    def follow(self, request: gr.Request) -> Iterator[Changes]:
        """Wait for the check."""
        trial = self.trials.get(tab(request))
        yield {self.parts.line: gr.skip()}
        if trial is not None and trial.running:
            for _ in trial.updates():
                pass

    def settle(self, request: gr.Request) -> Changes:
        """After a check, however it ended."""
        p, page = self.parts, tab(request)
        trial = self.trials.over(page)
        if trial is None:
            return {p.line: gr.skip()}
        self.trials.drop(page)
        shown: Changes = {p.stop: gr.Button(visible=False), p.bar: gr.Row(visible=True)}
        if trial.mishap:
            refused = isinstance(trial.error, GateRefused)
            words = f"It does not pass the check: {trial.mishap}." if refused else trial.mishap
            return {**shown, p.line: error_line(words)}
        held = trial.value
        if held is None:
            return {**shown, p.line: ""}
        self.desk.last[page] = held.item.id
        after = self.desk.guarded(lambda: self.desk.show(held.state, held.item.id, request))
        return {**shown, **after, p.line: said_line("It passed the check and is saved.")}

    def stop(self, request: gr.Request) -> None:
        """Stop the check; nothing is changed."""
        self.trials.stop(tab(request))

    def leave(self, request: gr.Request) -> None:
        """The page is gone."""
        self.trials.drop(tab(request))

    def _begin(
        self,
        make: Callable[[Held, threading.Event], Item],
        gate: Callable[[Item, threading.Event], str] | None,
        values: Changes,
        request: gr.Request,
    ) -> Changes:
        """Have the item made and checked, and kept where it passes."""
        p, held = self.parts, self.desk.opened(values)

        def start(halt: threading.Event, _: Any) -> Iterator[Held]:
            try:
                item = replace(make(held, halt), id=held.item.id)
                reason = gate(item, halt) if gate and not halt.is_set() else ""
            except UnitutorError as error:
                raise BadRequest(STOPPED) if halt.is_set() else error from None
            if halt.is_set():
                raise BadRequest(STOPPED)
            yield self.desk.bank.edit(held.item.id, item, (lambda _: reason) if gate else None)

        if not self.trials.put(tab(request), start):
            raise BadRequest(BUSY)
        words = '<p class="ut-stage" role="status">Checking…</p>'
        return {p.stop: gr.Button(visible=True), p.bar: gr.Row(visible=False), p.line: words}
