"""ZIP archives of notes: their members as files, within limits. Nothing is ever unpacked onto the disk.

Documents and books that are ZIP files inside (DOCX, PPTX, EPUB) are held to the same limits here.
What is not here: archives within archives, which are named and left out.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ingest import limits
from ingest.errors import NotesError

SUFFIX = ".zip"
ARCHIVES = frozenset({SUFFIX, ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz"})
DAMAGED = "damaged ZIP archive: make or download it again"
_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


def members(path: Path) -> dict[str, str]:
    """The files in the archive at `path`: the path to show of each, and its name as the archive has it.

    Hidden files, folders and what macOS adds are left out. Paths have no '..' and no drive. Raises
    NotesError, one line without the archive's name, if it is damaged or beyond the limits.
    """
    found: dict[str, str] = {}
    for info in _checked(path):
        parts = [part for part in _shown(info).replace("\\", "/").split("/") if part not in ("", ".", "..")]
        hidden = any(part.startswith((".", "~$")) or part == "__MACOSX" for part in parts)
        if info.is_dir() or hidden or not parts:
            continue
        shown = "/".join(parts)
        for number in range(2, len(found) + 3):  # two members of one name are two files
            if shown not in found:
                break
            shown = "/".join([*parts[:-1], f"{number}-{parts[-1]}"])
        found[shown] = info.filename
    return found


def member(path: Path, name: str, most: int) -> bytes:
    """The content of one member, by its name as the archive has it; raises NotesError."""
    if PurePosixPath(name).suffix.lower() in ARCHIVES:
        raise NotesError("an archive within an archive is not opened: unpack it, or leave it out")
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(name)
            if info.flag_bits & 1:
                raise NotesError("locked with a password: unpack it, and put the notes in the folder")
            _not_a_bomb(info)
            if info.file_size > most:
                raise NotesError(too_large(info.file_size, most))
            return archive.read(info)
    except KeyError as err:
        raise NotesError("no longer in the archive: run again") from err
    except RuntimeError as err:  # a kind of encryption or compression that zipfile lacks
        raise NotesError("packed in a way that is not read here: unpack it first") from err
    except _ERRORS as err:
        raise NotesError(DAMAGED) from err


def check_package(data: bytes) -> None:
    """Raises NotesError if the document in `data`, a ZIP file inside, is damaged or beyond the limits."""
    try:
        _checked(io.BytesIO(data))
    except NotesError as err:
        if str(err) == DAMAGED:
            raise NotesError("not what its name says, or damaged: save it again") from err
        raise


def too_large(size: int, most: int) -> str:
    """What is said of a file of `size` bytes where `most` are read."""
    return f"too large ({size >> 20} MB, at most {most >> 20} MB are read): split it, or leave it out"


def _checked(file: Path | io.BytesIO) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except _ERRORS as err:
        raise NotesError(DAMAGED) from err
    if len(infos) > limits.ZIP_MEMBERS:
        raise NotesError(
            f"holds {len(infos)} files, at most {limits.ZIP_MEMBERS} are read: split the archive"
        )
    # zipfile never unpacks more of a member than is declared here.
    total = sum(info.file_size for info in infos)
    if total > limits.ZIP_BYTES:
        raise NotesError(
            f"unpacks to {total >> 20} MB, at most {limits.ZIP_BYTES >> 20} MB are read: split it"
        )
    if isinstance(file, io.BytesIO):
        for info in infos:
            _not_a_bomb(info)
    return infos


def _not_a_bomb(info: zipfile.ZipInfo) -> None:
    ratio = info.file_size // max(1, info.compress_size)
    if info.file_size > limits.ZIP_HARMLESS and ratio > limits.ZIP_RATIO:
        raise NotesError(f"unpacks to {ratio} times its size, like a ZIP bomb: leave it out")


def _shown(info: zipfile.ZipInfo) -> str:
    name = info.filename
    if not info.flag_bits & 0x800:  # without this flag the bytes mean cp437, but many write UTF-8
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    return name.encode("utf-8", "replace").decode("utf-8")
