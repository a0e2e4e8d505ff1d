"""Where the vectors of messages are searched: faiss in this process, or the notes' Milvus.

Both hold only copies: what is kept of a message is its row (rag/memory.py), so a store that is empty,
late or damaged is brought in line with the rows and loses nothing. A store is asked for one owner's
messages at a time and gives none of another's. What is not here: which messages there are.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np

from ingest.where import milvus_uri

OWNERS = 64  # owners whose vectors stay in memory; the rows have those of the others
BATCH = 2000  # vectors in one message to Milvus
MOST = 16_384  # results, and ids, that Milvus gives for one request
PREFIX = "messages_"  # of a collection's name; the rest tells the encoder


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as a store knows it: everything it is filtered by, and none of its words."""

    id: int  # of its row; never given twice
    turn: int
    conversation: str
    role: str  # 'student' or 'tutor'
    course: str
    created: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Span:
    """Which of an owner's messages are meant; times are seconds since 1970, `until` not among them."""

    since: float | None = None
    until: float | None = None
    role: str | None = None


class Store(Protocol):
    """Vectors of messages by owner. Safe to share by threads."""

    def held(self, owner: str) -> set[int]:
        """The ids of the owner's messages that are here."""

    def add(self, owner: str, entries: Sequence[Entry], vectors: np.ndarray) -> None:
        """Take in messages with their vectors, float32 (len(entries), dim), rows of length 1."""

    def drop(self, owner: str, ids: set[int]) -> None:
        """Forget these messages of the owner."""

    def search(self, owner: str, vector: np.ndarray, k: int, span: Span) -> list[tuple[int, float]]:
        """Ids of the owner's messages within `span`, with cosines -1..1, the nearest first, at most k."""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """One owner's messages: an exact faiss index by id, and what they are filtered by."""

    index: Any
    entries: dict[int, Entry]


class FaissStore:
    """One exact index in memory for each owner: a search cannot come upon another owner's vectors."""

    def __init__(self, dimension: int) -> None:
        """Empty; `dimension` is the length of a vector."""
        self._dimension = dimension
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()
        self._lock = threading.RLock()

    def held(self, owner: str) -> set[int]:
        """See Store."""
        with self._lock:
            return set(self._shelf(owner).entries)

    def add(self, owner: str, entries: Sequence[Entry], vectors: np.ndarray) -> None:
        """See Store."""
        with self._lock:
            shelf = self._shelf(owner)
            new = [row for row, entry in enumerate(entries) if entry.id not in shelf.entries]
            if new:
                ids = np.array([entries[row].id for row in new], np.int64)
                shelf.index.add_with_ids(np.ascontiguousarray(vectors[new], np.float32), ids)
                shelf.entries.update((entries[row].id, entries[row]) for row in new)

    def drop(self, owner: str, ids: set[int]) -> None:
        """See Store."""
        with self._lock:
            shelf = self._shelf(owner)
            here = ids & shelf.entries.keys()
            if here:
                shelf.index.remove_ids(np.array(sorted(here), np.int64))
                for id in here:
                    del shelf.entries[id]

    def search(self, owner: str, vector: np.ndarray, k: int, span: Span) -> list[tuple[int, float]]:
        """See Store."""
        with self._lock:
            shelf = self._shelf(owner)
            meant = np.array([id for id, entry in shelf.entries.items() if _within(entry, span)], np.int64)
            if not len(meant):
                return []
            # A batch selector is exact for ids of any size; its bloom filter only makes it quick.
            chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(meant))  # type: ignore[call-arg]
            query = np.ascontiguousarray(vector[None], np.float32)
            scores, ids = shelf.index.search(query, min(k, len(meant)), params=chosen)
            return [(int(id), float(score)) for id, score in zip(ids[0], scores[0], strict=True) if id >= 0]

    def _shelf(self, owner: str) -> _Shelf:
        if owner not in self._shelves:
            self._shelves[owner] = _Shelf(faiss.IndexIDMap2(faiss.IndexFlatIP(self._dimension)), {})
            while len(self._shelves) > OWNERS:
                self._shelves.popitem(last=False)
        self._shelves.move_to_end(owner)
        return self._shelves[owner]


class MilvusStore:
    """One collection in the Milvus that has the notes' vectors; every request names the owner."""

    def __init__(self, folder: Path, encoder: str, dimension: int) -> None:
        """`folder` is the notes' index (ingest/where.py), `encoder` the name of what makes the vectors.

        Raises IndexUnusable, one line, if Milvus is not installed or cannot be reached.
        """
        from ingest import milvus

        self._folder = folder
        self._told = milvus.told
        self._name = PREFIX + hashlib.sha256(encoder.encode()).hexdigest()[:16]
        with self._told(folder):
            import langchain_milvus  # noqa: F401  # missing, it is told here as well

            client = milvus.connected(folder)
            if not client.has_collection(self._name):
                _create(client, self._name, dimension)
            self._store = milvus.langchain_store(folder, self._name, None)
            self._client = self._store.client

    def held(self, owner: str) -> set[int]:
        """See Store."""
        with self._told(self._folder):
            found: set[int] = set()
            last = -1
            while True:  # the ids in order, a page at a time: an offset would end at MOST
                rows = self._client.query(
                    self._name,
                    filter=f"{_of(owner)} and id > {last}",
                    output_fields=["id"],
                    limit=MOST,
                )
                ids = {int(row["id"]) for row in rows}
                found |= ids
                if len(ids) < MOST:
                    return found
                last = max(ids)

    def add(self, owner: str, entries: Sequence[Entry], vectors: np.ndarray) -> None:
        """See Store."""
        rows = [
            {
                "id": entry.id,
                "text": "",  # langchain-milvus wants one; the words stay in the database
                "vector": vector.tolist(),
                "owner": owner,
                "turn": entry.turn,
                "conversation": entry.conversation,
                "role": entry.role,
                "course": entry.course[:200],
                "created": entry.created,
            }
            for entry, vector in zip(entries, np.asarray(vectors, np.float32), strict=True)
        ]
        with self._told(self._folder):
            for at in range(0, len(rows), BATCH):
                self._client.upsert(self._name, rows[at : at + BATCH])

    def drop(self, owner: str, ids: set[int]) -> None:
        """See Store."""
        some = sorted(ids)
        with self._told(self._folder):
            for at in range(0, len(some), BATCH):
                self._client.delete(self._name, filter=f"{_of(owner)} and id in {some[at : at + BATCH]}")

    def search(self, owner: str, vector: np.ndarray, k: int, span: Span) -> list[tuple[int, float]]:
        """See Store."""
        parts = [_of(owner)]
        parts += [f"created >= {span.since!r}"] if span.since is not None else []
        parts += [f"created < {span.until!r}"] if span.until is not None else []
        parts += [f'role == "{span.role}"'] if span.role in ("student", "tutor") else []
        with self._told(self._folder):
            found = self._store.similarity_search_with_score_by_vector(
                vector.tolist(), min(k, MOST), expr=" and ".join(parts)
            )
        return [(int(document.metadata["id"]), float(score)) for document, score in found]


def forget_in(folder: Path | None, owner: str) -> None:
    """Forget the owner's messages in the Milvus of the index in `folder`, whatever encoder they are by."""
    if folder is None or milvus_uri(folder) is None:
        return
    from ingest import milvus

    with milvus.told(folder):
        import langchain_milvus  # noqa: F401  # missing, it is told here as well

        client = milvus.connected(folder)
        for name in client.list_collections():
            if name.startswith(PREFIX):
                client.delete(name, filter=_of(owner))


def opened(folder: Path | None, encoder: str, dimension: int) -> Store:
    """The store for an index in `folder`: Milvus where that has the notes' vectors, else faiss."""
    if folder is None or milvus_uri(folder) is None:
        return FaissStore(dimension)
    return MilvusStore(folder, encoder, dimension)


def _within(entry: Entry, span: Span) -> bool:
    return (
        (span.since is None or entry.created >= span.since)
        and (span.until is None or entry.created < span.until)
        and (span.role is None or entry.role == span.role)
    )


def _of(owner: str) -> str:
    # An id is hex digits or nothing: whatever else comes must not become a part of the expression.
    if not all(c in "0123456789abcdef" for c in owner):
        raise ValueError("an owner's id is made of hex digits")
    return f'owner == "{owner}"'


def _create(client: Any, name: str, dimension: int) -> None:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=1)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    for field, length in (("owner", 32), ("conversation", 32), ("role", 8), ("course", 800)):
        schema.add_field(field, DataType.VARCHAR, max_length=length)
    schema.add_field("turn", DataType.INT64)
    schema.add_field("created", DataType.DOUBLE)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="IP")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
