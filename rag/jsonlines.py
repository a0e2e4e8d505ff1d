"""Files of JSON lines that several programs write to: each line whole, each change all or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ingest.errors import BadRequest
from ingest.lock import alone

Values = dict[str, Any]


def as_line(values: Values) -> bytes:
    """`values` as a line, with its end; half a surrogate pair becomes a question mark."""
    return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def append(path: Path, values: Values, most: int | None = None, older: Path | None = None) -> None:
    """Add a line; a file that would pass `most` bytes takes the place of `older` first.

    After a line that a killed writer left without its end, the new one begins in a line of its
    own. Raises OSError.
    """
    line = as_line(values)
    with alone(path):
        size = path.stat().st_size if path.exists() else 0
        if older is not None and most is not None and size and size + len(line) > most:
            path.replace(older)
        with path.open("ab+") as file:
            if file.tell() and _last(file) != b"\n":
                line = b"\n" + line
            file.write(line)


def change(path: Path, changed: Callable[[list[bytes]], list[bytes]]) -> None:
    """Put what `changed` makes of a file's lines, all without their ends, in their place. Raises OSError."""
    with alone(path):
        lines = path.read_bytes().splitlines() if path.exists() else []
        replace(path, b"".join(line + b"\n" for line in changed(lines)))


def replace(path: Path, content: bytes) -> None:
    """Write a file beside its place, and put it there once it is on the disk. Raises OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path) -> Iterator[tuple[int, Values | str]]:
    """Each line's number, 1-based, and its object, or what is wrong with it; empty lines are left out.

    Raises BadRequest where the file cannot be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadRequest(f"Cannot read {path}: {error.strerror}.") from error
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            yield number, parsed(line)


def parsed(line: bytes) -> Values | str:
    """The object that a line holds, or what is wrong with it."""
    try:
        values = json.loads(line)
    except ValueError:  # UnicodeDecodeError is one too
        return "is not JSON in UTF-8"
    except RecursionError:
        return "is nested too deeply"
    return values if isinstance(values, dict) else "is not an object"


def _last(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    return bytes(file.read(1))
