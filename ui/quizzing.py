"""What the pages of quizzes need from elsewhere, as functions: a maker of questions, the gate, exports.

Where one is missing the pages do without what needs it. What is not here: the functions themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rag.items.types import Item, Kind, Quiz


class Maker(Protocol):
    """Writes questions; see rag/quiz.py."""

    def __call__(
        self,
        *,
        count: int,
        kinds: tuple[Kind, ...],
        topic: str,
        sources: tuple[str, ...],
        seed: int,
        halt: threading.Event,
        earlier: Sequence[str],
    ) -> Iterator[Quiz]:
        """A growing quiz. `sources` are words of rag/filters.py, `earlier` stems not to be repeated."""


class Format(Protocol):
    """What a format's file is called and said to be; see rag/export/formats.py."""

    @property
    def suffix(self) -> str:
        """'.xml'."""

    @property
    def media_type(self) -> str:
        """'application/xml'."""

    @property
    def about(self) -> str:
        """In a few words."""


@dataclass(frozen=True, slots=True)
class Quizzing:
    """The functions; None where there is none."""

    make: Maker | None = None
    gate: Callable[[Item], str] | None = None  # '' or the reason of a rejection
    # Another item with a new distractor at the place; raises UnitutorError where none is found.
    another: Callable[[Item, int, threading.Event], Item] | None = None
    formats: Mapping[str, Format] = field(default_factory=dict)  # that the shared set leaves in, by name
    write: Callable[[Sequence[Item], str, str], bytes] | None = None  # items, a format's name, a title
