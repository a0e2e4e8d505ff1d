"""The quiz page: questions written on demand, and taken; what was answered is kept and comes back.

What is not here: what is done on the sheet (ui/web/quiz_taking.py). Every question that passes is in
the bank at once, so a page that is closed half-way loses none.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest
from rag.items.attempts import GONE, Attempts
from rag.items.bank import Bank
from rag.items.results import results, to_csv, to_json
from rag.items.types import Item, Quiz
from rag.sessions import Sessions
from ui.quizzing import Maker, Quizzing
from ui.web import quiz_view
from ui.web.quiz_form import HEAD, TYPES, Parts, Wish, cited, count_of, form, seed_of, wished
from ui.web.quiz_taking import Taking
from ui.web.trial import Trial, Trials
from ui.web.view import Changes, error_line, guarded, said_line
from ui.web.who import owner, tab
from ui.web.wiring import EACH, QUIET, SAVE_JS, followed

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.queueing import Queue
    from ui.tutor import Tutor

BUSY = "Questions are still being written. Press Esc to stop."
EARLIER = 200  # questions that a fresh one may not repeat


class Making:
    """The handlers of one page that make quizzes. A `request`'s session tells the tabs apart."""

    def __init__(
        self,
        tutor: Tutor | LivingTutor,
        sessions: Sessions,
        taking: Taking,
        make: Maker | None,
        parts: Parts,
        line: Queue | None = None,
    ) -> None:
        """`make` writes the questions, None where there is no model for it; quizzes wait in `line`."""
        self.tutor = tutor
        self.sessions = sessions
        self.taking = taking
        self.make = make
        self.parts = parts
        self.trials = Trials[Quiz](line)
        self._wanted: dict[str, tuple[str, int, str]] = {}  # a page's title, seed, and attempt before
        self._made: dict[str, str] = {}  # the quiz that a page may take

    def load(self, request: gr.Request) -> Changes:
        """The page opens: with an attempt, with a conversation, or with neither."""
        p = self.parts
        asked = request.query_params
        shown: Changes = {p.sources: gr.Dropdown(choices=list(self.tutor.sources))}

        def opened() -> Changes:
            if attempt := str(asked.get("a", "")):
                return self.taking.resume(attempt, request)
            return self._about(str(asked.get("c", "")), request)

        return {**shown, **self._guarded(lambda: self.taking.home(request)), **self._guarded(opened)}

    def run(self, values: Changes, request: gr.Request) -> Changes:
        """Write the questions that the form asks for."""
        p = self.parts

        def begun() -> Changes:
            page = tab(request)
            wish = wished(values, p)
            if not self.trials.put(page, self._making(wish, ())):
                raise BadRequest(BUSY)
            self._wanted[page] = (wish.title, wish.seed, "")
            return {**self._buttons(True), p.line: "", p.about: quiz_view.begun("Reading the notes…")}

        return self._guarded(begun)

    def fresh(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """Another question from the page of one that was missed."""
        p, page = self.parts, tab(request)

        def begun() -> Changes:
            attempt = self.taking.attempts.get(str(values[p.where] or ""), self.taking.student(request))
            place = event.place
            if not isinstance(place, int) or not 0 <= place < len(attempt.items) or not attempt.told(place):
                raise BadRequest(GONE)
            item = attempt.items[place]
            held = item.evidence
            source = held.source if held.page is None else f"{held.source}:{held.page}"
            known = [one.item for one in self.taking.bank.list() if one.item.evidence.source == held.source]
            known += attempt.items
            wish = Wish(1, (item.kind,), "", (source,), random.randrange(2**31))
            if not self.trials.put(page, self._making(wish, known[-EARLIER:])):
                raise BadRequest(BUSY)
            self._wanted[page] = (f"A fresh question from {held.source}", wish.seed, attempt.id)
            return {
                **self._buttons(True),
                p.line: "",
                p.about: quiz_view.begun("Writing a fresh question from this page…"),
            }

        return self._guarded(begun)

    def follow(self, request: gr.Request) -> Iterator[Changes]:
        """Show how the making goes."""
        p = self.parts
        trial = self.trials.get(tab(request))
        if trial is None or not trial.running:
            yield {p.line: gr.skip()}
            return
        for _ in trial.updates(at_most_every=0.3):
            if trial.waiting:
                yield {p.about: quiz_view.begun(f"You are number {trial.waiting} in the line…")}
            elif trial.value is not None:
                yield {p.about: quiz_view.made(trial.value, running=True)}

    def settle(self, request: gr.Request) -> Changes:
        """After the making, however it ended: what there is can be taken."""
        p, page = self.parts, tab(request)
        trial = self.trials.over(page)
        if trial is None:
            return {p.line: gr.skip()}
        self.trials.drop(page)
        return {**self._buttons(False), **self._guarded(lambda: self._settled(trial, page, request))}

    def stop(self, request: gr.Request) -> None:
        """Stop the making and keep what passed."""
        self.trials.stop(tab(request))

    def begin(self, values: Changes, request: gr.Request) -> Changes:
        """Take what was made."""

        def begun() -> Changes:
            quiz = self._made.pop(tab(request), "")
            kept, items = self.taking.bank.quiz(quiz, self.taking.student(request))
            return self.taking.begin(items, kept.title, quiz, values, request)

        return self._guarded(begun)

    def due(self, values: Changes, request: gr.Request) -> Changes:
        """A quiz of what is due again."""

        def begun() -> Changes:
            items = self.taking.attempts.due(self.taking.student(request))[
                : count_of(values[self.parts.count])
            ]
            return self._take(items, f"Due on {date.today():%Y-%m-%d}", values, request)

        return self._guarded(begun)

    def shared(self, values: Changes, request: gr.Request) -> Changes:
        """A quiz of approved questions, drawn by the seed."""

        def begun() -> Changes:
            items, count = self.taking.bank.shared(), count_of(values[self.parts.count])
            drawn = random.Random(seed_of(values[self.parts.seed])).sample(items, min(count, len(items)))
            return self._take(drawn, "The instructor's set", values, request)

        return self._guarded(begun)

    def saving(self, suffix: str) -> Callable[..., Any]:
        """What gives the results as a file for the browser to keep."""

        def save(request: gr.Request) -> Any:
            student = self.taking.student(request)
            found = results(tuple(reversed(self.taking.attempts.list(student))), student)
            text = "\ufeff" + to_csv(found) if suffix == ".csv" else to_json(found)
            return {"name": f"quiz-results-{date.today()}{suffix}", "text": text, "type": TYPES[suffix]}

        return save

    def leave(self, request: gr.Request) -> None:
        """The page is gone: free the engine."""
        page = tab(request)
        self.trials.drop(page)
        self.taking.gone(request)
        self._wanted.pop(page, None)
        self._made.pop(page, None)

    def _take(self, items: Any, title: str, values: Changes, request: gr.Request) -> Changes:
        if not items:
            raise BadRequest("There is nothing to take here any more.")
        kept = self.taking.bank.keep_quiz(items, title, student=self.taking.student(request))
        return self.taking.begin(items, title, kept, values, request)

    def _about(self, conversation: str, request: gr.Request) -> Changes:
        """The pages that a conversation's answers cite, as what is asked about."""
        p = self.parts
        mine = self.sessions.of(owner(request))
        found = mine.get(conversation) if conversation else None
        if found is None:
            return {}
        chosen = cited(mine.records(conversation), self.tutor.sources)
        if not chosen:
            return {p.line: error_line("No answer of this conversation cites a page to ask about.")}
        told = said_line(f"About the pages that the answers of “{found.title}” cite.")
        choices = [*chosen, *self.tutor.sources]
        return {p.line: told, p.talk: conversation, p.sources: gr.Dropdown(choices=choices, value=chosen)}

    def _making(self, wish: Wish, earlier: Sequence[Item]) -> Callable[..., Iterator[Quiz]]:
        """The making of a quiz, whose questions are in the bank as soon as they pass."""
        make, bank = self.make, self.taking.bank
        if make is None:
            raise BadRequest("New questions need the embedded language model.")

        def start(halt: threading.Event, _: Any) -> Iterator[Quiz]:
            items: tuple[Item, ...] = ()
            quiz = None
            for quiz in make(
                count=wish.count,
                kinds=wish.kinds,
                topic=wish.topic,
                sources=wish.sources,
                seed=wish.seed,
                halt=halt,
                earlier=earlier,
            ):
                bank.add(quiz.items[len(items) :])
                items = quiz.items
                yield quiz
            if quiz is not None and halt.is_set() and not quiz.stopped:
                yield replace(quiz, stopped=True)

        return start

    def _settled(self, trial: Trial[Quiz], page: str, request: gr.Request) -> Changes:
        p, quiz = self.parts, trial.value
        title, seed, before = self._wanted.pop(page, ("", 0, ""))
        told: Changes = {p.about: quiz_view.made(quiz, running=False) if quiz else ""}
        if trial.mishap:
            told[p.line] = error_line(trial.mishap)
        if quiz is None or not quiz.items:
            if before and not trial.mishap:
                told[p.line] = error_line("This page gave no fresh question that passes every check.")
            return told
        kept = self.taking.bank.keep_quiz(quiz.items, title, seed, self.taking.student(request))
        if before:
            return self.taking.fresh(quiz.items, title, kept, before, request)
        self._made[page] = kept
        words = f"Take {'this question' if len(quiz.items) == 1 else f'these {len(quiz.items)} questions'}"
        return {**told, p.begin: gr.Button(words, visible=True)}

    def _buttons(self, running: bool) -> Changes:
        p = self.parts
        can = self.make is not None and not running
        shown: Changes = {p.run: gr.Button(interactive=can), p.stop: gr.Button(visible=running)}
        return {**shown, p.begin: gr.Button(visible=False)} if running else shown

    def _guarded(self, change: Callable[[], Changes]) -> Changes:
        return guarded(change, self.parts.line)


def build(
    tutor: Tutor | LivingTutor,
    sessions: Sessions,
    quizzing: Quizzing,
    student: Callable[[gr.Request], str] = owner,
    line: Queue | None = None,
) -> None:
    """Put the quiz in the page being built; `student` tells who asks, and questions are made in `line`."""
    bank, attempts = Bank(sessions.database), Attempts(sessions.database)
    with gr.Column(elem_id="quiz"):
        gr.HTML(HEAD)
        parts = form(tutor.sources, quizzing.make is not None)
    taking = Taking(tutor, bank, attempts, parts, student)
    _wire(Making(tutor, sessions, taking, quizzing.make, parts, line), taking, parts)


def _wire(making: Making, taking: Taking, p: Parts) -> None:
    shown = p.shown()
    inputs = p.inputs()
    where: set[Any] = {p.where}
    for event, handler, read in ((p.run.click, making.run, inputs), (p.acts.fresh, making.fresh, where)):
        followed(event(handler, read, shown, **QUIET), making.follow, making.settle, shown)
    p.stop.click(making.stop, None, None, **QUIET)  # following ends once the engine has stopped
    p.begin.click(making.begin, inputs, shown, **QUIET)
    p.due.click(making.due, inputs, shown, **QUIET)
    p.shared.click(making.shared, inputs, shown, **QUIET)
    p.acts.act(taking.act, where, shown, **EACH)  # a key pressed early counts, one pressed twice once
    p.acts.keep(taking.keep, where, [p.line], **EACH)  # none may be lost
    p.earlier.open(taking.opened, None, shown, **QUIET)
    p.earlier.again(taking.again_listed, None, shown, **QUIET)
    p.viewer.look(taking.look, where, [p.viewer, p.reading, p.line], **EACH)
    p.viewer.shut(taking.shut, None, [p.viewer, p.reading], **EACH)
    for button, suffix in zip(p.buttons, TYPES, strict=True):
        saved = button.click(making.saving(suffix), None, p.download, **QUIET)
        saved.then(None, p.download, None, js=SAVE_JS, **QUIET)
    p.where.change(None, p.where, None, js="(id) => { window.unitutor.quiz.address(id); }", **EACH)
    context = gr.context.Context.root_block
    assert context is not None
    context.load(making.load, None, shown, **QUIET)
    context.unload(making.leave)
