"""The pages as a Gradio app. What is not here: the server that shows them (ui/web/mounting.py)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# Both are read when Gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr

from rag.sessions import Sessions
from ui.queueing import Queue
from ui.quizzing import Quizzing
from ui.web import check, desk, gaps, lab, page, quiz

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor


LONG = 4  # quizzes, checks and experiments that go on at once, beside the questions of the chat


def build_app(
    tutor: Tutor | LivingTutor,
    sessions: Sessions,
    quizzing: Quizzing | None = None,
    queue: Queue | None = None,
    accounts: bool = False,
) -> gr.Blocks:
    """The pages over a tutor, with conversations kept in `sessions`; `quizzing` makes questions.

    Questions wait in `queue`, which others may share. With `accounts` the pages are to be served by
    ui/web/mounting.py with the people who may sign in.
    """
    quizzing = quizzing or Quizzing()
    long = Queue(LONG)
    with gr.Blocks(title="Unitutor", analytics_enabled=False, fill_width=True) as app:
        page.build(tutor, sessions, queue, accounts)
    with app.route("Decoding lab", "/lab", show_in_navbar=False):  # the pages have links of their own
        lab.build(tutor, long)
    with app.route("Check a text", "/check", show_in_navbar=False):
        check.build(tutor, sessions, long)
    with app.route("What the notes lack", "/gaps", show_in_navbar=False):
        gaps.build(tutor, sessions)
    with app.route("Quiz", "/quiz", show_in_navbar=False):
        quiz.build(tutor, sessions, quizzing, line=long)
    with app.route("Review desk", "/desk", show_in_navbar=False):
        desk.build(tutor, sessions, quizzing)
    app.queue(default_concurrency_limit=1, api_open=False)
    return app
