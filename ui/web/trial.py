"""Long work of a page being done: a thread that follows it and keeps what it yields, one a page.

Work waits in a line of its own (ui/queueing.py), so that owners take turns in it and questions in the
chat are not held up by somebody's ten quizzes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from ingest.errors import UnitutorError
from ui.queueing import Queue
from ui.web.who import whose

Value = TypeVar("Value")  # what the work gives while it grows: an experiment of the lab, a checked text
ASKED_EVERY = 0.2  # seconds between two questions whose turn it is
Start = Callable[[threading.Event, Callable[[int], None]], Iterator[Value]]


class Trial(Generic[Value]):
    """One piece of work in a line; `updates` follows it from any thread."""

    def __init__(self, start: Start[Value], owner: str, line: Queue, earlier: Value | None = None) -> None:
        """`start` is given the event that halts it, and whom to tell the number in the engine's own line.

        Raises QueueFull where there is no place in `line`.
        """
        self.owner = owner
        self.started = time.monotonic()
        self.seen = self.started
        self.working = False
        self.value = earlier  # as far as it has got; None until there is something
        self.error: BaseException | None = None
        self.waiting = 0  # the number in the line while others are answered first
        self.picked: tuple[int, int] | None = None  # in the lab: run and token whose chart is shown
        self._halt = threading.Event()
        self._news = threading.Condition()
        self._done = False
        self._start = start
        self._line = line
        line.enter(self)
        threading.Thread(target=self._run, name="trial", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return not self._done

    @property
    def mishap(self) -> str:
        """What went wrong, where it is for the reader to mend; '' where nothing did."""
        return str(self.error) if isinstance(self.error, UnitutorError) else ""

    def start(self) -> None:
        """Its turn has come; the line calls this."""
        self.working = True

    def stop(self) -> None:
        """Ask the engine to stop; `updates` ends once it has."""
        self._halt.set()

    def updates(self, at_most_every: float = 0.15) -> Iterator[None]:
        """Whenever there is something new to show, until the work is over; raises what is a bug."""
        seen: tuple[object, ...] = ()

        def news() -> bool:
            return self._done or seen != (id(self.value), self.waiting)

        while True:
            with self._news:
                self._news.wait_for(news, 1.0)
                if self._done:
                    break
                seen = (id(self.value), self.waiting)
            yield
            time.sleep(at_most_every)
        if self.error is not None and not self.mishap:
            raise self.error

    def _run(self) -> None:
        try:
            while number := self._line.turn(self):
                self._wait(number)
                if self._halt.wait(ASKED_EVERY):
                    return
            self._wait(0)
            for value in self._start(self._halt, self._wait):
                self._tell(value)
        except UnitutorError as error:
            self.error = error
        except BaseException as error:  # a bug: the page that follows raises it
            self.error = error
            raise
        finally:
            with self._news:
                self._done = True
                self._news.notify_all()

    def _tell(self, value: Value) -> None:
        with self._news:
            self.value, self.waiting = value, 0
            self._news.notify_all()

    def _wait(self, number: int) -> None:
        with self._news:
            self.waiting = number
            self._news.notify_all()


class Trials(Generic[Value]):
    """The work of the open pages, one piece each."""

    def __init__(self, line: Queue | None = None) -> None:
        """None yet; they wait in `line`, which other pages may share, or in one of their own."""
        self._line = line or Queue()
        self._trials: dict[str, Trial[Value]] = {}
        self._lock = threading.Lock()

    def get(self, page: str) -> Trial[Value] | None:
        """The page's work, running or over."""
        with self._lock:
            return self._trials.get(page)

    def over(self, page: str) -> Trial[Value] | None:
        """The page's work once nothing more is to come of it."""
        held = self.get(page)
        return None if held is None or held.running else held

    def put(self, page: str, start: Start[Value], earlier: Value | None = None) -> bool:
        """Begin work for a page; False, and nothing begun, while its last one runs. Raises QueueFull."""
        with self._lock:
            held = self._trials.get(page)
            if held is not None and held.running:
                return False
            self._trials[page] = Trial(start, whose(page), self._line, earlier)
            return True

    def stop(self, page: str) -> None:
        """Stop the page's work and keep what there is of it."""
        held = self.get(page)
        if held is not None:
            held.stop()

    def drop(self, page: str) -> None:
        """Stop the page's work and forget it."""
        self.stop(page)
        with self._lock:
            self._trials.pop(page, None)
