"""Reading the notes ahead, so that first words come sooner: for some minutes, or while the chat is idle.

What is not here: what reading a passage means (rag/ahead.py).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.types import Progress
from ui import tutor

if TYPE_CHECKING:
    from rag.retrieve import Retriever

MINUTES = 5.0  # that `ingest` takes for it unless told otherwise
_LOOK = 2.0  # seconds between two looks whether there is another index


def prepared() -> bool:
    """Whether the embedded model was made ready before; nothing is read ahead by making it so."""
    from ingest.errors import UnitutorError
    from rag.engines.prepare import check_prepared, prepared_folder

    with contextlib.suppress(UnitutorError):
        check_prepared(prepared_folder())
        return True
    return False


def for_minutes(index: Path, encoder: str | None, minutes: float, progress: Progress) -> tuple[int, int]:
    """Read the passages of `index` with the embedded model; how many are read now, of how many.

    Ctrl-C ends it and is no failure: what was read is kept. Raises UnitutorError as opening does.
    """
    from rag.ahead import read_ahead

    halt = threading.Event()
    clock = threading.Timer(60 * minutes, halt.set)
    clock.daemon = True
    opened = tutor.open_tutor(index, None, encoder, None, progress)
    passages = opened.retriever.index.passages
    read = 0

    def told(what: str, done: int, total: int) -> None:
        nonlocal read
        read = done
        progress(what, done, total)

    clock.start()
    try:
        read = read_ahead(opened.model, passages, halt, told, gently=False)
    except KeyboardInterrupt:
        halt.set()
    finally:
        clock.cancel()
    return read, len(passages)


def while_idle(model: object, now: Callable[[], Retriever], stop: threading.Event) -> None:
    """Read the passages of the index that `now` names, and of each that takes its place, until `stop`."""
    from rag.ahead import read_ahead

    done: Retriever | None = None
    while not stop.is_set():
        retriever, halt = now(), threading.Event()
        if retriever is done:
            stop.wait(_LOOK)
            continue

        def told(what: str, done: int, total: int) -> None:
            if stop.is_set() or now() is not retriever:  # noqa: B023  # called before the next round
                halt.set()  # noqa: B023

        read_ahead(model, retriever.index.passages, halt, told)
        done = retriever
