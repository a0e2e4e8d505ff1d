"""Read the notes before anyone asks: each passage once, kept on disk (rag/engines/modules.py).

A question on passages that were read costs the reading of the question alone. What this file does
not know: which passages will be asked for; it takes them as they stand in the notes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from langchain_core.messages import BaseMessage

from ingest.types import Passage, Progress, silent
from rag import prompts


@runtime_checkable
class ReadsAhead(Protocol):
    """A model that keeps what it has read, as ours does."""

    def read_ahead(
        self, messages: list[BaseMessage], halt: threading.Event, gently: bool, since: float
    ) -> bool:
        """Read each excerpt in the messages and keep it; False where that cannot be done or goes no further.

        `gently`: only while nobody is answered. `since`: what was last used before that moment,
        in seconds since the epoch, may go to make room.
        """


def read_ahead(
    model: object,
    passages: Sequence[Passage],
    halt: threading.Event,
    progress: Progress = silent,
    gently: bool = True,
) -> int:
    """Read `passages` until `halt` is set or there is no more room; how many are read now."""
    if not isinstance(model, ReadsAhead):
        return 0
    since = time.time()
    for number, passage in enumerate(passages):
        progress("Reading ahead", number, len(passages))
        if not model.read_ahead(_whole(passage), halt, gently, since):
            return number
    progress("Reading ahead", len(passages), len(passages))
    return len(passages)


def _whole(passage: Passage) -> list[BaseMessage]:
    return prompts.answer_prompt("", [prompts.shown(passage)])
