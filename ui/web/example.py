"""The course's own example on the lab page: four words, and what a strategy keeps of them; no model."""

from __future__ import annotations

import gradio as gr

from ingest.errors import BadRequest
from rag.lab import course_example
from ui.web.chart import chart
from ui.web.lab_view import NAMES, titled
from ui.web.pickers import VALUES, chosen
from ui.web.view import error_line
from ui.web.wiring import QUIET

START = "top-k"
NOTES = {"top-k": 2.0, "top-p": 0.8, "min-p": 0.6}  # the values that the notes go through
CAPTION = "<h3>I’m feeling …</h3><p>{}</p>"


def build() -> None:
    """Put the example in the page."""
    gr.HTML(
        "<h2>The course’s example, without a model</h2><p>A phone offers the next word after “I’m feeling”. "
        "Choose a strategy and see which of the four words it keeps.</p>",
        elem_classes="lab-prose",
    )
    with gr.Row(elem_id="lab-example-set", elem_classes="lab-numbers"):
        named = [(words, name) for name, words in NAMES.items() if name != "beam"]
        name = gr.Dropdown(named, value=START, label="Strategy", min_width=170)
        label, _, step = VALUES[START]
        value = gr.Number(NOTES[START], label=label, step=step, min_width=80, elem_id="lab-example-value")
        temperature = gr.Number(
            1.0, label="Temperature", step=0.1, min_width=80, elem_id="lab-example-temperature"
        )
    drawn = gr.HTML(example(START, NOTES[START], 1.0), elem_id="lab-example")
    name.input(_fields, name, [value, temperature], **QUIET).then(
        example, [name, value, temperature], drawn, **QUIET
    )
    for number in (value, temperature):
        number.input(example, [name, value, temperature], drawn, **QUIET)


def example(name: str, value: float | None, temperature: float | None) -> str:
    """The example's chart, or what is wrong with the settings."""
    try:
        how = chosen(name, value, temperature, 0)
    except BadRequest as error:
        return error_line(str(error))
    heat = "" if name == "greedy" else f", temperature {how.temperature:g}"
    return chart(course_example(how), how, CAPTION.format(titled(how) + heat))


def _fields(name: str) -> tuple[gr.Number, gr.Number]:
    heat = gr.Number(visible=name != "greedy")
    if name not in NOTES:
        return gr.Number(visible=False), heat
    label, _, step = VALUES[name]
    return gr.Number(value=NOTES[name], label=label, step=step, visible=True), heat
