"""The pages and the HTTP API under one address, over one tutor, one database and one line."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

from rag.apikeys import ApiKeys
from rag.database import Database
from rag.journal import Journal
from rag.requestlog import RequestLog
from rag.retention import daily
from rag.sessions import Sessions
from ui.accounts import accounts
from ui.api.app import beside, build_api
from ui.api.door import Bounds, Door
from ui.queueing import Queue
from ui.quizzing import quizzing
from ui.tutor import database_of
from ui.uploads import FOLDER, Uploads
from ui.web.app import build_app
from ui.web.mounting import Served, mounted

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor


def both(
    tutor: Tutor | LivingTutor,
    database: Database,
    folder: Path,
    index: Path,
    notes: tuple[Path, ...],
    texts: bool = False,
    bounds: Bounds = Bounds(),  # noqa: B008  # frozen
) -> tuple[FastAPI, Door]:
    """The app of pages and API, and what the API has behind it; logs and uploads lie in `folder`."""
    who = accounts(database)
    queue = Queue()
    door = Door(
        tutor=tutor,
        queue=queue,
        keys=ApiKeys(database),
        log=RequestLog(folder),
        uploads=Uploads(folder / FOLDER, index, notes, tutor),
        bounds=bounds,
        texts=texts,
    )
    blocks = build_app(tutor, Sessions(database), quizzing(tutor), queue, who.on)
    return beside(mounted(blocks, who.people, who.university), build_api(door)), door


def serve(
    tutor: Tutor | LivingTutor,
    folder: Path,
    index: Path,
    notes: tuple[Path, ...],
    host: str,
    port: int,
    texts: bool,
    up: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C; `up` is told the address once it answers. `texts`: see ui/api/door.py."""
    database = Database(database_of(folder))
    app, door = both(tutor, database, folder, index, notes, texts)
    served = Served(app, host, port)
    try:
        up(served.url)
        with daily(database, Journal(folder)):
            threading.Event().wait()
    finally:
        served.stop()
        door.log.close()
