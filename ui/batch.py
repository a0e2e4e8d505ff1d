"""Many questions from one file of JSON lines into another.

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
from typing import Any

from ingest.errors import BadRequest, UnitutorError
from ingest.types import Progress, silent
from ui.terminal import one_line


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the input: the questions of one conversation, the last of which is answered."""

    id: Any  # as it was given: a string or a number; None where it could not be read
    turns: tuple[str, ...] = ()
    error: str = ""  # what is wrong with the line; '' if nothing


def read(path: Path) -> list[Line]:
    """The lines of a file, empty ones left out. Raises BadRequest where the file cannot be read."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadRequest(f"Cannot read {path}: {error.strerror}.") from error
    lines = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [_line(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _line(number: int, raw: bytes) -> Line:
    try:
        values = json.loads(raw)
    except ValueError:  # UnicodeDecodeError is one too
        return Line(None, error=f"Line {number} is not JSON in UTF-8.")
    except RecursionError:
        return Line(None, error=f"Line {number} is nested too deeply.")
    if not isinstance(values, dict):
        return Line(None, error=f"Line {number} is not an object like {{id, question}}.")
    name = values.get("id")
    if not isinstance(name, (str, int)) or isinstance(name, bool):
        return Line(None, error=f"Line {number} has no id (a string or a whole number).")
    if ("question" in values) == ("turns" in values):
        return Line(name, error=f"Line {number} needs either a question or turns.")
    turns = values["turns"] if "turns" in values else [values["question"]]
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
        return Line(name, error=f"Line {number}: a question is a string, turns a list of strings.")
    return Line(name, tuple(turns))


def run(
    lines: Sequence[Line],
    out: Path,
    answer: Callable[[Line], dict[str, Any]],
    progress: Progress = silent,
) -> int:
    """Write {id, …answer} for each line, in order, to `out`; returns how many got an error instead.

    Raises BadRequest where `out` cannot be written, and, with `out` written, where no line at all
    could be answered.
    """
    beside = out.with_name(f".{out.name}.{os.getpid()}.part")
    errors: list[str] = []
    with _writing(out):
        file = beside.open("w", encoding="utf-8", errors="replace")
    try:
        with file:
            for number, line in enumerate(lines):
                progress("Answering", number, len(lines))
                result = _result(line, answer)
                if "error" in result:
                    errors.append(result["error"])
                with _writing(out):
                    file.write(json.dumps({"id": line.id, **result}, ensure_ascii=False) + "\n")
                    file.flush()
            progress("Answering", len(lines), len(lines))
        with _writing(out):
            beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    if errors and len(errors) == len(lines):
        raise BadRequest(f"None of the {len(lines)} lines could be answered; the first: {errors[0]}")
    return len(errors)


def _result(line: Line, answer: Callable[[Line], dict[str, Any]]) -> dict[str, Any]:
    if line.error:
        return {"error": line.error}
    try:
        return answer(line)
    except UnitutorError as error:
        return {"error": one_line(str(error))}


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadRequest(f"Cannot write {out}: {error.strerror}.") from error
