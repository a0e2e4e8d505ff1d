"""Notes that come over the API: checked by content, kept under names made here, and indexed with the others.

A file lies in a folder of its own beside the conversations; what it was called lies hidden beside it. It
is read in the process for strangers' files (ingest/sandbox.py) before it is one of the notes. What is not
here: the index (ingest/build.py), and who may bring notes (ui/api/notes.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from ingest.errors import BadRequest, IndexUnusable, UnitutorError
from rag import jsonlines
from ui.terminal import one_line

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor

FOLDER = "uploads"  # in the folder of the conversations
FILES = 1000  # that are kept
LONGEST_NAME = 120  # characters of what a file was called
ZIPPED = frozenset({".docx", ".epub", ".pptx"})
# What other kinds of files begin with: text does not.
BINARY = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\x7fELF",
    b"MZ",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"Rar!",
)
BOMS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, whose text holds zeros
TRIES, PAUSE = 60, 2.0  # while another program writes the index; seconds between two
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was brought."""

    id: str
    source: str  # its name in the index, and in the folder
    name: str  # what it was called
    bytes: int
    sha256: str
    created: float  # seconds since 1970
    key: str  # the id of the API key that brought it


class Uploads:
    """The files brought to one index. Safe to share between threads."""

    def __init__(
        self, folder: Path, index: Path, notes: tuple[Path, ...], tutor: Tutor | LivingTutor
    ) -> None:
        """They lie in `folder`; the index is made of them and of `notes`, or of what it was made of."""
        self.folder = folder
        self._index = index
        self._notes = notes
        self._tutor = tutor
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._problem = ""

    def list(self) -> tuple[Upload, ...]:
        """The files that are there, the latest first."""
        found = []
        for path in self.folder.glob(".*.json"):
            with contextlib.suppress(OSError, ValueError, TypeError):
                one = Upload(**json.loads(path.read_text("utf-8")))
                if path.name == f".{one.id}.json" and (self.folder / _safe(one.source)).is_file():
                    found.append(one)
        return tuple(sorted(found, key=lambda one: (-one.created, one.id)))

    def take(self, name: str, file: BinaryIO, key: str) -> Upload:
        """Keep a file and have it indexed. Raises BadRequest or NotesError for what is no notes."""
        from ingest.sandbox import Sandbox

        self.roots()  # told before anything is kept
        name = one_line(PurePosixPath(name.replace("\\", "/")).name, LONGEST_NAME) or "notes"
        suffix = PurePosixPath(name).suffix.lower()
        _known(suffix, name)
        there = self.list()
        if len(there) >= FILES:
            raise BadRequest(f"{FILES:,} files are here already: remove some first.")
        id = uuid.uuid4().hex[:12]
        source = f"{_slug(name)}-{id}{suffix}"
        beside = self.folder / f".{id}.part{suffix}"
        with _writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                size, sha = _copied(file, beside, suffix, name)
                if same := next((one for one in there if one.sha256 == sha), None):
                    raise BadRequest(f"These notes are here already: {same.name}, id {same.id}.")
                with Sandbox() as sandbox:
                    sandbox.read(beside, name)
                made = Upload(id, source, name, size, sha, time.time(), key)
                jsonlines.replace(self.folder / f".{id}.json", json.dumps(asdict(made)).encode())
                beside.replace(self.folder / source)
            finally:
                beside.unlink(missing_ok=True)
        self.index()
        return made

    def remove(self, id: str) -> Upload | None:
        """Take a file away, and its passages out of the index; None where there is none of that id."""
        found = next((one for one in self.list() if one.id == id), None)
        if found is not None:
            with _writing():
                (self.folder / _safe(found.source)).unlink(missing_ok=True)
                (self.folder / f".{found.id}.json").unlink(missing_ok=True)
            self.index()
        return found

    def state(self, upload: Upload) -> str:
        """'indexed', 'indexing', or why it is not."""
        from ingest.store import peek

        known = peek(self._index)
        if known is not None and upload.source in known.made_of:
            return "indexed"
        return self._problem or "indexing"

    def roots(self) -> tuple[Path, ...]:
        """What the index is made of. Raises BadRequest where its other notes are not here.

        Without them all that it holds of them would be lost with the first upload.
        """
        from ingest.walk import recall

        here = self.folder.resolve()
        known = self._notes or tuple(map(Path, recall(self._index).roots))
        others = [path for path in known if path.resolve() != here]
        gone = next((path for path in others if not path.exists()), None)
        if gone is not None or not others:
            raise BadRequest(
                "The notes that this index was made from are not on this machine, so none can be added: "
                "start with --notes."
            )
        return (*others, self.folder)

    def index(self) -> None:
        """Bring the index up to date, soon."""
        self._wanted.set()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)
                self._thread.start()

    def settled(self, seconds: float) -> bool:
        """Wait until nothing is left to be indexed; whether that was so in time."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wanted.is_set():
                    self._thread = None
                    return
                self._wanted.clear()
            self._problem = ""
            for left in reversed(range(TRIES)):
                try:
                    self._build()
                    break
                except IndexUnusable as error:  # another program is at it
                    if not left:
                        self._problem = one_line(str(error))
                    time.sleep(PAUSE)
                except UnitutorError as error:
                    self._problem = one_line(str(error))
                    break

    def _build(self) -> None:
        from ingest.build import build

        build(self.roots(), self._index, self._tutor.retriever.encoder)
        look: Callable[[], object] | None = getattr(self._tutor, "look", None)
        if look is not None:
            look()


class CannotKeepNotes(UnitutorError):
    """Notes that cannot be written, as on a full disk."""


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotKeepNotes(f"The notes cannot be kept: {error.strerror}.") from error


def roots(notes: Path | None, sessions: Path) -> tuple[Path, ...]:
    """The notes of an index, and the folder of what was brought to it, if anything was."""
    folder = sessions / FOLDER
    brought = folder.is_dir() and any(not one.name.startswith(".") for one in folder.iterdir())
    return () if notes is None else (notes, folder) if brought else (notes,)


def _known(suffix: str, name: str) -> None:
    from ingest.archive import ARCHIVES
    from ingest.read import SUFFIXES

    if suffix in ARCHIVES or suffix not in SUFFIXES:
        kinds = " ".join(sorted(SUFFIXES - ARCHIVES))
        raise BadRequest(f"{name} is none of the kinds that are taken: {kinds}.")


def _copied(file: BinaryIO, to: Path, suffix: str, name: str) -> tuple[int, str]:
    """Write the file; its bytes and hash. Raises BadRequest where it is not what its name says."""
    hashed, size = hashlib.sha256(), 0
    with to.open("xb") as out:
        while chunk := file.read(_CHUNK):
            if not size:
                _as_named(chunk, suffix, name)
            hashed.update(chunk)
            size += len(chunk)
            out.write(chunk)
    if not size:
        raise BadRequest(f"{name} is empty.")
    return size, hashed.hexdigest()


def _as_named(start: bytes, suffix: str, name: str) -> None:
    if suffix == ".pdf":
        right = b"%PDF-" in start[:2048]
    elif suffix in ZIPPED:
        right = start.startswith(b"PK\x03\x04")
    else:
        right = not start.startswith(BINARY) and (b"\0" not in start or start.startswith(BOMS))
    if not right:
        raise BadRequest(f"{name} does not hold what its name says: give it the ending of what it is.")


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", PurePosixPath(name).stem).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("-") or "notes"


def _safe(source: str) -> str:
    """A stored name: what was tampered with leads nowhere. Raises ValueError."""
    if not re.fullmatch(r"[a-z0-9-]{1,60}\.[a-z]{1,10}", source):
        raise ValueError(source)
    return source
