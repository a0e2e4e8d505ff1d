"""The pages in a FastAPI app, with or without accounts, and that app on an address of this machine.

`unitutor serve` gives an app that has its own routes already: those stay before the pages. What is not
here: who may see what (ui/web/gate.py), and signing in (ui/web/signin.py).
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.routing import Mount

from ingest.errors import UnitutorError
from rag.signins import SignIns
from ui.serving import check_port
from ui.web import look
from ui.web.gate import Gate
from ui.web.oidc import Settings, University
from ui.web.signin import SignIn
from ui.web.who import SCOPE

if TYPE_CHECKING:
    from fastapi import Request

    from rag.people import People, Person

THREADS = 100  # handlers of the pages at work at once, most of them waiting for an answer to grow
STARTING = 30.0  # seconds a server may take to answer


def mounted(
    blocks: gr.Blocks,
    people: People | None = None,
    university: Settings | None = None,
    app: FastAPI | None = None,
) -> FastAPI:
    """The pages at '/' of `app`, or of a new one.

    Args:
        blocks: the pages, see ui/web/app.py.
        people: who may sign in; None shows the pages to whoever asks.
        university: another way to sign in than by password.
        app: with routes of its own, which come first.

    Returns:
        The app.
    """
    app = app or FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    signins = None
    if people is not None:
        signins = SignIns(people.database)
        app.router.routes.extend(
            SignIn(people, signins, University(university) if university else None).routes()
        )
    blocks.max_threads = blocks._queue.max_thread_count = THREADS
    gr.mount_gradio_app(
        app,
        blocks,
        "/",
        auth_dependency=_signed_in if people is not None else None,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        allowed_paths=[],
        max_file_size="1kb",
        show_error=False,
        theme=look.theme(),
        css=look.css(),
        head=look.head(),
    )
    if signins is not None:
        mount = app.router.routes[-1]
        assert isinstance(mount, Mount)
        mount.app = Gate(mount.app, blocks, signins)
    return app


class Served:
    """An app that is being served."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        """Serve it from a thread. Raises CannotServe where the address cannot be listened on."""
        check_port(host, port)
        config = uvicorn.Config(
            app, host, port, log_level="warning", ws="none", server_header=False, timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="server", daemon=True)
        self._thread.start()
        began = time.monotonic()
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() - began > STARTING:
                raise UnitutorError(f"The pages could not start on port {port}: try another with --port.")
            time.sleep(0.05)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port}/"

    def stop(self) -> None:
        """Serve no longer; pages that are open learn it when they ask for something."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it would name those pages
        self._server.should_exit = True
        self._thread.join(10)


def _signed_in(request: Request) -> str | None:
    """The id of whom the gate let through."""
    found: Person | None = request.scope.get(SCOPE)
    return found.id if found is not None else None
