"""Put the pages on an address of this machine, and say so once they answer."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import UnitutorError

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor


class CannotServe(UnitutorError):
    """An address that the pages cannot be put on."""


def check_port(host: str, port: int) -> None:
    """Raise CannotServe where `host` and `port` cannot be listened on, before anything is loaded."""
    if not 0 < port < 65536:
        raise CannotServe(f"There is no port {port}: choose one from 1 to 65535 with --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            # Without this the port of a server that has just stopped would count as taken.
            if hasattr(socket, "SO_REUSEPORT"):
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except (OSError, OverflowError, UnicodeError) as error:
        raise CannotServe(
            f"Cannot listen on {host}:{port} ({getattr(error, 'strerror', None) or error}): "
            "stop the program that uses it, or choose another with --host or --port."
        ) from error


def serve(
    tutor: Tutor | LivingTutor, sessions: Path, host: str, port: int, browser: bool, up: Callable[[str], None]
) -> None:
    """Show the pages until Ctrl-C; `up` is told their address once they answer."""
    from rag.sessions import Sessions
    from ui.quizzing import quizzing
    from ui.tutor import SESSIONS_FILE
    from ui.web.app import build_app, launch

    app = build_app(tutor, Sessions(sessions / SESSIONS_FILE), quizzing(tutor))
    address = launch(app, host, port, prevent_thread_lock=True)
    try:
        up(address)
        if browser:
            webbrowser.open(address)
        threading.Event().wait()
    finally:
        app.close(verbose=False)
