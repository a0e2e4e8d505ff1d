"""Folders in, an index out; what is bad is reported and what was there stays usable."""

from __future__ import annotations

import errno
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest import store
from ingest.build import build
from ingest.errors import IndexUnusable, NotesError
from ingest.lock import locked
from ingest.split import Splitter
from ingest.words import tokens
from tests.ingest_fakes import FakeEncoder, deck, locked_pdf, pdf, picture_pdf, write

ROCKS = "# Rocks\n\nGranite is a hard rock. It cools slowly.\n\n## Sand\n\n- Sand is small.\n- Sand is dry."
PAGE = [("Birds", 18.0), ("A wren is a small bird that sings.", 11.0)]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write(tmp_path / "notes", {"rocks.md": ROCKS, "sub/birds.pdf": pdf([PAGE])})


def test_build_and_open(notes: Path, tmp_path: Path) -> None:
    encoder, told = FakeEncoder(), []
    report = build([notes], tmp_path / "ix", encoder, lambda *step: told.append(step))
    assert (report.files, report.pages, report.skipped, report.unchanged) == (2, 2, (), False)
    assert {what for what, _, _ in told} == {"reading notes", "embedding"}
    assert told[-1][1] == told[-1][2]
    index = store.open_index(tmp_path / "ix", encoder)
    n, total = len(index.passages), sum(len(p.sentences) for p in index.passages)
    assert n == report.passages == index.passage_vectors.ntotal == index.manifest.passages
    assert total == index.sentence_vectors.ntotal == len(index.sentence_owner) == len(index.sentence_place)
    assert {p.source for p in index.passages} == {"rocks.md", "sub/birds.pdf"} == set(index.manifest.files)
    for row, passage in enumerate(index.passages):
        start, stop = index.token_start[row], index.token_start[row + 1]
        ids, vectors = encoder.encode_tokens([store.searchable(passage)])[0]
        assert (index.token_ids[start:stop] == ids).all()
        assert np.abs(index.token_vectors[start:stop] / 127 - vectors).max() < 0.005
        assert np.allclose(
            index.passage_vectors.reconstruct(row), encoder.encode([store.searchable(passage)])[0], atol=1e-5
        )
        place = np.flatnonzero(index.sentence_owner == row)
        assert index.sentence_place[place].tolist() == list(range(len(passage.sentences)))
    scores = index.bm25.get_scores(tokens("granites?"))
    assert "Granite" in index.passages[int(scores.argmax())].text
    assert not list((tmp_path / "ix").rglob("*.pkl"))


def test_unchanged_needs_no_encoding(notes: Path, tmp_path: Path) -> None:
    build([notes], tmp_path / "ix", FakeEncoder())
    again = FakeEncoder()
    report = build([notes], tmp_path / "ix", again)
    assert report.unchanged
    assert (report.files, report.pages) == (2, 2)
    assert again.encoded == 0
    assert not build([notes], tmp_path / "ix", again, force=True).unchanged


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename", "encoder", "splitter"])
def test_changes_are_noticed(notes: Path, tmp_path: Path, change: str) -> None:
    build([notes], tmp_path / "ix", FakeEncoder())
    encoder, splitter = FakeEncoder(), Splitter()
    rocks = notes / "rocks.md"
    if change == "edit":
        rocks.write_text(ROCKS + "\n- Sand is old.")
    elif change == "add":
        write(notes, {"new.txt": "Something new is said in this file."})
    elif change == "remove":
        rocks.unlink()
    elif change == "rename":
        rocks.rename(notes / "stones.md")
    elif change == "encoder":
        encoder = FakeEncoder("fake@2")
    else:
        splitter = Splitter(target=60)
    assert not build([notes], tmp_path / "ix", encoder, splitter=splitter).unchanged
    index = store.open_index(tmp_path / "ix", encoder, splitter)
    assert index.manifest.files.keys() == {p.relative_to(notes).as_posix() for p in notes.rglob("*.*")}
    assert len(list((tmp_path / "ix").glob("gen-*"))) == 1


def test_bad_files_do_not_stop_the_good(notes: Path, tmp_path: Path) -> None:
    whole = pdf([PAGE] * 3)
    write(
        notes,
        {
            "locked.pdf": locked_pdf(whole, user="secret"),
            "empty.pdf": b"",
            "cut.pdf": whole[: len(whole) // 2],
            "scan.pdf": picture_pdf(),
            "binary.txt": b"\0\1\2" * 100,
            "zero.txt": b"",
            "photo.jpg": b"\xff\xd8\xff",
            "only-noise.md": "![alt text](image.png)\n",
            ".hidden.txt": "never seen",
            "~$lock.pptx": "never seen",
        },
    )
    report = build([notes], tmp_path / "ix", FakeEncoder())
    assert report.files == 2
    reasons = {skipped.file: skipped.reason for skipped in report.skipped}
    assert reasons.keys() == {
        "locked.pdf", "empty.pdf", "cut.pdf", "scan.pdf", "binary.txt", "zero.txt", "photo.jpg",
        "only-noise.md",
    }  # fmt: skip
    assert all("\n" not in why and not why.startswith(name) for name, why in reasons.items())
    assert "pages 1-2" in reasons["scan.pdf"]
    again = build([notes], tmp_path / "ix", FakeEncoder())
    assert again.unchanged
    assert set(again.skipped) == set(report.skipped)


@pytest.mark.parametrize(
    "name", ["with space.txt", "🎓 notes.md", "课程/笔记.txt", "עברית.txt", "a..b/c...md"]
)
def test_names_of_any_kind(tmp_path: Path, name: str) -> None:
    write(tmp_path / "notes", {name: "A wren is a small bird that sings."})
    report = build([tmp_path / "notes"], tmp_path / "ix", FakeEncoder())
    assert report.files == 1
    index = store.open_index(tmp_path / "ix", FakeEncoder())
    assert index.passages[0].source == name


def test_names_that_are_not_unicode(tmp_path: Path) -> None:
    write(tmp_path / "notes", {"fine.txt": "A wren is a small bird."})
    try:
        (tmp_path / "notes" / b"caf\xe9.txt".decode("utf-8", "surrogateescape")).write_text("A robin is red.")
    except OSError:
        pytest.skip("this file system has only Unicode names")
    report = build([tmp_path / "notes"], tmp_path / "ix", FakeEncoder())
    assert report.files == 2
    json.dumps([p.source for p in store.open_index(tmp_path / "ix", FakeEncoder()).passages]).encode()


def test_files_and_folders_that_collide(tmp_path: Path) -> None:
    for folder in ("one", "two", "x/two"):
        write(tmp_path / folder, {"same.txt": f"These are the words of {folder}."})
    paths = [tmp_path / "one/same.txt", tmp_path / "two", tmp_path / "x/two", tmp_path / "one"]
    build(paths, tmp_path / "ix", FakeEncoder())
    found = {p.source: p.text for p in store.open_index(tmp_path / "ix", FakeEncoder()).passages}
    assert found == {
        "same.txt": "These are the words of one.",
        "two/same.txt": "These are the words of two.",
        "two-2/same.txt": "These are the words of x/two.",
    }


def test_links_out_of_the_folder_are_not_followed(notes: Path, tmp_path: Path) -> None:
    write(tmp_path / "private", {"secret.txt": "This is a secret."})
    try:
        (notes / "secret.txt").symlink_to(tmp_path / "private/secret.txt")
        (notes / "all").symlink_to(tmp_path / "private")
    except OSError:
        pytest.skip("no links here")
    assert build([notes], tmp_path / "ix", FakeEncoder()).files == 2


def test_index_inside_the_notes(notes: Path) -> None:
    build([notes], notes / "index", FakeEncoder())
    assert build([notes], notes / "index", FakeEncoder()).unchanged


def test_nothing_to_index(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    for paths, words in (
        ([tmp_path / "none"], "no notes"),
        ([tmp_path / "absent"], "no such"),
        ([], "no notes"),
    ):
        with pytest.raises(NotesError, match=words) as caught:
            build(paths, tmp_path / "ix", FakeEncoder())
        assert "\n" not in str(caught.value)


def test_nothing_readable_leaves_the_earlier_index(notes: Path, tmp_path: Path) -> None:
    build([notes], tmp_path / "ix", FakeEncoder())
    before = store.open_index(tmp_path / "ix", FakeEncoder()).passages
    write(tmp_path / "bad", {"a.txt": b"", "b.pdf": b"no"})
    with pytest.raises(NotesError, match=r"none of the notes can be read: a\.txt.*1 more"):
        build([tmp_path / "bad"], tmp_path / "ix", FakeEncoder())
    assert store.open_index(tmp_path / "ix", FakeEncoder()).passages == before


def test_unreadable_file_is_tried_again(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "rocks.md":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    report = build([notes], tmp_path / "ix", FakeEncoder())
    assert [s.file for s in report.skipped] == ["rocks.md"]
    assert "permission" in report.skipped[0].reason


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_scanned_pages_are_read_once_text_recognition_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"rocks.md": ROCKS, "scan.pdf": picture_pdf(1), "part.pdf": _partly_scanned()}
    notes = write(tmp_path / "notes", files)
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    report = build([notes], tmp_path / "ix", FakeEncoder())
    assert sorted(one.file for one in report.skipped) == ["part.pdf", "scan.pdf"]
    assert build([notes], tmp_path / "ix", FakeEncoder()).unchanged
    program = programs / "tesseract"
    program.write_text('#!/bin/sh\n[ "$1" = --list-langs ] && echo List: && echo eng || echo Lava is hot.\n')
    program.chmod(0o755)
    report = build([notes], tmp_path / "ix", FakeEncoder())
    assert (report.read, report.skipped) == (2, ())  # and not rocks.md
    passages = store.open_index(tmp_path / "ix", FakeEncoder()).passages
    assert {place.source for p in passages if "Lava" in p.text for place in (p, *p.also)} == {
        "part.pdf",
        "scan.pdf",
    }
    assert build([notes], tmp_path / "ix", FakeEncoder()).unchanged
    program.unlink()
    assert build([notes], tmp_path / "ix", FakeEncoder()).unchanged  # what was read stays


def _partly_scanned() -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    for data in (pdf([PAGE]), picture_pdf(1)):
        writer.append(PdfReader(io.BytesIO(data)))
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "function", ["store.write_passages", "dense.write", "generations._sync_tree", "generations._point"]
)
def test_full_disk(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    build([notes], tmp_path / "ix", FakeEncoder())
    before = store.open_index(tmp_path / "ix", FakeEncoder()).passages

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"ingest.{function}", full)
    with pytest.raises(IndexUnusable, match="disk is full") as caught:
        build([notes], tmp_path / "ix", FakeEncoder(), force=True)
    assert "\n" not in str(caught.value)
    assert store.open_index(tmp_path / "ix", FakeEncoder()).passages == before
    assert len(list((tmp_path / "ix").glob("gen-*"))) == 1


def test_full_disk_for_real(notes: Path) -> None:
    small = Path("/dev/full")
    if not small.exists():
        pytest.skip("no device that is always full")
    with pytest.raises(IndexUnusable, match="cannot write"):
        build([notes], small, FakeEncoder())


def test_one_build_at_a_time(notes: Path, tmp_path: Path) -> None:
    with locked(tmp_path / "ix"), pytest.raises(IndexUnusable, match="another ingest"):
        build([notes], tmp_path / "ix", FakeEncoder())
    build([notes], tmp_path / "ix", FakeEncoder())


def test_lock_holds_between_processes(notes: Path, tmp_path: Path) -> None:
    hold = (
        "import sys; from pathlib import Path; from ingest.lock import locked\n"
        f"with locked(Path({str(tmp_path / 'ix')!r})): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(IndexUnusable, match="another ingest"):
            build([notes], tmp_path / "ix", FakeEncoder())
        other.kill()
    build([notes], tmp_path / "ix", FakeEncoder())


def test_pdf_furniture_is_gone(tmp_path: Path) -> None:
    birds = ("wren", "robin", "heron", "crane")
    data = pdf(
        [[(f"The {b}", 18.0), (f"A {b} is a bird that sings.", 11.0)] for b in birds], "Birds 2024", True
    )
    write(tmp_path / "n", {"b.pdf": data})
    build([tmp_path / "n"], tmp_path / "ix", FakeEncoder())
    found = store.open_index(tmp_path / "ix", FakeEncoder()).passages
    assert [(p.page, p.heading[-1], p.text) for p in found] == [
        (number, f"The {b}", f"A {b} is a bird that sings.") for number, b in enumerate(birds, 1)
    ]


def test_deck_keeps_slides_apart(tmp_path: Path) -> None:
    slides = [
        ("Deck", [(0, "Sub")], ""),
        ("Red", [(0, "It is warm")], "Say so."),
        ("Blue", [(0, "It is cold")], ""),
    ]
    write(tmp_path / "n", {"d.pptx": deck(slides)})
    build([tmp_path / "n"], tmp_path / "ix", FakeEncoder())
    found = {p.heading[-1]: p for p in store.open_index(tmp_path / "ix", FakeEncoder()).passages}
    assert (found["Red"].page, found["Red"].heading) == (2, ("Deck", "Red"))
    assert "Notes:" in found["Red"].text
    assert found["Blue"].page == 3
