"""The API over a tutor that answers from a script and searches a small real index, on a real port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from ingest.build import build
from ingest.store import open_index
from rag.apikeys import SCOPES, ApiKeys
from rag.database import Database
from rag.requestlog import RequestLog
from rag.retrieve import Retriever
from tests.browser import scripted
from tests.ingest_fakes import FakeEncoder
from tests.unit.test_quiz import METALS, USES, Writer
from ui.api.app import build_api
from ui.api.door import Bounds, Door
from ui.queueing import Queue
from ui.uploads import FOLDER, Uploads
from ui.web.mounting import Served

PLENTY = 100_000  # requests a minute


@dataclass
class Api:
    """A server, and a key that may do everything."""

    url: str
    key: str
    door: Door
    keys: ApiKeys
    folder: Path
    notes: Path

    def client(self, key: str | None = None) -> httpx.Client:
        """A client with a key, '' for none."""
        key = self.key if key is None else key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # Reading the certificates takes longer than most of what is tested.
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, verify=False)

    def new_key(self, *scopes: str, per_minute: int = PLENTY) -> str:
        """Another key, of somebody else where there is no account."""
        return self.keys.create("test", scopes=scopes or SCOPES, per_minute=per_minute)[1]


@contextmanager
def serving(
    folder: Path,
    pause: float = 0.001,
    reading: float = 0.01,
    places: int = 2,
    bounds: Bounds | None = None,
    **door: Any,
) -> Iterator[Api]:
    """The API, until the context ends."""
    notes = folder / "notes"
    notes.mkdir(parents=True)
    lines = [f"- {metal}: {use}." for metal, use in zip(METALS, USES, strict=True)]
    (notes / "metals.md").write_text("# Metals\n\n## What they do\n\n" + "\n".join(lines))
    encoder = FakeEncoder(dimension=64)
    build([notes], folder / "index", encoder)
    retriever = Retriever(open_index(folder / "index", encoder), encoder)
    tutor: Any = replace(
        scripted.tutor(pause, reading), retriever=retriever, model=Writer(), sources=retriever.sources
    )
    database = Database(folder / "kept" / "conversations.db")
    keys = ApiKeys(database)
    uploads = Uploads(folder / "kept" / FOLDER, folder / "index", (notes,), tutor)
    log = RequestLog(folder / "kept")
    made = Door(tutor, Queue(places), keys, log, uploads, bounds or Bounds(), **door)
    served = Served(build_api(made), "127.0.0.1", free_port())
    _, key = keys.create("all", scopes=SCOPES, per_minute=PLENTY)
    try:
        yield Api(served.url.rstrip("/"), key, made, keys, folder, notes)
    finally:
        served.stop()
        uploads.settled(20)
        log.close()
        database.close()


def free_port() -> int:
    """A port that nothing listens on now."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def together(*work: Any) -> None:
    """Run functions at the same time, and wait for all."""
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
