"""Flashcards: a term in front and its definition behind, or a quiz question and its key.

What is not here: the formats they leave in. `as_item` makes a card an item, which every export takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.items.terms import Definition, key
from rag.items.types import Evidence, Item, Option, new_id
from rag.study import evidence


@dataclass(frozen=True, slots=True)
class Card:
    """Two sides, and where the notes say it."""

    id: str  # 16 hex digits, the same for the same term (or item), so that a second export updates the card
    front: str
    back: str
    evidence: Evidence


def cards(defined: Iterable[Definition], items: Sequence[Item] = ()) -> tuple[Card, ...]:
    """A card for each definition, then one for each item; two with the same front are one.

    The id is that of the term in its file, and not of its wording: a definition that was reworded in
    the notes changes the card and keeps what was learnt.
    """
    found: dict[str, Card] = {}
    for one in defined:
        back = one.means if one.text.endswith(one.means) else one.text
        name = new_id("term", one.passage.source, key(one.term))
        card = Card(name, _front(one.term), _sentence(back), evidence(one.passage, one.text))
        found.setdefault(card.front.lower(), card)
    for item in items:
        front = item.stem if item.kind != "true-false" else f"True or false? {item.stem}"
        found.setdefault(front.lower(), Card(item.id, front, item.answer, item.evidence))
    return tuple(found.values())


def as_item(card: Card) -> Item:
    """The card as an open question with one answer: what Anki, Moodle and the rest are given."""
    return Item(
        id=card.id,
        kind="short-answer",
        stem=card.front,
        options=(Option(card.back, ""),),
        key=0,
        explanation="",
        evidence=card.evidence,
        topic=card.evidence.heading.split(" > ")[-1],
        difficulty="easy",
        bloom="remember",
    )


def _front(term: str) -> str:
    return term[:1].upper() + term[1:]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
