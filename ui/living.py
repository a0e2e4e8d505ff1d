"""A tutor that lives on while its index changes: it takes over a new one between two questions.

An answer being written keeps the index it was begun with. What is not here: the pages, which see
the same attributes as those of a Tutor, and what a build does (ingest/build.py).
"""

from __future__ import annotations

import contextlib
import shlex
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import IndexUnusable, UnitutorError
from ui.reading import while_idle
from ui.terminal import one_line
from ui.tutor import Tutor

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

    from ingest.build import Report
    from ingest.fresh import Changes
    from rag.entail import Entailment
    from rag.journal import Journal
    from rag.retrieve import Retriever
    from rag.types import Answer, Ask

LOOK = 2.0  # seconds between two looks whether there is another index
STALE = 20.0  # seconds between two looks at the notes


class LivingTutor:
    """What Tutor has, always of the index that is there now."""

    def __init__(self, tutor: Tutor, index: Path, notes: tuple[Path, ...] = ()) -> None:
        """`tutor` was opened on `index`; `notes` are what it should hold, () for those it was made from."""
        from ingest.store import current

        self._now = tutor
        self._index = index
        self._notes = notes
        self._generation = current(index)
        self._watched = False
        self._notice = ""
        self._failed = ""

    @property
    def chain(self) -> Runnable[Ask, Answer]:
        """See Tutor."""
        return self._now.chain

    @property
    def retriever(self) -> Retriever:
        """See Tutor."""
        return self._now.retriever

    @property
    def sources(self) -> tuple[str, ...]:
        """See Tutor."""
        return self._now.sources

    @property
    def starters(self) -> tuple[str, ...]:
        """See Tutor."""
        return self._now.starters

    @property
    def model(self) -> BaseChatModel | None:
        """See Tutor."""
        return self._now.model

    @property
    def entailment(self) -> Entailment | None:
        """See Tutor."""
        return self._now.entailment

    @property
    def folder(self) -> Path:
        """See Tutor."""
        return self._index

    @property
    def notes(self) -> tuple[Path, ...]:
        """See Tutor."""
        return self._notes

    @property
    def journal(self) -> Journal | None:
        """See Tutor."""
        return self._now.journal

    @property
    def notice(self) -> str:
        """What a student should know of the index now, in a line; '' if all is well."""
        return self._failed or self._notice

    def look(self) -> bool:
        """Take over the index if there is another than the one open; whether there was."""
        from ingest.store import current

        generation = current(self._index)
        if not generation or generation == self._generation:
            return False
        try:
            self._now = _reopened(self._now, self._index)
            self._failed = ""
        except IndexUnusable as error:  # the one that is open goes on answering
            self._failed = f"The index has changed and cannot be used: {one_line(str(error))}"
        self._generation = generation
        return True

    def look_at_the_notes(self) -> None:
        """Set `notice` where the notes are not those in the index."""
        from ingest.fresh import changes
        from ingest.walk import recall

        if self._watched:
            return
        found = changes(self._index, self._notes)
        where = [str(path) for path in self._notes] or list(recall(self._index).roots)
        command = f"unitutor ingest {shlex.join(where)} --index {shlex.quote(str(self._index))}"
        self._notice = (
            f"The notes have changed since they were indexed ({found}). Run: {command}" if found else ""
        )

    def hear(self, news: Changes | Report | UnitutorError) -> None:
        """News of those who watch the notes (ingest/watch.py)."""
        from ingest.fresh import Changes

        if isinstance(news, UnitutorError):
            self._notice = f"The notes have changed, and the index could not be: {one_line(str(news))}"
        elif isinstance(news, Changes):
            what = f" ({news})" if news else ""
            self._notice = f"The notes have changed{what}; until the index has, answers are from before."
        else:
            self.look()
            self._notice = ""

    def keep_fresh(self, stop: threading.Event) -> None:
        """Look for another index, and at the notes, until `stop`."""
        since = STALE
        while True:
            self.look()
            if since >= STALE:
                since = 0.0
                with contextlib.suppress(UnitutorError):
                    self.look_at_the_notes()
            if stop.wait(LOOK):
                return
            since += LOOK

    def read_ahead(self, stop: threading.Event) -> None:
        """Have the language model read the passages while nobody asks anything, until `stop`."""
        while_idle(self.model, lambda: self.retriever, stop)

    def watch(self, stop: threading.Event) -> None:
        """Bring the index up to date with the notes whenever they change, until `stop`."""
        from ingest.watch import follow

        self._watched = True
        follow(self._notes, self._index, self._now.retriever.encoder, stop, self.hear)


def _reopened(tutor: Tutor, index: Path) -> Tutor:
    """The same encoder and language model over the index as it is now. Raises IndexUnusable."""
    from ingest.store import open_index
    from rag.chain import answer_chain
    from rag.journal import logged
    from rag.retrieve import Retriever
    from rag.starters import starters

    encoder = tutor.retriever.encoder
    retriever = Retriever(open_index(index, encoder), encoder, tutor.retriever.reranker)
    if tutor.model is None:
        raise IndexUnusable("there is no language model to answer with: start the chat again")
    return replace(
        tutor,
        chain=logged(answer_chain(retriever, tutor.model, entailment=tutor.entailment), tutor.journal),
        retriever=retriever,
        sources=retriever.sources,
        starters=starters(retriever.index.passages),
    )


@contextlib.contextmanager
def living(
    tutor: Tutor, index: Path, notes: tuple[Path, ...] = (), watch: bool = False, ahead: bool = False
) -> Iterator[Any]:
    """The tutor kept fresh by threads of its own as long as the context is open."""
    found = LivingTutor(tutor, index, notes)
    stop = threading.Event()
    work = [found.keep_fresh, *([found.watch] if watch else []), *([found.read_ahead] if ahead else [])]
    threads = [threading.Thread(target=one, args=(stop,), name=one.__name__, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=2)
