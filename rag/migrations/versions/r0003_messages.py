"""The vectors of messages, by which earlier conversations are found (rag/memory.py)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """None yet: what lacks its vectors gets them when it is next looked for."""
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("turn", sa.Integer, sa.ForeignKey("turn.id", ondelete="CASCADE"), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("conversation", sa.String(32), nullable=False),
        sa.Column("course", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("encoder", sa.Text, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("turn", "role", "encoder"),
    )
    op.create_index("ix_message_owner", "message", ["owner"])
    op.execute("UPDATE schema_version SET version = 3")
