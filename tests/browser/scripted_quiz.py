"""Questions that are written from a script: the tests of the quiz pages need no model."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ingest.errors import BadRequest
from rag.export.formats import FORMATS, write
from rag.items.types import Item, Option, Quiz
from tests.quiz_items import choice, truth, written
from ui.quizzing import Quizzing


@dataclass
class Maker:
    """Every second question passes; what it was asked for is written down."""

    pause: float = 0.02
    items: Sequence[Item] = ()  # what is given first
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, *, halt: threading.Event, **wanted: Any) -> Iterator[Quiz]:
        """See ui.quizzing.Maker."""
        self.asked.append(wanted)
        if wanted["topic"] == "nowhere":
            raise BadRequest("The notes hold nothing about 'nowhere': try another topic.")
        quiz = Quiz((), wanted["count"], 0, {}, wanted["seed"])
        while len(quiz.items) < wanted["count"] and not halt.is_set():
            time.sleep(self.pause)
            reason = "longest option is the key" if quiz.written % 4 else "a distractor is supported"
            if quiz.written % 2:
                quiz = replace(quiz, items=(*quiz.items, self._item(len(quiz.items), wanted)))
            else:
                count = quiz.rejected.get(reason, 0) + 1
                quiz = replace(quiz, rejected={**quiz.rejected, reason: count})
            quiz = replace(quiz, written=quiz.written + 1)
            yield quiz
        yield replace(quiz, stopped=halt.is_set())

    def _item(self, place: int, wanted: dict[str, Any]) -> Item:
        if place < len(self.items):
            return self.items[place]
        if wanted["earlier"]:
            return choice(100 + len(self.asked))
        made = {"multiple-choice": choice, "true-false": truth}.get(
            wanted["kinds"][place % len(wanted["kinds"])]
        )
        return made(place) if made else written(wanted["kinds"][place % len(wanted["kinds"])], place)


def gate(item: Item, halt: threading.Event) -> str:
    """A gate that looks at one word, and takes its time over another."""
    if "slow" in item.stem:
        halt.wait(60)
    return "negative stem" if " not " in item.stem else ""


def another(item: Item, place: int, halt: threading.Event) -> Item:
    """A distractor that is always the same."""
    options = tuple(Option("The decoder", "") if at == place else one for at, one in enumerate(item.options))
    return replace(item, options=options)


def quizzing(maker: Maker) -> Quizzing:
    """All of it."""
    return Quizzing(maker, gate, another, FORMATS, write)
