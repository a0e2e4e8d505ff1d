"""What the cleaner tells of each word it takes away, so that it can be looked up and tested.

What is not here: what is taken away (ingest/repair.py, noise.py, lines.py, headings.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Removed:
    """Words of the notes that are in no passage, and why."""

    page: int | None  # 1-based page or slide; None where there are none
    text: str
    why: str  # in a few words: 'page number'


Tell = Callable[[int, str, str], None]  # told the page's index among the pages, the text, and why it goes


def unheard(page: int, text: str, why: str) -> None:
    """A Tell for callers that do not ask."""


def words(text: str) -> Counter[str]:
    """The words of a text as they are counted here: runs of letters and digits, with their case."""
    return Counter(_WORD.findall(text))


def told(tell: Tell, page: int, before: str, after: str, why: str) -> None:
    """Tell of the words that a step from `before` to `after` has taken away, if any."""
    if tell is unheard or before == after:
        return
    gone = words(before) - words(after)
    if gone:
        tell(page, " ".join(gone.elements()), why)
