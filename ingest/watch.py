"""Notes watched while they change, and the index brought up to date each time.

The operating system tells of changes (watchfiles); now and then the notes are looked at anyway,
since some network drives tell nothing. What is not here: what a build does (ingest/build.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ingest.build import Report, build
from ingest.errors import UnitutorError
from ingest.fresh import Changes, changes
from ingest.types import Encoder, Progress, silent

QUIET_MS = 700  # without a further change, before the notes are read: programs save in several steps
LONGEST_MS = 10_000  # until they are read although changes go on
LOOK_MS = 30_000  # until they are looked at although nothing was told


def follow(
    paths: Sequence[Path],
    folder: Path,
    encoder: Encoder,
    stop: threading.Event,
    told: Callable[[Changes | Report | UnitutorError], None],
    progress: Progress = silent,
) -> None:
    """Keeps the index in `folder` up to date with `paths` until `stop`.

    `told` hears of changes before they are worked on, of each finished build, and of what went
    wrong, once: the earlier index stays then, and the next change is waited for.
    """
    last, failed = "", Changes()
    for _ in _events(paths, folder, stop):
        found = None
        try:
            found = changes(folder, paths)
            if found is not None and not found:
                last, failed = "", Changes()
                continue
            if found is None or found != failed:
                told(found or Changes())
            told(build(paths, folder, encoder, progress))
            last, failed = "", Changes()
        except UnitutorError as error:
            # What failed is tried again, for a disk that has room now, but told once.
            failed = found or Changes()
            if str(error) != last:
                last = str(error)
                told(error)


def _events(paths: Sequence[Path], folder: Path, stop: threading.Event) -> Iterator[None]:
    """Once at the beginning, and whenever something may have changed."""
    from watchfiles import Change, watch

    index = folder.resolve()

    def counts(_: Change, name: str) -> bool:
        path = Path(name)
        return not path.name.startswith((".", "~$")) and not path.resolve().is_relative_to(index)

    yield
    while not stop.is_set():
        # A file is watched by its folder: many programs save by putting another file in its place.
        there = {path if path.is_dir() else path.parent for path in paths if path.exists()}
        if not there:
            stop.wait(LOOK_MS / 1000)  # a drive that is away may come back
            yield
            continue
        for _ in watch(
            *there,
            watch_filter=counts,
            debounce=LONGEST_MS,
            step=QUIET_MS,
            stop_event=stop,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            raise_interrupt=True,
            ignore_permission_denied=True,
        ):
            yield
            if not all(path.exists() for path in there):
                break
