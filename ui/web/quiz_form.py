"""The components of the quiz page; what they do is in ui/web/quiz.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ingest.errors import BadRequest
from rag.items.types import Kind
from rag.sessions import Record
from ui.web.text import DELIMITERS

LONGEST = 200  # characters of a topic
MOST = 50  # questions of a quiz
PAGES = 60  # of a conversation that are asked about
LABELS: dict[Kind, str] = {
    "multiple-choice": "Multiple choice",
    "true-false": "True or false",
    "short-answer": "Short answer",
    "fill-in": "Fill in the blank",
}
LAYOUTS = ("One at a time", "All on a page")
TELLING = ("After each answer", "At the end")
TYPES = {".csv": "text/csv", ".json": "application/json"}
HEAD = (
    '<header class="lab-head"><div><h1>Quiz</h1><p>Questions from the notes. Only those that pass every '
    'check are asked, each with the page behind it.</p></div><a class="ut-link" href="./">Back to the '
    "chat</a></header>"
)
NO_MAKER = "New questions need the embedded language model. What was written before can be taken."
SHEET_JS = """
unitutor.quiz.start({
  act: (data) => trigger('act', data),
  keep: (data) => trigger('keep', data),
  fresh: (data) => trigger('fresh', data),
});
"""
LIST_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (!button) return;
  const {id, act} = button.dataset;
  if (act === 'open') trigger('open', {id});
  if (act === 'again') trigger('again', {id});
});
"""
VIEWER_JS = """
unitutor.evidence.start(element, {
  look: (data) => trigger('look', data),
  shut: (data) => trigger('shut', data),
}, watch);
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """The components that handlers read and change."""

    where: gr.Textbox  # the open attempt's id, '' for none
    talk: gr.Textbox  # the conversation whose pages are asked about, '' for none
    count: gr.Number
    topic: gr.Textbox
    sources: gr.Dropdown
    kinds: gr.CheckboxGroup
    layout: gr.Radio
    telling: gr.Radio
    seed: gr.Number
    run: gr.Button
    stop: gr.Button
    due: gr.Button
    shared: gr.Button
    line: gr.HTML  # what went wrong, or what is known of the attempt
    about: gr.HTML  # how the making goes, or went
    begin: gr.Button  # take what was made
    earlier: gr.HTML
    saves: gr.Row
    buttons: Sequence[gr.Button]  # that save results, one a format of TYPES
    sheet: gr.Markdown
    acts: gr.HTML  # hidden: what is done on the sheet comes from here
    viewer: gr.HTML
    reading: gr.Markdown
    download: gr.JSON

    def inputs(self) -> set[Any]:
        """What a quiz is made of."""
        return {
            self.count,
            self.topic,
            self.sources,
            self.kinds,
            self.layout,
            self.telling,
            self.seed,
        }

    def shown(self) -> list[Any]:
        """All that a handler may change."""
        shown: list[Any] = [self.where, self.talk, self.sources, self.run, self.stop, self.due, self.shared]
        shown += [self.line, self.about, self.begin, self.earlier, self.saves, self.sheet]
        return [*shown, self.viewer, self.reading]


def form(sources: tuple[str, ...], can_make: bool) -> Parts:
    """Put them in the page being built."""
    with gr.Column(elem_id="quiz-form"):
        with gr.Row(elem_classes="qz-fields"):
            count = gr.Number(10, label=f"Questions (1 to {MOST})", elem_id="quiz-count", min_width=110)
            topic = gr.Textbox(
                label="Topic", placeholder="all of the notes", elem_id="quiz-topic", max_lines=1, scale=3
            )
            files = gr.Dropdown(
                list(sources),
                value=[],
                multiselect=True,
                allow_custom_value=True,
                label="Files, or pages of them (slides.pdf:3-10)",
                elem_id="quiz-sources",
                scale=4,
            )
        kinds = gr.CheckboxGroup(
            [(words, kind) for kind, words in LABELS.items()],
            value=["multiple-choice"],
            label="Kinds of questions",
            elem_id="quiz-kinds",
        )
        with gr.Row(elem_classes="qz-fields"):
            layout = gr.Radio(list(LAYOUTS), value=LAYOUTS[0], label="Shown", min_width=220)
            telling = gr.Radio(list(TELLING), value=TELLING[0], label="What is right is told", min_width=240)
            seed = gr.Number(0, label="Seed: the same gives the same quiz", min_width=160)
        with gr.Row(elem_id="quiz-buttons"):
            run = gr.Button(
                "Write the questions",
                variant="primary",
                elem_id="quiz-run",
                interactive=can_make,
                min_width=160,
            )
            due = gr.Button("Due today", visible=False, elem_id="quiz-due", min_width=130)
            shared = gr.Button("The instructor's set", visible=False, elem_id="quiz-shared", min_width=160)
    stop = gr.Button("Stop", variant="primary", visible=False, elem_id="quiz-stop", min_width=110)
    line = gr.HTML("" if can_make else f'<p class="qz-quiet">{NO_MAKER}</p>', elem_id="quiz-line")
    about = gr.HTML(elem_id="quiz-about")
    begin = gr.Button("Take this quiz", variant="primary", visible=False, elem_id="quiz-begin", min_width=140)
    with gr.Row(elem_id="quiz-taking", equal_height=False):
        with gr.Column(scale=3, min_width=320):
            sheet = gr.Markdown(
                elem_id="quiz-sheet",
                latex_delimiters=DELIMITERS,
                sanitize_html=True,
                container=False,
                show_label=False,
            )
            acts = gr.HTML(elem_id="quiz-acts", js_on_load=SHEET_JS)
        with gr.Column(scale=2, min_width=300, elem_id="quiz-aside"), gr.Column(elem_id="ut-view"):
            viewer = gr.HTML(js_on_load=VIEWER_JS)
            reading = gr.Markdown(
                elem_id="ut-reading",
                latex_delimiters=DELIMITERS,
                sanitize_html=True,
                container=False,
                show_label=False,
            )
    with gr.Column(elem_id="quiz-past"):
        earlier = gr.HTML(elem_id="quiz-earlier", js_on_load=LIST_JS)
        with gr.Row(visible=False, elem_id="quiz-saves") as saves:
            buttons = [
                gr.Button(f"Results as {suffix[1:].upper()}", size="sm", min_width=130) for suffix in TYPES
            ]
    return Parts(
        where=gr.Textbox(visible="hidden", elem_id="quiz-where"),
        talk=gr.Textbox(visible="hidden", elem_id="quiz-talk"),
        count=count,
        topic=topic,
        sources=files,
        kinds=kinds,
        layout=layout,
        telling=telling,
        seed=seed,
        run=run,
        stop=stop,
        due=due,
        shared=shared,
        line=line,
        about=about,
        begin=begin,
        earlier=earlier,
        saves=saves,
        buttons=buttons,
        sheet=sheet,
        acts=acts,
        viewer=viewer,
        reading=reading,
        download=gr.JSON(visible=False),
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What a quiz is to be."""

    count: int
    kinds: tuple[Kind, ...]
    topic: str  # '' for all
    sources: tuple[str, ...]  # words of rag/filters.py; () for all
    seed: int

    @property
    def title(self) -> str:
        """What it is called in the list."""
        more = " and others" if len(self.sources) > 1 else ""
        return self.topic or (self.sources[0] + more if self.sources else "All notes")


def wished(values: Mapping[Any, Any], p: Parts) -> Wish:
    """What the form asks for. Raises BadRequest where it cannot be had."""
    kinds = tuple(kind for kind in LABELS if kind in (values[p.kinds] or ()))
    topic = " ".join((values[p.topic] or "").split())
    if not kinds:
        raise BadRequest("Choose at least one kind of questions.")
    if len(topic) > LONGEST:
        raise BadRequest(f"A topic may have {LONGEST} characters, not {len(topic):,}: shorten it.")
    sources = tuple(str(one) for one in values[p.sources] or ())
    return Wish(count_of(values[p.count]), kinds, topic, sources, seed_of(values[p.seed]))


def cited(records: Sequence[Record], known: Sequence[str]) -> list[str]:
    """The pages that a conversation's answers cite, as words of rag/filters.py; of known files only."""
    words = {
        one.source if one.page is None else f"{one.source}:{one.page}": None
        for record in records
        if not record.answer.refused
        for one in record.answer.citations
        if one.source in known
    }
    return list(words)[:PAGES]


def count_of(value: Any) -> int:
    """How many questions. Raises BadRequest for what is no such number."""
    if not _whole(value) or not 1 <= value <= MOST:
        raise BadRequest(f"A quiz may have 1 to {MOST} questions.")
    return int(value)


def seed_of(value: Any) -> int:
    """The seed, 0 for none. Raises BadRequest for what is no such number."""
    if value is None:
        return 0
    if not _whole(value) or not 0 <= value < 2**31:
        raise BadRequest("A seed is a whole number from 0 to 2,147,483,647.")
    return int(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int | float) and float(value).is_integer()
