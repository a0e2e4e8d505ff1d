"""Work of the API in the common line: a thread that does it, followed from a request that may go away.

What is not here: whose turn it is (ui/queueing.py). Nothing of it is kept: an answer to a program is not
one of its owner's conversations.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

from starlette.requests import Request

from ingest.errors import UnitutorError
from ui.api.errors import Refused
from ui.queueing import RETRY, Queue

Value = TypeVar("Value")  # what the work gives while it grows: an answer, a quiz, a checked text
ASKED_EVERY = 0.05  # seconds between two questions whose turn it is, for who is next; more further back
ASKED_SELDOM = 0.5
SPARE = 10.0  # seconds in which a loop that has much to do may ask again
LOOKED_EVERY = 0.25  # seconds between two looks whether the client is still there


class Left(Exception):
    """The client has gone."""


class Task(Generic[Value]):
    """A piece of work for `Queue`; made in the event loop that follows it."""

    def __init__(
        self,
        owner: str,
        work: Callable[[threading.Event], Iterator[Value]],
        halt: threading.Event | None = None,
    ) -> None:
        """`work` is given the event that halts it, `halt` or a new one."""
        self.owner = owner
        self.started = time.monotonic()
        self.seen = self.started
        self.value: Value | None = None  # as far as it has got
        self.error: BaseException | None = None
        self.news = asyncio.Event()
        self.halt = halt or threading.Event()
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._thread: threading.Thread | None = None
        self._done = False

    @property
    def seen(self) -> float:
        """When it was last asked about, and some seconds more.

        Whoever follows it takes it out of the line in any case, so that a busy loop costs it no place.
        """
        return self._seen + SPARE

    @seen.setter
    def seen(self, at: float) -> None:
        self._seen = at

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return not self._done

    @property
    def working(self) -> bool:
        """Whether it holds the engine."""
        return self._thread is not None and not self._done

    def start(self) -> None:
        """Begin, unless it was stopped while it waited."""
        if self._thread is None and not self._done:
            self._thread = threading.Thread(target=self._run, name="api", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask it to stop; one that has not begun never will."""
        self.halt.set()
        if self._thread is None:
            self._done = True

    def _run(self) -> None:
        try:
            for value in self._work(self.halt):
                self.value = value
                self._tell()
        except UnitutorError as error:
            self.error = error
        except BaseException as error:  # a bug: who follows raises it
            self.error = error
        finally:
            self._done = True
            self._tell()

    def _tell(self) -> None:
        with suppress(RuntimeError):  # the server has closed its loop
            self._loop.call_soon_threadsafe(self.news.set)


async def follow(
    task: Task[Value], queue: Queue, request: Request, seconds: float
) -> AsyncIterator[Value | int]:
    """The task's number in the line when it changes, then its values as they grow; it is in `queue` already.

    After `seconds` in all it is halted, and what there is is the end of it. Raises what the work raised,
    Refused where its turn never came, and Left where the client has gone: then it is halted at once.
    """
    until = task.started + seconds
    try:
        told, looked = 0, time.monotonic()
        while number := queue.turn(task):
            if number != told:
                told = number
                yield number
            await asyncio.sleep(min(ASKED_SELDOM, ASKED_EVERY * number))
            if time.monotonic() - looked > LOOKED_EVERY:
                looked = time.monotonic()
                await _still_there(request)
            if time.monotonic() > until:
                late = "There was no time for this request: too many are before it."
                raise Refused(503, late, code="queue_timeout", headers={"Retry-After": str(RETRY)})
        seen: Value | None = None
        while True:
            over = not task.running
            if task.value is not None and task.value is not seen:
                seen = task.value
                yield seen
            if over:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(task.news.wait(), LOOKED_EVERY)
            task.news.clear()
            await _still_there(request)
            if time.monotonic() > until:
                task.halt.set()
        if task.error is not None:
            raise task.error
    finally:
        task.stop()


async def last(task: Task[Value], queue: Queue, request: Request, seconds: float) -> Value:
    """The last of the task's values. Raises as `follow` does, and QueueFull where the line is full."""
    queue.enter(task)
    async for _ in follow(task, queue, request, seconds):
        pass
    if task.value is None:
        raise Refused(503, "Nothing came of it: try again.")
    return task.value


async def _still_there(request: Request) -> None:
    if await request.is_disconnected():
        raise Left
