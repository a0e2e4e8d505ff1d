"""The values that pass between rooms: frozen, typed, no free-form metadata.

What is not here: anything about answers (see rag/types.py) or about how a value is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the process that reads files needs no arrays
    import numpy as np


@dataclass(frozen=True, slots=True)
class Page:
    """One page, slide or whole file of a course's notes, as text.

    `text` is light Markdown: headings are lines that start with one to six '#', list items
    lines that start with '- ' or '1. ', tables lines of cells joined by ' | '.
    """

    source: str  # path relative to the notes folder, '/' between its parts
    number: int | None  # 1-based page or slide, or second in subtitles; None for formats without
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stretch of notes stands."""

    source: str
    page: int | None
    heading: tuple[str, ...]  # heading path there, outermost first


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of notes small enough to read at a glance, and where it stands."""

    id: str  # content id: 16 hex digits of SHA-256 over source, page, heading and text
    source: str
    page: int | None
    heading: tuple[str, ...]  # heading path, outermost first
    text: str
    sentences: tuple[str, ...]  # the sentences and list items of `text`, in order
    also: tuple[Place, ...] = ()  # where else the same is said, in the order of the notes

    @property
    def title(self) -> str:
        """The heading path as one line, 'Outer > Inner'."""
        return " > ".join(self.heading)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question."""

    passage: Passage
    score: float  # fused retrieval score, higher is better; comparable within one question only
    dense: float  # best cosine of the question with the passage or one of its sentences, -1..1
    late: float  # late-interaction score of the question with the passage, -1..1
    sentence: int  # index into passage.sentences of the sentence nearest the question


class Encoder(Protocol):
    """Turns texts into unit vectors. See ingest/embed.py for the sentence-transformers one."""

    @property
    def name(self) -> str:
        """What the index remembers: the model's id and a fingerprint of its weights."""

    @property
    def dimension(self) -> int:
        """Length of one vector."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimension), rows of length 1."""

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per text: token ids int32 (t,) and unit token vectors float32 (t, dimension).

        [CLS] and [SEP] are left out, so t may be 0.
        """

    def encode_with_tokens(
        self, texts: Sequence[str]
    ) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        """What `encode` and `encode_tokens` give, in the time of one of them."""


class Progress(Protocol):
    """Told how far a long piece of work is."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """`what` in a few words; `done` of `total` steps, in any unit, total 0 if unknown."""


def silent(what: str, done: int, total: int) -> None:
    """A Progress for callers that show none."""
