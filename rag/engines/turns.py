"""Who may use the model now, and who waits: several answers go on at once and none starves.

Two lines, both first come, first served. A *place* is for a whole answer: a few answers have one,
a few more wait for one, and whoever comes after those is sent away. A *turn* is for one chunk of a
prompt or one token: answers with a place take turns, so that the second student reads his first
word while the first still streams.

What this file does not know: models, prompts, tokens.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingest.errors import BadRequest

ACTIVE = 2  # answers that go on at once: each more makes all slower
QUEUE = 16  # answers that wait behind them
_LOOK = 0.05  # seconds between two looks at a halt event while waiting


class Turns:
    """The lines in front of one model. Safe to use from any thread."""

    def __init__(self, active: int = ACTIVE, queue: int = QUEUE) -> None:
        self._active, self._queue = active, queue
        self._changed = threading.Condition()
        self._answers: list[object] = []  # as they came; the first `active` of them have a place
        self._line: deque[object] = deque()  # who wants the model; the first has it

    @property
    def alone(self) -> bool:
        """Whether nobody but the caller is answered, or wants to be."""
        return len(self._answers) <= 1 and len(self._line) <= 1

    def idle(self, halt: threading.Event) -> bool:
        """Wait until nobody is answered or wants to be; False where `halt` was set first."""
        with self._changed:
            while (self._answers or self._line) and not halt.is_set():
                self._changed.wait(_LOOK)
        return not halt.is_set()

    @contextmanager
    def place(
        self, halt: threading.Event | None, waiting: Callable[[int], None] | None = None
    ) -> Iterator[bool]:
        """A place for an answer; False where `halt` was set while it waited.

        `waiting` is told the number in the line, 1 for whoever is next, each time it changes, and 0
        when the wait is over; without a wait it is not called. An answer is known by its halt
        event: inside a place with the same event another one costs nothing. Raises BadRequest where
        the line is full.
        """
        answer = halt or object()
        with self._changed:
            inside = answer in self._answers
            if not inside:
                ahead = len(self._answers) - self._active
                if ahead >= self._queue:
                    raise BadRequest(f"{ahead} students are waiting for an answer: try again in a moment.")
                self._answers.append(answer)
        try:
            yield inside or self._wait_for_place(answer, halt, waiting)
        finally:
            if not inside:
                with self._changed:
                    self._answers.remove(answer)
                    self._changed.notify_all()

    @contextmanager
    def turn(self, halt: threading.Event | None = None) -> Iterator[bool]:
        """The model to oneself, for a moment; False where `halt` was set before it came to that."""
        ticket = object()
        with self._changed:
            self._line.append(ticket)
        try:
            with self._changed:
                while self._line[0] is not ticket and not _set(halt):
                    self._changed.wait(_LOOK if halt else None)
            yield not _set(halt)
        finally:
            with self._changed:
                self._line.remove(ticket)
                self._changed.notify_all()

    def _wait_for_place(
        self, answer: object, halt: threading.Event | None, waiting: Callable[[int], None] | None
    ) -> bool:
        told = 0
        while not _set(halt):
            with self._changed:
                number = max(0, self._answers.index(answer) - self._active + 1)
                if number and number == told:
                    self._changed.wait(_LOOK if halt else None)
                    continue
            if waiting and number != told:
                waiting(number)
            told = number
            if not number:
                return True
        return False


def _set(halt: threading.Event | None) -> bool:
    return halt is not None and halt.is_set()
