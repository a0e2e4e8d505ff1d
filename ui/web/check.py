"""The page that checks texts: a pasted one, an earlier conversation, or a file of answers.

What is not here: how texts are read from a file (ui/texts.py), checked (ui/checking.py) and shown
(ui/web/check_view.py). What is chosen stays in memory and is gone with the page.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest, UnitutorError
from rag.grounding import Judging
from rag.sessions import Sessions
from ui import report
from ui.checking import Run, check_all
from ui.report import About
from ui.terminal import one_line
from ui.texts import TABLES, Text, checked_length, texts
from ui.web import check_view
from ui.web.pickers import QUIET
from ui.web.text import escaped
from ui.web.trial import Trial, Trials
from ui.web.view import Changes, error_line

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor

KINDS = ("A text", "A conversation", "A file of answers")
LISTED = 200  # conversations to choose from, the latest
LARGEST = 2 * 1024 * 1024  # bytes of a file; check.js knows it, too
MOST = 2_000  # texts of a file
SUFFIXES = (*TABLES, ".jsonl")
TYPES = {".html": "text/html", ".csv": "text/csv", ".json": "application/json"}
BUSY = "The last check still runs. Press Esc to stop it."
HEAD = (
    '<header class="lab-head"><div><h1>Check a text</h1><p>Sentence by sentence: do the notes say so, in '
    'which words, on which page?</p></div><a class="ut-link" href="./">Back to the chat</a></header>'
)
DROP = (
    '<label class="ck-drop"><input type="file" accept=".csv,.tsv,.jsonl"><span><b>Choose a file</b> or drop '
    "it here</span></label><p>CSV or JSON lines with id and text (or answer) and, if you like, question and "
    f"passages; at most 2&nbsp;MB and {MOST:,} texts. What <code>unitutor ask --batch</code> writes fits as "
    "it is. For longer batches: <code>unitutor ground --batch</code>.</p>"
)
FILE_JS = "unitutor.check.file(element, (file) => trigger('chosen', file));"
RESULTS_JS = "unitutor.check.results(element, watch);"
SAVE_JS = "(file) => { window.unitutor.save(file); }"


@dataclass(frozen=True, slots=True)
class Parts:
    """The components that handlers read and change."""

    kind: gr.Radio
    text: gr.Textbox
    talk: gr.Dropdown  # a conversation's id
    file: gr.Column
    drop: gr.HTML  # where it is chosen
    told: gr.HTML  # what the file holds
    given: gr.State  # its texts, or None
    fast: gr.Checkbox
    run: gr.Button
    stop: gr.Button
    line: gr.HTML  # what went wrong, or how far it is
    results: gr.HTML
    saves: gr.Row
    buttons: Sequence[gr.Button]  # that save, one a format of TYPES
    about: gr.State  # of the check shown
    download: gr.JSON

    def inputs(self) -> set[Any]:
        """What a check is made of."""
        return {self.kind, self.text, self.talk, self.given, self.fast}

    def shown(self) -> list[Any]:
        """All that a check changes."""
        return [self.run, self.stop, self.line, self.results, self.saves, self.about]


class Check:
    """The handlers of one page. A `request`'s session tells the tabs apart."""

    def __init__(self, tutor: Tutor | LivingTutor, sessions: Sessions, parts: Parts) -> None:
        """Texts are checked with `tutor`; conversations come from `sessions`."""
        self.tutor = tutor
        self.sessions = sessions
        self.parts = parts
        self.trials = Trials[Run]()

    def choose(self, kind: str | None = None) -> list[Any]:
        """What belongs to the kind of input: the text, the conversations as they are now, the file."""
        shown = [gr.update(visible=kind == one) for one in KINDS]
        try:
            kept = self.sessions.list(limit=LISTED)
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
        model = self.tutor.model if can_judge(self.tutor) and not values[p.fast] else None
        try:
            chosen = self._chosen(values)
        except UnitutorError as error:
            return {p.line: error_line(str(error))}
        retriever = self.tutor.retriever
        if not self.trials.put(
            str(request.session_hash), lambda halt, _: check_all(chosen, retriever, model, halt)
        ):
            return {p.line: error_line(BUSY)}
        return {
            **self._buttons(None, running=True),
            p.line: _progress("Reading the notes…", 0, 0),
            p.results: "",
            p.about: About(datetime.now().astimezone(), model is not None, "the course's notes"),
        }

    def follow(self, request: gr.Request) -> Iterator[Changes]:
        """Show the page's check as it goes on."""
        trial = self.trials.get(str(request.session_hash))
        if trial is None or not trial.running:
            yield {self.parts.line: gr.skip()}
            return
        began = time.monotonic()
        for _ in trial.updates(at_most_every=0.4):
            yield self._shown(trial, time.monotonic() - began)
        if trial.error is not None and not isinstance(trial.error, UnitutorError):
            raise trial.error

    def settle(self, request: gr.Request) -> Changes:
        """After a check, however it ended: show all of it, and say what went wrong."""
        trial = self.trials.get(str(request.session_hash))
        if trial is None or trial.running:
            return {self.parts.line: gr.skip()}
        changes = self._shown(trial, 0)
        if isinstance(trial.error, UnitutorError):
            changes[self.parts.line] = error_line(str(trial.error))
        return changes

    def stop(self, request: gr.Request) -> Changes:
        """Stop the check and keep what there is of it."""
        trial = self.trials.get(str(request.session_hash))
        if trial is not None and trial.running:
            trial.stop()
        return self.settle(request)

    def saving(self, suffix: str) -> Callable[..., Any]:
        """What gives the report of a format as a file for the browser to keep."""

        def save(about: About | None, request: gr.Request) -> Any:
            trial = self.trials.get(str(request.session_hash))
            if trial is None or trial.value is None or about is None:
                return gr.skip()
            text = report.report(suffix, trial.value.checked, about)
            mark = "\ufeff" if suffix == ".csv" else ""  # by which spreadsheets know UTF-8
            name = f"grounding-{about.made:%Y-%m-%d-%H%M}{suffix}"
            return {"name": name, "text": mark + text, "type": TYPES[suffix]}

        return save

    def leave(self, request: gr.Request) -> None:
        """The page is gone: free the engine."""
        self.trials.drop(str(request.session_hash))

    def _chosen(self, values: Changes) -> Sequence[Text]:
        p = self.parts
        if values[p.kind] == KINDS[0]:
            return [Text("text", checked_length(values[p.text] or ""))]
        if values[p.kind] == KINDS[1]:
            if not values[p.talk]:
                raise BadRequest("Choose a conversation first.")
            kept = enumerate(self.sessions.records(values[p.talk]), 1)
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


def can_judge(tutor: Tutor | LivingTutor) -> bool:
    """Whether the language model can take part in a check: one behind a URL does not tell enough."""
    return isinstance(tutor.model, Judging)


def build(tutor: Tutor | LivingTutor, sessions: Sessions) -> None:
    """Put the check in the page being built."""
    with gr.Column(elem_id="check"):
        gr.HTML(HEAD)
        _wire(tutor, sessions, _form(can_judge(tutor)))


def _form(full: bool) -> Parts:
    kind = gr.Radio(list(KINDS), value=KINDS[0], label="What to check", elem_id="check-kind")
    text = gr.Textbox(
        label="Text",
        placeholder="Paste an answer, a summary, an essay",
        lines=7,
        max_lines=18,
        elem_id="check-text",
    )
    talk = gr.Dropdown([], label="Conversation", visible=False, elem_id="check-talk")
    with gr.Column(visible=False, elem_id="check-file") as file:
        drop = gr.HTML(DROP, js_on_load=FILE_JS)
        told = gr.HTML(elem_id="check-told")
    with gr.Row(elem_id="check-buttons"):
        run = gr.Button("Check", variant="primary", elem_id="check-run", min_width=110)
        stop = gr.Button("Stop", variant="primary", visible=False, elem_id="check-stop", min_width=110)
        fast = gr.Checkbox(
            value=not full,
            interactive=full,
            label="Fast: wording and nearness alone, without the language model",
            elem_id="check-fast",
            container=False,
        )
    line = gr.HTML(elem_id="check-line")
    with gr.Row(visible=False, elem_id="check-saves") as saves:
        buttons = [gr.Button(f"Save as {suffix[1:].upper()}", size="sm", min_width=110) for suffix in TYPES]
    return Parts(
        kind=kind,
        text=text,
        talk=talk,
        file=file,
        drop=drop,
        told=told,
        given=gr.State(None),
        fast=fast,
        run=run,
        stop=stop,
        line=line,
        results=gr.HTML(elem_id="check-results", js_on_load=RESULTS_JS),
        saves=saves,
        buttons=buttons,
        about=gr.State(None),
        download=gr.JSON(visible=False),
    )


def _wire(tutor: Tutor | LivingTutor, sessions: Sessions, p: Parts) -> None:
    page = Check(tutor, sessions, p)
    shown = p.shown()
    chosen = [p.text, p.talk, p.file]
    p.kind.change(page.choose, p.kind, chosen, **QUIET)
    p.drop.chosen(page.take, None, [p.given, p.told], **QUIET)
    followed = p.run.click(page.run, p.inputs(), shown, **QUIET).then(
        page.follow, None, shown, concurrency_limit=None, show_progress="hidden", api_visibility="private"
    )
    followed.then(page.settle, None, shown, **QUIET)
    p.stop.click(page.stop, None, shown, cancels=[followed], **QUIET)
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
