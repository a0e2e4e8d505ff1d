"""Killed at any moment of a build, the index is the old one or the new one, whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest import store
from ingest.build import build
from tests.ingest_fakes import FakeEncoder, write

KILLS = 12
ROOT = Path(__file__).resolve().parents[2]
BUILD = """
import sys
from pathlib import Path
from ingest.build import build
from tests.ingest_fakes import FakeEncoder
print("ready", flush=True)
build([Path(sys.argv[1])], Path(sys.argv[2]), FakeEncoder(), force=True)
"""


def start(notes: Path, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILD, str(notes), str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_builds_leave_a_whole_index(tmp_path: Path) -> None:
    notes, folder = tmp_path / "notes", tmp_path / "ix"
    one = "\n\n".join(
        f"# Part {i}\n\nThe number {i} is said here, and some more words with it." for i in range(150)
    )
    write(notes, {f"{name}.md": one for name in "abcd"})
    build([notes], folder, FakeEncoder())
    began = time.monotonic()
    start(notes, folder).wait()
    whole = time.monotonic() - began
    dice = random.Random(5)
    told = []
    for turn in range(KILLS):
        write(notes, {"new.md": f"# New\n\nThis is what turn{turn} has added."})
        process = start(notes, folder)
        # Most kills late, where the files are written and put in place.
        time.sleep(whole * dice.uniform(0.2, 1.0) ** 0.5)
        process.kill()
        process.wait()
        index = store.open_index(folder, FakeEncoder())
        new = [p.text for p in index.passages if p.source == "new.md"]
        assert len(index.passages) == 4 * 150 + len(new)
        assert index.token_vectors.shape[0] == index.token_start[-1]
        told.append(new)
        assert len(new) <= 1
    write(notes, {"new.md": "# New\n\nThis is the last of it."})
    build([notes], folder, FakeEncoder())
    index = store.open_index(folder, FakeEncoder())
    assert [p.text for p in index.passages if p.source == "new.md"] == ["This is the last of it."]
    assert len(list(folder.glob("gen-*"))) == 1
