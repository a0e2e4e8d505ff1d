"""One build of an index at a time, across processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ingest.errors import IndexUnusable


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one build at a time; raises IndexUnusable if another holds the lock.

    The lock is the operating system's, so it goes when its process does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+b") as file:
        try:
            _take(file.fileno())
        except OSError as err:
            raise IndexUnusable(
                f"another ingest is writing to {folder}: wait until it has finished, then run again"
            ) from err
        yield


def _take(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
