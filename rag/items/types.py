"""A question of a quiz as the field calls it, an item, and what making a number of them came to.

What is not here: how items are written (rag/items/writing.py), which of them pass (gate.py), and
the formats they leave in (rag/export/).
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["multiple-choice", "true-false", "short-answer", "fill-in"]
Difficulty = Literal["easy", "medium", "hard"]
# Levels of Bloom's taxonomy, revised by Anderson and Krathwohl (2001), that one sentence can be asked at.
Bloom = Literal["remember", "understand", "apply", "analyse"]

KINDS: tuple[Kind, ...] = ("multiple-choice", "true-false", "short-answer", "fill-in")
BLANK = "_____"  # stands for what is to be filled in, once in the stem of a fill-in item
NAMED = ("a", "b", "c", "d")  # options of a multiple-choice item, in order


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the notes say what an item asks."""

    quote: str  # verbatim: one sentence or two neighbours of a passage
    source: str
    page: int | None
    heading: str  # 'Outer > Inner'
    passage_id: str


@dataclass(frozen=True, slots=True)
class Option:
    """One answer offered, and what is told to those who choose it."""

    text: str
    feedback: str


@dataclass(frozen=True, slots=True)
class Item:
    """A question with its key. Text is plain, with LaTeX between dollar signs as in the notes.

    multiple-choice: four options, the right one at `key`. true-false: the options 'True' and
    'False'. short-answer and fill-in: every option is an answer that counts as right, the one to
    show first; `key` is 0.
    """

    id: str  # 16 hex digits, made once: an edited item keeps it, so that a second export updates cards
    kind: Kind
    stem: str
    options: tuple[Option, ...]
    key: int  # 0-based place of the right option
    explanation: str  # why the key is right, in one or two sentences
    evidence: Evidence
    topic: str  # what a score is added up by: the concept asked about
    difficulty: Difficulty
    bloom: Bloom
    general: bool = False  # 'general knowledge': the model knows the key without the notes as well
    by_hand: bool = False  # edited by an instructor in a way that the gate did not pass

    @property
    def answer(self) -> str:
        """The text of the key."""
        return self.options[self.key].text


@dataclass(frozen=True, slots=True)
class Quiz:
    """The items that passed, and what became of the others."""

    items: tuple[Item, ...]
    asked: int  # how many were wanted
    written: int  # how many were tried
    rejected: dict[str, int] = field(default_factory=dict)  # reason (rag/items/gate.py) -> how many
    seed: int = 0
    stopped: bool = False  # by the reader, before it was over


def new_id(*parts: str) -> str:
    """The id of an item made of `parts` (its kind, stem, key, evidence): the same each time."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def to_json(item: Item) -> dict[str, Any]:
    """The item as plain JSON values."""
    return dataclasses.asdict(item)


def from_json(values: dict[str, Any]) -> Item:
    """The item that `to_json` gave `values` for. Raises TypeError, KeyError where they are another's."""
    return Item(
        **{
            **values,
            "options": tuple(Option(**option) for option in values["options"]),
            "evidence": Evidence(**values["evidence"]),
        }
    )
