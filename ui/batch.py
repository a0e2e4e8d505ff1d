"""Many questions, or texts, from one file of JSON lines into another.

The output is written beside its place and takes it at the end, so a reader never sees half of it.
A line that cannot be answered gets {id, error} and the others go on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ingest.errors import BadRequest, UnitutorError
from ingest.types import Progress, silent
from ui.terminal import one_line


class Numbered(Protocol):
    """What every line of an input has."""

    @property
    def id(self) -> Any:
        """As it was given: a string or a number; None where it could not be read."""

    @property
    def error(self) -> str:
        """What is wrong with the line; '' if nothing."""


Given = TypeVar("Given", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the input: the questions of one conversation, the last of which is answered."""

    id: Any  # as it was given: a string or a number; None where it could not be read
    turns: tuple[str, ...] = ()
    error: str = ""  # what is wrong with the line; '' if nothing


def read(path: Path) -> list[Line]:
    """The lines of a file, empty ones left out. Raises BadRequest where the file cannot be read."""
    return [_line(number, line) for number, line in split(content(path))]


def content(path: Path) -> bytes:
    """What a file holds. Raises BadRequest where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadRequest(f"Cannot read {path}: {error.strerror}.") from error


def split(raw: bytes) -> list[tuple[int, bytes]]:
    """The lines of a file with their numbers, from 1, empty ones left out."""
    lines = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def fields(number: int, raw: bytes, like: str = "{id, question}") -> tuple[Any, dict[str, Any], str]:
    """A line's id, all that it holds, and what is wrong with it; '' if nothing."""
    try:
        values = json.loads(raw)
    except ValueError:  # UnicodeDecodeError is one too
        return None, {}, f"Line {number} is not JSON in UTF-8."
    except RecursionError:
        return None, {}, f"Line {number} is nested too deeply."
    if not isinstance(values, dict):
        return None, {}, f"Line {number} is not an object like {like}."
    name = values.get("id")
    if not isinstance(name, (str, int)) or isinstance(name, bool):
        return None, {}, f"Line {number} has no id (a string or a whole number)."
    return name, values, ""


def _line(number: int, raw: bytes) -> Line:
    name, values, error = fields(number, raw)
    if error:
        return Line(None, error=error)
    if ("question" in values) == ("turns" in values):
        return Line(name, error=f"Line {number} needs either a question or turns.")
    turns = values["turns"] if "turns" in values else [values["question"]]
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
        return Line(name, error=f"Line {number}: a question is a string, turns a list of strings.")
    return Line(name, tuple(turns))


def run(
    lines: Sequence[Given],
    out: Path,
    answer: Callable[[Given], dict[str, Any]],
    progress: Progress = silent,
    work: tuple[str, str] = ("Answering", "answered"),
) -> int:
    """Write {id, …answer} for each line, in order, to `out`; returns how many got an error instead.

    Raises BadRequest where `out` cannot be written, and, with `out` written, where no line at all
    could be answered.
    """
    beside = out.with_name(f".{out.name}.{os.getpid()}.part")
    errors: list[str] = []
    with writing(out):
        file = beside.open("w", encoding="utf-8", errors="replace")
    try:
        with file:
            for number, line in enumerate(lines):
                progress(work[0], number, len(lines))
                result = _result(line, answer)
                if "error" in result:
                    errors.append(result["error"])
                with writing(out):
                    file.write(json.dumps({"id": line.id, **result}, ensure_ascii=False) + "\n")
                    file.flush()
            progress(work[0], len(lines), len(lines))
        with writing(out):
            beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    if errors and len(errors) == len(lines):
        raise BadRequest(f"None of the {len(lines)} lines could be {work[1]}; the first: {errors[0]}")
    return len(errors)


def _result(line: Given, answer: Callable[[Given], dict[str, Any]]) -> dict[str, Any]:
    if line.error:
        return {"error": line.error}
    try:
        return answer(line)
    except UnitutorError as error:
        return {"error": one_line(str(error))}


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Raises BadRequest where what is done to `out` fails."""
    try:
        yield
    except OSError as error:
        raise BadRequest(f"Cannot write {out}: {error.strerror}.") from error
