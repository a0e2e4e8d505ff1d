"""An index as one file, to carry it on a USB stick: packed, and checked on arrival.

The file is a ZIP of the index's own files with the SHA-256 of each. Arriving, it is unpacked beside
the index that is there, every file compared with its hash, opened once, and only then put in its
place. The hashes tell damage and not malice: open only what comes from someone you trust.
What is not here: the notes themselves; their hashes travel along (ingest/store.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest import generations, store
from ingest.errors import IndexUnusable, UnitutorError
from ingest.lock import locked
from ingest.types import Progress, silent
from ingest.walk import SEEN
from ingest.where import milvus_uri

LABEL = "unitutor.json"
KIND = "unitutor index"
BLOCK = 1 << 20
LABEL_BYTES = 16 << 20
MOST_FILES = 1000
HARMLESS = 256 << 20  # bytes that may come out of however small a file
RATIO = 100  # times its size that a larger one may unpack to; vectors hardly shrink
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*){0,3}")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (  # what zipfile raises, and RuntimeError for what claims to be encrypted
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error,
    EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip


class PackUnusable(UnitutorError):
    """A packed index that is damaged, foreign, or cannot be written."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What is in a packed index."""

    passages: int
    files: int  # of notes
    bytes: int  # of the index, unpacked
    made: str  # ISO 8601, UTC


def pack(folder: Path, file: Path, progress: Progress = silent) -> Packed:
    """Writes the index in `folder` into `file`, whole or not at all.

    Raises IndexUnusable where there is no whole index, PackUnusable where `file` cannot be written.
    """
    if milvus_uri(folder):
        raise IndexUnusable(
            f"the vectors of {folder} are in Milvus and not in the folder: ingest into one without milvus:"
        )
    if file.exists() and not (file.is_file() and _label(file)):
        raise PackUnusable(f"{file} exists and is no packed index: choose another name")
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        for _ in range(3):
            manifest, generation = store.peek(folder), generations.current(folder)
            if manifest is None or generation is None:
                raise IndexUnusable(f"no whole index in {folder}: run unitutor ingest NOTES --index {folder}")
            try:
                size = _write(generation, manifest, fresh, progress)
            except FileNotFoundError:
                if generations.current(folder) == generation:
                    raise
                continue  # a build has just put a new index in its place
            fresh.replace(file)
            return Packed(manifest.passages, len(manifest.files), size, manifest.made)
        raise IndexUnusable(f"the index in {folder} keeps changing: try again when the build has finished")
    except OSError as err:
        raise PackUnusable(
            f"cannot write {file}: {err.strerror or err}: check the place, and free some space"
        ) from err
    finally:
        fresh.unlink(missing_ok=True)


def _write(generation: Path, manifest: store.Manifest, file: Path, progress: Progress) -> int:
    paths = sorted(path for path in generation.rglob("*") if path.is_file())
    total = sum(path.stat().st_size for path in paths)
    listed: dict[str, tuple[int, str]] = {}
    done = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as packed:
        for path in paths:
            name, digest, size = path.relative_to(generation).as_posix(), hashlib.sha256(), 0
            with path.open("rb") as plain, packed.open(name, "w", force_zip64=True) as out:
                while block := plain.read(BLOCK):
                    digest.update(block)
                    out.write(block)
                    size += len(block)
                    progress("packing", done + size, total)
            listed[name] = (size, digest.hexdigest())
            done += size
        label = {"kind": KIND, "format": store.FORMAT, "encoder": manifest.encoder, "files": listed}
        packed.writestr(LABEL, json.dumps(label))
    return done


def unpack(file: Path, folder: Path, progress: Progress = silent) -> Packed:
    """Makes the index in `file` the one in `folder`; an earlier one stays if anything is wrong.

    Raises PackUnusable if `file` is no packed index, damaged, or too large for the disk, and
    IndexUnusable if it was made by another version or a build is running in `folder`.
    """
    if milvus_uri(folder):
        raise IndexUnusable(f"a packed index goes into a folder, and {folder} has its vectors in Milvus")
    if not file.is_file():
        raise PackUnusable(f"no such file: {file}: check the path")
    label = _label(file)
    if label is None:
        raise PackUnusable(f"{file} is no packed index, or cut short: pack it again with unitutor pack")
    if label["format"] != store.FORMAT:
        raise IndexUnusable(
            f"{file} has format {label['format']}, not {store.FORMAT}: pack it with this version of Unitutor"
        )
    try:
        with zipfile.ZipFile(file) as packed, locked(folder):
            infos = _checked(file, packed, label["files"], folder)
            generation = generations.begin(folder)
            try:
                size = _extract(file, packed, infos, label["files"], generation, progress)
                manifest = store.examined(folder, generation)
                generations.finish(folder, generation)
            except BaseException:
                generations.remove(folder, generation)
                raise
            (folder / SEEN).unlink(missing_ok=True)  # its notes lie elsewhere
    except _DAMAGE as err:
        raise PackUnusable(f"{file} is damaged: copy or pack it again") from err
    except OSError as err:
        raise PackUnusable(f"cannot unpack into {folder}: {err.strerror or err}: check the folder") from err
    return Packed(manifest.passages, len(manifest.files), size, manifest.made)


def _label(file: Path) -> dict[str, Any] | None:
    """What a packed index says of itself; None if it is none."""
    try:
        with zipfile.ZipFile(file) as packed:
            info = packed.getinfo(LABEL)
            if info.file_size > LABEL_BYTES or info.compress_type not in _METHODS:
                return None
            values = json.loads(packed.read(info))
        files = {str(name): (int(size), str(sha)) for name, (size, sha) in values["files"].items()}
        return {**values, "files": files} if values["kind"] == KIND and "format" in values else None
    except (*_DAMAGE, OSError, KeyError, TypeError, AttributeError):
        return None


def _checked(
    file: Path, packed: zipfile.ZipFile, listed: dict[str, tuple[int, str]], folder: Path
) -> list[zipfile.ZipInfo]:
    """The files to unpack. Raises PackUnusable if they are not those that the label lists, or too many."""
    infos = [info for info in packed.infolist() if info.filename != LABEL]
    names = [info.filename for info in infos]
    if len(names) > MOST_FILES or sorted(names) != sorted(listed) or len(packed.infolist()) != len(names) + 1:
        raise PackUnusable(f"{file} does not hold what it lists: pack it again")
    for info in infos:
        known = _NAME.fullmatch(info.filename) and info.compress_type in _METHODS
        if not known or info.file_size != listed[info.filename][0]:
            raise PackUnusable(f"{file} holds a file that no index has: do not trust it")
    total = sum(info.file_size for info in infos)
    if total > max(HARMLESS, RATIO * file.stat().st_size):
        raise PackUnusable(
            f"{file} would unpack to {total >> 20:,} MB, far more than an index: do not trust it"
        )
    free = shutil.disk_usage(folder).free
    if total > free:
        raise PackUnusable(
            f"{file} needs {(total >> 20) + 1:,} MB and {folder} has {free >> 20:,} MB free: free some space"
        )
    return infos


def _extract(
    file: Path,
    packed: zipfile.ZipFile,
    infos: list[zipfile.ZipInfo],
    listed: dict[str, tuple[int, str]],
    generation: Path,
    progress: Progress,
) -> int:
    total, done = sum(info.file_size for info in infos), 0
    generation.mkdir()
    for info in infos:
        size, wanted = listed[info.filename]
        path, digest = generation / info.filename, hashlib.sha256()
        path.parent.mkdir(parents=True, exist_ok=True)
        with packed.open(info) as plain, path.open("xb") as out:
            while block := plain.read(BLOCK):
                digest.update(block)
                out.write(block)
                done += len(block)
                progress("unpacking", done, total)
        if path.stat().st_size != size or digest.hexdigest() != wanted:
            raise PackUnusable(f"{file} is damaged ({info.filename}): copy or pack it again")
    return done
