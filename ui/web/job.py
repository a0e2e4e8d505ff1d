"""One answer being written: a thread that follows the chain and keeps what it yields.

The thread and not the page owns the answer, so a page that is closed, reloaded or cancelled
leaves a kept turn behind, and stopping does not depend on when the page is next asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

from langchain_core.runnables import Runnable

from ingest.errors import UnitutorError
from rag.engines.turns import ACTIVE
from rag.sessions import Sessions
from rag.types import Answer, Ask
from ui.queueing import Queue

SAVED_EVERY = 1.0  # seconds between copies of an unfinished answer kept for the case of a crash


class Job:
    """A question on its way through the chain; `updates` follows it from any thread."""

    def __init__(
        self,
        chain: Runnable[Ask, Answer],
        sessions: Sessions,
        ask: Ask,
        conversation: str,
        keep: int,
        seen: float | None = None,
    ) -> None:
        """`keep` turns of `conversation` are before this one; '' is a conversation yet to be made.

        With `seen`, when the last turn known of was asked, the turns after those make way for this one.
        """
        self.ask = ask
        self.keep = keep
        self.conversation = conversation
        self.seen_last = seen
        self.owner = sessions.owner
        self.answer = Answer(ask.question, ask.decoding)
        self.error: BaseException | None = None
        self.started = time.monotonic()
        self.seen = self.started  # when a page last asked about it
        self.left = False  # the page has turned to something else
        self._chain = chain
        self._sessions = sessions
        self._turn: int | None = None
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._done = False

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return not self._done

    @property
    def seconds(self) -> float:
        """How long ago it was asked."""
        return time.monotonic() - self.started

    @property
    def working(self) -> bool:
        """Whether it holds the engine."""
        return self._thread is not None and not self._done

    @property
    def began(self) -> bool:
        """Whether the question is kept: not so before the chain has accepted it."""
        return self._turn is not None

    def start(self) -> None:
        """Begin, unless it was stopped while it waited."""
        if self._thread is None and not self._done:
            self._thread = threading.Thread(target=self._run, name="answer", daemon=True)
            self._thread.start()

    def stop(self, leave: bool = False, timeout: float = 5.0) -> None:
        """Ask the engine to stop and wait until it has; with `leave`, `updates` ends at once too."""
        self.left = self.left or leave
        self.ask.stop.set()
        if self._thread is None:
            self._end()
        with self._news:
            self._news.notify_all()
            self._news.wait_for(lambda: self._done, timeout)

    def updates(self, at_least_every: float = 1.0, at_most_every: float = 0.06) -> Iterator[Answer]:
        """The answer so far, whenever it has grown or a second has passed; what it ends as is in `answer`."""
        seen: list[Answer] = []  # the one shown last

        def news() -> bool:
            return self._done or self.left or not seen or self.answer is not seen[-1]

        while True:
            with self._news:
                self._news.wait_for(news, at_least_every)
                if self._done or self.left:
                    return
                seen = [self.answer]
            yield seen[-1]
            time.sleep(at_most_every)

    def _run(self) -> None:
        try:
            self._follow()
        except UnitutorError as error:
            self.error = error
        except BaseException as error:  # a bug: the page that follows raises it
            self.error = error
            raise
        finally:
            try:
                self._keep_what_there_is()
            finally:
                self._end()

    def _follow(self) -> None:
        saved = time.monotonic()
        for answer in self._chain.stream(self.ask):
            if self._turn is None:
                if not self.conversation:
                    self.conversation = self._sessions.create()
                keep = None if self.seen_last is None else self.keep
                self._turn = self._sessions.begin(
                    self.conversation, self.ask.question, keep=keep, seen=self.seen_last
                )
            with self._news:
                self.answer = answer
                self._news.notify_all()
            if time.monotonic() - saved > SAVED_EVERY:
                self._sessions.progress(self._turn, answer)
                saved = time.monotonic()
            if self.ask.stop.is_set() and answer.stage in ("searching", "reading"):
                break

    def _keep_what_there_is(self) -> None:
        if self._turn is None:
            return
        cut = self.answer.stage not in ("checking", "done")  # what is being checked is there already
        self.answer = replace(self.answer, stage="done", stopped=self.answer.stopped or cut)
        try:
            self._sessions.finish(self._turn, self.answer)
        except UnitutorError as error:
            self.error = self.error or error

    def _end(self) -> None:
        with self._news:
            self._done = True
            self._news.notify_all()


class Jobs:
    """The answers asked for, one a page at most; whose turn it is tells the queue they share with others."""

    def __init__(self, places: int = ACTIVE, queue: Queue | None = None) -> None:
        """None yet; they wait in `queue`, or in one of their own with so many `places`."""
        self.queue = queue or Queue(places)
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def put(self, page: str, job: Job) -> bool:
        """Hold a job for a page; False, and nothing held, while its last one runs.

        Without accounts a page is an owner of its own. Raises QueueFull.
        """
        with self._lock:
            if page in self._jobs and self._jobs[page].running:
                return False
            job.owner = job.owner or page
            self.queue.enter(job)
            self._jobs[page] = job
            return True

    def get(self, page: str) -> Job | None:
        """The page's job, running or over."""
        with self._lock:
            return self._jobs.get(page)

    def number(self, job: Job) -> int:
        """The job's number in the line, 1 for the next to be answered; 0 where there is a place for it."""
        return self.queue.number(job)

    def turn(self, job: Job) -> int:
        """Start the job if its turn has come; its number in the line, 0 once it has."""
        return self.queue.turn(job)

    def drop(self, page: str, leave: bool = True) -> Job | None:
        """Stop the page's job and forget it; the job, if there was one."""
        with self._lock:
            job = self._jobs.pop(page, None)
        if job is not None and job.running:
            job.stop(leave=leave)
        return job
