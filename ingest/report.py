"""What the cleaner takes away from each file, asked for after an index was made.

The files are read again for it: an index keeps what is in it and not what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.clean import clean
from ingest.errors import NotesError
from ingest.removed import Removed
from ingest.sandbox import Sandbox
from ingest.types import Progress, silent
from ingest.walk import find


def removed(
    paths: Sequence[Path], folder: Path, progress: Progress = silent
) -> Iterator[tuple[str, list[Removed]]]:
    """Each file that a build of `folder` from `paths` would read, with what is taken away from it.

    Raises NotesError where one of `paths` does not exist; files that cannot be read are passed over.
    """
    notes = list(find(paths, folder))
    with Sandbox() as sandbox:
        for done, note in enumerate(notes):
            progress("reading notes", done, len(notes))
            gone: list[Removed] = []
            try:
                clean(sandbox.read(note.path, note.source, note.member).pages, gone)
            except NotesError:
                continue
            yield note.source, gone
    progress("reading notes", len(notes), len(notes))
