"""Seconds that an index of a thousand files takes to be brought up to date: nothing changed, one file, all.

Run: python -m tests.bench.refresh [--files 1000]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ingest.build import build
from ingest.embed import load_encoder

OUT = Path(__file__).with_name("out") / "refresh.md"
ROOT = Path(__file__).resolve().parents[2]
ABOUT = "granite basalt sandstone marble slate chalk gneiss obsidian pumice quartzite".split()


def main() -> None:
    """Measure, print the table, and write it to out/refresh.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    files = parser.parse_args().files
    encoder = load_encoder()
    rows: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        notes, folder = Path(place) / "notes", Path(place) / "index"
        for number in range(files):
            write(notes, number)
        # Files that were touched within two seconds are hashed again: see ingest/walk.py.
        time.sleep(3)

        def run() -> None:
            build([notes], folder, encoder)

        encoder.encode(["The weights are read before anything is measured."])
        rows.append(measured(f"all {files} files new", run))
        build([notes], folder, encoder)
        rows.append(measured("nothing changed", run))
        rows.append(
            measured("nothing changed, the whole command", lambda: command(notes, folder), whole=True)
        )
        write(notes, 7, "It was changed.")
        rows.append(measured("one file changed", run))
        write(notes, files)
        rows.append(measured("one file added", run))
        (notes / name(3)).unlink()
        rows.append(measured("one file removed", run))
    table = "\n".join(
        [
            f"{files} files of a passage each, {os.cpu_count()} cores",
            "",
            "| what | seconds | of processor time |",
            "| --- | --- | --- |",
            *rows,
        ]
    )
    print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(table + "\n", "utf-8")


def name(number: int) -> str:
    """The path of a file in the notes."""
    return f"week{number % 12}/{number}.md"


def write(notes: Path, number: int, more: str = "") -> None:
    """A file of its own words."""
    path = notes / name(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    rock = ABOUT[number % len(ABOUT)]
    path.write_text(
        f"# Sample {number}\n\nSample {number} is {rock} from site {number % 31}."
        f" It weighs {number * 7} grams. {more}"
    )


def command(notes: Path, folder: Path) -> None:
    """`unitutor ingest` in a process of its own."""
    line = [sys.executable, "-m", "ui.cli", "ingest", str(notes), "--index", str(folder)]
    done = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True)
    assert "up to date" in done.stdout, done.stdout


def measured(what: str, run: Callable[[], None], whole: bool = False) -> str:
    """A row: seconds, and seconds of processor time of this process or, for `whole`, of those it runs."""
    who = resource.RUSAGE_CHILDREN if whole else resource.RUSAGE_SELF

    def spent() -> float:
        used = resource.getrusage(who)
        return used.ru_utime + used.ru_stime

    before, began = spent(), time.perf_counter()
    run()
    return f"| {what} | {time.perf_counter() - began:.2f} | {spent() - before:.2f} |"


if __name__ == "__main__":
    main()
