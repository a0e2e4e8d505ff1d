"""Killed at any moment of a build, the index is the old one or the new one, whole.

UNITUTOR_KILLS sets how many random kills there are; the figure in the README is of 100.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest import parts, store
from ingest.build import build
from ingest.embed import load_encoder
from ingest.errors import ModelUnusable
from tests.ingest_fakes import FakeEncoder, write

KILLS = int(os.environ.get("UNITUTOR_KILLS", "8"))
ROOT = Path(__file__).resolve().parents[2]
# Builds in a child of its own each time; what Python needs to start is paid once.
BUILDER = """
import os, sys
from pathlib import Path
import ingest.build
from tests.ingest_fakes import FakeEncoder
ingest.build.SEGMENT = 64
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        ingest.build.build([Path(sys.argv[1])], Path(sys.argv[2]), FakeEncoder())
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("over", flush=True)
"""
REAL = """
import sys
from pathlib import Path
import ingest.build
from ingest.embed import load_encoder
ingest.build.SEGMENT = 8
ingest.build.build([Path(sys.argv[1])], Path(sys.argv[2]), load_encoder())
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL and fork")


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", BUILDER, str(tmp_path / "notes"), str(tmp_path / "ix")]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def begun(builder: subprocess.Popen[str]) -> int:
    """The process id of a build that has just begun."""
    assert builder.stdin is not None and builder.stdout is not None
    builder.stdin.write("\n")
    builder.stdin.flush()
    return int(builder.stdout.readline())


def ended(builder: subprocess.Popen[str]) -> None:
    assert builder.stdout is not None
    assert builder.stdout.readline() == "over\n"


def test_killed_builds_leave_a_whole_index(tmp_path: Path, builder: subprocess.Popen[str]) -> None:
    notes, folder = tmp_path / "notes", tmp_path / "ix"
    part = "# Part {0} {1}\n\nThe number {0} of {1} is said here, and some more words with it.\n\n"
    write(notes, {f"{name}.md": "".join(part.format(i, name) for i in range(100)) for name in "abcd"})
    begun(builder)
    ended(builder)
    write(notes, {"a.md": "".join(part.format(i, "a") for i in range(1, 101))})
    began = time.monotonic()
    begun(builder)
    ended(builder)
    whole = time.monotonic() - began
    dice = random.Random(5)
    shown, turns = "none", []
    for turn in range(KILLS):
        write(
            notes,
            {
                "new.md": f"# New\n\nThis is what turn{turn} has added.",
                "a.md": "".join(part.format(i, f"a{turn}") for i in range(100)),
            },
        )
        child = begun(builder)
        # Most kills late, where the files are written and put in place.
        time.sleep(whole * dice.uniform(0.0, 1.1) ** 0.5)
        with contextlib.suppress(ProcessLookupError):  # it has finished
            os.kill(child, signal.SIGKILL)
        ended(builder)
        index = store.open_index(folder, FakeEncoder())
        new = [p.text for p in index.passages if p.source == "new.md"]
        now = f"This is what turn{turn} has added."
        assert new in ([now], [shown], []), (turn, new)
        assert new != [] or shown == "none"
        shown = new[0] if new else shown
        turns.append(new == [now])
        assert len(index.passages) == 4 * 100 + len(new)
        of_a = {p.text.split()[4] for p in index.passages if p.source == "a.md"}
        assert of_a == ({"a"} if not new else {f"a{new[0].split('turn')[1].split()[0]}"})
        assert index.token_vectors.shape[0] == index.token_start[-1]
        assert index.passage_vectors.ntotal == len(index.passages)
        assert len(index.sentence_owner) == index.sentence_vectors.ntotal
    print(f"{KILLS} kills: {sum(turns)} left the new index, {len(turns) - sum(turns)} the old one")
    write(notes, {"new.md": "# New\n\nThis is the last of it."})
    build([notes], folder, FakeEncoder())
    index = store.open_index(folder, FakeEncoder())
    assert [p.text for p in index.passages if p.source == "new.md"] == ["This is the last of it."]
    assert len(list(folder.glob("gen-*"))) == 1
    assert not (folder / parts.FOLDER).exists()


@pytest.mark.real
def test_a_killed_embedding_goes_on_where_it_stopped(tmp_path: Path) -> None:
    try:
        encoder = load_encoder()
    except ModelUnusable as err:
        pytest.skip(str(err))
    notes, folder = tmp_path / "notes", tmp_path / "ix"
    text = (ROOT / "data" / "notes" / "04-sampling.md").read_text("utf-8")
    write(notes, {"old.md": "# Old\n\nThis was there before the build that is killed."})
    build([notes], folder, encoder)
    write(notes, {"sampling.md": text})
    process = subprocess.Popen([sys.executable, "-c", REAL, str(notes), str(folder)], cwd=ROOT)
    limit = time.monotonic() + 120
    while not list((folder / parts.FOLDER).glob("*.npz")):
        assert process.poll() is None and time.monotonic() < limit
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept = sum(len(keys) for keys, _ in parts.kept_vectors(folder, encoder))
    assert kept >= 8
    assert {p.source for p in store.open_index(folder, encoder).passages} == {"old.md"}
    told: list[int] = []
    build(
        [notes], folder, encoder, lambda what, _, total: told.append(total) if what == "embedding" else None
    )
    build([notes], tmp_path / "fresh", encoder)
    now, fresh = store.open_index(folder, encoder), store.open_index(tmp_path / "fresh", encoder)
    assert now.passages == fresh.passages and now.manifest.files == fresh.manifest.files
    texts = sum(2 + len(p.sentences) for p in now.passages)
    assert max(told) < texts  # what was done was not done again
    # In other company a text's numbers differ in the last places.
    for one, other in (
        (now.passage_vectors, fresh.passage_vectors),
        (now.sentence_vectors, fresh.sentence_vectors),
    ):
        assert one.ntotal == other.ntotal
        rows = np.arange(one.ntotal)
        assert np.allclose(one.reconstruct_batch(rows), other.reconstruct_batch(rows), atol=1e-4)
    assert (now.token_ids == fresh.token_ids).all()
    assert np.abs(now.token_vectors.astype(int) - fresh.token_vectors.astype(int)).max() <= 1
