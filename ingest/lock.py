"""Locks between processes: one build of an index at a time, one writer of a file at a time.

They are the operating system's, so they go when their process does.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from ingest.errors import IndexUnusable

PATIENCE = 10.0  # seconds that a writer waits for another
_POLL = 0.01


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one build at a time; raises IndexUnusable if another holds the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+b") as file:
        try:
            _take(file.fileno())
        except OSError as err:
            raise IndexUnusable(
                f"another ingest is writing to {folder}: wait until it has finished, then run again"
            ) from err
        yield


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Only one writer of the file `path` at a time; raises OSError if another holds on to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + PATIENCE
    with path.with_name(f".{path.name.lstrip('.')}.lock").open("a+b") as file:
        while True:
            try:
                _take(file.fileno())
                break
            except OSError:
                if time.monotonic() > until:
                    raise
            time.sleep(_POLL)
        yield


def _take(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
