"""Which generation of an index is the whole one: each is made beside the last, then pointed at.

A generation is a folder `gen-…`; the small file `current` names the whole one and is replaced by a
rename, so a reader finds the old one or the new one. Where the vectors are in Milvus, a generation has
its own collections there, which come and go with its folder. What is not here: what a generation
consists of (ingest/store.py).
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from pathlib import Path

from ingest.errors import IndexUnusable
from ingest.where import milvus_uri

_NAME = re.compile(r"gen-[0-9a-f]{12}")
KINDS = ("passages", "sentences")  # of vectors


def current(folder: Path) -> Path | None:
    """The whole generation of the index in `folder`; None if there is none."""
    try:
        name = (folder / "current").read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    # Only a name of our own making is followed: the file could say '../..'.
    return folder / name if _NAME.fullmatch(name) else None


def begin(folder: Path) -> Path:
    """The folder of a new generation, not made yet; what a killed build left goes."""
    sweep(folder)
    return folder / f"gen-{secrets.token_hex(6)}"


def finish(folder: Path, generation: Path) -> None:
    """Makes `generation` the whole one, safe from power cuts, and takes the others away. Raises OSError."""
    _sync_tree(generation)
    _point(folder, generation.name)
    # An open reader keeps files that are gone, but not collections: those stay until the next build.
    if milvus_uri(folder) is None:
        sweep(folder)


def remove(folder: Path, generation: Path) -> None:
    """Takes a generation away unless it is the whole one; what cannot go now stays for the next time."""
    if generation == current(folder):
        return
    if milvus_uri(folder) is not None and _NAME.fullmatch(generation.name):
        from ingest import milvus

        try:
            milvus.drop(folder, [collection(generation, kind) for kind in KINDS])
        except IndexUnusable:
            return  # the folder stays, and with it the names of its collections
    shutil.rmtree(generation, ignore_errors=True)  # a reader on Windows may hold it


def sweep(folder: Path) -> None:
    """Takes all generations away but the whole one."""
    for path in folder.glob("gen-*"):
        remove(folder, path)
    for path in folder.glob("current.gen-*"):
        with contextlib.suppress(OSError):
            path.unlink()


def collection(generation: Path, kind: str) -> str:
    """The name of the Milvus collection with a generation's vectors of `kind`, one of KINDS."""
    return f"unitutor_{generation.name.removeprefix('gen-')}_{kind}"


def _point(folder: Path, name: str) -> None:
    fresh = folder / f"current.{name}"
    try:
        with fresh.open("w", encoding="ascii") as file:
            file.write(name + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / "current")
    finally:
        fresh.unlink(missing_ok=True)
    _sync_folder(folder)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    for path in [folder, *(p for p in folder.rglob("*") if p.is_dir())]:
        _sync_folder(path)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # folders cannot be opened elsewhere
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
