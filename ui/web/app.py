"""The pages as a Gradio app, and the server that shows them on this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# Both are read when Gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr

from ingest.errors import UnitutorError
from rag.sessions import Sessions
from ui.quizzing import Quizzing
from ui.serving import check_port
from ui.web import check, desk, gaps, lab, look, page, quiz

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.queueing import Queue
    from ui.tutor import Tutor


def build_app(
    tutor: Tutor | LivingTutor,
    sessions: Sessions,
    quizzing: Quizzing | None = None,
    queue: Queue | None = None,
) -> gr.Blocks:
    """The pages over a tutor, with conversations kept in `sessions`; `quizzing` makes questions.

    Questions wait in `queue`, which others may share.
    """
    quizzing = quizzing or Quizzing()
    with gr.Blocks(title="Unitutor", analytics_enabled=False, fill_width=True) as app:
        page.build(tutor, sessions, queue)
    with app.route("Decoding lab", "/lab", show_in_navbar=False):  # the pages have links of their own
        lab.build(tutor)
    with app.route("Check a text", "/check", show_in_navbar=False):
        check.build(tutor, sessions)
    with app.route("What the notes lack", "/gaps", show_in_navbar=False):
        gaps.build(tutor, sessions)
    with app.route("Quiz", "/quiz", show_in_navbar=False):
        quiz.build(tutor, sessions, quizzing)
    with app.route("Review desk", "/desk", show_in_navbar=False):
        desk.build(tutor, sessions, quizzing)
    app.queue(default_concurrency_limit=1, api_open=False)
    return app


def launch(
    app: gr.Blocks, host: str = "127.0.0.1", port: int = 7860, prevent_thread_lock: bool = False
) -> str:
    """Serve the pages and return their address; without `prevent_thread_lock`, once they are closed.

    Raises UnitutorError where the port is taken or the host is not this machine's.
    """
    check_port(host, port)
    try:
        _, url, _ = app.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            share=False,
            max_threads=100,
            quiet=True,
            show_error=False,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            allowed_paths=[],
            max_file_size="1kb",
            theme=look.theme(),
            css=look.css(),
            head=look.head(),
        )
    except OSError as error:
        raise UnitutorError(f"The chat could not start on port {port}: try another with --port.") from error
    if not prevent_thread_lock:
        app.block_thread()
    return str(url)
