"""People and whose a conversation is, API keys, settings; conversations are pinned and searched by words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rag.database import restored
from rag.wordsearch import folded, said

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """What was there belongs to '', the one person of a machine without accounts."""
    op.add_column("conversation", sa.Column("owner", sa.String(32), nullable=False, server_default=""))
    op.add_column("conversation", sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("conversation", sa.Column("folded", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_conversation_owner", "conversation", ["owner"])
    op.add_column("turn", sa.Column("folded", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "person",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("folded", sa.Text, nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_index("ix_person_subject", "person", ["subject"])
    op.create_table(
        "signin",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
    )
    op.create_index("ix_signin_person", "signin", ["person"])
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hashed", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("per_minute", sa.Integer, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("used", sa.Double, nullable=True),
        sa.Column("revoked", sa.Double, nullable=True),
    )
    op.create_index("ix_api_key_owner", "api_key", ["owner"])
    op.create_table(
        "setting",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    _fold()
    op.execute("UPDATE schema_version SET version = 2")


def _fold() -> None:
    db = op.get_bind()
    talk = sa.table("conversation", sa.column("id"), sa.column("title"), sa.column("folded"))
    for id, title in db.execute(sa.select(talk.c.id, talk.c.title)).all():
        db.execute(talk.update().where(talk.c.id == id).values(folded=folded(title)))
    names = ("id", "question", "answer", "folded")
    turn = sa.table("turn", *(sa.column(name) for name in names))
    for id in db.scalars(sa.select(turn.c.id)).all():
        row = db.execute(sa.select(turn.c.question, turn.c.answer).where(turn.c.id == id)).one()
        answer = restored(row.answer, row.question)
        text = said(row.question, answer.answer if answer else "")
        db.execute(turn.update().where(turn.c.id == id).values(folded=text))
