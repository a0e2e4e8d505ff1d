"""What the language model makes of an item's options: which it takes, and whether two names may be one thing.

What is not here: whether the item may stay (rag/items/gate.py).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from langchain_core.messages import BaseMessage

from ingest.types import Passage
from rag import prompts
from rag.items.shapes import name_like, plural
from rag.items.types import Difficulty, Item

WORSE = 0.15  # by how much less sure of the key the model is without the notes, at least
LEAD = 0.2  # of probability, by how much the key must be likelier than any other option, in every order
ALONE = (0, 2)  # orders in which the model is asked without the notes
EASY, HARD = 0.55, 0.25  # probability of the key without the notes: above it easy, below it hard
# From this logit, of yes above no, the model takes one thing for a kind of another. Of 44 pairs of names 20
# are such kinds and have .1 to 4.9, the others -3.6 to 3.1 (AUROC .94); synonyms have it both ways.
KIN = 1.8


@runtime_checkable
class Choosing(Protocol):
    """A model that tells how likely each of some texts is as its answer, as ours does."""

    def likelihoods(
        self, messages: list[BaseMessage], texts: Sequence[str], halt: threading.Event | None = None
    ) -> list[np.ndarray]:
        """See rag/engines/local.py."""


def known(item: Item, with_notes: np.ndarray, without: np.ndarray) -> Item:
    """The item with its difficulty, and whether what it asks is general knowledge."""
    before, after = float(without[:, item.key].mean()), float(with_notes[:, item.key].mean())
    difficulty: Difficulty = "easy" if before > EASY else "hard" if before < HARD else "medium"
    return replace(item, difficulty=difficulty, general=after - before < WORSE)


def chances(
    item: Item, passage: Passage | None, model: Choosing, halt: threading.Event | None = None
) -> np.ndarray:
    """float (orders, options): how likely the model finds each option right, with the options turned
    round once for each, up to the first order in which the key does not lead; without a passage, what
    it knows by itself, in the orders of ALONE."""
    count = len(item.options)
    notes = [prompts.shown(passage)] if passage is not None else []
    found: list[np.ndarray] = []
    for turn in range(count) if notes else [turn for turn in ALONE if turn < count]:
        order = [(place + turn) % count for place in range(count)]
        options = [item.options[at].text for at in order]
        each = model.likelihoods(prompts.choice_prompt(item.stem, options, notes), options, halt)
        if not each:
            break
        total = np.array([one.sum() for one in each])
        likely = np.exp(total - total.max())
        row = np.zeros(count)
        row[order] = likely / likely.sum()
        found.append(row)
        if notes and lead(row, item.key) <= LEAD:
            break
    return np.array(found).reshape(-1, count)


def lead(row: np.ndarray, key: int) -> float:
    return float(row[key] - np.delete(row, key).max())


def kin(item: Item, model: Choosing, halt: threading.Event | None = None) -> str:
    """The distractor that may be a kind of what the key names, or the key one of what it names; '' for none.

    Both would be right then: what is said of a probability distribution holds for a density. Options that
    are no names are not looked at.
    """
    texts = [one.text for one in item.options]
    if item.kind != "multiple-choice" or not all(map(name_like, texts)):
        return ""
    for place, text in enumerate(texts):
        for one, other in ((text, item.answer), (item.answer, text)) if place != item.key else ():
            said = model.likelihoods(prompts.kin_prompt(_a(one), _a(other)), ("yes", "no"), halt)
            if said and float(said[0].sum() - said[1].sum()) > KIN:
                return text
    return ""


def _a(name: str) -> str:
    """A name with its article, as it stands inside a sentence."""
    ordinary = " " in name or name[1:].islower()
    name = name[:1].lower() + name[1:] if ordinary and not name[:2].isupper() else name
    return name if plural(name) else f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
