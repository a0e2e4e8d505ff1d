"""The local log: what was asked and how well the notes answered it, for the instructor's gap report.

A file of JSON lines beside the conversations, on this machine alone: nothing sends it anywhere. Of
each question answered in the chat or by `unitutor ask` it keeps exactly what KEEPS says. It does
not keep the answer's text, the conversation, or who asked. It can be switched off, holds at most
two files of MOST bytes (then the older goes), and is deleted by one call. What is not here: what
the log adds up to (rag/gaps.py).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.runnables import Runnable, RunnableGenerator

from ingest.errors import UnitutorError
from ingest.lock import alone
from rag import jsonlines
from rag.followup import content_words
from rag.parted import lacks
from rag.regression import Place, keeping
from rag.types import Answer, Ask, Label, Sentence

KEEPS = (
    "when it was asked",
    "the question, and its words that say what it is about",
    "whether it was refused or stopped",
    "for each sentence of the answer that states something, how likely the notes support it, and its label"
    " (a part of the question that they do not answer counts as one without support)",
    "the files and pages cited or, if it was refused, those that came nearest",
    "the milliseconds that searching, the first word and all of the answer took",
)
KEEPS_NOT = "the answer's text, the conversation, who asked"
MOST = 4_000_000  # bytes of each of the two files, some 8,000 questions
WORDS = 20  # of a question that are kept as its topic
LONGEST = 1000  # characters of a question that are kept


@dataclass(frozen=True, slots=True)
class Entry:
    """One question and what became of it."""

    when: float  # seconds since 1970
    question: str
    refused: bool
    stopped: bool
    support: tuple[float, ...]  # 0..1, of each sentence that states something
    labels: tuple[Label, ...]  # of the same sentences
    pages: tuple[Place, ...]  # cited or, if refused, nearest
    words: tuple[str, ...]
    retrieve_ms: float
    first_word_ms: float
    total_ms: float


class Journal:
    """The log in one folder. Safe to share between threads and between processes."""

    def __init__(self, folder: Path) -> None:
        """The log in `folder`, which need not exist yet."""
        self._folder = folder
        self.path = folder / "log.jsonl"
        self._older = folder / "log.1.jsonl"
        self._off = folder / "log.off"

    @property
    def on(self) -> bool:
        """Whether questions are logged."""
        return not self._off.exists()

    def switch(self, on: bool) -> None:
        """Log from now on, or no longer; what is there stays. Raises CannotKeep."""
        with keeping(self.path):
            self._folder.mkdir(parents=True, exist_ok=True)
            if on:
                self._off.unlink(missing_ok=True)
            else:
                self._off.touch()

    def note(self, answer: Answer) -> None:
        """Append a finished answer, if the log is on. Raises CannotKeep where it cannot be written."""
        if self.on:
            with keeping(self.path):
                jsonlines.append(self.path, asdict(entry(answer)), MOST, self._older)

    def entries(self, since: float = 0.0, until: float | None = None) -> tuple[Entry, ...]:
        """What was logged from `since` to before `until`, the oldest first; unreadable lines are left out."""
        found = []
        for path in (self._older, self.path):
            with contextlib.suppress(UnitutorError):  # not there
                found += [_entry(values) for _, values in jsonlines.read(path) if not isinstance(values, str)]
        known = [one for one in found if one and one.when >= since and (until is None or one.when < until)]
        return tuple(sorted(known, key=lambda one: one.when))

    def remove(self, which: Callable[[Entry], bool]) -> int:
        """Take out the lines of these questions, and say how many. Raises CannotKeep."""
        gone = 0

        def kept(lines: list[bytes]) -> list[bytes]:
            nonlocal gone
            stay = [line for line in lines if not _chosen(line, which)]
            gone += len(lines) - len(stay)
            return stay

        with keeping(self.path):
            for path in (self._older, self.path):
                if path.exists():
                    with alone(self.path):  # nobody moves one file to the other's place meanwhile
                        jsonlines.replace(path, b"".join(line + b"\n" for line in kept(_lines(path))))
        return gone

    def delete(self) -> int:
        """Delete the log, and say how many questions it held; the switch stays. Raises CannotKeep."""
        count = len(self.entries())
        with keeping(self.path):
            if self._folder.exists():
                with alone(self.path):
                    for path in (self._older, self.path):
                        path.unlink(missing_ok=True)
        return count


def logged(chain: Runnable[Ask, Answer], journal: Journal | None) -> Runnable[Ask, Answer]:
    """The chain, whose finished answers are noted in the journal, but for private questions.

    Without a journal, the chain itself.
    """
    if journal is None:
        return chain
    return RunnableGenerator(partial(_noted, chain, journal), name="log")


def entry(answer: Answer) -> Entry:
    """What the log keeps of an answer: see KEEPS."""
    claims = [one for one in answer.sentences if one.label != "not-a-claim"]
    claims += [Sentence(one.text, 0.0, "unsupported", ()) for one in answer.sentences if lacks(one)]
    shown = answer.closest if answer.refused else answer.citations
    near = [(one.source, one.page) for one in shown]
    near += [(at.source, at.page) for one in shown for at in one.also]
    took = answer.timings
    return Entry(
        when=round(time.time(), 3),
        question=answer.question[:LONGEST],
        refused=answer.refused,
        stopped=answer.stopped,
        support=tuple(round(float(one.support), 3) for one in claims),
        labels=tuple(one.label for one in claims),
        pages=tuple(dict.fromkeys(near)),
        words=tuple(dict.fromkeys(content_words(answer.question)))[:WORDS],
        retrieve_ms=took.retrieve_ms,
        first_word_ms=took.first_word_ms,
        total_ms=took.total_ms,
    )


def _noted(chain: Runnable[Ask, Answer], journal: Journal, asks: Iterator[Ask]) -> Iterator[Answer]:
    for ask in asks:
        for answer in chain.stream(ask):
            if answer.stage == "done" and not ask.private:
                with contextlib.suppress(UnitutorError):  # a full disk is no reason to lose an answer
                    journal.note(answer)
            yield answer


def _lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().split(b"\n") if line]


def _chosen(line: bytes, which: Callable[[Entry], bool]) -> bool:
    values = jsonlines.parsed(line)
    found = None if isinstance(values, str) else _entry(values)
    return found is not None and which(found)


def _entry(values: dict[str, Any]) -> Entry | None:
    try:
        pages = tuple((str(source), None if page is None else int(page)) for source, page in values["pages"])
        return Entry(
            when=float(values["when"]),
            question=str(values["question"]),
            refused=bool(values["refused"]),
            stopped=bool(values["stopped"]),
            support=tuple(map(float, values["support"])),
            labels=tuple(map(str, values["labels"])),  # type: ignore[arg-type]
            pages=pages,
            words=tuple(map(str, values["words"])),
            **{key: float(values[key]) for key in ("retrieve_ms", "first_word_ms", "total_ms")},
        )
    except (KeyError, TypeError, ValueError):
        return None
