"""The instructor's desk: questions that passed the gate are approved, rejected, mended, one by one.

What is not here: editing (ui/web/desk_mending.py), and what the bank keeps (rag/items/bank.py).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest
from rag.items.bank import GONE, STATES, Bank, Held, State
from rag.items.types import Item
from rag.sessions import Sessions
from ui.facsimile import Pictures
from ui.quizzing import Quizzing
from ui.web import desk_view
from ui.web.beside import beside, passage_text
from ui.web.desk_form import HEAD, Parts, form
from ui.web.desk_mending import Mending
from ui.web.view import Changes, error_line, guarded, said_line
from ui.web.viewer import Wanted, reading
from ui.web.who import tab
from ui.web.wiring import EACH, QUIET, SAVE_JS, followed

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor

DONE = {"approve": "Approved.", "reject": "Rejected.", "delete": "Deleted."}


class Desk:
    """The handlers of one page. A `request`'s session tells the tabs apart."""

    def __init__(self, tutor: Tutor | LivingTutor, bank: Bank, quizzing: Quizzing, parts: Parts) -> None:
        """The pages behind the questions come from `tutor`'s notes."""
        self.tutor = tutor
        self.bank = bank
        self.quizzing = quizzing
        self.parts = parts
        self.pictures = Pictures()
        self.last: dict[str, str] = {}  # the item that a page changed last

    # The queue

    def load(self, request: gr.Request) -> Changes:
        """The page opens with the first question that waits."""
        return self.guarded(lambda: self.show("proposed", None, request))

    def choose(self, values: Changes, request: gr.Request) -> Changes:
        """Another state's questions."""
        return self.guarded(lambda: self.show(_state(values[self.parts.state]), None, request))

    def pick(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """A question of the list."""
        return self.guarded(lambda: self.show(_state(values[self.parts.state]), str(event.id), request))

    def beside(self, values: Changes) -> Changes:
        """The page of the notes that the open question is from."""

        def shown() -> Changes:
            held = self.bank.get(str(values[self.parts.where] or ""))
            return self._page(held.item, None) if held else {self.parts.viewer: "", self.parts.reading: ""}

        return self.guarded(shown)

    def look(self, values: Changes, event: gr.EventData) -> Changes:
        """Another page of the same file."""

        def shown() -> Changes:
            page = event.page
            turned = page if isinstance(page, int) and 0 < page < 10**6 else None
            return self._page(self.opened(values).item, turned)

        return self.guarded(shown)

    def shut(self) -> Changes:
        """The page closed."""
        return {self.parts.viewer: "", self.parts.reading: ""}

    # Judging

    def judge(self, name: str) -> Callable[..., Changes]:
        """What approves, rejects or deletes the open question and goes on to the next."""

        def judged(values: Changes, request: gr.Request) -> Changes:
            def done() -> Changes:
                p, state = self.parts, _state(values[self.parts.state])
                held = self.opened(values)
                order = [one.item.id for one in self.bank.list(state)]
                at = order.index(held.item.id) if held.item.id in order else 0
                if name == "reject":
                    words = [values[p.reason] or "", values[p.words] or ""]
                    self.bank.reject(held.item.id, ": ".join(word.strip() for word in words if word.strip()))
                else:
                    {"approve": self.bank.approve, "delete": self.bank.delete}[name](held.item.id)
                self.last[tab(request)] = held.item.id
                left = [one.item.id for one in self.bank.list(state)]
                after = next((one for one in order[at + 1 :] if one in left), left[-1] if left else "")
                return {**self.show(state, after, request), p.line: said_line(DONE[name])}

            return self.guarded(done)

        return judged

    def ask_why(self, values: Changes) -> Changes:
        """The reasons to choose from."""
        p = self.parts
        if self.bank.get(str(values[p.where] or "")) is None:
            return {p.line: error_line(GONE)}
        asked = {p.reason: gr.Radio(value=None), p.words: "", p.line: ""}
        return {p.why: gr.Column(visible=True), p.editor: gr.Column(visible=False), **asked}

    def close(self) -> Changes:
        """Neither edit nor reject."""
        p = self.parts
        return {p.editor: gr.Column(visible=False), p.why: gr.Column(visible=False), p.line: ""}

    def undo(self, values: Changes, request: gr.Request) -> Changes:
        """The last change taken back, and the question it was about shown."""

        def undone() -> Changes:
            held = self.bank.undo(self.last.get(tab(request)) or str(values[self.parts.where]))
            shown = self.show(held.state, held.item.id, request)
            return {**shown, self.parts.line: said_line("Undone.")}

        return self.guarded(undone)

    # Out

    def export(self, name: str, title: str) -> Changes:
        """The shared set as a file for the browser to keep."""
        p = self.parts

        def made() -> Changes:
            found, write = self.quizzing.formats.get(name or ""), self.quizzing.write
            items = self.bank.shared()
            if found is None or write is None:
                raise BadRequest("Choose a format first.")
            if not items:
                raise BadRequest("The shared set is empty: approve some questions first.")
            code = base64.b64encode(write(items, name, " ".join(title.split()) or "Quiz")).decode()
            file = {"name": f"quiz-{date.today()}{found.suffix}", "code": code, "type": found.media_type}
            return {p.download: file, p.line: ""}

        return {p.download: None, **self.guarded(made)}

    def leave(self, request: gr.Request) -> None:
        """The page is gone."""
        self.last.pop(tab(request), None)

    def show(self, state: State, id: str | None, request: gr.Request) -> Changes:
        """The questions of a state and one of them, the first with None."""
        p = self.parts
        listed = self.bank.list(state)
        held = next((one for one in listed if one.item.id == id), listed[0] if listed else None)
        counts = self.bank.counts()
        can = self.quizzing.another is not None
        choices = [(f"{desk_view.WORDS[one]} ({counts[one]})", one) for one in STATES]
        return {
            p.state: gr.Radio(choices, value=state),
            p.queue: desk_view.queue(listed, held.item.id if held else "", state),
            p.where: held.item.id if held else "",
            p.item: desk_view.question(held, can) if held else "",
            p.bar: gr.Row(visible=held is not None),
            p.undo: gr.Button(visible=tab(request) in self.last),
            p.export: gr.Button(interactive=counts["approved"] > 0),
            p.editor: gr.Column(visible=False),
            p.why: gr.Column(visible=False),
            p.line: "",
        }

    def _page(self, item: Item, turned: int | None) -> Changes:
        held = item.evidence
        text = passage_text(self.tutor, held.passage_id) or held.quote
        wanted = Wanted(held.source, held.page, held.quote, text)
        below = reading(wanted) if turned in (None, held.page) else ""
        shown = beside(self.tutor, self.pictures, wanted, f"d{item.id}", turned)
        return {self.parts.viewer: shown, self.parts.reading: below}

    def opened(self, values: Changes) -> Held:
        held = self.bank.get(str(values[self.parts.where] or ""))
        if held is None:
            raise BadRequest(GONE)
        return held

    def guarded(self, change: Callable[[], Changes]) -> Changes:
        return guarded(change, self.parts.line)


def build(tutor: Tutor | LivingTutor, sessions: Sessions, quizzing: Quizzing) -> None:
    """Put the desk in the page being built."""
    with gr.Column(elem_id="desk"):
        gr.HTML(HEAD)
        parts = form(quizzing.formats if quizzing.write else {}, quizzing.gate is not None)
    desk = Desk(tutor, Bank(sessions.database), quizzing, parts)
    _wire(desk, Mending(desk, quizzing, parts), parts)


def _wire(desk: Desk, mending: Mending, p: Parts) -> None:
    shown, inputs = p.shown(), p.inputs()
    context = gr.context.Context.root_block
    assert context is not None
    page = ({p.where}, [p.viewer, p.reading, p.line])
    for event, handler, read in (
        (context.load, desk.load, None),
        (p.state.input, desk.choose, inputs),
        (p.queue.pick, desk.pick, inputs),
        (p.approve.click, desk.judge("approve"), inputs),
        (p.rejected.click, desk.judge("reject"), inputs),
        (p.words.submit, desk.judge("reject"), inputs),
        (p.delete.click, desk.judge("delete"), inputs),
        (p.undo.click, desk.undo, inputs),
    ):
        once = EACH if handler == desk.pick else QUIET  # judged once by a double click
        event(handler, read, shown, **once).then(desk.beside, *page, **EACH)
    for event, handler in (
        (p.reject.click, desk.ask_why),
        (p.edit.click, mending.edit),
        (p.by_hand.click, mending.save_by_hand),
    ):
        event(handler, inputs, shown, **QUIET)
    p.kept.click(desk.close, None, shown, **QUIET)
    p.cancel.click(desk.close, None, shown, **QUIET)
    for event, handler in ((p.save.click, mending.save), (p.acts.another, mending.another)):
        followed(event(handler, inputs, shown, **QUIET), mending.follow, mending.settle, shown)
    p.stop.click(mending.stop, None, None, **QUIET)  # following ends once the check has stopped
    p.viewer.look(desk.look, *page, **EACH)
    p.viewer.shut(desk.shut, None, [p.viewer, p.reading], **EACH)
    saved = p.export.click(desk.export, [p.format, p.title], [p.download, p.line], **QUIET)
    saved.then(None, p.download, None, js=SAVE_JS, **QUIET)
    context.unload(desk.leave)
    context.unload(mending.leave)


def _state(value: Any) -> State:
    return value if value in STATES else "proposed"
