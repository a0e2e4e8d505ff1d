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
    from rag.database import Database
    from rag.journal import Journal
    from rag.retention import daily
    from rag.sessions import Sessions
    from ui.accounts import accounts
    from ui.quizzing import quizzing
    from ui.tutor import database_of
    from ui.web.app import build_app
    from ui.web.mounting import Served, mounted

    database = Database(database_of(sessions))
    who = accounts(database)
    app = build_app(tutor, Sessions(database), quizzing(tutor), accounts=who.on)
    served = Served(mounted(app, who.people, who.university), host, port)
    try:
        up(served.url)
        if browser:
            webbrowser.open(served.url)
        with daily(database, Journal(sessions)):
            threading.Event().wait()
    finally:
        served.stop()
