"""What is done on the sheet of a quiz: answers, going on, the score, the page of the notes beside it.

A handler is sent places on the page, never what is right: that is looked up in what is kept, and told
where `Attempt.told` says so. What is not here: how questions are made (ui/web/quiz.py) and how any of
it looks (ui/web/quiz_view.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest
from rag.items.attempts import GONE, Attempt, Attempts
from rag.items.bank import Bank
from rag.items.marking import WRITTEN
from ui.facsimile import Pictures
from ui.web import quiz_view
from ui.web.beside import beside, passage_text
from ui.web.quiz_form import LAYOUTS, TELLING, Parts
from ui.web.view import Changes, guarded, said_line
from ui.web.viewer import Wanted, reading
from ui.web.who import tab

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor

LISTED = 12  # earlier attempts on the page
Answered = tuple[int, int | None, str]  # a place, the option's place in the item, what was written
ACTS = ("answer", "next", "back", "finish", "again", "return", "leave")


class Taking:
    """The handlers of one page. A `request`'s session tells the tabs apart."""

    def __init__(
        self,
        tutor: Tutor | LivingTutor,
        bank: Bank,
        attempts: Attempts,
        parts: Parts,
        student: Callable[[gr.Request], str],
    ) -> None:
        """`student` tells who asks: '' on a machine of one's own."""
        self.tutor = tutor
        self.bank = bank
        self.attempts = attempts
        self.parts = parts
        self.student = student
        self.pictures = Pictures()
        self._since: dict[str, float] = {}  # when a page's question was shown
        self._before: dict[str, str] = {}  # the attempt that a fresh question interrupted

    # The sheet

    def begin(self, items: Any, title: str, quiz: str, values: Changes, request: gr.Request) -> Changes:
        """A new attempt, as the form says how."""
        p = self.parts
        attempt = self.attempts.begin(
            items,
            title,
            quiz,
            self.student(request),
            all_at_once=values[p.layout] == LAYOUTS[1],
            at_the_end=values[p.telling] == TELLING[1],
        )
        self._before.pop(tab(request), None)
        return self.open(attempt, request)

    def fresh(self, items: Any, title: str, quiz: str, before: str, request: gr.Request) -> Changes:
        """A fresh question, from which a link leads back to the attempt `before`."""
        attempt = self.attempts.begin(items, title, quiz, self.student(request))
        self._before[tab(request)] = before
        return self.open(attempt, request)

    def open(self, attempt: Attempt, request: gr.Request, at: int | None = None, line: str = "") -> Changes:
        """Show an attempt at a place, at its first question without an answer with None."""
        p, page = self.parts, tab(request)
        self._since[page] = time.monotonic()
        first = attempt.next if attempt.next is not None else len(attempt.items) - 1
        shown = quiz_view.sheet(attempt, first if at is None else at, page in self._before)
        return {
            p.where: attempt.id,
            p.sheet: shown,
            p.line: line,
            p.about: "",
            p.begin: gr.Button(visible=False),
            p.viewer: "",
            p.reading: "",
        }

    def act(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """A button of the sheet."""

        def done() -> Changes:
            name, place = str(event.name), event.place
            if name not in ACTS or not isinstance(place, int):
                raise BadRequest(GONE)
            if name == "leave":
                return self.leave(request)
            attempt = self._attempt(values, request)
            if name == "again":
                return self.again(attempt, request)
            if name == "return":
                before = self._before.pop(tab(request), "")
                return self.open(self.attempts.get(before, self.student(request)), request)
            return self._moved(attempt, name, place, _given(event.answers, attempt), request)

        return self._guarded(done)

    def keep(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """An option chosen where all is told at the end: kept, and nothing is shown anew."""

        def kept() -> Changes:
            attempt = self._attempt(values, request)
            if attempt.at_the_end and attempt.ended is None:
                self._keep(attempt, _given(event.answers, attempt), request)
            return {self.parts.line: gr.skip()}

        return self._guarded(kept)

    def opened(self, event: gr.EventData, request: gr.Request) -> Changes:
        """An earlier attempt chosen in the list, to go on with or to look back at."""
        return self._guarded(
            lambda: self.open(self.attempts.get(str(event.id), self.student(request)), request)
        )

    def again_listed(self, event: gr.EventData, request: gr.Request) -> Changes:
        """An earlier quiz chosen in the list, to take it again."""
        return self._guarded(
            lambda: self.again(self.attempts.get(str(event.id), self.student(request)), request)
        )

    def again(self, attempt: Attempt, request: gr.Request) -> Changes:
        """The same quiz from its beginning, its options in another order."""
        student = self.student(request)
        items = self.bank.quiz(attempt.quiz, student)[1] if attempt.quiz else attempt.items
        made = self.attempts.begin(
            items, attempt.title, attempt.quiz, student, attempt.all_at_once, attempt.at_the_end
        )
        return self.open(made, request)

    def leave(self, request: gr.Request) -> Changes:
        """Back to the form; the attempt is kept as it is."""
        p = self.parts
        self._before.pop(tab(request), None)
        return {p.where: "", p.sheet: "", p.line: "", p.viewer: "", p.reading: "", **self.home(request)}

    def resume(self, id: str, request: gr.Request) -> Changes:
        """The attempt that the page's address names, said to be so."""
        attempt = self.attempts.get(id, self.student(request))
        begun = time.strftime("%H:%M", time.localtime(attempt.started))
        words = f"You are back in the quiz that you began at {begun}."
        return self.open(attempt, request, line="" if attempt.ended else said_line(words))

    def home(self, request: gr.Request) -> Changes:
        """What there is to take beside new questions."""
        p, student = self.parts, self.student(request)
        due, shared = len(self.attempts.due(student)), self.bank.counts()["approved"]
        earlier = self.attempts.list(student, LISTED)
        told = any(one.told(place) for one in earlier for place in one.responses)
        return {
            p.due: gr.Button(f"Due today ({due})", visible=due > 0),
            p.shared: gr.Button(f"The instructor's set ({shared})", visible=shared > 0),
            p.earlier: quiz_view.listed(earlier),
            p.saves: gr.Row(visible=told),
        }

    def gone(self, request: gr.Request) -> None:
        """The page is closed."""
        self._since.pop(tab(request), None)
        self._before.pop(tab(request), None)

    # The page of the notes

    def look(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """The page behind a question that was told, or another page of its file."""

        def shown() -> Changes:
            p, name, page = self.parts, str(event.name), event.page
            attempt = self._attempt(values, request)
            place = int(name[1:]) if name[:1] == "i" and name[1:].isdecimal() and len(name) < 6 else -1
            if not 0 <= place < len(attempt.items) or not attempt.told(place):
                raise BadRequest(GONE)
            held = attempt.items[place].evidence
            wanted = Wanted(
                held.source, held.page, held.quote, passage_text(self.tutor, held.passage_id) or held.quote
            )
            turned = page if isinstance(page, int) and 0 < page < 10**6 else None
            text = reading(wanted) if turned in (None, held.page) else ""
            return {p.viewer: beside(self.tutor, self.pictures, wanted, name, turned), p.reading: text}

        return self._guarded(shown)

    def shut(self) -> Changes:
        """The page closed again."""
        return {self.parts.viewer: "", self.parts.reading: ""}

    def _moved(
        self, attempt: Attempt, name: str, place: int, given: list[Answered], request: gr.Request
    ) -> Changes:
        if name == "answer":
            mine = [one for one in given if one[0] == place]
            if not mine:
                raise BadRequest("Choose an option, or write an answer, first.")
            return self.open(self._keep(attempt, mine, request), request, place)
        if name == "finish" or attempt.at_the_end:
            attempt = self._keep(attempt, given, request)
        if name == "finish":
            ended = self.attempts.finish(attempt.id, self.student(request))
            return {**self.open(ended, request), **self.home(request)}
        return self.open(attempt, request, place + (1 if name == "next" else -1))

    def _keep(self, attempt: Attempt, given: list[Answered], request: gr.Request) -> Attempt:
        """Keep the answers that are new, with the time since the question was shown."""
        page = tab(request)
        for place, chosen, text in given:
            before = attempt.responses.get(place)
            if before and (before.chosen, before.text) == (chosen, text):
                continue
            now = time.monotonic()
            seconds = now - self._since.get(page, now)
            self._since[page] = now
            attempt = self.attempts.answer(attempt.id, place, chosen, text, seconds, self.student(request))
        return attempt

    def _attempt(self, values: Changes, request: gr.Request) -> Attempt:
        return self.attempts.get(str(values[self.parts.where] or ""), self.student(request))

    def _guarded(self, change: Callable[[], Changes]) -> Changes:
        return guarded(change, self.parts.line)


def _given(answers: Any, attempt: Attempt) -> list[Answered]:
    """What the page says was chosen and written, from places on the page to places in the items."""
    found: list[Answered] = []
    for one in answers if isinstance(answers, list) else ():
        place, chosen, text = one.get("place"), one.get("chosen"), str(one.get("text") or "")
        if not isinstance(place, int) or not 0 <= place < len(attempt.items):
            raise BadRequest(GONE)
        if attempt.items[place].kind in WRITTEN:
            if text.strip():
                found.append((place, None, " ".join(text.split())))
        elif isinstance(chosen, int) and 0 <= chosen < len(attempt.orders[place]):
            found.append((place, attempt.orders[place][chosen], ""))
    return found
