"""What several unit tests share: a PostgreSQL server, where there is one, started once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from rag.database import Database
from rag.migrations import HEAD
from tests import postgres


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """Gives the URL of a database, brought up to date; each call empties it."""
    if postgres.programs() is None:
        pytest.skip(postgres.MISSING)
    with postgres.server() as server:
        database = Database(server.url())
        with database.read() as db:
            names = sorted(set(sa.inspect(db).get_table_names()) - {"alembic_version"})

        def emptied() -> str:
            with database.write() as db:
                db.execute(sa.text(f"TRUNCATE {', '.join(names)}"))
                db.execute(sa.text(f"INSERT INTO schema_version VALUES ({HEAD})"))
            return server.url()

        yield emptied
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """Where a database may be made: tests that ask for it run on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return tmp_path / "kept" / "sessions.sqlite"
    return str(request.getfixturevalue("postgresql")())
