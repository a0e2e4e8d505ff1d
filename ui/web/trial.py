"""An experiment of the lab being run: a thread that follows it and keeps what it yields, one a page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from ingest.errors import UnitutorError
from rag.lab import Experiment

Start = Callable[[threading.Event, Callable[[int], None]], Iterator[Experiment]]


class Trial:
    """One experiment, begun when made; `updates` follows it from any thread."""

    def __init__(self, start: Start, earlier: Experiment | None = None) -> None:
        """`start` is given the event that halts it, and whom to tell the number in the line."""
        self.lab = earlier  # None until its passages are found
        self.error: BaseException | None = None
        self.waiting = 0  # the number in the line while others are answered first
        self.picked: tuple[int, int] | None = None  # run of the last round and token whose chart is shown
        self._halt = threading.Event()
        self._news = threading.Condition()
        self._done = False
        self._start = start
        threading.Thread(target=self._run, name="lab", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return not self._done

    def stop(self, timeout: float = 5.0) -> None:
        """Ask the engine to stop, and wait until it has."""
        self._halt.set()
        with self._news:
            self._news.wait_for(lambda: self._done, timeout)

    def updates(self, at_most_every: float = 0.15) -> Iterator[None]:
        """Whenever there is something new to show, until the experiment is over."""
        seen: tuple[object, ...] = ()

        def news() -> bool:
            return self._done or seen != (id(self.lab), self.waiting)

        while True:
            with self._news:
                self._news.wait_for(news, 1.0)
                if self._done:
                    return
                seen = (id(self.lab), self.waiting)
            yield
            time.sleep(at_most_every)

    def _run(self) -> None:
        try:
            for lab in self._start(self._halt, self._wait):
                self._tell(lab)
        except UnitutorError as error:
            self.error = error
        except BaseException as error:  # a bug: the page that follows raises it
            self.error = error
            raise
        finally:
            with self._news:
                self._done = True
                self._news.notify_all()

    def _tell(self, lab: Experiment) -> None:
        with self._news:
            self.lab, self.waiting = lab, 0
            self._news.notify_all()

    def _wait(self, number: int) -> None:
        with self._news:
            self.waiting = number
            self._news.notify_all()


class Trials:
    """The experiments of the open pages, one each."""

    def __init__(self) -> None:
        """None yet."""
        self._trials: dict[str, Trial] = {}
        self._lock = threading.Lock()

    def get(self, page: str) -> Trial | None:
        """The page's experiment, running or over."""
        with self._lock:
            return self._trials.get(page)

    def put(self, page: str, start: Start, earlier: Experiment | None = None) -> bool:
        """Begin an experiment for a page; False, and nothing begun, while its last one runs."""
        with self._lock:
            held = self._trials.get(page)
            if held is not None and held.running:
                return False
            self._trials[page] = Trial(start, earlier)
            return True

    def drop(self, page: str) -> None:
        """Stop the page's experiment and forget it."""
        with self._lock:
            held = self._trials.pop(page, None)
        if held is not None and held.running:
            held.stop()
