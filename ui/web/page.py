"""The chat page's components and which handler each event goes to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.feedback import REASONS, Feedback
from rag.sessions import Sessions
from ui.web import carrying, navigation
from ui.web import controls as controls_module
from ui.web import recall as recalling
from ui.web.chat import Chat
from ui.web.evidence import Evidence
from ui.web.side import Side
from ui.web.text import DELIMITERS, escaped
from ui.web.view import Parts
from ui.web.wiring import EACH, QUIET, SAVE_JS, followed

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.queueing import Queue
    from ui.tutor import Tutor

WELCOME = """<div class="ut-welcome"><h2>Ask your notes</h2>
<p>Answers come only from this course's notes, each with the page behind it.</p></div>"""

# What the list does with clicks: the handlers are named by what they are sent.
LIST_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (!button) return;
  const {id, act, turn} = button.dataset;
  if (act === 'open') unitutor.turn(id, turn, () => trigger('open', {id}));
  if (act === 'delete') trigger('delete', {id});
  if (act === 'restore') trigger('restore', {id});
  if (act === 'pin') trigger('pin', {id, on: button.getAttribute('aria-pressed') !== 'true'});
  if (act === 'more') unitutor.list.more((count) => trigger('more', {count}));
  if (act === 'rename') unitutor.rename(button, (title) => trigger('rename', {id, title}));
});
unitutor.list.keys(element);
"""

# The page's script learns here what can be wrong with an answer.
VIEWER = f'<span hidden data-reasons="{escaped(json.dumps(REASONS))}"></span>${{value}}'
VIEWER_JS = """
unitutor.evidence.start(element, {
  look: (data) => trigger('look', data),
  shut: (data) => trigger('shut', data),
  narrow: (data) => trigger('narrow', data),
  thumb: (data) => trigger('thumb', data),
  judge: (data) => trigger('judge', data),
}, watch);
"""
# The quiz page asks about the pages that the conversation's answers cite.
QUIZ_JS = "(id) => { location.assign('quiz?c=' + encodeURIComponent(id)); }"


def build(
    tutor: Tutor | LivingTutor, sessions: Sessions, queue: Queue | None = None, accounts: bool = False
) -> None:
    """Put the chat in the Blocks being built; questions wait in `queue`, or in one of its own."""
    feedback = Feedback(sessions.database)
    with gr.Sidebar(width=280, elem_id="ut-sidebar"):
        gr.HTML('<div class="ut-brand"><b>Unitutor</b><span>answers from your notes</span></div>')
        navigation.build(accounts)
        new = gr.Button("New chat", elem_id="ut-new", size="md")
        passing = gr.Button("Temporary chat", elem_id="ut-temporary", size="sm")
        search = gr.Textbox(
            placeholder="Search conversations",
            show_label=False,
            container=False,
            max_lines=1,
            elem_id="ut-search",
        )
        found = gr.HTML(elem_id="ut-found", js_on_load=LIST_JS)
        side = gr.HTML(elem_id="ut-conversations", js_on_load=LIST_JS)
        bring = gr.HTML(carrying.IMPORT, elem_id="ut-bring", js_on_load=carrying.IMPORT_JS)
    with gr.Row(elem_id="ut-main", equal_height=False):
        with gr.Column(scale=3, min_width=320, elem_id="ut-talk"):
            with gr.Row(elem_id="ut-top"):
                title = gr.HTML(elem_id="ut-title")
                quiz = gr.Button("Quiz me on this", size="sm", elem_id="ut-quiz", scale=0, min_width=120)
                export = gr.Button("Export", size="sm", elem_id="ut-export", scale=0, min_width=80)
                kinds = gr.HTML(carrying.EXPORT_AS, elem_id="ut-export-as", js_on_load=carrying.EXPORT_JS)
            chat = gr.Chatbot(
                elem_id="ut-chat",
                show_label=False,
                container=False,
                layout="panel",
                height=None,
                placeholder=WELCOME,
                examples=[{"text": starter} for starter in tutor.starters],
                buttons=["copy"],
                editable="user",
                latex_delimiters=DELIMITERS,
                sanitize_html=True,
                allow_tags=False,
                feedback_options=None,
                group_consecutive_messages=False,
            )
            with gr.Column(elem_id="ut-composer"):
                recall = gr.HTML(elem_id="ut-recall", js_on_load=recalling.JS)
                notice = gr.HTML(elem_id="ut-notice")
                line = gr.HTML(elem_id="ut-line")
                box = gr.Textbox(
                    placeholder="Ask about the notes",
                    show_label=False,
                    label="Your question",
                    lines=1,
                    max_lines=8,
                    submit_btn=True,
                    stop_btn=False,
                    autofocus=True,
                    elem_id="ut-box",
                )
                controls = controls_module.build(tutor.sources)
        with gr.Column(scale=2, min_width=300, elem_id="ut-aside"):
            with gr.Column(elem_id="ut-view"):
                viewer = gr.HTML(html_template=VIEWER, js_on_load=VIEWER_JS)
                reading = _markdown("ut-reading")
            panel = _markdown("ut-panel")
            whys = _markdown("ut-whys")
    where = gr.Textbox(visible="hidden", elem_id="ut-where")
    download = gr.JSON(visible=False)
    parts = Parts(
        where, box, line, chat, panel, whys, viewer, reading, title, side, download, controls, notice, recall,
        found,
    )  # fmt: skip
    talk = Chat(tutor, sessions, feedback, parts, queue)
    evidence = Evidence(tutor, parts, talk.view, talk.jobs)
    following = _wire(talk, parts, new, passing)
    lists = Side(talk)
    _wire_side(lists, parts, search, following)
    _wire_files(lists, parts, export, kinds, bring)
    quiz.click(None, parts.where, None, js=QUIZ_JS, queue=False, api_visibility="private")
    _wire_evidence(evidence, parts)


def _markdown(name: str) -> gr.Markdown:
    """A place for what came with the notes: it renders formulas and sanitises the rest."""
    return gr.Markdown(
        elem_id=name, latex_delimiters=DELIMITERS, sanitize_html=True, container=False, show_label=False
    )


def _wire_evidence(page: Evidence, p: Parts) -> None:
    p.viewer.look(page.look, {p.where}, [p.viewer, p.reading, p.line], **EACH)
    p.viewer.shut(page.shut, None, [p.viewer, p.reading], **EACH)
    p.viewer.narrow(page.narrow, {p.where}, [p.chat, p.line], **QUIET)
    p.viewer.thumb(page.thumb, {p.where}, [p.chat, p.line], **QUIET)
    p.viewer.judge(page.judge, {p.where}, [p.line], **QUIET)


def _wire_files(page: Side, p: Parts, export: gr.Button, kinds: gr.HTML, bring: gr.HTML) -> None:
    for saved in (
        export.click(page.export, {p.where}, [p.line, p.download], **QUIET),
        kinds.save(page.save, {p.where}, [p.line, p.download], **QUIET),
    ):
        saved.then(None, p.download, None, js=SAVE_JS, **QUIET)
    bring.bring(page.bring, {p.where}, [p.side, p.line], **QUIET)


def _wire_side(page: Side, p: Parts, search: gr.Textbox, following: list[Any]) -> None:
    shown = p.shown()
    p.side.rename(page.rename, {p.where}, shown, **QUIET)
    p.side.pin(page.pin, {p.where}, shown, **QUIET)
    p.side.delete(page.delete, {p.where}, shown, **QUIET)
    p.side.more(page.more, {p.where}, [p.side, p.line], **QUIET)
    p.side.restore(page.restore, None, shown, cancels=following, **QUIET)
    search.change(page.find, search, p.found, **{**QUIET, "trigger_mode": "always_last"})


def _wire(page: Chat, p: Parts, new: gr.Button, passing: gr.Button) -> list[Any]:
    shown = p.shown()
    asked: set[Any] = {p.where, p.box, *p.controls.inputs()}
    seen = asked | {p.chat}  # what the page shows: another tab may have gone on
    settled: set[Any] = {p.where, p.box}
    following = []
    for event, handler, given in (
        (p.box.submit, page.ask, asked),
        (p.recall.afresh, page.afresh, asked),
        (p.chat.example_select, page.example, asked),
        (p.chat.retry, page.retry, seen),
        (p.chat.edit, page.edit, seen),
    ):
        taken = event(handler, given, shown, **QUIET)
        following.append(followed(taken, page.follow, page.settle, shown, settled))
    p.box.stop(page.stop, None, None, **QUIET)  # following ends once the engine has stopped
    p.chat.undo(page.undo, {p.where, p.chat}, shown, cancels=following, **QUIET)
    new.click(page.new, None, shown, cancels=following, **QUIET)
    passing.click(page.temporary, None, shown, cancels=following, **QUIET)
    for listed in (p.side, p.found, p.recall):
        listed.open(page.open, None, shown, cancels=following, **EACH)
    p.recall.shut(lambda: "", None, p.recall, **QUIET)
    p.where.change(None, p.where, None, js="(id) => { window.unitutor.address(id); }", **EACH)
    context = gr.context.Context.root_block
    assert context is not None
    context.load(page.load, None, shown, **QUIET)
    context.unload(page.leave)
    return following
