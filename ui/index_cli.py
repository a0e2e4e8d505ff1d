"""The commands that make and carry an index: ingest, pack, unpack. What they say is printed by ui/cli.py."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui import terminal, tutor
from ui.options import Encoder, Index, Json
from ui.reading import MINUTES, for_minutes, prepared

if TYPE_CHECKING:
    from ingest.build import Report
    from ingest.pack import Packed

AHEAD = (
    "Let the language model read passages for so long, for sooner first words "
    f"[default: {MINUTES:g} if something has changed and the model is prepared]."
)
Say = Callable[[str], None]
File = Annotated[Path, typer.Argument(help="The packed index, one file.")]


def register(app: typer.Typer, say: Say, note: Say) -> None:
    """Add the commands to `app`; `say` prints a text, `note` a line on stderr."""

    @app.command()
    def ingest(
        paths: Annotated[
            list[Path] | None, typer.Argument(help=f"Folders and files of notes [default: {tutor.NOTES}].")
        ] = None,
        index: Index = tutor.INDEX,
        force: Annotated[
            bool, typer.Option("--force", help="Build all of it again, even if nothing has changed.")
        ] = False,
        watch: Annotated[
            bool, typer.Option("--watch", help="Go on, and do so whenever the notes change.")
        ] = False,
        report: Annotated[
            bool, typer.Option("--report", help="Say what the cleaner took away from each file, and why.")
        ] = False,
        read_ahead: Annotated[
            float | None,
            typer.Option(
                min=0,
                metavar="MINUTES",
                help=AHEAD,
            ),
        ] = None,
        as_json: Json = False,
        encoder: Encoder = None,
    ) -> None:
        """Build the index of the notes, or bring it up to date."""
        notes = paths or [tutor.NOTES]
        with terminal.Bars() as progress:
            made = tutor.build_index(notes, index, encoder, progress, force)
            gone = _removed(notes, index, progress) if report else None
        left_out(made, note)
        if as_json:
            values = terminal.report_json(made)
            values |= {} if gone is None else {"removed": gone}
            say(json.dumps(values, ensure_ascii=False, indent=2))
        else:
            say(terminal.report_text(made, index))
            if gone is not None:
                say(terminal.removed_text(gone).rstrip("\n"))
        minutes = (0 if made.unchanged or not prepared() else MINUTES) if read_ahead is None else read_ahead
        if minutes:
            _read_ahead(index, encoder, minutes, note)
        if watch:
            _follow(notes, index, encoder, say, note)

    @app.command()
    def pack(file: File, index: Index = tutor.INDEX) -> None:
        """Put an index into one file, for a USB stick: passages, vectors and hashes, but no notes."""
        from ingest.pack import pack as packed

        with terminal.Bars() as progress:
            done = packed(index, file, progress)
        say(f"{file}: {_of(done)}, {file.stat().st_size / 1e6:,.1f} MB.")

    @app.command()
    def unpack(file: File, index: Index = tutor.INDEX) -> None:
        """Put a packed index in its place, once all of it was checked."""
        from ingest.pack import unpack as unpacked

        with terminal.Bars() as progress:
            done = unpacked(file, index, progress)
        say(f"{index}: {_of(done)}, {done.bytes / 1e6:,.1f} MB.")


def left_out(report: Report, note: Say) -> None:
    """Name each file that was left out."""
    for skipped in report.skipped:
        note(f"Left out {skipped.file}: {skipped.reason}")


def _read_ahead(index: Path, encoder: str | None, minutes: float, note: Say) -> None:
    note("Reading ahead, so that first words come sooner; the index is ready, and Ctrl-C ends this.")
    with terminal.Bars() as progress:
        read, total = for_minutes(index, encoder, minutes, progress)
    more = "" if read == total else "; the chat goes on with it while it is idle"
    note(f"{read} of {total} passages are read{more}.")


def _of(packed: Packed) -> str:
    return f"{packed.passages} passages of {packed.files} files, made {packed.made}"


def _removed(notes: Sequence[Path], index: Path, progress: Any) -> list[dict[str, Any]]:
    from ingest.report import removed

    return [
        {"file": file, "page": one.page, "text": one.text, "why": one.why}
        for file, gone in removed(notes, index, progress)
        for one in gone
    ]


def _follow(notes: Sequence[Path], index: Path, encoder: str | None, say: Say, note: Say) -> None:
    from ingest.build import Report
    from ingest.embed import load_encoder
    from ingest.errors import UnitutorError
    from ingest.fresh import Changes
    from ingest.watch import follow

    def told(news: Changes | Report | UnitutorError) -> None:
        if isinstance(news, Report):
            left_out(news, note)
            say(terminal.report_text(news, index))
        elif str(news):
            note(str(news))

    note("Watching the notes; Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        follow(notes, index, load_encoder(encoder), threading.Event(), told)
