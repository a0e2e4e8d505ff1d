"""When an item comes back to a student: FSRS (Ye et al., 2022; the `fsrs` package), one card an item.

A right answer counts as 'good', a wrong one as 'again', so what was missed is due first and soon.
Without the minutes-long learning steps that flashcards have: a quiz comes back on another day. Times
are seconds since 1970; nothing is drawn at random, so the same answers give the same days.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime

from fsrs import Card, Rating, Scheduler


@functools.cache
def _scheduler() -> Scheduler:
    return Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


def reviewed(card: str | None, correct: bool, when: float) -> tuple[str, float]:
    """A card after an answer, and when it is due; `card` is what this gave before, None at first.

    A damaged card begins anew.
    """
    at = datetime.fromtimestamp(when, UTC)
    kept = _read(card) or Card(card_id=0, due=at)
    if kept.last_review is not None and kept.last_review > at:
        at = kept.last_review  # the machine's clock was set back
    after, _ = _scheduler().review_card(kept, Rating.Good if correct else Rating.Again, at)
    return after.to_json(), after.due.timestamp()


def _read(card: str | None) -> Card | None:
    try:
        return Card.from_json(card) if card else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
