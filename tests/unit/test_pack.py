"""A packed index arrives whole or not at all, and whatever else is given is refused in a line."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import pack as packing
from ingest import store, walk
from ingest.build import build
from ingest.errors import IndexUnusable, UnitutorError
from ingest.fresh import changes
from ingest.lock import locked
from ingest.pack import LABEL, PackUnusable, pack, unpack
from tests.ingest_fakes import FakeEncoder, write

OLD = "This was in the index before."


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    write(tmp_path / "notes", {"a.md": "# Rocks\n\nGranite is hard.", "b.md": "# Sand\n\nSand is small."})
    build([tmp_path / "notes"], tmp_path / "ix", FakeEncoder())
    file = tmp_path / "course.unitutor"
    done = pack(tmp_path / "ix", file)
    assert (done.passages, done.files) == (2, 2) and done.bytes > 0
    return file


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another index, that stays as it is where a file cannot be unpacked."""
    write(tmp_path / "older", {"old.md": OLD})
    build([tmp_path / "older"], tmp_path / "other", FakeEncoder())
    return tmp_path / "other"


def texts(folder: Path) -> list[str]:
    return [p.text for p in store.open_index(folder, FakeEncoder()).passages]


def refused(file: Path, folder: Path) -> str:
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    with pytest.raises(UnitutorError) as caught:
        unpack(file, folder)
    assert "\n" not in str(caught.value)
    assert texts(folder) == [OLD]
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before
    return str(caught.value)


def test_there_and_back(packed: Path, tmp_path: Path) -> None:
    told: list[Any] = []
    done = unpack(packed, tmp_path / "far" / "away", lambda *step: told.append(step))
    assert texts(tmp_path / "far" / "away") == texts(tmp_path / "ix")
    assert done.passages == 2 and told[-1][0] == "unpacking" and told[-1][1] == told[-1][2]
    known = store.peek(tmp_path / "far" / "away")
    assert known is not None and known.made_of == store.peek(tmp_path / "ix").made_of  # type: ignore[union-attr]
    # Its notes are elsewhere: whether they have changed can be told once they are named.
    assert changes(tmp_path / "far" / "away") is None
    write(tmp_path / "notes", {"a.md": "# Rocks\n\nGranite is old."})
    assert str(changes(tmp_path / "far" / "away", [tmp_path / "notes"])) == "a.md was changed"


def test_it_takes_the_place_of_an_earlier_one(packed: Path, other: Path) -> None:
    assert (other / walk.SEEN).exists()
    unpack(packed, other)
    assert OLD not in texts(other)
    assert len(list(other.glob("gen-*"))) == 1
    assert not (other / walk.SEEN).exists()
    pack(other, packed)  # a packed index may be replaced by another
    unpack(packed, other)


def test_notes_and_their_paths_stay_at_home(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed) as file:
        names = file.namelist()
        assert names[-1] == LABEL and not any(walk.SEEN in name for name in names)
        for name in names:
            assert str(tmp_path).encode() not in file.read(name)


def test_what_is_no_packed_index(packed: Path, other: Path, tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none", other)
    assert "no such file" in refused(tmp_path, other)
    for name, content in {"a.md": b"notes", "empty": b"", "pk": b"PK\x03\x04" + bytes(90)}.items():
        (tmp_path / name).write_bytes(content)
        assert "no packed index" in refused(tmp_path / name, other)
    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as file:
        file.writestr("manifest.json", "{}")
    assert "no packed index" in refused(tmp_path / "plain.zip", other)


def test_cut_short_at_every_place(packed: Path, other: Path) -> None:
    data = packed.read_bytes()
    for end in range(0, len(data), len(data) // 40):
        packed.write_bytes(data[:end])
        refused(packed, other)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_byte_is_found_or_harmless(packed: Path, other: Path, data: st.DataObject) -> None:
    whole = packed.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    file, folder = packed.with_name("flipped"), packed.with_name("target")
    file.write_bytes(flipped)
    try:
        unpack(file, folder)
    except UnitutorError as error:
        assert "\n" not in str(error)
        assert not (folder / "current").exists()
    else:  # dates and the like of the ZIP's own directory
        assert texts(folder) == texts(packed.with_name("ix"))
        (folder / "current").unlink()


def rewritten(file: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> None:
    """The packed index with other files and label."""
    with zipfile.ZipFile(file) as old:
        files = {name: old.read(name) for name in old.namelist()}
    label = json.loads(files.pop(LABEL))
    change(files, label)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in files.items():
            new.writestr(name, content)
        new.writestr(LABEL, json.dumps(label))


def listed(files: dict[str, bytes], label: dict[str, Any]) -> None:
    label["files"] = {name: [len(data), hashlib.sha256(data).hexdigest()] for name, data in files.items()}


@pytest.mark.parametrize(
    "name",
    ["../out.txt", "/etc/out.txt", "a/../../out.txt", "C:\\out.txt", "a\\b", ".hidden", "a//b", "x\0y", "é"],
)
def test_names_that_lead_elsewhere(packed: Path, other: Path, name: str) -> None:
    def add(files: dict[str, bytes], label: dict[str, Any]) -> None:
        files[name] = b"evil"
        listed(files, label)

    rewritten(packed, add)
    assert "trust" in refused(packed, other) or name == "x\0y"
    assert not list(packed.parent.rglob("out.txt"))


def test_what_is_not_listed_or_missing_or_other(packed: Path, other: Path) -> None:
    whole = packed.read_bytes()

    def more(files: dict[str, bytes], _: dict[str, Any]) -> None:
        files["more.npy"] = b"more"

    def fewer(files: dict[str, bytes], _: dict[str, Any]) -> None:
        del files["token_ids.npy"]

    def same_length(files: dict[str, bytes], _: dict[str, Any]) -> None:
        files["token_ids.npy"] = bytes(len(files["token_ids.npy"]))

    def lies(files: dict[str, bytes], label: dict[str, Any]) -> None:
        files["passages.faiss"] = bytes(len(files["passages.faiss"]))
        listed(files, label)

    def many(files: dict[str, bytes], label: dict[str, Any]) -> None:
        files.update({f"f{i}": b"" for i in range(packing.MOST_FILES)})
        listed(files, label)

    for change, words in (
        (more, "lists"), (fewer, "lists"), (same_length, "damaged"), (lies, "damaged"), (many, "lists"),
    ):  # fmt: skip
        packed.write_bytes(whole)
        rewritten(packed, change)
        assert words in refused(packed, other), change


def test_another_version(packed: Path, other: Path) -> None:
    rewritten(packed, lambda files, label: label.update(format=999))
    assert "format 999" in refused(packed, other)


@pytest.mark.parametrize("files", [None, 3, [], {"a": 1}, {"a": ["x", "y"]}, {"a": [1]}])
def test_labels_that_make_no_sense(packed: Path, other: Path, files: Any) -> None:
    rewritten(packed, lambda _, label: label.update(files=files))
    refused(packed, other)


def test_a_bomb_and_a_full_disk(packed: Path, other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert "free some space" in refused(packed, other)
    monkeypatch.undo()
    monkeypatch.setattr(packing, "HARMLESS", 1 << 20)

    def swell(files: dict[str, bytes], label: dict[str, Any]) -> None:
        files["tokens.npy"] = bytes(30 << 20)
        listed(files, label)

    rewritten(packed, swell)
    assert "do not trust it" in refused(packed, other)


def test_a_build_that_runs_is_waited_for(packed: Path, other: Path) -> None:
    with locked(other):
        assert "another ingest" in refused(packed, other)


def test_what_cannot_be_packed(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexUnusable, match="no whole index"):
        pack(tmp_path / "nothing", tmp_path / "file")
    note = tmp_path / "notes" / "a.md"
    with pytest.raises(PackUnusable, match="choose another name"):
        pack(tmp_path / "ix", note)
    assert "Granite" in note.read_text()
    with pytest.raises(PackUnusable, match="cannot write"):
        pack(tmp_path / "ix", tmp_path / "no" / "such" / "folder.unitutor")
    with pytest.raises(IndexUnusable, match="Milvus"):
        pack(Path("notes.db.milvus"), tmp_path / "file")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
