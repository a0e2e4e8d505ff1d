"""Whether an index still holds its notes as they are: what was added, changed or removed since.

What is not here: bringing it up to date (ingest/build.py) and watching for changes (ingest/watch.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import store
from ingest.errors import NotesError
from ingest.walk import find, hashed, recall


@dataclass(frozen=True, slots=True)
class Changes:
    """Files that differ from what the index was made of, sorted."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        """'a.pdf was changed; b.md and 3 more were added'."""
        kinds = (("added", self.added), ("changed", self.changed), ("removed", self.removed))
        return "; ".join(f"{_named(files)} {what}" for what, files in kinds if files)


def _named(files: Sequence[str]) -> str:
    if len(files) == 1:
        return f"{files[0]} was"
    more = f" and {len(files) - 2} more" if len(files) > 2 else ""
    return (f"{files[0]}, {files[1]}{more}" if more else f"{files[0]} and {files[1]}") + " were"


def changes(folder: Path, paths: Sequence[Path] = ()) -> Changes | None:
    """How the notes differ from the index in `folder`; None where that cannot be told.

    `paths` are the notes; without them, those that it was last made from on this machine.
    """
    known, seen = store.peek(folder), recall(folder)
    where = list(paths) or [Path(root) for root in seen.roots]
    if known is None or not where:
        return None
    try:
        now, _ = hashed(where, list(find(where, folder)), seen)
    except NotesError:
        return None  # the folder is not there now
    before = known.made_of
    return Changes(
        added=tuple(sorted(now.keys() - before.keys())),
        changed=tuple(sorted(name for name in now.keys() & before.keys() if now[name] != before[name])),
        removed=tuple(sorted(before.keys() - now.keys())),
    )
