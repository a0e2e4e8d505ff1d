"""The page 'What the notes lack': the gap report, and the log it is made from, to switch off or delete."""

from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from ingest.passages import places_of
from rag.feedback import Feedback
from rag.gaps import Gaps, gaps, since
from rag.journal import KEEPS, KEEPS_NOT, Journal
from rag.sessions import Sessions
from ui.check_text import switched
from ui.web.gaps_view import page_html, report
from ui.web.text import escaped
from ui.web.view import Changes, guarded
from ui.web.wiring import QUIET, SAVE_JS

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor

SPANS = [("This week", 1), ("4 weeks", 4), ("12 weeks", 12), ("26 weeks", 26), ("52 weeks", 52)]
START = 12
HEAD = (
    '<header class="lab-head"><div><h1>What the notes lack</h1><p>What was asked and how well the notes '
    'answered it.</p></div><a class="ut-link" href="./">Back to the chat</a></header>'
)
NO_LOG = '<p class="gp-empty">This chat keeps no log.</p>'


class Parts(NamedTuple):
    """The components that handlers read and change; those from `line` to `sure` are all that is changed."""

    weeks: gr.Radio
    save: gr.Button
    line: gr.HTML  # what went wrong
    report: gr.HTML
    kept: gr.HTML  # what the log keeps, and whether it is on
    switch: gr.Button
    delete: gr.Button
    sure: gr.Column  # asks once more
    asked: gr.HTML
    yes: gr.Button
    no: gr.Button
    download: gr.JSON


class Page:
    """The handlers."""

    def __init__(
        self, tutor: Tutor | LivingTutor, journal: Journal, feedback: Feedback, parts: Parts
    ) -> None:
        """Read from `journal` and `feedback`, to fill `parts`."""
        self.tutor = tutor
        self.journal = journal
        self.feedback = feedback
        self.parts = parts
        self._places: tuple[Any, set[tuple[str, int | None]]] = (None, set())

    def show(self, weeks: int) -> Changes:
        """The report of the last `weeks` weeks, and the state of the log."""
        p = self.parts
        return self._guarded(lambda: {p.report: report(self._gaps(weeks)), p.line: "", **self._log()})

    def turn(self, weeks: int) -> Changes:
        """Switch the log on, or off."""

        def turned() -> Changes:
            self.journal.switch(not self.journal.on)
            return {self.parts.line: "", **self._log()}

        return self._guarded(turned)

    def ask(self) -> Changes:
        """Ask once more before the log is deleted."""
        count = len(self.journal.entries())
        words = f"Delete the log with {count:,} question{'' if count == 1 else 's'}? This cannot be undone."
        return {self.parts.asked: f"<p>{words}</p>", self.parts.sure: gr.Column(visible=True)}

    def keep(self) -> Changes:
        """Do not delete it after all."""
        return {self.parts.sure: gr.Column(visible=False)}

    def delete(self, weeks: int) -> Changes:
        """Delete the log, and show what is left."""

        def deleted() -> Changes:
            self.journal.delete()
            return self.show(weeks)

        return {**self._guarded(deleted), **self.keep()}

    def save(self, weeks: int) -> Changes:
        """The report as a file of its own."""
        p = self.parts
        name = f"what-the-notes-lack-{date.today().isoformat()}.html"

        def made() -> Changes:
            text = page_html(self._gaps(weeks), weeks)
            return {p.download: {"name": name, "text": text, "type": "text/html"}, p.line: ""}

        return {p.download: None, **self._guarded(made)}

    def _gaps(self, weeks: int) -> Gaps:
        start = since(weeks, time.time())
        return gaps(self.journal.entries(start), self.feedback.all(start), self._pages())

    def _pages(self) -> set[tuple[str, int | None]]:
        """Where the passages of the index stand; read again when another index is open."""
        retriever = self.tutor.retriever
        if self._places[0] is not retriever:
            self._places = (retriever, places_of(retriever.index.passages))
        return self._places[1]

    def _log(self) -> Changes:
        p = self.parts
        on = self.journal.on
        return {p.kept: _kept(on), p.switch: gr.Button(f"Switch the log {'off' if on else 'on'}")}

    def _guarded(self, work: Any) -> Changes:
        return guarded(work, self.parts.line)


def build(tutor: Tutor | LivingTutor, sessions: Sessions) -> None:
    """Put the report in the page being built."""
    with gr.Column(elem_id="gaps"):
        gr.HTML(HEAD)
        if tutor.journal is None:
            gr.HTML(NO_LOG)
        else:
            _wire(tutor, tutor.journal, Feedback(sessions.database), _form())


def _form() -> Parts:
    with gr.Row(elem_id="gaps-set", equal_height=False):
        weeks = gr.Radio(SPANS, value=START, label="Time", elem_id="gaps-weeks", min_width=300)
        save = gr.Button("Save the report", elem_id="gaps-save", min_width=130)
    line = gr.HTML(elem_id="gaps-line")
    shown = gr.HTML(elem_id="gaps-report")
    with gr.Column(elem_id="gaps-log"):
        kept = gr.HTML()
        with gr.Row():
            switch = gr.Button("Switch the log off", elem_id="gaps-switch", min_width=150)
            delete = gr.Button("Delete the log", elem_id="gaps-delete", min_width=130)
        with gr.Column(visible=False, elem_id="gaps-sure") as sure:
            asked = gr.HTML()
            with gr.Row():
                yes = gr.Button("Yes, delete it", elem_id="gaps-delete-yes", min_width=130)
                no = gr.Button("Keep it", elem_id="gaps-delete-no", min_width=110)
    return Parts(weeks, save, line, shown, kept, switch, delete, sure, asked, yes, no, gr.JSON(visible=False))


def _wire(tutor: Tutor | LivingTutor, journal: Journal, feedback: Feedback, p: Parts) -> None:
    page = Page(tutor, journal, feedback, p)
    shown = [p.line, p.report, p.kept, p.switch, p.sure, p.asked]
    p.weeks.change(page.show, p.weeks, shown, **QUIET)
    p.switch.click(page.turn, p.weeks, shown, **QUIET)
    p.delete.click(page.ask, None, shown, **QUIET)
    p.no.click(page.keep, None, shown, **QUIET)
    p.yes.click(page.delete, p.weeks, shown, **QUIET)
    saved = p.save.click(page.save, p.weeks, [p.download, p.line], **QUIET)
    saved.then(None, p.download, None, js=SAVE_JS, **QUIET)
    context = gr.context.Context.root_block
    assert context is not None
    context.load(page.show, p.weeks, shown, **QUIET)


def _kept(on: bool) -> str:
    items = "".join(f"<li>{escaped(what)}</li>" for what in KEEPS)
    return (
        f'<h2>The log</h2><p role="status">{escaped(switched(on))}</p><p>Of each question asked in the chat '
        f"or the terminal it keeps:</p><ul>{items}</ul><p>It does not keep: {escaped(KEEPS_NOT)}. "
        "Deleting it leaves conversations and their thumbs, which go when a conversation is deleted.</p>"
    )
