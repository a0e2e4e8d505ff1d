"""What the chat page does with an answer's evidence: shows its page, leaves sentences out, takes verdicts.

A handler is sent the numbers of a turn, a citation or a sentence, never a path: what they stand for is
looked up in what is kept. What is not here: how any of it looks (ui/web/viewer.py, ui/web/foot.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest
from rag import regression
from rag.types import Answer
from ui.facsimile import Pictures
from ui.web.beside import beside, passage_text
from ui.web.job import Jobs
from ui.web.view import Changes, Parts, View, guarded, said_line
from ui.web.viewer import Wanted, reading
from ui.web.who import tab, teaches

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor

GONE = "This answer is not there any more: load the page again."
INSTRUCTORS = "The regression set is for instructors."
THANKS = "Noted, with the answer and its passages. It stays on this machine."
TAKEN_BACK = "Taken back."
JUDGED = {
    "approved": "Added to the regression set: later answers should be like this one.",
    "rejected": "Added to the regression set: later answers should not be like this one.",
}
_NAME = re.compile(r"(?P<kind>[cs])(?P<turn>\d{1,6})-(?P<number>\d{1,6})(?:\.(?P<quote>\d))?")


class Evidence:
    """The handlers of one page."""

    def __init__(
        self,
        tutor: Tutor | LivingTutor,
        parts: Parts,
        shown: View,
        jobs: Jobs,
    ) -> None:
        """`jobs` hold the answers being written."""
        self.tutor = tutor
        self.parts = parts
        self.view = shown
        self.jobs = jobs
        self.pictures = Pictures()

    # The page beside the answer

    def look(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """A citation or a quote of a sentence opened, or another page of its file."""
        p = self.parts

        def opened() -> Changes:
            name, page = str(event.name), event.page
            wanted = self._wanted(values[p.where], name, request)
            if wanted is None:
                raise BadRequest(GONE)
            turned = isinstance(page, int) and 0 < page < 10**6
            shown = beside(self.tutor, self.pictures, wanted, name, page if turned else None)
            text = reading(wanted) if not turned or page == wanted.page else ""
            return {p.viewer: shown, p.reading: text, p.line: ""}

        return self._guarded(opened)

    def shut(self) -> Changes:
        """The page closed again."""
        return self.view.shut()

    def _wanted(self, conversation: str, name: str, request: gr.Request) -> Wanted | None:
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        answer = self._answer(conversation, int(found["turn"]), request)
        if answer is None:
            return None
        cited = answer.closest if answer.refused else answer.citations
        number = int(found["number"])
        if found["kind"] == "c":
            one = next((c for c in cited if c.marker == number), None)
            return Wanted(one.source, one.page, one.quote, one.text) if one else None
        if number >= len(answer.sentences):
            return None
        quotes = answer.sentences[number].quotes
        which = int(found["quote"] or 0)
        if which >= len(quotes):
            return None
        quote = quotes[which]
        passage = next((c.text for c in cited if c.passage_id == quote.passage_id), "")
        passage = passage or passage_text(self.tutor, quote.passage_id)
        return Wanted(quote.source, quote.page, quote.text, passage, len(quotes))

    def _answer(self, conversation: str, turn: int, request: gr.Request) -> Answer | None:
        job = self.jobs.get(tab(request))
        if job is not None and job.running and turn == job.keep and job.conversation == conversation:
            return job.answer
        records = self.view.of(request).sessions.records(conversation) if conversation else ()
        return records[turn].answer if turn < len(records) else None

    # What is left out, and what is thought of an answer

    def narrow(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """An answer shown without what the notes do not support, or whole again."""

        def changed() -> Changes:
            self.view.narrow(self._record(values, event, request), bool(event.on))
            return {self.parts.line: "", **self._chat(values, request)}

        return self._guarded(changed)

    def thumb(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """A thumb up or down, or neither any more."""

        def given() -> Changes:
            verdict, reason, comment = str(event.verdict), str(event.reason), str(event.comment)
            if verdict not in ("up", "down", ""):
                raise BadRequest(GONE)
            self._record(values, event, request)
            self.view.of(request).feedback.set(
                values[self.parts.where],
                int(event.turn),
                verdict or None,  # type: ignore[arg-type]
                reason if verdict == "down" else "",
                comment if verdict == "down" else "",
            )
            self.view.change()
            words = THANKS if verdict else TAKEN_BACK
            return {self.parts.line: said_line(words), **self._chat(values, request)}

        return self._guarded(given)

    def judge(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """An answer approved or rejected: it joins the regression set."""

        def judged() -> Changes:
            verdict = str(event.verdict)
            if not teaches(request):
                raise BadRequest(INSTRUCTORS)
            if verdict not in JUDGED:
                raise BadRequest(GONE)
            if self.tutor.folder is None:
                raise BadRequest("There is no index whose regression set this could join.")
            mine = self.view.of(request)
            records = mine.sessions.records(values[self.parts.where])
            self._record(values, event, request)
            turn = int(event.turn)
            earlier = [record.answer.question for record in records[:turn]]
            given = mine.feedback.get(values[self.parts.where]).get(turn)
            regression.save(
                regression.beside(self.tutor.folder),
                records[turn].answer,
                verdict,  # type: ignore[arg-type]
                earlier,
                wrong_page=given is not None and given.reason == "wrong page",
            )
            return {self.parts.line: said_line(JUDGED[verdict])}

        return self._guarded(judged)

    def _record(self, values: Changes, event: gr.EventData, request: gr.Request) -> int:
        """The id of the turn that is meant. Raises BadRequest where it is not kept."""
        where, turn = values[self.parts.where], event.turn
        records = self.view.of(request).sessions.records(where) if where else ()
        if not isinstance(turn, int) or not 0 <= turn < len(records):
            raise BadRequest(GONE)
        return records[turn].id

    def _chat(self, values: Changes, request: gr.Request) -> Changes:
        job = self.jobs.get(tab(request))
        if job is not None and job.running:
            return {}  # whoever follows it shows the others anew
        return self.view.of(request).talk(values[self.parts.where])

    def _guarded(self, change: Callable[[], Any]) -> Changes:
        return guarded(change, self.parts.line)
