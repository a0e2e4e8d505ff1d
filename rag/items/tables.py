"""The tables of the question bank, of quizzes and of what students answered.

They lie beside the conversations (rag/database.py) and are made with them. Items are kept as JSON of
rag/items/types.py; what is searched by has a column of its own.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from ingest.errors import BadRequest
from rag.database import encodable, metadata
from rag.items.types import KINDS, Item, from_json, to_json

items = sa.Table(
    "item",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(16), nullable=False, unique=True),
    sa.Column("course", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("state", sa.String(8), nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("changed", sa.Double, nullable=False),
    sa.Column("deleted", sa.Double, nullable=True),
)
# What an item was before each change: undoing takes the newest of these back.
past = sa.Table(
    "item_past",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("item", sa.String(16), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("changed", sa.Double, nullable=False),
    sa.Column("deleted", sa.Double, nullable=True),
)
quizzes = sa.Table(
    "quiz",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("student", sa.Text, nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("items", sa.Text, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
)
# An attempt has a copy of its items: it is marked by what was asked, whatever becomes of that later.
attempts = sa.Table(
    "attempt",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("student", sa.Text, nullable=False, index=True),
    sa.Column("quiz", sa.String(32), nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("items", sa.Text, nullable=False),
    sa.Column("orders", sa.Text, nullable=False),
    sa.Column("all_at_once", sa.Boolean, nullable=False),
    sa.Column("at_the_end", sa.Boolean, nullable=False),
    sa.Column("started", sa.Double, nullable=False),
    sa.Column("ended", sa.Double, nullable=True),
)
responses = sa.Table(
    "response",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("attempt", sa.ForeignKey("attempt.id", ondelete="CASCADE"), nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("chosen", sa.Integer, nullable=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("correct", sa.Boolean, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("answered", sa.Double, nullable=False),
    sa.UniqueConstraint("attempt", "place"),
)
cards = sa.Table(
    "memory",
    metadata,
    sa.Column("student", sa.Text, primary_key=True),
    sa.Column("item", sa.String(16), primary_key=True),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("due", sa.Double, nullable=False),
)


def stored(item: Item) -> str:
    """An item as it is kept in a row."""
    return encodable(json.dumps(to_json(item), ensure_ascii=False))


def restored(text: str) -> Item | None:
    """The item that `stored` gave `text` for; None where the text is damaged."""
    try:
        return checked(from_json(json.loads(text)))
    except (ValueError, TypeError, KeyError, AttributeError, BadRequest):
        return None


def checked(item: Item) -> Item:
    """The item itself. Raises BadRequest where it is not one that can be asked."""
    words: list[Any] = [item.id, item.stem, item.explanation, item.topic, item.evidence.quote]
    words += [item.evidence.source, item.evidence.heading, item.evidence.passage_id]
    words += [part for option in item.options for part in (option.text, option.feedback)]
    if not all(isinstance(part, str) for part in words) or item.kind not in KINDS:
        raise BadRequest("This question is damaged: delete it, and have another written.")
    if not item.stem.strip():
        raise BadRequest("A question needs a text.")
    if not item.options or any(not option.text.strip() for option in item.options):
        raise BadRequest("Every option needs a text.")
    chosen_from = item.kind in ("multiple-choice", "true-false")
    if chosen_from and len({" ".join(o.text.split()).casefold() for o in item.options}) < len(item.options):
        raise BadRequest("Two options are the same: every option needs a text of its own.")
    if type(item.key) is not int or not 0 <= item.key < len(item.options):
        raise BadRequest("A question needs one option that is right.")
    if item.evidence.page is not None and type(item.evidence.page) is not int:
        raise BadRequest("This question is damaged: delete it, and have another written.")
    return item
