"""The decoding lab's page: its components, and what each thing a student does to it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest
from rag.chain import checked_question
from rag.lab import REMOTE, Comparing, Experiment, experiment
from rag.strategies import FEWEST, MOST, comparable
from ui.web import example, lab_view, pickers
from ui.web.pickers import Picker
from ui.web.trial import Trial, Trials
from ui.web.view import Changes, error_line, guarded
from ui.web.who import tab
from ui.web.wiring import EACH, QUIET, followed

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.queueing import Queue
    from ui.tutor import Tutor

HEAD = (
    '<header class="lab-head"><div><h1>Decoding lab</h1><p>One question, the same passages, two to five '
    "strategies side by side, and for every token what it was drawn from.</p></div>"
    '<a class="ut-link" href="./">Back to the chat</a></header>'
)
BUSY = "The last experiment still runs. Press Esc to stop it."
COLUMNS_JS = "unitutor.lab.columns(element, (token) => trigger('pick', token), watch);"
CHART_JS = "unitutor.lab.chart(element, (by) => trigger('step', by), watch);"


@dataclass(frozen=True, slots=True)
class Parts:
    """The components that handlers read and change."""

    question: gr.Textbox
    pickers: Sequence[Picker]
    count: gr.State  # cards shown
    more: gr.Button
    fewer: gr.Button
    run: gr.Button
    stop: gr.Button
    again: gr.Button
    line: gr.HTML  # what went wrong, or what is waited for
    passages: gr.HTML
    columns: gr.HTML
    chart: gr.HTML
    variation: gr.HTML

    def inputs(self) -> set[Any]:
        """What an experiment is made of."""
        return {self.question, self.count}.union(*(one.inputs() for one in self.pickers))

    def shown(self) -> list[Any]:
        """All that an experiment changes."""
        return [
            self.run,
            self.stop,
            self.again,
            self.line,
            self.passages,
            self.columns,
            self.chart,
            self.variation,
        ]


class Lab:
    """The handlers of one page. A `request`'s session tells the tabs apart."""

    def __init__(self, tutor: Tutor | LivingTutor, parts: Parts, line: Queue | None = None) -> None:
        """`tutor` has a model that can compare; experiments wait in `line`."""
        self.tutor = tutor
        self.parts = parts
        self.trials = Trials[Experiment](line)

    def run(self, values: Changes, request: gr.Request) -> Changes:
        """A new experiment with the question and the strategies that are set."""
        p = self.parts

        def begun() -> Changes:
            question = checked_question(values[p.question] or "")
            hows = comparable(pickers.all_chosen(p.pickers, values[p.count], values))
            start = partial(experiment, self.tutor.retriever, self.tutor.model, question, hows, 1)
            if not self.trials.put(tab(request), start):
                raise BadRequest(BUSY)
            empty = {p.passages: "", p.columns: "", p.chart: "", p.variation: ""}
            return {**empty, **self._buttons(None, running=True), p.line: _status("Searching the notes…")}

        return guarded(begun, p.line)

    def again(self, request: gr.Request) -> Changes:
        """Another round of the experiment shown, each strategy with its next seed."""
        p = self.parts
        page = tab(request)
        held = self.trials.get(page)
        if held is None or held.value is None:
            return {p.line: gr.skip()}
        lab = held.value
        model, retriever = self.tutor.model, self.tutor.retriever
        start = partial(experiment, retriever, model, lab.question, lab.hows, 1, earlier=lab)

        def begun() -> Changes:
            if not self.trials.put(page, start, lab):
                raise BadRequest(BUSY)
            return {**self._buttons(None, running=True), p.line: _status("Reading the passages…")}

        return guarded(begun, p.line)

    def follow(self, request: gr.Request) -> Iterator[Changes]:
        """Show the page's experiment as it grows."""
        trial = self.trials.get(tab(request))
        if trial is None or not trial.running:
            yield {self.parts.line: gr.skip()}
            return
        told = False
        for _ in trial.updates():
            yield self._shown(trial, passages=not told)
            told = trial.value is not None

    def settle(self, request: gr.Request) -> Changes:
        """After an experiment, however it ended: show all of it, and say what went wrong."""
        trial = self.trials.over(tab(request))
        if trial is None:
            return {self.parts.line: gr.skip()}
        changes = self._shown(trial, passages=True)
        if trial.mishap:
            changes[self.parts.line] = error_line(trial.mishap)
        return changes

    def stop(self, request: gr.Request) -> None:
        """Stop the experiment and keep what there is of it."""
        self.trials.stop(tab(request))

    def pick(self, event: gr.EventData, request: gr.Request) -> Changes:
        """A token chosen in a column."""
        return self._picked(request, int(event.run), int(event.token))

    def step(self, event: gr.EventData, request: gr.Request) -> Changes:
        """The token before or after the one whose chart is shown."""
        trial = self.trials.get(tab(request))
        at = _at(trial) if trial else None
        if at is None:
            return {self.parts.chart: gr.skip()}
        return self._picked(request, at[0], at[1] + (1 if int(event.by) > 0 else -1), mark=True)

    def leave(self, request: gr.Request) -> None:
        """The page is gone: free the engine."""
        self.trials.drop(tab(request))

    def _picked(self, request: gr.Request, run: int, token: int, mark: bool = False) -> Changes:
        p = self.parts
        trial = self.trials.get(tab(request))
        found = lab_view.token_chart(trial.value, (run, token)) if trial and trial.value else ""
        if not trial or not trial.value or not found:
            return {p.chart: gr.skip()}
        trial.picked = (run, token)
        shown: Changes = {p.chart: found}
        if mark:
            shown[p.columns] = lab_view.columns(trial.value, trial.picked, trial.running)
        return shown

    def _shown(self, trial: Trial[Experiment], passages: bool) -> Changes:
        p = self.parts
        changes = self._buttons(trial, trial.running)
        lab = trial.value
        if trial.waiting:
            changes[p.line] = _status(f"You are number {trial.waiting} in the line…")
        elif trial.running and (lab is None or lab.stage == "reading"):
            changes[p.line] = _status("Reading the passages…")
        else:
            changes[p.line] = ""
        if lab is None:
            return changes
        at = _at(trial)
        changes[p.columns] = lab_view.columns(lab, at, trial.running)
        changes[p.chart] = lab_view.token_chart(lab, at) if at else ""
        if passages:
            changes[p.passages] = lab_view.passages(lab)
        if not trial.running:
            changes[p.variation] = lab_view.variation_table(lab)
        return changes

    def _buttons(self, trial: Trial[Experiment] | None, running: bool) -> Changes:
        p = self.parts
        can = bool(trial and trial.value and trial.value.runs) and not running
        return {
            p.run: gr.Button(visible=not running),
            p.stop: gr.Button(visible=running),
            p.again: gr.Button(interactive=can),
        }


def _at(trial: Trial[Experiment]) -> tuple[int, int] | None:
    """The token whose chart is shown: the one picked, if the round has got that far."""
    lab = trial.value
    if lab is None:
        return None
    if trial.picked and lab_view.token_chart(lab, trial.picked):
        return trial.picked
    return lab_view.first_choice(lab)


def _status(words: str) -> str:
    return f'<p class="ut-stage" role="status">{words}</p>'


def build(tutor: Tutor | LivingTutor, line: Queue | None = None) -> None:
    """Put the lab in the page being built; its experiments wait in `line`."""
    with gr.Column(elem_id="lab"):
        gr.HTML(HEAD)
        if isinstance(tutor.model, Comparing):
            _wire(tutor, _form(tutor.starters), line)
        else:
            gr.HTML(f'<p class="lab-remote">{REMOTE} The example below needs none.</p>')
        with gr.Row(elem_id="lab-learn", equal_height=False):
            with gr.Column(min_width=320):
                example.build()
            with gr.Column(min_width=320):
                gr.HTML(lab_view.legend())


def _form(starters: tuple[str, ...]) -> Parts:
    question = gr.Textbox(
        label="Question",
        placeholder="Ask about the notes",
        lines=1,
        max_lines=4,
        elem_id="lab-question",
        autofocus=True,
    )
    with gr.Row(elem_id="lab-starters"):
        for starter in starters:
            button = gr.Button(starter, size="sm", variant="secondary", min_width=0)
            button.click(partial(str, starter), None, question, **QUIET)
    with gr.Row(elem_id="lab-pickers", equal_height=False):
        cards = [
            pickers.build(name, number, number <= pickers.SHOWN)
            for number, name in enumerate(pickers.START, 1)
        ]
    with gr.Row(elem_id="lab-buttons"):
        run = gr.Button("Run", variant="primary", elem_id="lab-run", min_width=110)
        stop = gr.Button("Stop", variant="primary", visible=False, elem_id="lab-stop", min_width=110)
        again = gr.Button(
            "Run again with another seed", interactive=False, elem_id="lab-again", min_width=210
        )
        more = gr.Button("Add a strategy", elem_id="lab-more", min_width=130)
        fewer = gr.Button("Remove the last", elem_id="lab-fewer", min_width=130)
    return Parts(
        question=question,
        pickers=cards,
        count=gr.State(pickers.SHOWN),
        more=more,
        fewer=fewer,
        run=run,
        stop=stop,
        again=again,
        line=gr.HTML(elem_id="lab-line"),
        passages=gr.HTML(elem_id="lab-passages"),
        columns=gr.HTML(elem_id="lab-columns", js_on_load=COLUMNS_JS),
        chart=gr.HTML(elem_id="lab-chart", js_on_load=CHART_JS),
        variation=gr.HTML(elem_id="lab-variation"),
    )


def _wire(tutor: Tutor | LivingTutor, p: Parts, line: Queue | None) -> None:
    page = Lab(tutor, p, line)
    shown = p.shown()
    for event, handler, read in (
        (p.run.click, page.run, p.inputs()),
        (p.question.submit, page.run, p.inputs()),
        (p.again.click, page.again, None),
    ):
        followed(event(handler, read, shown, **QUIET), page.follow, page.settle, shown)
    p.stop.click(page.stop, None, None, **QUIET)  # following ends once the engine has stopped
    p.columns.pick(page.pick, None, [p.chart], **EACH)
    p.chart.step(page.step, None, [p.chart, p.columns], **EACH)
    cards = [one.card for one in p.pickers]
    for button, by in ((p.more, 1), (p.fewer, -1)):
        button.click(partial(_counted, by), p.count, [p.count, p.more, p.fewer, *cards], **QUIET)
    context = gr.context.Context.root_block
    assert context is not None
    context.unload(page.leave)


def _counted(by: int, count: int) -> list[Any]:
    count = min(MOST, max(FEWEST, count + by))
    buttons = [gr.Button(interactive=count < MOST), gr.Button(interactive=count > FEWEST)]
    return [count, *buttons, *(gr.Column(visible=number < count) for number in range(MOST))]
