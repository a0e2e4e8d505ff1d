"""Which files of a folder are notes, by what name the index knows them, and their content hashes.

A file whose size and times are as they were is not read again to be hashed. What is known of files
is kept beside the index in `seen.json`; it is a cache, so that losing it costs only time.
What is not here: reading notes (ingest/read.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import archive
from ingest.errors import NotesError

SEEN = "seen.json"
SETTLED = 2.0  # seconds: of a file changed so lately, a later change may leave the same times


@dataclass(frozen=True, slots=True)
class Note:
    """A file to index."""

    path: Path
    root: Path
    source: str  # its name in the index
    member: str = ""  # its name within the archive at `path`, '' for a file that lies in a folder


def find(paths: Sequence[Path], folder: Path) -> Iterator[Note]:
    """The files under `paths`, sorted in each; the index in `folder` and hidden files are left out.

    Raises NotesError where one of `paths` does not exist.
    """
    seen: set[str] = set()
    taken: set[str] = set()
    index = folder.resolve()
    for path in paths:
        if not path.exists():
            raise NotesError(f"no such file or folder: {path}: check the path")
        root = path if path.is_dir() else path.parent
        inside = root.resolve()
        for file in sorted(_walk(path, index)) if path.is_dir() else [path]:
            real = os.path.realpath(file)
            # A link that leads out of the folder could bring in anything of the student's.
            if real in seen or (path.is_dir() and not Path(real).is_relative_to(inside)):
                continue
            if Path(real).exists() and not Path(real).is_file():
                continue  # a pipe would be waited for for ever
            source = _name(file.relative_to(root))
            if source in taken:
                source = f"{_name(Path(inside.name))}/{source}"
            for number in range(2, 1000):
                if source not in taken:
                    break
                source = f"{_name(Path(inside.name))}-{number}/{_name(file.relative_to(root))}"
            seen.add(real)
            taken.add(source)
            yield from _opened(Note(file, root, source))


def _opened(note: Note) -> Iterator[Note]:
    """The files in an archive, or the file itself; a damaged archive too, so that reading says why."""
    inside: dict[str, str] = {}
    if note.path.suffix.lower() == archive.SUFFIX:
        with contextlib.suppress(NotesError, OSError):
            inside = archive.members(note.path)
    for shown, member in inside.items():
        yield Note(note.path, note.root, f"{note.source}/{shown}", member)
    if not inside:
        yield note


def _walk(folder: Path, index: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):  # links to folders are not followed
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (here / name).resolve() != index
        )
        yield from (here / name for name in names if not name.startswith((".", "~$")))


def _name(path: Path) -> str:
    # Names on disk need not be Unicode; the index and its JSON are.
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was known of the notes when they were last looked at."""

    roots: tuple[str, ...]  # the paths that were indexed, absolute
    files: dict[str, tuple[int, int, int, str]]  # absolute path: size, mtime and ctime in ns, SHA-256


def recall(folder: Path) -> Seen:
    """What was kept beside the index in `folder`; nothing where that is missing or damaged."""
    try:
        values = json.loads((folder / SEEN).read_text("utf-8"))
        files = {
            str(path): (int(size), int(changed), int(moved), str(sha))
            for path, (size, changed, moved, sha) in values["files"].items()
        }
        return Seen(tuple(map(str, values["roots"])), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Seen((), {})


def remember(folder: Path, seen: Seen) -> None:
    """Keep it for `recall`; where it cannot be written, later runs only take longer."""
    fresh = folder / f"{SEEN}.{os.getpid()}"
    with contextlib.suppress(OSError):
        try:
            fresh.write_text(json.dumps({"roots": seen.roots, "files": seen.files}), "utf-8")
            fresh.replace(folder / SEEN)
        finally:
            fresh.unlink(missing_ok=True)


def hashed(paths: Sequence[Path], notes: Sequence[Note], known: Seen) -> tuple[dict[str, str], Seen]:
    """SHA-256 of each file by its source, '' if unreadable, and what is now known of the files."""
    hashes: dict[str, str] = {}
    files: dict[str, tuple[int, int, int, str]] = {}
    latest = time.time_ns() - int(SETTLED * 1e9)
    last: tuple[Path, str] = (Path(), "")
    for note in notes:
        if note.member and note.path == last[0]:
            hashes[note.source] = last[1]  # an archive is hashed once and not once a member
            continue
        path = _name(note.path.absolute())
        try:
            found = note.path.stat()
        except OSError:
            hashes[note.source] = ""  # reading will say why
            continue
        stat = (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        before = known.files.get(path)
        sha = before[3] if before and before[:3] == stat else _hash(note.path)
        hashes[note.source] = sha
        last = (note.path, sha)
        if sha and max(found.st_mtime_ns, found.st_ctime_ns) < latest:
            files[path] = (*stat, sha)
    roots = tuple(_name(path.absolute()) for path in paths)
    return hashes, Seen(roots, files)


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # reading will say why
