"""A build takes over what is still right, and gives what a build from nothing gives."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ingest.build as building
from ingest import parts, store, walk
from ingest.build import build
from ingest.errors import NotesError
from ingest.fresh import Changes, changes
from ingest.sandbox import Sandbox
from tests.ingest_fakes import FakeEncoder, write

EXAMPLES = int(os.environ.get("UNITUTOR_EXAMPLES", "12"))
SHARED = "# Shared\n\nThe same words stand in more than one of the files, and they are long enough to count."
TEXTS = [
    "# Rocks\n\nGranite is a hard rock. It cools slowly.\n\n## Sand\n\n- Sand is small.\n- Sand is dry.",
    SHARED,
    f"{SHARED}\n\n# Birds\n\nA wren is a small bird that sings. A heron is not.",
    "".join(f"# Part {i}\n\nThe number {i} is said here, and some more words with it.\n\n" for i in range(9)),
    f"# Shared\n\n{SHARED.partition(chr(10))[2].strip()} So it is.",
    "",
]
NAMES = ["a.md", "b.md", "sub/c.md", "d.txt"]
STEP = st.tuples(st.sampled_from(NAMES), st.one_of(st.none(), st.integers(0, len(TEXTS) - 1)))


def contents(folder: Path) -> dict[str, Any]:
    """All that is in an index but when it was made, each file as its bytes."""
    generation = folder / (folder / "current").read_text().strip()
    manifest = json.loads((generation / "manifest.json").read_text())
    del manifest["made"], manifest["parts"]
    index = store.open_index(folder, FakeEncoder())
    files = {
        path.relative_to(generation).as_posix(): path.read_bytes()
        for path in sorted(generation.rglob("*"))
        if path.is_file() and path.suffix in (".npy", ".faiss", ".json") and path.name != "manifest.json"
    }
    return {"manifest": manifest, "passages": list(index.passages), "copies": store.copies(folder), **files}


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=5))
def test_any_changes_give_what_a_build_from_nothing_gives(steps: Sequence[tuple[str, int | None]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        notes, folder, fresh = (Path(place) / name for name in ("notes", "ix", "fresh"))
        write(notes, {"z.md": "# Last\n\nThis file stays as it is."})
        for name, text in steps:
            if text is None:
                (notes / name).unlink(missing_ok=True)
            else:
                write(notes, {name: TEXTS[text]})
            build([notes], folder, FakeEncoder())
            shutil.rmtree(fresh, ignore_errors=True)
            build([notes], fresh, FakeEncoder())
            assert contents(folder) == contents(fresh)
            assert not (folder / parts.FOLDER).exists()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write(
        tmp_path / "notes", {f"{i}.md": f"# Note {i}\n\nThis is what note {i} says." for i in range(6)}
    )


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read from now on."""
    seen: list[str] = []
    real = Sandbox.read

    def read(self: Sandbox, path: Path, source: str, member: str = "") -> Any:
        seen.append(source)
        return real(self, path, source, member)

    monkeypatch.setattr(Sandbox, "read", read)
    return seen


def test_only_what_has_changed_is_worked_on(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build([notes], tmp_path / "ix", FakeEncoder())
    read, encoder = counted(monkeypatch), FakeEncoder()
    write(notes, {"3.md": "# Note 3\n\nThis is something new.", "new.md": "# New\n\nA new file."})
    (notes / "5.md").unlink()
    report = build([notes], tmp_path / "ix", encoder)
    assert read == ["3.md", "new.md"]
    assert (report.files, report.read, report.unchanged) == (6, 2, False)
    assert encoder.encoded == 4  # two passages, of a sentence each
    (notes / "1.md").rename(notes / "one.md")
    build([notes], tmp_path / "ix", encoder)
    assert read[2:] == ["one.md"]
    assert encoder.encoded == 4  # another name, the same words


def test_force_takes_nothing_over(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build([notes], tmp_path / "ix", FakeEncoder())
    read, encoder = counted(monkeypatch), FakeEncoder()
    report = build([notes], tmp_path / "ix", encoder, force=True)
    assert (len(read), report.read, encoder.encoded) == (6, 6, 12)


def test_a_bad_file_is_not_read_again_until_it_changes(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(notes, {"bad.txt": b"\0\1\2" * 100})
    first = build([notes], tmp_path / "ix", FakeEncoder())
    read = counted(monkeypatch)
    write(notes, {"new.md": "# New\n\nA new file."})
    again = build([notes], tmp_path / "ix", FakeEncoder())
    assert read == ["new.md"] and first.skipped == again.skipped
    write(notes, {"bad.txt": "It is good now."})
    assert build([notes], tmp_path / "ix", FakeEncoder()).skipped == ()


def test_a_copy_comes_back_when_the_original_goes(tmp_path: Path) -> None:
    notes = write(tmp_path / "notes", {"a.md": SHARED, "b.md": SHARED, "c.md": "# Else\n\nNo more."})
    build([notes], tmp_path / "ix", FakeEncoder())
    index = store.open_index(tmp_path / "ix", FakeEncoder())
    assert [(p.source, [o.source for o in p.also]) for p in index.passages] == [
        ("a.md", ["b.md"]),
        ("c.md", []),
    ]
    (notes / "a.md").unlink()
    build([notes], tmp_path / "ix", FakeEncoder())
    index = store.open_index(tmp_path / "ix", FakeEncoder())
    assert [(p.source, p.also) for p in index.passages] == [("b.md", ()), ("c.md", ())]


def test_unchanged_files_are_not_even_hashed(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "SETTLED", -60.0)  # as if they had not been touched for a minute
    build([notes], tmp_path / "ix", FakeEncoder())
    hashed: list[str] = []
    real = walk._hash

    def note(path: Path) -> str:
        hashed.append(path.name)
        return real(path)

    monkeypatch.setattr(walk, "_hash", note)
    assert build([notes], tmp_path / "ix", FakeEncoder()).unchanged
    assert hashed == []
    before = (notes / "2.md").stat()
    (notes / "2.md").write_text("# Note 2\n\nThis is what note 7 says.")  # the same size
    os.utime(notes / "2.md", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not build([notes], tmp_path / "ix", FakeEncoder()).unchanged
    assert hashed == ["2.md"]
    os.utime(notes / "4.md")  # touched, and nothing else
    assert build([notes], tmp_path / "ix", FakeEncoder()).unchanged
    assert hashed == ["2.md", "4.md"]


def test_a_file_just_changed_is_hashed_again(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "SETTLED", 3600.0)
    build([notes], tmp_path / "ix", FakeEncoder())
    assert walk.recall(tmp_path / "ix").files == {}
    assert walk.recall(tmp_path / "ix").roots == (str(notes.absolute()),)


@pytest.mark.parametrize("content", ["", "[]", '{"roots": 3}', '{"files": {"a": [1]}, "roots": []}', "\0"])
def test_a_damaged_memory_costs_only_time(notes: Path, tmp_path: Path, content: str) -> None:
    build([notes], tmp_path / "ix", FakeEncoder())
    (tmp_path / "ix" / walk.SEEN).write_text(content)
    assert build([notes], tmp_path / "ix", FakeEncoder()).unchanged


def test_what_has_changed_is_named(notes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ix"
    assert changes(folder) is None
    build([notes], folder, FakeEncoder())
    assert changes(folder) == changes(folder, [notes]) == Changes()
    assert not changes(folder)
    write(notes, {"1.md": "else", "2.md": "else", "3.md": "else", "x.md": "new"})
    (notes / "0.md").unlink()
    found = changes(folder)
    assert found == Changes(("x.md",), ("1.md", "2.md", "3.md"), ("0.md",))
    assert str(found) == "x.md was added; 1.md, 2.md and 1 more were changed; 0.md was removed"
    shutil.rmtree(notes)
    assert changes(folder) is None


class Interrupted(FakeEncoder):
    """Ends the program after so many texts."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        if self.encoded + len(texts) > self.after:
            raise KeyboardInterrupt
        return super().encode(texts)


def test_an_interrupted_build_goes_on_where_it_stopped(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "SEGMENT", 2)
    monkeypatch.setattr(parts, "SLOW", -1.0)  # every file counts as slow to read
    folder = tmp_path / "ix"
    with pytest.raises(KeyboardInterrupt):
        build([notes], folder, Interrupted(after=9))
    assert store.peek(folder) is None
    read, encoder, told = counted(monkeypatch), FakeEncoder(), []
    (folder / parts.FOLDER / "0123.new").write_bytes(b"half")
    report = build([notes], folder, encoder, lambda *step: told.append(step))
    assert encoder.encoded == 12 - 8 and read == [] and report.read == 0
    assert {total for what, _, total in told if what == "embedding"} == {6}  # of what was left to do
    build([notes], tmp_path / "fresh", FakeEncoder())
    assert contents(folder) == contents(tmp_path / "fresh")
    assert not (folder / parts.FOLDER).exists()


@pytest.mark.parametrize("how", ["short", "flipped", "empty", "foreign", "encoder"])
def test_parts_that_cannot_be_trusted_are_made_again(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(building, "SEGMENT", 2)
    folder = tmp_path / "ix"
    with pytest.raises(KeyboardInterrupt):
        build([notes], folder, Interrupted(after=9))
    for path in (folder / parts.FOLDER).glob("*.npz"):
        data = path.read_bytes()
        middle = len(data) // 2
        if how == "short":
            path.write_bytes(data[: len(data) * 2 // 3])
        elif how == "flipped":
            stretch = bytes(byte ^ 255 for byte in data[middle : middle + 400])  # not between two arrays only
            path.write_bytes(data[:middle] + stretch + data[middle + 400 :])
        elif how == "empty":
            path.write_bytes(b"")
        elif how == "foreign":
            np.savez(path.open("wb"), keys=np.zeros((1, 32), np.uint8), passages=np.zeros((1, 3)))
    encoder = FakeEncoder("fake@2" if how == "encoder" else "fake@1")
    build([notes], folder, encoder)
    assert encoder.encoded == 12
    assert not (folder / parts.FOLDER).exists()


def test_what_a_kill_after_all_else_left_goes(notes: Path, tmp_path: Path) -> None:
    build([notes], tmp_path / "ix", FakeEncoder())
    write(tmp_path / "ix" / parts.FOLDER, {"a.npz": b"old"})
    assert build([notes], tmp_path / "ix", FakeEncoder()).unchanged
    assert not (tmp_path / "ix" / parts.FOLDER).exists()


def test_a_file_that_vanishes_while_others_are_read(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Sandbox.read

    def read(self: Sandbox, path: Path, source: str, member: str = "") -> Any:
        (notes / "5.md").unlink(missing_ok=True)
        return real(self, path, source, member)

    monkeypatch.setattr(Sandbox, "read", read)
    report = build([notes], tmp_path / "ix", FakeEncoder())
    assert report.files == 5 and [s.file for s in report.skipped] == ["5.md"]
    shutil.rmtree(notes)
    with pytest.raises(NotesError, match="no such file or folder"):
        build([notes], tmp_path / "ix", FakeEncoder())
    assert store.peek(tmp_path / "ix") is not None
