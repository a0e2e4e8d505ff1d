"""Bring a database up to what rag/database.py says, at its opening.

The steps are rag/migrations. They run under the writer's lock in one transaction: of two programs
that open a database at once one waits, and a program that is killed leaves it as it was.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from rag.migrations import HEAD

LOCK = 0x556E6974  # any number: who migrates a database on a PostgreSQL server holds this lock there


def version(db: sa.Connection) -> int:
    """The number of the step that a database is at: 0 for an empty one.

    A number above HEAD is a newer program's. One from before there were steps is at 0 too: the first
    step takes over what it has.
    """
    names = set(sa.inspect(db).get_table_names())
    told = db.scalar(sa.text("SELECT version FROM schema_version")) if "schema_version" in names else 0
    if told is not None and told > HEAD:
        return int(told)
    if "alembic_version" not in names:
        return 0
    found = db.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return int(found) if found and found.isdecimal() else (HEAD + 1 if found else 0)


def upgrade(db: sa.Connection) -> None:
    """Run the steps that are missing, in the transaction that `db` is in. Loads Alembic."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = db
    command.upgrade(config, "head")


def alone(db: sa.Connection) -> None:
    """Wait until no other program migrates this database; holds until the transaction ends."""
    if db.dialect.name == "postgresql":  # a writer on SQLite is alone anyway
        db.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
