"""The components of the page that checks texts; what they do is in ui/web/check.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

KINDS = ("A text", "A conversation", "A file of answers")
MOST = 2_000  # texts of a file
TYPES = {".html": "text/html", ".csv": "text/csv", ".json": "application/json"}
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


def form(full: bool) -> Parts:
    """Put them in the page being built; `full` where there is something that judges."""
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
