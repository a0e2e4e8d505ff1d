"""Vectors that can be searched: the kind of faiss index that a number of them gets, on disk and opened.

Few vectors are compared one by one, which is exact. Many are put into lists by nearness (IVF) with
8 bits a number (SQ8), so that a question looks at a small share of them; such an index is mapped from
disk and not read. Or Milvus has them (ingest/milvus.py), where the index's folder says so.
What is not here: what the scores are used for (rag/).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np

from ingest.generations import collection
from ingest.where import milvus_uri

EXACT = 50_000  # up to so many vectors are compared one by one
READ = 8 << 20  # files up to this size are read, larger ones mapped
LOOKED = 64  # lists that a question looks at; tests/bench/scale.py tells the recall
TRAINED = 48  # vectors a list that its centre is fitted on
CHUNK = 65_536  # vectors added at a time


class VectorIndex(Protocol):
    """n unit vectors in rows 0..n-1, searched by inner product. Named and shaped as faiss has it."""

    @property
    def ntotal(self) -> int:
        """n."""

    def search(self, x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """For x float32 (q, dim): scores float32 (q, k), best first, and rows int64 (q, k), -1 for none."""

    def reconstruct_batch(self, key: np.ndarray) -> np.ndarray:
        """float32 (len(key), dim): the vectors in these rows, as exact as the index holds them."""


def reach(folder: Path) -> None:
    """Raises IndexUnusable where vectors could not be kept: Milvus should have them, and is not there."""
    if milvus_uri(folder) is not None:
        from ingest import milvus

        milvus.drop(folder, [])


def keep(folder: Path, generation: Path, kind: str, rows: np.ndarray, ids: Sequence[str]) -> None:
    """Makes the vectors of `kind` (generations.KINDS), float32 (n, dim), part of a generation of an index.

    `ids`: the content id of each one's passage. Raises OSError, or IndexUnusable if Milvus is away.
    """
    if milvus_uri(folder) is None:
        write(made(rows), generation / f"{kind}.faiss")
    else:
        from ingest import milvus  # an optional extra

        milvus.add(folder, collection(generation, kind), rows, ids, generation / f"{kind}.npy")


def kept(folder: Path, generation: Path, kind: str, count: int) -> VectorIndex:
    """The `count` vectors that `keep` made part of a generation.

    Raises RuntimeError, OSError or ValueError where they are damaged, IndexUnusable if Milvus is away.
    """
    if milvus_uri(folder) is None:
        return read(generation / f"{kind}.faiss")
    from ingest import milvus

    return milvus.opened(folder, collection(generation, kind), count, generation / f"{kind}.npy")


def whole(folder: Path) -> int:
    """How many vectors the index in `folder` may have for all of them to be scored for each question."""
    return EXACT if milvus_uri(folder) is None else 0  # of Milvus only the nearest are asked


def factory(count: int) -> str:
    """What faiss's index_factory makes for `count` vectors."""
    if count <= EXACT:
        return "Flat"
    # faiss's own guidance: between 4 and 16 times the square root of the number of vectors.
    return f"IVF{2 ** round(math.log2(4 * math.sqrt(count)))},SQ8"


def made(rows: np.ndarray, kind: str | None = None) -> faiss.Index:
    """An index of `rows`, float32 (n, dim), in memory or mapped. `kind` is a factory string."""
    count, dimension = rows.shape
    index = faiss.index_factory(dimension, kind or factory(count), faiss.METRIC_INNER_PRODUCT)
    lists = faiss.try_extract_index_ivf(index)
    if lists is not None:
        lists.cp.niter, lists.cp.seed, lists.cp.min_points_per_centroid = 10, 1, 4
        lists.nprobe = min(LOOKED, lists.nlist)
    if not index.is_trained:
        some = np.random.default_rng(1).choice(
            count, min(count, TRAINED * (lists.nlist if lists else 64)), False
        )
        index.train(np.ascontiguousarray(rows[np.sort(some)], np.float32))
    for at in range(0, count, CHUNK):
        index.add(np.ascontiguousarray(rows[at : at + CHUNK], np.float32))
    if lists is not None:
        lists.make_direct_map(True)  # where each row is, so that single vectors can be read
    return index


def write(index: faiss.Index, path: Path) -> None:
    """The index as a file. Raises OSError, for example where the disk is full."""
    # Through Python's own file, so that a full disk is an OSError with its errno.
    with path.open("wb") as file:
        writer = faiss.PyCallbackIOWriter(file.write)  # type: ignore[attr-defined]
        faiss.write_index(index, writer)


def read(path: Path) -> faiss.Index:
    """The index in a file: read where it is small, else mapped. Raises RuntimeError where it is damaged."""
    if path.stat().st_size <= READ:
        return faiss.deserialize_index(np.fromfile(path, np.uint8))
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
