"""The components of the instructor's desk; what they do is in ui/web/desk.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from rag.items.bank import REASONS, STATES
from rag.items.marking import WRITTEN
from rag.items.types import Item, Option
from ui.quizzing import Format
from ui.web.desk_view import WORDS
from ui.web.quiz_form import VIEWER_JS
from ui.web.text import DELIMITERS

OPTIONS = 4
HEAD = (
    '<header class="lab-head"><div><h1>Review desk</h1><p>Students get only what you approve. Keys: '
    "<kbd>a</kbd> approve, <kbd>r</kbd> reject, <kbd>e</kbd> edit, <kbd>u</kbd> undo, <kbd>j</kbd> next, "
    '<kbd>k</kbd> previous.</p></div><a class="ut-link" href="./">Back to the chat</a></header>'
)
LIST_JS = "unitutor.desk.list(element, (id) => trigger('pick', {id}), watch);"
ITEM_JS = "unitutor.desk.item((place) => trigger('another', {place}));"


@dataclass(frozen=True, slots=True)
class Parts:
    """The components that handlers read and change."""

    where: gr.Textbox  # the open item's id, '' for none
    state: gr.Radio
    queue: gr.HTML
    item: gr.Markdown
    acts: gr.HTML  # hidden: what is done on the item comes from here
    bar: gr.Row
    approve: gr.Button
    reject: gr.Button
    edit: gr.Button
    delete: gr.Button
    undo: gr.Button
    stop: gr.Button
    line: gr.HTML
    why: gr.Column  # asks for the reason of a rejection
    reason: gr.Radio
    words: gr.Textbox
    rejected: gr.Button
    kept: gr.Button
    editor: gr.Column
    stem: gr.Textbox
    texts: Sequence[gr.Textbox]  # of the options
    told: Sequence[gr.Textbox]  # to those who choose them
    answers: gr.Textbox  # that count as right, one a line, where they are written
    key: gr.Radio
    explanation: gr.Textbox
    save: gr.Button
    by_hand: gr.Button
    cancel: gr.Button
    viewer: gr.HTML
    reading: gr.Markdown
    format: gr.Dropdown
    title: gr.Textbox
    export: gr.Button
    download: gr.JSON

    def fields(self) -> list[Any]:
        """What an item is edited in."""
        return [self.stem, *self.texts, *self.told, self.answers, self.key, self.explanation]

    def inputs(self) -> set[Any]:
        """What handlers read."""
        return {self.where, self.state, self.reason, self.words, *self.fields()}

    def shown(self) -> list[Any]:
        """All that a handler may change."""
        shown = [self.where, self.state, self.queue, self.item, self.bar, self.undo, self.stop, self.line]
        shown += [self.why, self.reason, self.words, self.editor, self.viewer, self.reading, self.export]
        return [*shown, *self.fields()]


def form(formats: Mapping[str, Format], has_gate: bool) -> Parts:
    """Put them in the page being built."""
    with gr.Row(elem_id="desk-top", equal_height=False):
        state = gr.Radio(
            [(WORDS[one], one) for one in STATES], value="proposed", label="Questions", elem_id="desk-state"
        )
        with gr.Row(elem_id="desk-out", visible=bool(formats)):
            choices = [(one.about[:1].upper() + one.about[1:], name) for name, one in formats.items()]
            start = "moodle-xml" if "moodle-xml" in formats else next(iter(formats), None)
            chosen = gr.Dropdown(choices, value=start, label="Export the shared set as", min_width=200)
            title = gr.Textbox("Quiz", label="Title", max_lines=1, min_width=120)
            export = gr.Button("Export", elem_id="desk-export", interactive=False, min_width=90)
    with gr.Row(elem_id="desk-body", equal_height=False):
        queue = gr.HTML(elem_id="desk-queue", js_on_load=LIST_JS)
        with gr.Column(elem_id="desk-main", min_width=300):
            item = _markdown("desk-item")
            acts = gr.HTML(elem_id="desk-acts", js_on_load=ITEM_JS)
            with gr.Row(visible=False, elem_id="desk-bar") as bar:
                approve = gr.Button("Approve", variant="primary", elem_id="desk-approve", min_width=100)
                reject = gr.Button("Reject", elem_id="desk-reject", min_width=90)
                edit = gr.Button("Edit", elem_id="desk-edit", min_width=80)
                delete = gr.Button("Delete", elem_id="desk-delete", min_width=80)
            undo = gr.Button("Undo", elem_id="desk-undo", visible=False, min_width=80)
            stop = gr.Button("Stop", variant="primary", visible=False, elem_id="desk-stop", min_width=90)
            line = gr.HTML(elem_id="desk-line")
            with gr.Column(visible=False, elem_id="desk-why") as why:
                reason = gr.Radio(list(REASONS), label="What is wrong with it?")
                words = gr.Textbox(
                    label="In your own words (optional)", max_lines=2, elem_id="desk-words", lines=1
                )
                with gr.Row(elem_classes="dk-ways"):
                    rejected = gr.Button(
                        "Reject it", variant="primary", elem_id="desk-rejected", min_width=100
                    )
                    kept = gr.Button("Cancel", min_width=90)
            with gr.Column(visible=False, elem_id="desk-editor") as editor:
                stem = gr.Textbox(label="Question", lines=2, max_lines=8, elem_id="desk-stem")
                texts, told = [], []
                for number in range(1, OPTIONS + 1):
                    with gr.Row(elem_classes="dk-pair"):
                        texts.append(gr.Textbox(label=f"Option {number}", max_lines=4, min_width=180))
                        told.append(gr.Textbox(label="Told to who chooses it", max_lines=4, min_width=180))
                answers = gr.Textbox(label="Answers that count as right, one a line", lines=2, max_lines=8)
                key = gr.Radio([str(number) for number in range(1, OPTIONS + 1)], label="The right option")
                explanation = gr.Textbox(label="Why it is right", lines=2, max_lines=8)
                with gr.Row(elem_classes="dk-ways"):
                    save = gr.Button(
                        "Check and save",
                        variant="primary",
                        visible=has_gate,
                        elem_id="desk-save",
                        min_width=130,
                    )
                    by_hand = gr.Button(
                        "Save unchecked, marked ‘by hand’",
                        variant="secondary" if has_gate else "primary",
                        elem_id="desk-by-hand",
                        min_width=200,
                    )
                    cancel = gr.Button("Cancel", min_width=90)
        with gr.Column(elem_id="desk-aside", min_width=300), gr.Column(elem_id="ut-view"):
            viewer = gr.HTML(js_on_load=VIEWER_JS)
            reading = _markdown("ut-reading")
    return Parts(
        where=gr.Textbox(visible="hidden", elem_id="desk-where"),
        state=state,
        queue=queue,
        item=item,
        acts=acts,
        bar=bar,
        approve=approve,
        reject=reject,
        edit=edit,
        delete=delete,
        undo=undo,
        stop=stop,
        line=line,
        why=why,
        reason=reason,
        words=words,
        rejected=rejected,
        kept=kept,
        editor=editor,
        stem=stem,
        texts=texts,
        told=told,
        answers=answers,
        key=key,
        explanation=explanation,
        save=save,
        by_hand=by_hand,
        cancel=cancel,
        viewer=viewer,
        reading=reading,
        format=chosen,
        title=title,
        export=export,
        download=gr.JSON(visible=False),
    )


def filled(item: Item, p: Parts) -> dict[Any, Any]:
    """The fields with what they are edited from, those that the item's kind has."""
    written = item.kind in WRITTEN
    shown: dict[Any, Any] = {p.stem: item.stem, p.explanation: item.explanation}
    for place, (text, told) in enumerate(zip(p.texts, p.told, strict=True)):
        has = place < len(item.options) and not written
        option = item.options[place] if has else Option("", "")
        fixed = item.kind == "true-false"
        shown[text] = gr.Textbox(option.text, visible=has, interactive=not fixed)
        shown[told] = gr.Textbox(option.feedback, visible=has)
    count = 0 if written else len(item.options)
    choices = [str(number) for number in range(1, count + 1)]
    shown[p.key] = gr.Radio(choices, value=None if written else str(item.key + 1), visible=not written)
    shown[p.answers] = gr.Textbox("\n".join(option.text for option in item.options), visible=written)
    return shown


def edited(item: Item, values: Mapping[Any, Any], p: Parts) -> Item:
    """The item as the fields say; the bank checks it."""
    base = replace(
        item, stem=(values[p.stem] or "").strip(), explanation=(values[p.explanation] or "").strip()
    )
    if item.kind in WRITTEN:
        told = {option.text: option.feedback for option in item.options}
        lines = [line.strip() for line in (values[p.answers] or "").splitlines() if line.strip()]
        return replace(base, options=tuple(Option(line, told.get(line, "")) for line in lines), key=0)
    options = tuple(
        Option((values[p.texts[place]] or "").strip(), (values[p.told[place]] or "").strip())
        for place in range(min(len(item.options), OPTIONS))
    )
    key = str(values[p.key] or "")
    return replace(base, options=options, key=int(key) - 1 if key.isdecimal() else -1)


def _markdown(name: str) -> gr.Markdown:
    return gr.Markdown(
        elem_id=name, latex_delimiters=DELIMITERS, sanitize_html=True, container=False, show_label=False
    )
