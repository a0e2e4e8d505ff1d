"""The course's own text format: 'Question 1: …', 'a) …' to 'd) …', 'Answer 1: b) …', a field a line.

After the answer stand the explanation, what is told to those who choose each option, and where the
notes say it. A line begins with its label, so that no text can be taken for another field.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.export.content import chosen, letter, line, where
from rag.items.types import Item


def text(items: Sequence[Item], title: str) -> bytes:
    """The items as text in UTF-8."""
    parts = [line(title)] if line(title) else []
    parts += [_item(number, item) for number, item in enumerate(items, 1)]
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def _item(number: int, item: Item) -> str:
    lines = [f"Question {number}: {line(item.stem)}"]
    if chosen(item):
        lines += [f"{letter(place)}) {line(option.text)}" for place, option in enumerate(item.options)]
        lines.append(f"Answer {number}: {letter(item.key)}) {line(item.answer)}")
    else:
        lines.append(f"Answer {number}: {line(item.answer)}")
        others = (option for place, option in enumerate(item.options) if place != item.key)
        lines += [f"Also right {number}: {line(option.text)}" for option in others]
    lines.append(f"Explanation {number}: {line(item.explanation)}")
    lines += [f"Feedback {number}{letter(n)}: {line(told.feedback)}" for n, told in enumerate(item.options)]
    lines.append(f"Quote {number}: {line(item.evidence.quote)}")
    lines.append(f"Page {number}: {where(item)}")
    lines.append(f"Topic {number}: {line(item.topic)} ({item.difficulty}, {item.bloom})")
    return "\n".join(lines)
