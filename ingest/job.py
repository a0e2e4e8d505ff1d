"""The time that reading one file may take, which many pages extend, and what was left out of it."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

from ingest import limits


class TooLong(BaseException):
    """A part of a file took longer than allowed. No Exception, so that no parser takes it for its own."""


def _nobody(seconds: float) -> None:
    """Told of the time by a Job that nobody watches."""


@dataclass(slots=True)
class Job:
    """One file being read; whoever watches it is told how long that may take."""

    told: Callable[[float], None] = _nobody  # the seconds that are allowed in all, whenever they change
    alarms: bool = False  # whether parts may be stopped by a signal: in the main thread only
    seconds: float = limits.SECONDS
    left_out: list[str] = field(default_factory=list)  # lines fit to show, without the file's name
    began: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.process_time)  # the processor's time when it began

    def extend(self, seconds: float) -> None:
        """Allows so many seconds more, up to the limit for any file."""
        self.seconds = min(self.seconds + seconds, limits.MOST_SECONDS)
        self.told(self.seconds)

    def left(self) -> float:
        """Seconds until what was read must be handed over; negative if it is time."""
        return self.began + self.seconds - limits.SPARE_SECONDS - time.monotonic()

    def left_to_work(self) -> float:
        """The same for work in this process, which is waited for where others have the processor."""
        spent = time.monotonic() - self.began
        # A little sooner than the one who waits loses patience (ingest/sandbox.py).
        worked = max(time.process_time() - self.used, spent / (limits.BUSY - 1))
        return self.seconds - limits.SPARE_SECONDS - min(spent, worked)

    @contextlib.contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Raises TooLong if what is done within takes longer, where that can be known."""
        if not self.alarms or not hasattr(signal, "setitimer"):
            yield
            return

        def late(number: int, frame: FrameType | None) -> None:
            raise TooLong

        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, max(0.01, seconds))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
