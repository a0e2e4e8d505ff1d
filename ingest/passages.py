"""Passages in SQLite: written with an index, read all at once or, where there are many, one by one.

What is not here: which passages there are (ingest/split.py) and the vectors that stand for them.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap
from pathlib import Path
from typing import Any, overload

import numpy as np

from ingest import generations
from ingest.duplicates import Copy
from ingest.types import Passage, Place

LAZY = 20_000  # from so many passages on, each is read when it is asked for
KEPT = 4096  # of those, how many stay in memory
_COLUMNS = "id, source, page, heading, text, sentences, also"
_TABLES = """
CREATE TABLE passages (row INTEGER PRIMARY KEY, id TEXT UNIQUE, source TEXT, page INTEGER, heading TEXT,
                       text TEXT, sentences TEXT, also TEXT);
CREATE TABLE copies (row INTEGER, id TEXT PRIMARY KEY, source TEXT, page INTEGER, heading TEXT,
                     text TEXT, sentences TEXT, also TEXT);
CREATE TABLE sources (source TEXT, row INTEGER, PRIMARY KEY (source, row)) WITHOUT ROWID;
"""


def write_passages(path: Path, passages: Sequence[Passage], repeats: Sequence[Copy] = ()) -> None:
    """A new database at `path` with the passages, in order, and those that they stand for."""
    with contextlib.closing(sqlite3.connect(path)) as base, base:
        base.executescript(_TABLES)
        copies = ((copy.before, copy.passage) for copy in repeats)
        for table, rows in (("passages", enumerate(passages)), ("copies", copies)):
            base.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", starmap(_row, rows))
        found = (
            {(p.source, row), *((place.source, row) for place in p.also)} for row, p in enumerate(passages)
        )
        base.executemany("INSERT INTO sources VALUES (?, ?)", (pair for pairs in found for pair in pairs))


def read_copies(path: Path) -> list[Copy]:
    """The passages that those of the database stand for. Raises sqlite3.Error, ValueError."""
    with contextlib.closing(StoredPassages(path)) as stored:
        query = f"SELECT row, {_COLUMNS} FROM copies ORDER BY row, rowid"
        return [Copy(row, _passage(*values)) for row, *values in stored.all(query)]


def read_passages(path: Path) -> Sequence[Passage]:
    """All of them as a tuple, or, from LAZY on, as StoredPassages. Raises sqlite3.Error, ValueError."""
    stored = StoredPassages(path)
    if len(stored) >= LAZY:
        return stored
    with contextlib.closing(stored):
        return tuple(stored)


def places(folder: Path) -> set[tuple[str, int | None]]:
    """Every file and page that passages of the index in `folder` stand on; none where it is not whole."""
    generation = generations.current(folder)
    if generation is None:
        return set()
    try:
        return places_of(read_passages(generation / "passages.sqlite"))
    except (sqlite3.Error, ValueError):
        return set()


def places_of(passages: Iterable[Passage]) -> set[tuple[str, int | None]]:
    """Every file and page that one of the passages stands on."""
    found: set[tuple[str, int | None]] = set()
    for one in passages:
        found |= {(one.source, one.page), *((at.source, at.page) for at in one.also)}
    return found


class StoredPassages(Sequence[Passage]):
    """The passages of an index as they lie in its database. Safe to share by threads."""

    def __init__(self, path: Path) -> None:
        """Opens `path` for reading; raises sqlite3.Error where it is no such database."""
        self._base = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        self._count = int(self.all("SELECT count(*) FROM passages")[0][0])
        self._one = functools.lru_cache(maxsize=KEPT)(self._read)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, row: int) -> Passage: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[Passage]: ...

    def __getitem__(self, row: int | slice) -> Passage | Sequence[Passage]:
        if isinstance(row, slice):
            return tuple(self[at] for at in range(*row.indices(self._count)))
        at = int(row) + (self._count if row < 0 else 0)
        if not 0 <= at < self._count:
            raise IndexError(row)
        return self._one(at)

    def __iter__(self) -> Iterator[Passage]:
        for at in range(0, self._count, 1000):
            rows = f"SELECT {_COLUMNS} FROM passages WHERE row >= ? AND row < ? ORDER BY row"
            yield from (_passage(*values) for values in self.all(rows, at, at + 1000))

    def row(self, key: str) -> int:
        """The row of the passage with content id `key`; raises KeyError where there is none."""
        for (row,) in self.all("SELECT row FROM passages WHERE id = ?", key):
            return int(row)
        raise KeyError(key)

    def sources(self) -> tuple[str, ...]:
        """The files that the passages stand in, sorted."""
        return tuple(sorted(source for (source,) in self.all("SELECT DISTINCT source FROM sources")))

    def rows(self, sources: Sequence[str]) -> np.ndarray:
        """int64, ascending: the passages that stand in one of the files `sources`."""
        found: set[int] = set()
        for source in sources:
            found.update(row for (row,) in self.all("SELECT row FROM sources WHERE source = ?", source))
        return np.array(sorted(found), np.int64)

    def close(self) -> None:
        """No passage can be read after this."""
        self._base.close()

    def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows that a query of the database gives."""
        with self._lock:
            return self._base.execute(query, values).fetchall()

    def _read(self, row: int) -> Passage:
        return _passage(*self.all(f"SELECT {_COLUMNS} FROM passages WHERE row = ?", row)[0])


def _row(row: int, passage: Passage) -> tuple[Any, ...]:
    also = [[place.source, place.page, place.heading] for place in passage.also]
    lists = (json.dumps(passage.heading), passage.text, json.dumps(passage.sentences), json.dumps(also))
    return (row, passage.id, passage.source, passage.page, *lists)


def _passage(
    key: str, source: str, page: int | None, heading: str, text: str, sentences: str, also: str
) -> Passage:
    places = (Place(source, page, tuple(titles)) for source, page, titles in json.loads(also))
    return Passage(
        key, source, page, tuple(json.loads(heading)), text, tuple(json.loads(sentences)), tuple(places)
    )
