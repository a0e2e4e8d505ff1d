"""The page that checks texts: a pasted one, an earlier conversation, or a file of answers.

What is not here: how texts are read from a file (ui/texts.py), checked (ui/checking.py) and shown
(ui/web/check_view.py). What is chosen stays in memory and is gone with the page.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest, UnitutorError
from rag.sessions import Sessions
from ui import report
from ui.checking import Run, check_all, judge_of
from ui.report import About
from ui.terminal import one_line
from ui.texts import TABLES, Text, checked_length, texts
from ui.web import check_view
from ui.web.check_form import HEAD, KINDS, MOST, TYPES, Parts, form
from ui.web.text import escaped
from ui.web.trial import Trial, Trials
from ui.web.view import Changes, error_line, guarded
from ui.web.who import owner, tab
from ui.web.wiring import QUIET, SAVE_JS, followed

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.queueing import Queue
    from ui.tutor import Tutor

LISTED = 200  # conversations to choose from, the latest
LARGEST = 2 * 1024 * 1024  # bytes of a file; check.js knows it, too
SUFFIXES = (*TABLES, ".jsonl")
BUSY = "The last check still runs. Press Esc to stop it."


class Check:
    """The handlers of one page. A `request`'s session tells the tabs apart."""

    def __init__(
        self, tutor: Tutor | LivingTutor, sessions: Sessions, parts: Parts, line: Queue | None = None
    ) -> None:
        """Texts are checked with `tutor`, in `line`; conversations come from `sessions`."""
        self.tutor = tutor
        self.sessions = sessions
        self.parts = parts
        self.trials = Trials[Run](line)

    def choose(self, kind: str | None, request: gr.Request) -> list[Any]:
        """What belongs to the kind of input: the text, the conversations as they are now, the file."""
        shown = [gr.update(visible=kind == one) for one in KINDS]
        try:
            kept = self.sessions.of(owner(request)).list(limit=LISTED)
        except UnitutorError:
            kept = ()
        choices = [(_titled(one.title, one.updated), one.id) for one in kept]
        shown[1] = gr.update(visible=kind == KINDS[1], choices=choices)
        return shown

    def take(self, event: gr.EventData) -> Changes:
        """A file chosen on the page: its name, its bytes in base64, '' where it is too large."""
        p = self.parts
        name = one_line(str(event.name), 80)
        try:
            found = _texts(name, str(event.code))
        except UnitutorError as error:
            return {p.given: None, p.told: error_line(str(error))}
        bad = [text.error for text in found if text.error]
        more = f" {len(bad)} of them cannot be checked. {bad[0]}" if bad else ""
        count = f"{len(found):,} text{'' if len(found) == 1 else 's'}"
        told = f'<p class="ck-told" role="status"><b>{escaped(name)}</b>: {count}.{escaped(more)}</p>'
        return {p.given: tuple(found), p.told: told}

    def run(self, values: Changes, request: gr.Request) -> Changes:
        """Check what is chosen."""
        p = self.parts
        model = None if values[p.fast] else judge_of(self.tutor)

        def begun() -> Changes:
            chosen, retriever = self._chosen(values, request), self.tutor.retriever
            if not self.trials.put(tab(request), lambda halt, _: check_all(chosen, retriever, model, halt)):
                raise BadRequest(BUSY)
            return {
                **self._buttons(None, running=True),
                p.line: _progress("Reading the notes…", 0, 0),
                p.results: "",
                p.about: About(datetime.now().astimezone(), model is not None, "the course's notes"),
            }

        return guarded(begun, p.line)

    def follow(self, request: gr.Request) -> Iterator[Changes]:
        """Show the page's check as it goes on."""
        trial = self.trials.get(tab(request))
        if trial is None or not trial.running:
            yield {self.parts.line: gr.skip()}
            return
        began = time.monotonic()
        for _ in trial.updates(at_most_every=0.4):
            yield self._shown(trial, time.monotonic() - began)

    def settle(self, request: gr.Request) -> Changes:
        """After a check, however it ended: show all of it, and say what went wrong."""
        trial = self.trials.over(tab(request))
        if trial is None:
            return {self.parts.line: gr.skip()}
        changes = self._shown(trial, 0)
        if trial.mishap:
            changes[self.parts.line] = error_line(trial.mishap)
        return changes

    def stop(self, request: gr.Request) -> None:
        """Stop the check and keep what there is of it."""
        self.trials.stop(tab(request))

    def saving(self, suffix: str) -> Callable[..., Any]:
        """What gives the report of a format as a file for the browser to keep."""

        def save(about: About | None, request: gr.Request) -> Any:
            trial = self.trials.get(tab(request))
            if trial is None or trial.value is None or about is None:
                return gr.skip()
            text = report.report(suffix, trial.value.checked, about)
            mark = "\ufeff" if suffix == ".csv" else ""  # by which spreadsheets know UTF-8
            name = f"grounding-{about.made:%Y-%m-%d-%H%M}{suffix}"
            return {"name": name, "text": mark + text, "type": TYPES[suffix]}

        return save

    def leave(self, request: gr.Request) -> None:
        """The page is gone: free the engine."""
        self.trials.drop(tab(request))

    def _chosen(self, values: Changes, request: gr.Request) -> Sequence[Text]:
        p = self.parts
        if values[p.kind] == KINDS[0]:
            return [Text("text", checked_length(values[p.text] or ""))]
        if values[p.kind] == KINDS[1]:
            if not values[p.talk]:
                raise BadRequest("Choose a conversation first.")
            kept = enumerate(self.sessions.of(owner(request)).records(values[p.talk]), 1)
            answers = [Text(n, one.answer.answer, None, one.answer.question) for n, one in kept]
            answers = [one for one in answers if one.text.strip()]
            if not answers:
                raise BadRequest("This conversation has no answer to check.")
            return answers
        if not values[p.given]:
            raise BadRequest("Choose a file with texts first.")
        found: Sequence[Text] = values[p.given]
        return found

    def _shown(self, trial: Trial[Run], seconds: float) -> Changes:
        p = self.parts
        changes = self._buttons(trial, trial.running)
        run = trial.value
        if trial.waiting:
            changes[p.line] = _progress(f"You are number {trial.waiting} in the line…", 0, 0)
        if run is None:
            return changes
        changes[p.results] = check_view.results(run, trial.running)
        if trial.running:
            what = f"Sentence {min(run.done + 1, run.total):,} of {run.total:,}"
            changes[p.line] = _progress(what + _left(run, seconds), run.done, run.total)
        else:
            stopped = any(not one.whole and not one.error for one in run.checked) or run.done < run.total
            changes[p.line] = _ended(run, stopped)
        return changes

    def _buttons(self, trial: Trial[Run] | None, running: bool) -> Changes:
        p = self.parts
        can = bool(trial and trial.value and trial.value.checked) and not running
        return {
            p.run: gr.Button(visible=not running),
            p.stop: gr.Button(visible=running),
            p.saves: gr.Row(visible=can),
        }


def build(tutor: Tutor | LivingTutor, sessions: Sessions, line: Queue | None = None) -> None:
    """Put the check in the page being built; what it checks waits in `line`."""
    with gr.Column(elem_id="check"):
        gr.HTML(HEAD)
        _wire(tutor, sessions, form(judge_of(tutor) is not None), line)


def _wire(tutor: Tutor | LivingTutor, sessions: Sessions, p: Parts, line: Queue | None) -> None:
    page = Check(tutor, sessions, p, line)
    shown = p.shown()
    chosen = [p.text, p.talk, p.file]
    p.kind.change(page.choose, p.kind, chosen, **QUIET)
    p.drop.chosen(page.take, None, [p.given, p.told], **QUIET)
    followed(p.run.click(page.run, p.inputs(), shown, **QUIET), page.follow, page.settle, shown)
    p.stop.click(page.stop, None, None, **QUIET)  # following ends once the engine has stopped
    for button, suffix in zip(p.buttons, TYPES, strict=True):
        saved = button.click(page.saving(suffix), p.about, p.download, **QUIET)
        saved.then(None, p.download, None, js=SAVE_JS, **QUIET)
    context = gr.context.Context.root_block
    assert context is not None
    context.unload(page.leave)


def _texts(name: str, code: str) -> list[Text]:
    """The texts of an uploaded file. Raises BadRequest where it is not one."""
    if not name.lower().endswith(SUFFIXES):
        raise BadRequest(f"{name} is not a file of answers: choose a .csv, .tsv or .jsonl file.")
    try:
        raw = base64.b64decode(code, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"{name} did not arrive whole: choose it again.") from error
    if not code or len(raw) > LARGEST:
        raise BadRequest(f"{name} is empty, or larger than 2 MB: choose another, or split it.")
    found = texts(raw, name)
    if not found:
        raise BadRequest(f"{name} holds no text to check.")
    if len(found) > MOST:
        raise BadRequest(
            f"{name} holds {len(found):,} texts, and at most {MOST:,} are checked here: split it."
        )
    if all(one.error for one in found):
        raise BadRequest(f"{name} holds nothing that can be checked. {found[0].error}")
    return found


def _titled(title: str, updated: float) -> str:
    return f"{title or 'Conversation'} ({date.fromtimestamp(updated):%Y-%m-%d})"


def _progress(words: str, done: int, total: int) -> str:
    value = f' value="{done}" max="{total}"' if total else ""
    return f'<div class="ck-progress"><p>{words}</p><progress{value} aria-label="Progress"></progress></div>'


def _left(run: Run, seconds: float) -> str:
    """'; about 3 min left', once that can be told."""
    if run.done < 5 or seconds < 5:
        return ""
    left = seconds / run.done * (run.total - run.done)
    return f"; about {left / 60:.0f} min left" if left >= 90 else f"; about {max(1, left):.0f} s left"


def _ended(run: Run, stopped: bool) -> str:
    words = f"Stopped after {run.done:,} of {run.total:,} sentences." if stopped else ""
    return f'<p class="ck-note" role="status">{words or "Checked."}</p>'
