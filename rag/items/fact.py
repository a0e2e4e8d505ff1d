"""A fact of the notes, and what rivals its answer: the values that pass between the parts that make a quiz.

What is not here: how facts are found (rag/items/facts.py and events.py), and what becomes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingest.types import Passage

FactKind = Literal["term", "meaning", "property", "cell", "number", "person"]


@dataclass(frozen=True, slots=True)
class Rival:
    """Something of the key's kind, and what the notes say of it."""

    text: str
    said: str = ""  # verbatim; '' where the notes say nothing of it by itself
    source: str = ""
    page: int | None = None
    beside: bool = False  # named in the key's own section


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence of the notes, and the part of what it says that is asked for."""

    kind: FactKind
    passage: Passage
    row: int  # of the sentence in passage.sentences
    before: str  # before + key + after is what is claimed
    key: str
    after: str
    topic: str  # the concept it is about
    rivals: tuple[Rival, ...] = ()  # of the key's kind, nearest first

    @property
    def sentence(self) -> str:
        """The evidence, verbatim."""
        return self.passage.sentences[self.row]

    def claim(self, answer: str | None = None) -> str:
        """What is claimed if `answer` is the answer: by default the key."""
        return f"{self.before}{self.key if answer is None else answer}{self.after}"
