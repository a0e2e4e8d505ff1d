"""Conversations found by words: the form in which titles and turns are compared with what is looked for.

SQLite and PostgreSQL fold case differently, and neither in all alphabets, so what is searched lies
beside each title and turn already folded. What is not here: search by meaning (rag/memory.py).
"""

from __future__ import annotations

import unicodedata
from typing import Any

import sqlalchemy as sa

from rag.types import MARKER

WORDS = 12  # of a search that count
LONGEST = 60  # characters of such a word


def folded(text: str) -> str:
    """Text as it is compared: without case, accents composed, blanks single."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def said(question: str, answer: str) -> str:
    """What a turn is found by: its question and its answer without markers, folded."""
    whole = folded(question + " " + MARKER.sub("", answer))
    return whole.encode("utf-8", "replace").decode().replace("\x00", "")


def words(text: str) -> tuple[str, ...]:
    """The words of a search, folded; none for an empty one."""
    return tuple(dict.fromkeys(word[:LONGEST] for word in folded(text).split()))[:WORDS]


def holds(column: Any, word: str) -> sa.ColumnElement[bool]:
    """Whether a folded column holds a word: %, _ and the escape itself stand for themselves."""
    found: sa.ColumnElement[bool] = column.contains(word.replace("\x00", ""), autoescape=True, escape="\\")
    return found
