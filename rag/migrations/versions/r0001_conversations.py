"""The tables as they were before there were migrations.

A database of that time has some or all of them: what is there stays as it is.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that are missing."""
    _make("schema_version", sa.Column("version", sa.Integer, nullable=False))
    _make(
        "conversation",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("updated", sa.Double, nullable=False),
        sa.Column("deleted", sa.Double, nullable=True),
    )
    _index("conversation", "updated")
    _make(
        "turn",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        _part_of("conversation"),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("finished", sa.Boolean, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.UniqueConstraint("conversation", "place"),
    )
    _make(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        _part_of("conversation"),
        sa.Column("turn", sa.Integer, sa.ForeignKey("turn.id", ondelete="SET NULL"), unique=True),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    _index("feedback", "conversation")
    _index("feedback", "created")
    _quizzes()
    op.execute("INSERT INTO schema_version SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM schema_version)")


def _quizzes() -> None:
    _make(
        "item",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(16), nullable=False, unique=True),
        sa.Column("course", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        *_held(),
    )
    _index("item", "state")
    _make(
        "item_past",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("item", sa.String(16), nullable=False),
        *_held(),
    )
    _index("item_past", "item")
    _make(
        "quiz",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("items", sa.Text, nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
    )
    _index("quiz", "student")
    _make(
        "attempt",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("quiz", sa.String(32), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("items", sa.Text, nullable=False),
        sa.Column("orders", sa.Text, nullable=False),
        sa.Column("all_at_once", sa.Boolean, nullable=False),
        sa.Column("at_the_end", sa.Boolean, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("ended", sa.Double, nullable=True),
    )
    _index("attempt", "student")
    _index("attempt", "quiz")
    _make(
        "response",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        _part_of("attempt"),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("chosen", sa.Integer, nullable=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("correct", sa.Boolean, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("answered", sa.Double, nullable=False),
        sa.UniqueConstraint("attempt", "place"),
    )
    _make(
        "memory",
        sa.Column("student", sa.Text, primary_key=True),
        sa.Column("item", sa.String(16), primary_key=True),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("due", sa.Double, nullable=False),
    )


def _held() -> list[sa.Column[Any]]:
    return [
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("deleted", sa.Double, nullable=True),
    ]


def _part_of(table: str) -> sa.Column[Any]:
    owner = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(table, sa.String(32), owner, nullable=False)


def _make(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, *parts, if_not_exists=True)


def _index(table: str, column: str) -> None:
    op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)
