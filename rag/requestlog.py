"""The log of requests to the HTTP API: which key asked for what, and how it ended; no text, unless told to.

JSON lines beside the conversations, at most two files of MOST bytes. A thread of its own writes them, so
that no request waits for the disk, and a full one loses lines and no answers. What is not here: the log
of questions for the gap report (rag/journal.py).
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ingest.errors import UnitutorError
from ingest.lock import alone
from rag import jsonlines

MOST = 20_000_000  # bytes of each of the two files
KEEPS = ("time", "key", "method", "route", "status", "ms", "prompt_tokens", "output_tokens")


class RequestLog:
    """The log in one folder. Safe to share between threads and between processes."""

    def __init__(self, folder: Path) -> None:
        """The log in `folder`, which need not exist yet."""
        self._folder = folder
        self.path = folder / "requests.jsonl"
        self._older = folder / "requests.1.jsonl"
        self._todo: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def note(self, values: dict[str, Any], then: Callable[[], object] | None = None) -> None:
        """Add a line soon; `then` is called after it, by the thread that writes."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="request log", daemon=True)
                self._thread.start()
        self._todo.put(lambda: self._append(values))
        if then is not None:
            self._todo.put(then)

    def close(self) -> None:
        """Write what is to be written, and end the thread; a later line begins another."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._todo.put(None)
            thread.join(10)

    def forget(self, keys: Collection[str]) -> int:
        """Take out all lines of these keys' ids, and say how many. Raises OSError."""
        gone = 0

        def kept(lines: list[bytes]) -> list[bytes]:
            nonlocal gone
            stay = [line for line in lines if _key(line) not in keys]
            gone += len(lines) - len(stay)
            return stay

        for path in (self._older, self.path):
            if path.exists():
                jsonlines.change(path, kept)
        return gone

    def delete(self) -> None:
        """Delete the log. Raises OSError."""
        if self._folder.exists():
            with alone(self.path):
                for path in (self._older, self.path):
                    path.unlink(missing_ok=True)

    def _append(self, values: dict[str, Any]) -> None:
        jsonlines.append(self.path, values, MOST, self._older)

    def _write(self) -> None:
        while (job := self._todo.get()) is not None:
            with contextlib.suppress(OSError, UnitutorError):
                job()


def _key(line: bytes) -> str:
    try:
        return str(json.loads(line)["key"])
    except (ValueError, KeyError, TypeError):
        return ""
