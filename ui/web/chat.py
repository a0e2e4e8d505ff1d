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
from rag.sessions import WENT_ON, Record, Sessions, history
from rag.types import Ask
from ui.queueing import Queue, QueueFull
from ui.web.controls import chosen_decoding, chosen_sources
from ui.web.job import Job, Jobs
from ui.web.recall import Recalling
from ui.web.temporary import TEMPORARY
from ui.web.text import typed
from ui.web.view import Changes, Parts, View, error_line, guarded
from ui.web.who import owner, tab

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
        self.recalling = Recalling(tutor, sessions, parts)

    # Asking

    def ask(self, values: Changes, request: gr.Request) -> Changes:
        """A question typed; what was asked before is told before it is asked again."""
        question = values[self.parts.box] or ""
        told = self.recalling.before(question, values, self.view.of(request))
        return told or self._take(values, request, question)

    def afresh(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """A question that was held back, asked all the same."""
        return self._take(values, request, str(event.question))

    def example(self, values: Changes, event: gr.SelectData, request: gr.Request) -> Changes:
        """A starter question clicked."""
        return self._take(values, request, str(event.value["text"]))

    def retry(self, values: Changes, request: gr.Request) -> Changes:
        """The last question again."""

        def again() -> Changes:
            records = self._mine(request).records(values[self.parts.where])
            if not records:
                return {self.parts.line: ""}
            return self._take(values, request, records[-1].answer.question, keep=len(records) - 1)

        return self._guarded(again)

    def edit(self, values: Changes, event: gr.EditData, request: gr.Request) -> Changes:
        """An earlier question in other words: what came after it goes."""
        index = event.index if isinstance(event.index, int) else event.index[0]
        return self._take(values, request, typed(_plain(event.value)), keep=index // 2)

    def _take(self, values: Changes, request: gr.Request, question: str, keep: int | None = None) -> Changes:
        """Put a question in line; `follow` answers it. A question refused stays in the box.

        With `keep`, the turns after the first `keep` make way for it, if the page has shown them all.
        """
        p = self.parts
        conversation = values[p.where]
        mine, view = self._mine(request), self.view.of(request)
        try:
            if question.strip():
                self._give_up_checking(request)
            if conversation and mine.get(conversation) is None:
                raise BadRequest("This conversation was deleted: start a new one, or undo its deletion.")
            every = mine.records(conversation) if conversation else ()
            if keep is not None and _shown(values, p) != len(every):
                return {**view.settled(conversation), p.line: error_line(WENT_ON)}
            records = every[:keep]
            earlier = view.messages(conversation, records)
            ask = Ask(
                question,
                history=history(record.answer for record in records),
                decoding=chosen_decoding(p.controls, values),
                sources=chosen_sources(p.controls, values, self.tutor.sources),
                strict=bool(values[p.controls.strict]),
                private=conversation == TEMPORARY,
            )
        except UnitutorError as error:
            return {p.line: error_line(str(error)), p.chat: gr.skip()}
        seen = every[-1].created if keep is not None and every else None
        job = Job(self.tutor.chain, mine, ask, conversation, len(records), seen)
        try:
            if not self.jobs.put(tab(request), job):
                return {p.line: error_line("The last answer is still being written. Press Esc to stop it.")}
        except QueueFull as error:
            return {p.line: error_line(str(error))}
        number = self.jobs.number(job)
        return {
            **view.growing(earlier, job.answer, 0.0, number),
            **view.cards(records, job.answer),
            p.line: "",
            p.recall: "",
            p.box: view.box(running=True) if keep is not None else view.box(running=True, text=""),
        }

    def follow(self, request: gr.Request) -> Iterator[Changes]:
        """Show the page's answer as it grows."""
        p, view = self.parts, self.view.of(request)
        job = self.jobs.get(tab(request))
        if job is None or not job.running:
            yield {p.line: gr.skip()}
            return
        try:
            records = view.sessions.records(job.conversation)[: job.keep] if job.conversation else ()
            earlier = _earlier(view, job.conversation, records)
        except UnitutorError as error:
            job.stop()
            yield {p.line: error_line(str(error))}
            return
        told = 0
        while job.running and (number := self.jobs.turn(job)):
            if number != told:
                told = number
                yield view.growing(earlier(), job.answer, 0.0, number)
            time.sleep(0.1)
        cited: tuple[Any, ...] = ()
        sentences: tuple[Any, ...] = ()
        listed = checking = False
        for answer in job.updates():
            changes = view.growing(earlier(), answer, job.seconds)
            if (answer.citations, answer.closest) != cited:
                cited = (answer.citations, answer.closest)
                changes |= view.cards(records, answer)
            if answer.sentences != sentences:
                sentences = answer.sentences
                changes |= view.whys(records, answer)
            if answer.stage == "checking" and not checking:
                checking = True
                changes |= {p.box: view.box()}  # the next question need not wait for the check
            if job.began and not listed:
                listed = True
                changes |= {p.where: job.conversation, **view.listed(job.conversation)}
            yield changes
        if job.error is not None and not isinstance(job.error, UnitutorError):
            raise job.error

    def _give_up_checking(self, request: gr.Request) -> None:
        """An answer that is whole but for its check makes way for the next question."""
        job = self.jobs.get(tab(request))
        if job is not None and job.running and job.answer.stage == "checking":
            job.stop()

    def settle(self, values: Changes, request: gr.Request) -> Changes:
        """After an answer, however it ended: show what is kept, and say what went wrong."""
        p = self.parts
        job = self.jobs.get(tab(request))
        if job is None or job.running:
            return {p.line: gr.skip()}
        self.jobs.drop(tab(request))
        changes = {
            p.box: self.view.box(),
            **self.view.notes(self.tutor.sources, self.tutor.notice),
            **self._guarded(lambda: self.view.of(request).settled(job.conversation or values[p.where])),
        }
        self.recalling.heard(owner(request))
        if isinstance(job.error, UnitutorError):
            changes[p.line] = error_line(str(job.error))
        if not job.began and not values[p.box]:
            changes[p.box] = self.view.box(text=job.ask.question)
        return changes

    def stop(self, request: gr.Request) -> None:
        """Stop the answer being written, and keep what there is of it."""
        job = self.jobs.get(tab(request))
        if job is not None and job.running:
            job.stop()

    def leave(self, request: gr.Request) -> None:
        """The page is gone, or shows something else: free the engine, forget a temporary chat."""
        self.jobs.drop(tab(request))
        self.view.passing.end(tab(request))

    # Conversations

    def load(self, request: gr.Request) -> Changes:
        """The page opens, at the conversation that its address names."""
        shown = self._guarded(lambda: self.view.of(request).show(str(request.query_params.get("c", ""))))
        return {**self.view.notes(self.tutor.sources, self.tutor.notice), **shown}

    def open(self, event: gr.EventData, request: gr.Request) -> Changes:
        """A conversation clicked in the list."""
        self.leave(request)
        return self._guarded(lambda: self.view.of(request).show(str(event.id)))

    def new(self, request: gr.Request) -> Changes:
        """An empty conversation; it is kept once something is asked in it."""
        self.leave(request)
        return self._guarded(lambda: self.view.of(request).show(""))

    def temporary(self, request: gr.Request) -> Changes:
        """An empty conversation that is kept nowhere."""
        self.leave(request)
        self.view.passing.start(tab(request))
        return self._guarded(lambda: self.view.of(request).show(TEMPORARY))

    def undo(self, values: Changes, request: gr.Request) -> Changes:
        """The last question and its answer taken back; the question is in the box again."""

        def back() -> Changes:
            conversation = values[self.parts.where]
            mine, view = self._mine(request), self.view.of(request)
            records = mine.records(conversation)
            if not records:
                return view.show(conversation)
            self.jobs.drop(tab(request))
            if _shown(values, self.parts) != len(records):
                return {**view.settled(conversation), self.parts.line: error_line(WENT_ON)}
            mine.truncate(conversation, len(records) - 1, records[-1].created)
            box = view.box(text=records[-1].answer.question)
            return {**view.show(conversation), self.parts.box: box}

        return self._guarded(back)

    def _mine(self, request: gr.Request) -> Sessions:
        return self.view.of(request).sessions

    def _guarded(self, change: Any) -> Changes:
        return guarded(change, self.parts.line)


def _shown(values: Changes, parts: Parts) -> int:
    """How many turns the page shows: another tab may have added some, or taken some away."""
    return len(values[parts.chat] or ()) // 2


def _plain(content: Any) -> str:
    """The text of a chat message, in whichever of its forms the chat sends it."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return _plain(content.get("text", content.get("content", "")))
    return "\n".join(_plain(part) for part in content or ())


def _earlier(view: View, conversation: str, records: Sequence[Record]) -> Callable[[], list[dict[str, str]]]:
    """Gives the turns before as they are shown now: made anew only where that has changed."""
    seen = view.changed
    kept = view.messages(conversation, records)

    def earlier() -> list[dict[str, str]]:
        nonlocal seen, kept
        if view.changed != seen:
            seen = view.changed
            with contextlib.suppress(UnitutorError):  # it is told when the answer is there
                kept = view.messages(conversation, records)
        return kept

    return earlier
