"""Vectors in Milvus, through langchain-milvus: the bigger store, behind the same two methods as faiss.

Milvus Lite runs inside this process and holds its path alone; a server takes many programs at once,
its token comes from UNITUTOR_MILVUS_TOKEN. Only vectors and content ids go to Milvus: passages, BM25
and the rest stay in the index folder, with a copy of the vectors in 16 bits. Milvus tells which are
near; how near each passage is that is looked at tells the copy, since to fetch vectors takes a second.
What is not here: which collections belong to an index and when they go (ingest/store.py), and how an
index names its Milvus (ingest/where.py).
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from ingest.errors import IndexUnusable
from ingest.where import milvus_uri

TOKEN = "UNITUTOR_MILVUS_TOKEN"
EXACT = 50_000  # up to so many vectors Milvus compares one by one
MOST = 16_384  # results that Milvus gives for one question
BATCH = 2000  # vectors in one message
PATIENCE = 10.0  # seconds until a server that does not answer counts as away
PACKAGE = "langchain-milvus==0.4.0"  # brings pymilvus and Milvus Lite


class MilvusVectors:
    """A VectorIndex (ingest/dense.py) over one Milvus collection. Safe to share by threads."""

    def __init__(self, store: Any, copy: np.ndarray, folder: Path) -> None:
        """`store`: a langchain_milvus.Milvus whose keys are rows; `copy`: float16 (n, dim), its vectors."""
        self.store = store
        self.ntotal = len(copy)
        self._copy = copy
        self._folder = folder

    def search(self, x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See VectorIndex. Raises IndexUnusable if Milvus cannot answer."""
        scores = np.full((len(x), k), -np.inf, np.float32)
        rows = np.full((len(x), k), -1, np.int64)
        for one, vector in enumerate(x):
            with told(self._folder):
                found = self.store.similarity_search_with_score_by_vector(vector.tolist(), min(k, MOST))
            for place, (document, score) in enumerate(found):
                scores[one, place], rows[one, place] = score, document.metadata["row"]
        return scores, rows

    def reconstruct_batch(self, key: np.ndarray) -> np.ndarray:
        """See VectorIndex."""
        return np.asarray(self._copy[key], np.float32)


def add(folder: Path, collection: str, rows: np.ndarray, ids: Sequence[str], copy: Path) -> None:
    """Makes `collection` hold `rows`, float32 (n, dim), n > 0, each with its passage's content id.

    Raises IndexUnusable, one line, if Milvus is not installed or cannot be reached, and OSError where
    the file `copy` cannot be written.
    """
    np.save(copy, rows.astype(np.float16), allow_pickle=False)
    with told(folder):
        store = langchain_store(folder, collection, _params(len(rows)), drop_old=True)
        for some in _batches(np.arange(len(rows))):
            store.add_embeddings(
                [ids[row] for row in some],
                np.asarray(rows[some], np.float32).tolist(),
                metadatas=[{"row": int(row)} for row in some],
                ids=[str(row) for row in some],
                batch_size=BATCH,
            )
        store.client.flush(collection)


def opened(folder: Path, collection: str, count: int, copy: Path) -> MilvusVectors:
    """The collection with its `count` vectors. Raises IndexUnusable if it is not there, or not whole.

    OSError or ValueError where the file `copy` that `add` wrote is damaged.
    """
    with told(folder):
        store = langchain_store(folder, collection, None)
        known = store.client.has_collection(collection)
        known = known and int(store.client.get_collection_stats(collection)["row_count"]) == count
        if not known or not copy.exists():  # an older Unitutor made no copy
            raise IndexUnusable(
                f"Milvus at {milvus_uri(folder)} does not hold the vectors of the index in {folder}:"
                f" run: unitutor ingest NOTES --force --index {shlex.quote(f'milvus:{milvus_uri(folder)}')}"
            )
    return MilvusVectors(store, np.load(copy, mmap_mode="r", allow_pickle=False), folder)


def drop(folder: Path, collections: Sequence[str]) -> None:
    """These collections go, those of them that are there. Raises IndexUnusable as `add` does."""
    with told(folder):
        import langchain_milvus  # noqa: F401  # missing, it is told here as well

        client = connected(folder)
        for collection in collections:
            if client.has_collection(collection):
                client.drop_collection(collection)


class _Ready(Embeddings):
    """The vectors come ready made: langchain-milvus only asks which kind it will get."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise TypeError("vectors are added ready made")

    def embed_query(self, text: str) -> list[float]:
        raise TypeError("search by vector")


@contextlib.contextmanager
def told(folder: Path) -> Iterator[None]:
    """Whatever goes wrong in Milvus's many layers is told in one line: their errors share no root."""
    for name in ("milvus_lite", "pymilvus", "langchain_milvus"):
        # They write tracebacks to the terminal, of what is told here.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    except IndexUnusable:
        raise
    except ImportError as err:
        raise IndexUnusable(f"Milvus is not installed: run pip install {PACKAGE}") from err
    except Exception as err:
        place = milvus_uri(folder)
        far = str(place).startswith("http")
        hint = f"is it running, and {TOKEN} right?" if far else "does another program have it open?"
        said = " ".join(str(getattr(err, "message", "") or err).split())[:160]
        raise IndexUnusable(f"Milvus at {place} cannot be used: {hint} ({said})") from err


def _connection(folder: Path) -> dict[str, Any]:
    token = os.environ.get(TOKEN, "")
    return {"uri": milvus_uri(folder), "timeout": PATIENCE, **({"token": token} if token else {})}


def connected(folder: Path) -> Any:
    """A connection to the Milvus of the index in `folder`."""
    from pymilvus import MilvusClient

    return MilvusClient(**_connection(folder))


def langchain_store(
    folder: Path, collection: str, params: dict[str, Any] | None, drop_old: bool = False
) -> Any:
    """The LangChain store over a collection there, made with its first vectors if need be."""
    from langchain_milvus import Milvus

    return Milvus(
        _Ready(),
        collection_name=collection,
        connection_args=_connection(folder),
        consistency_level="Strong",
        index_params=params,
        search_params={"metric_type": "IP", "params": {"nprobe": 64}},
        drop_old=drop_old,
    )


def _params(count: int) -> dict[str, Any]:
    if count <= EXACT:
        return {"metric_type": "IP", "index_type": "FLAT", "params": {}}
    return {"metric_type": "IP", "index_type": "IVF_SQ8", "params": {"nlist": 1024}}


def _batches(rows: np.ndarray) -> Iterator[np.ndarray]:
    for at in range(0, len(rows), BATCH):
        yield rows[at : at + BATCH]
