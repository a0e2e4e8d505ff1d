"""A page of the notes as a picture with a quote marked, drawn in a process of its own.

A page is asked for by the name of its file in the index: no path comes from a browser, and only a
file that is in the index, lies where the notes lie and is as it was when it was indexed is opened.
What is not here: drawing (ui/drawing.py) and showing (ui/web/viewer.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ingest import limits
from ingest.errors import NotesError
from ingest.walk import find, hashed, recall

DRAWN = frozenset({".pdf"})
WIDTH = 1400  # pixels of a picture: twice what a page beside the chat takes on a screen
SECONDS = 60.0  # until a picture is there, on a machine busy with other things
AT_ONCE = 2  # pages drawn at a time
KEPT = 24  # pictures kept for who goes back and forth
ROOT = Path(__file__).resolve().parent.parent
KINDS = ("image/png", "image/jpeg")


@dataclass(frozen=True, slots=True)
class Original:
    """A file of notes as it lies on the disk."""

    path: Path
    source: str  # its name in the index
    member: str  # its name within the archive at `path`, '' for a file that lies in a folder
    sha: str  # SHA-256 of the file at `path`


@dataclass(frozen=True, slots=True)
class Picture:
    """A page, drawn."""

    kind: str  # 'image/png' or 'image/jpeg'
    code: str  # its bytes in base64
    number: int  # 1-based
    count: int  # pages of the file
    marks: tuple[tuple[float, float, float, float], ...]  # left, top, width, height as parts of it, 0..1


def drawable(source: str) -> bool:
    """Whether pages of this kind of file can be drawn."""
    return PurePosixPath(source).suffix.lower() in DRAWN


def original(source: str, files: Mapping[str, str], folder: Path | None, notes: Sequence[Path]) -> Original:
    """The file that the index in `folder` knows as `source`; `files` are its files and their SHA-256.

    `notes` are the paths that were indexed, () for those that the index remembers. Raises NotesError
    if the file is not in the index, not there, or not as it was indexed.
    """
    name = PurePosixPath(source).name
    if source not in files:
        raise NotesError(f"{name} is not in the index any more, so its page cannot be shown.")
    seen = recall(folder) if folder else None
    roots = list(notes) or [Path(root) for root in (seen.roots if seen else ())]
    if folder is None or seen is None or not roots:
        raise NotesError("The files of the notes are not on this machine, only their index.")
    try:
        note = next((one for one in find(roots, folder) if one.source == source), None)
    except NotesError:
        note = None  # the folder is gone
    if note is None:
        raise NotesError(f"{name} is not where the notes were when they were indexed: put it back.")
    sha = hashed((), [note], seen)[0].get(source)
    if sha != files[source]:
        raise NotesError(
            f"{name} has changed since it was indexed, so its page is not shown: index it again."
        )
    return Original(note.path, source, note.member, sha)


class Pictures:
    """Draws pages, few at a time, and keeps the last ones. Safe to share by threads."""

    def __init__(self) -> None:
        """None drawn yet."""
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], Picture] = OrderedDict()

    def page(
        self, file: Original, number: int, quote: str = "", around: str = "", near: bool = False
    ) -> Picture:
        """Page `number` with `quote`, from the passage `around`, marked where it is found there.

        A page beyond the last is the last. With `near` it may be the page after or before, if the
        quote stands there and not on the page itself. Raises NotesError, one line, where it cannot be drawn.
        """
        key = (file.sha, file.member, str(number), str(near), quote, around)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        asked = {
            "path": str(file.path.absolute()),
            "member": file.member,
            "page": number,
            "near": near,
            "quote": quote,
            "around": around,
            "width": WIDTH,
        }
        with self._places:
            picture = _picture(_answer(asked), PurePosixPath(file.source).name)
        with self._lock:
            self._kept[key] = picture
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return picture


def _answer(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the process says, {} where it crashed, hung or said something else."""
    # -P: a file of the student's named like a module of Python's must not be run as one.
    command = [sys.executable, "-P", "-m", "ui.drawing", str(limits.MEMORY)]
    places = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(places), "OMP_THREAD_LIMIT": "1"},
            start_new_session=True,  # Ctrl-C is for us to handle
        )
    except OSError as err:
        return {"error": f"there is no process to draw it in ({err.strerror}): free some memory"}
    try:
        said, _ = process.communicate(json.dumps(asked).encode("ascii") + b"\n", timeout=SECONDS)
        answer = json.loads(said)
    except subprocess.TimeoutExpired:
        return {"error": f"it was not drawn within {SECONDS:.0f} seconds"}
    except (OSError, ValueError):
        return {}
    finally:
        _end(process)
    return answer if isinstance(answer, dict) else {}


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _picture(answer: Mapping[str, Any], name: str) -> Picture:
    """The answer, if it is one: what took the process over could say anything. Raises NotesError."""
    if "error" in answer:
        raise NotesError(
            f"This page of {name} cannot be shown: {' '.join(str(answer['error']).split())[:300]}."
        )
    try:
        kind, code = str(answer["kind"]), str(answer["picture"])
        number, count = int(answer["number"]), int(answer["count"])
        marks = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in answer["marks"])
        if kind not in KINDS or not re.fullmatch(r"[A-Za-z0-9+/]+=*", code) or not 1 <= number <= count:
            raise ValueError(kind)
    except (KeyError, TypeError, ValueError, OverflowError) as err:
        raise NotesError(f"This page of {name} cannot be shown: the file is damaged. Save it again.") from err
    return Picture(kind, code, number, count, marks)
