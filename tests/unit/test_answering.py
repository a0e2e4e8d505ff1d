"""The sentence that a model tells to answer; the real model: tests/integration/test_answering.py."""

from __future__ import annotations

import numpy as np

from ingest.types import Hit, Passage
from rag.answering import ASKED_ABOUT, LEAST, answering
from rag.select import Choice


def choice(key: str, *sentences: str) -> Choice:
    passage = Passage(key, "notes.md", None, (), " ".join(sentences), sentences)
    return Choice(Hit(passage, 1.0, 0.5, 0.5, 0), tuple(range(len(sentences))))


CHOICES = [
    choice("a", "The prize of another year went to two others.", "Title"),
    choice("b", "Three of them shared the prize of that year.", "It is given once in every year."),
]
NEAR = [np.array([0.6, 0.9]), np.array([0.4, 0.5])]


def test_what_answers_is_taken_before_what_is_nearer() -> None:
    odds = {"The": 0.0, "Three": LEAST, "It": LEAST - 1}
    (found,) = answering(CHOICES, NEAR, lambda one, place: odds[one.passage.sentences[place].split()[0]])
    assert (found.text, found.markers) == ("Three of them shared the prize of that year.", (2,))


def test_nothing_is_taken_where_nothing_answers() -> None:
    assert answering(CHOICES, NEAR, lambda *_: LEAST - 0.01) == []
    assert answering([], [], lambda *_: 9.0) == []


def test_only_the_nearest_are_asked_about() -> None:
    lines = [f"Sentence number {place} says one thing of its own." for place in range(ASKED_ABOUT + 3)]
    asked: list[int] = []

    def telling(_: Choice, place: int) -> float:
        asked.append(place)
        return float(place)

    answering([choice("c", *lines)], [np.linspace(1, 0, len(lines))], telling)
    assert asked == list(range(ASKED_ABOUT))
