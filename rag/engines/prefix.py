"""Keys and values of a text's fixed start, kept on disk, so that a new process need not read it.

A file that is missing, damaged or another text's is no error: the text is read then. Written beside
its place and moved there in one rename.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch

from rag.engines import tensors
from rag.engines.keys import GrowingCache
from rag.engines.reading import Reading

FILES = 4  # kept in a folder; the oldest go


def read(reading: Reading, ids: list[int], folder: Path | None, kernel: str) -> None:
    """Make `reading` the text `ids`, from a file in `folder` if it is there, which it is from then on.

    Nothing is kept where `folder` is None or `kernel`, how the model computes, has no name.
    """
    file = path(folder, ids, kernel) if folder and kernel else None
    stored = load(file, reading.shape(len(ids))) if file else None
    if stored:
        reading.cache, reading.ids = stored, list(ids)
        return
    reading.read(ids)
    if file:
        store(file, reading.cache)


def path(folder: Path, ids: Sequence[int], kernel: str) -> Path:
    """Where the keys and values of `ids` lie in a model's folder, as `kernel` computes them."""
    name = hashlib.sha256(f"1 {torch.__version__} {kernel} {list(ids)}".encode()).hexdigest()[:16]
    return folder / f"prefix-{name}.safetensors"


def load(file: Path, shape: tuple[int, ...]) -> GrowingCache | None:
    """What `store` wrote to `file`, if it is all there; `shape` is (layers, 2, heads, tokens, size)."""
    held = tensors.load(file)
    stored = (held or {}).get("keys_values")
    if stored is None or tuple(stored.shape) != shape:
        return None
    cache = GrowingCache()
    for number, (keys, values) in enumerate(stored):
        cache.update(keys[None], values[None], number)
    return cache


def store(file: Path, cache: GrowingCache) -> None:
    """Write a text's keys and values; where that cannot be done, nothing is lost but time."""
    stored = torch.stack([torch.stack(pair) for pair in cache.pairs()])[:, :, 0]
    tensors.store(file, {"keys_values": stored})
    with suppress(OSError):
        files = sorted(file.parent.glob("prefix-*.safetensors"), key=lambda one: one.stat().st_mtime)
        for old in files[:-FILES]:
            old.unlink(missing_ok=True)
