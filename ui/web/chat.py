"""The chat page: what is on it, and what each thing a student does to it changes.

A handler gets the values it reads by component and returns the ones it changes by component.
The database is the truth: what is shown of a finished turn is read back from it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest, UnitutorError
from rag.feedback import Feedback
from rag.sessions import Record, Sessions, history
from rag.types import Ask
from ui.queueing import Queue, QueueFull
from ui.web.controls import chosen_decoding, chosen_sources
from ui.web.job import Job, Jobs
from ui.web.text import escaped, typed
from ui.web.view import Changes, Parts, View, error_line, guarded

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor


class Chat:
    """The handlers of one page. Where a `request` is asked for, its session tells the tabs apart."""

    def __init__(
        self,
        tutor: Tutor | LivingTutor,
        sessions: Sessions,
        feedback: Feedback,
        parts: Parts,
        queue: Queue | None = None,
    ) -> None:
        """`tutor` has `chain` and `sources`, see ui/tutor.py; questions wait in `queue`, or in their own."""
        self.tutor = tutor
        self.sessions = sessions
        self.parts = parts
        self.jobs = Jobs(queue=queue)
        self.view = View(sessions, feedback, parts)

    # Asking

    def ask(self, values: Changes, request: gr.Request) -> Changes:
        """A question typed or clicked."""
        return self._take(values, request, values[self.parts.box] or "", keep=None)

    def example(self, values: Changes, event: gr.SelectData, request: gr.Request) -> Changes:
        """A starter question clicked."""
        return self._take(values, request, str(event.value["text"]), keep=None)

    def retry(self, values: Changes, request: gr.Request) -> Changes:
        """The last question again."""

        def again() -> Changes:
            turns = self.sessions.turns(values[self.parts.where])
            if not turns:
                return {self.parts.line: ""}
            return self._take(values, request, turns[-1].question, keep=len(turns) - 1)

        return self._guarded(again)

    def edit(self, values: Changes, event: gr.EditData, request: gr.Request) -> Changes:
        """An earlier question in other words: what came after it goes."""
        index = event.index if isinstance(event.index, int) else event.index[0]
        return self._take(values, request, typed(_plain(event.value)), keep=index // 2)

    def _take(self, values: Changes, request: gr.Request, question: str, keep: int | None) -> Changes:
        """Put a question in line; `follow` answers it. A question refused stays in the box."""
        p = self.parts
        conversation = values[p.where]
        try:
            if question.strip():
                self._give_up_checking(request)
            if conversation and self.sessions.get(conversation) is None:
                raise BadRequest("This conversation was deleted: start a new one, or undo its deletion.")
            records = self.sessions.records(conversation)[:keep] if conversation else ()
            earlier = self.view.messages(conversation, records)
            ask = Ask(
                question,
                history=history(record.answer for record in records),
                decoding=chosen_decoding(p.controls, values),
                sources=chosen_sources(p.controls, values, self.tutor.sources),
                strict=bool(values[p.controls.strict]),
            )
        except UnitutorError as error:
            return {p.line: error_line(str(error)), p.chat: gr.skip()}
        job = Job(self.tutor.chain, self.sessions, ask, conversation, keep=len(records))
        try:
            if not self.jobs.put(_page(request), job):
                return {p.line: error_line("The last answer is still being written. Press Esc to stop it.")}
        except QueueFull as error:
            return {p.line: error_line(str(error))}
        number = self.jobs.number(job)
        return {
            **self.view.growing(earlier, job.answer, 0.0, number),
            **self.view.cards(records, job.answer),
            p.line: "",
            p.box: self.view.box(running=True) if keep is not None else self.view.box(running=True, text=""),
        }

    def follow(self, request: gr.Request) -> Iterator[Changes]:
        """Show the page's answer as it grows."""
        p = self.parts
        job = self.jobs.get(_page(request))
        if job is None or not job.running:
            yield {p.line: gr.skip()}
            return
        try:
            records = self.sessions.records(job.conversation)[: job.keep] if job.conversation else ()
            earlier = self._earlier(job.conversation, records)
        except UnitutorError as error:
            job.stop()
            yield {p.line: error_line(str(error))}
            return
        told = 0
        while job.running and (number := self.jobs.turn(job)):
            if number != told:
                told = number
                yield self.view.growing(earlier(), job.answer, 0.0, number)
            time.sleep(0.1)
        cited: tuple[Any, ...] = ()
        sentences: tuple[Any, ...] = ()
        listed = checking = False
        for answer in job.updates():
            changes = self.view.growing(earlier(), answer, job.seconds)
            if (answer.citations, answer.closest) != cited:
                cited = (answer.citations, answer.closest)
                changes |= self.view.cards(records, answer)
            if answer.sentences != sentences:
                sentences = answer.sentences
                changes |= self.view.whys(records, answer)
            if answer.stage == "checking" and not checking:
                checking = True
                changes |= {p.box: self.view.box()}  # the next question need not wait for the check
            if job.began and not listed:
                listed = True
                changes |= {p.where: job.conversation, **self.view.listed(job.conversation)}
            yield changes
        if job.error is not None and not isinstance(job.error, UnitutorError):
            raise job.error

    def _earlier(self, conversation: str, records: Sequence[Record]) -> Callable[[], list[dict[str, str]]]:
        """Gives the turns before as they are shown now: made anew only where that has changed."""
        seen = self.view.changed
        kept = self.view.messages(conversation, records)

        def earlier() -> list[dict[str, str]]:
            nonlocal seen, kept
            if self.view.changed != seen:
                seen = self.view.changed
                with contextlib.suppress(UnitutorError):  # it is told when the answer is there
                    kept = self.view.messages(conversation, records)
            return kept

        return earlier

    def _give_up_checking(self, request: gr.Request) -> None:
        """An answer that is whole but for its check makes way for the next question."""
        job = self.jobs.get(_page(request))
        if job is not None and job.running and job.answer.stage == "checking":
            job.stop()

    def settle(self, values: Changes, request: gr.Request) -> Changes:
        """After an answer, however it ended: show what is kept, and say what went wrong."""
        p = self.parts
        job = self.jobs.get(_page(request))
        if job is None or job.running:
            return {p.line: gr.skip()}
        self.jobs.drop(_page(request))
        changes = {
            p.box: self.view.box(),
            **self.view.notes(self.tutor.sources, self.tutor.notice),
            **self._guarded(lambda: self.view.settled(job.conversation or values[p.where])),
        }
        if isinstance(job.error, UnitutorError):
            changes[p.line] = error_line(str(job.error))
        if not job.began and not values[p.box]:
            changes[p.box] = self.view.box(text=job.ask.question)
        return changes

    def stop(self, request: gr.Request) -> None:
        """Stop the answer being written, and keep what there is of it."""
        job = self.jobs.get(_page(request))
        if job is not None and job.running:
            job.stop()

    def leave(self, request: gr.Request) -> None:
        """The page is gone, or shows something else: free the engine."""
        self.jobs.drop(_page(request))

    # Conversations

    def load(self, request: gr.Request) -> Changes:
        """The page opens, at the conversation that its address names."""
        shown = self._guarded(lambda: self.view.show(str(request.query_params.get("c", ""))))
        return {**self.view.notes(self.tutor.sources, self.tutor.notice), **shown}

    def open(self, event: gr.EventData, request: gr.Request) -> Changes:
        """A conversation clicked in the list."""
        self.leave(request)
        return self._guarded(lambda: self.view.show(str(event.id)))

    def new(self, request: gr.Request) -> Changes:
        """An empty conversation; it is kept once something is asked in it."""
        self.leave(request)
        return self._guarded(lambda: self.view.show(""))

    def rename(self, values: Changes, event: gr.EventData) -> Changes:
        """A conversation renamed in the list."""
        return self._listed(values, lambda: self.sessions.rename(str(event.id), str(event.title)))

    def delete(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """A conversation deleted in the list, which offers to undo it."""

        def gone() -> Changes:
            removed = self.sessions.get(str(event.id))
            here = values[self.parts.where] == event.id
            if here:
                self.leave(request)
            self.sessions.delete(str(event.id))
            shown = self.view.show("") if here else {self.parts.line: ""}
            return {**shown, **self.view.listed("" if here else values[self.parts.where], removed)}

        return self._guarded(gone)

    def restore(self, event: gr.EventData) -> Changes:
        """A deletion undone: the conversation is back and open."""

        def back() -> Changes:
            self.sessions.restore(str(event.id))
            return self.view.show(str(event.id))

        return self._guarded(back)

    def undo(self, values: Changes, request: gr.Request) -> Changes:
        """The last question and its answer taken back; the question is in the box again."""

        def back() -> Changes:
            conversation = values[self.parts.where]
            turns = self.sessions.turns(conversation)
            if not turns:
                return self.view.show(conversation)
            self.leave(request)
            self.sessions.truncate(conversation, len(turns) - 1)
            box = self.view.box(text=turns[-1].question)
            return {**self.view.show(conversation), self.parts.box: box}

        return self._guarded(back)

    def export(self, values: Changes) -> Changes:
        """The open conversation as a Markdown file for the browser to save."""
        p = self.parts

        def file() -> Changes:
            found = self.sessions.get(values[p.where])
            if found is None:
                raise BadRequest("There is nothing to export yet: ask a question first.")
            name = "".join(c if c.isalnum() else "-" for c in found.title.lower())
            name = "-".join(part for part in name.split("-") if part)[:60] or "conversation"
            return {
                p.line: "",
                p.download: {"name": f"{name}.md", "text": self.sessions.export_markdown(found.id)},
            }

        return {p.download: None, **self._guarded(file)}

    def _listed(self, values: Changes, change: Any) -> Changes:
        def changed() -> Changes:
            change()
            here = values[self.parts.where]
            found = self.sessions.get(here)
            title = f"<h1>{escaped(found.title)}</h1>" if found else ""
            return {self.parts.title: title, self.parts.line: "", **self.view.listed(here)}

        return self._guarded(changed)

    def _guarded(self, change: Any) -> Changes:
        return guarded(change, self.parts.line)


def _plain(content: Any) -> str:
    """The text of a chat message, in whichever of its forms the chat sends it."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return _plain(content.get("text", content.get("content", "")))
    return "\n".join(_plain(part) for part in content or ())


def _page(request: gr.Request) -> str:
    return str(request.session_hash)
