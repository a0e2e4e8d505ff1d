"""The lines in front of the engine, shared by pages and API: bounded, and fair to each owner.

Owners take turns (round robin): whoever has waited longest since his last question was begun is next,
so ten questions of one student hold up another's one by a single answer at most. What is not here: what
is done when a turn has come (ui/web/job.py, ui/api/work.py), and the turns that answers under way take
token by token (rag/engines/turns.py).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Protocol

from ingest.errors import BadRequest
from rag.engines.turns import ACTIVE

PATIENCE = 3.0  # seconds after which a waiting question that nobody asks about loses its place
FORGOTTEN = 60.0  # and is forgotten
WAITING = 96  # questions that may wait for the engine
EACH = 16  # of one owner among them
RETRY = 10  # seconds after which one who was sent away may try again


class QueueFull(BadRequest):
    """Too many are waiting already, or too many of this owner."""


class Work(Protocol):
    """Something that takes the engine for a while."""

    owner: str  # whose turn it takes
    started: float  # when it was asked for, time.monotonic()
    seen: float  # when it was last asked about

    @property
    def running(self) -> bool:
        """Whether more is to come."""

    @property
    def working(self) -> bool:
        """Whether it holds the engine."""

    def start(self) -> None:
        """Begin."""


class Queue:
    """Who is next. Safe to use from any thread; whoever waits asks `turn` again and again."""

    def __init__(self, places: int = ACTIVE, waiting: int = WAITING, each: int = EACH) -> None:
        """At most `places` go on at once, `waiting` wait behind them, `each` of one owner."""
        self.places = places
        self._waiting, self._each = waiting, each
        self._works: list[Work] = []
        self._served: dict[str, float] = {}  # when the owner's last question was begun
        self._lock = threading.Lock()

    def enter(self, work: Work) -> None:
        """Take a place in the line. Raises QueueFull, and nothing is held, where there is none."""
        with self._lock:
            line = self._line()
            if sum(one.owner == work.owner for one in line) >= self._each:
                raise QueueFull(
                    f"{self._each} of your questions are waiting already: try again when some are answered."
                )
            if len(line) >= self._waiting:
                raise QueueFull("Too many questions are waiting already: try again in a minute.")
            self._works.append(work)

    def number(self, work: Work) -> int:
        """The number in the line, 1 for the next to be begun; 0 where there is a place for it."""
        with self._lock:
            return self._number(work)

    def turn(self, work: Work) -> int:
        """Begin the work if its turn has come; its number in the line, 0 once it has."""
        with self._lock:
            work.seen = time.monotonic()
            number = self._number(work)
            if not number and not work.working:
                self._served[work.owner] = time.monotonic()
                work.start()
            return number

    def busy(self) -> tuple[int, int]:
        """How many go on and how many wait."""
        with self._lock:
            line = self._line()
            return sum(one.working for one in self._works), len(line)

    def _number(self, work: Work) -> int:
        if work.working or not work.running:
            return 0
        line = self._line(work)
        working = sum(one.working for one in self._works)
        return max(0, line.index(work) + working - self.places + 1)

    def _line(self, asking: Work | None = None) -> list[Work]:
        """Those who wait, the next one first; who asks waits however long ago he was seen."""
        now = time.monotonic()
        if asking is not None and asking not in self._works:  # it comes back after a long silence
            self._works.append(asking)
        self._works = [
            one
            for one in self._works
            if one.running and (one.working or one is asking or one.seen > now - FORGOTTEN)
        ]
        owners = {one.owner for one in self._works}
        self._served = {owner: at for owner, at in self._served.items() if owner in owners}
        awake = now - PATIENCE
        waits = [w for w in self._works if not w.working and (w is asking or w.seen > awake)]
        before: Counter[str] = Counter()
        since: dict[str, float] = {}
        ranked: list[tuple[int, float, float, int, Work]] = []
        for one in sorted(waits, key=lambda work: work.started):
            since.setdefault(one.owner, max(one.started, self._served.get(one.owner, 0.0)))
            ranked.append((before[one.owner], since[one.owner], one.started, len(ranked), one))
            before[one.owner] += 1
        return [one for *_, one in sorted(ranked, key=lambda rank: rank[:4])]
