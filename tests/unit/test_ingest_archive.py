"""ZIP archives: their files become notes, and what is no notes is one clear line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from ingest import archive as archives
from ingest import limits
from ingest.build import build
from ingest.errors import NotesError
from ingest.read import read, reading
from tests.ingest_fakes import FakeEncoder, write
from tests.samples import archive, samples

NOTE = b"# Sampling\n\nGreedy decoding takes the most probable token."


def test_files_in_archives_are_sources(tmp_path: Path) -> None:
    inner = archive({"deep.md": NOTE})
    files = {
        "week 1/a.md": NOTE,
        "week 1/Übung 日本.csv": samples()["csv"],
        "__MACOSX/a.md": NOTE,
        ".hidden.md": NOTE,
        "picture.png": b"\x89PNG",
        "inner.zip": inner,
        "../../etc/passwd.md": b"# Out\n\nThis stays where it is.",
    }
    write(tmp_path, {"n/notes.zip": archive(files), "n/plain.md": NOTE + b" Twice."})
    report = build([tmp_path / "n"], tmp_path / "ix", FakeEncoder())
    skipped = {one.file: one.reason for one in report.skipped}
    assert report.files == 4
    assert set(skipped) == {"notes.zip/picture.png", "notes.zip/inner.zip"}
    assert "archive within an archive" in skipped["notes.zip/inner.zip"]
    from ingest.store import open_index

    sources = {passage.source for passage in open_index(tmp_path / "ix", FakeEncoder()).passages}
    assert sources == {
        "notes.zip/week 1/a.md", "notes.zip/week 1/Übung 日本.csv", "notes.zip/etc/passwd.md", "plain.md",
    }  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {"n", "ix"}  # nothing was unpacked


def members(folder: Path, data: bytes) -> dict[str, str]:
    write(folder, {"z.zip": data})
    return archives.members(folder / "z.zip")


def test_names_that_are_not_flagged_as_unicode(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("Übung.md".encode().decode("cp437"))
    info.create_system = 3
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(info, NOTE)
    # zipfile flags all names that are not ASCII: many other programs don't.
    data = bytearray(out.getvalue())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at + 1] &= ~0x08
    plain = "Übung.md".encode().decode("cp437").encode("utf-8")
    whole = bytes(data).replace(plain, "Übung.md".encode().ljust(len(plain), b"_"))
    (shown,) = members(tmp_path, whole)
    assert shown.startswith("Übung.md")


def test_two_members_of_one_name(tmp_path: Path) -> None:
    assert set(members(tmp_path, archive({"a.md": NOTE, "./a.md": NOTE, "..\\a.md": NOTE}))) == {
        "a.md", "2-a.md", "3-a.md",
    }  # fmt: skip


@pytest.mark.parametrize("data", [b"PK\x03\x04 no archive", archive({"a.md": NOTE})[:-30], b"words " * 50])
def test_damaged_archive(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, {"z.zip": data})
    with pytest.raises(NotesError, match=r"^z\.zip: damaged ZIP"):
        read(tmp_path / "z.zip", tmp_path)


def test_empty_and_foreign_archives(tmp_path: Path) -> None:
    write(tmp_path, {"e.zip": archive({}), "f.rar": b"Rar!", "g.tar.gz": b"\x1f\x8b"})
    with pytest.raises(NotesError, match=r"^e\.zip: holds no files"):
        read(tmp_path / "e.zip", tmp_path)
    for name in ("f.rar", "g.tar.gz"):
        with pytest.raises(NotesError, match=r"only \.zip is opened"):
            read(tmp_path / name, tmp_path)


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = archive({"bomb.txt": b"\0" * (12 << 20), "good.md": NOTE})
    write(tmp_path, {"z.zip": bomb, "d.docx": bomb})
    with pytest.raises(NotesError, match="like a ZIP bomb"):
        reading(tmp_path / "z.zip", "z.zip/bomb.txt", "bomb.txt")
    assert reading(tmp_path / "z.zip", "z.zip/good.md", "good.md").pages[0].text == NOTE.decode()
    with pytest.raises(NotesError, match="like a ZIP bomb"):
        read(tmp_path / "d.docx", tmp_path)
    monkeypatch.setattr(limits, "ZIP_BYTES", 10 << 20)
    with pytest.raises(NotesError, match="unpacks to 12 MB, at most 10 MB are read"):
        read(tmp_path / "z.zip", tmp_path)
    monkeypatch.setattr(limits, "ZIP_MEMBERS", 1)
    with pytest.raises(NotesError, match="holds 2 files, at most 1"):
        read(tmp_path / "z.zip", tmp_path)


def test_a_member_larger_than_it_says_is_damage(tmp_path: Path) -> None:
    data = bytearray(archive({"a.md": NOTE * 100}))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(mark) + at
        data[place : place + 4] = (10).to_bytes(4, "little")
    write(tmp_path, {"z.zip": bytes(data)})
    with pytest.raises(NotesError, match="damaged ZIP"):
        reading(tmp_path / "z.zip", "z.zip/a.md", "a.md")


def test_locked_member(tmp_path: Path) -> None:
    data = bytearray(archive({"a.md": NOTE}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    write(tmp_path, {"z.zip": bytes(data)})
    with pytest.raises(NotesError, match="password"):
        reading(tmp_path / "z.zip", "z.zip/a.md", "a.md")
