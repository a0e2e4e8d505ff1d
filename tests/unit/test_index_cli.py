"""The commands that make and carry an index, with a small encoder in place of the real one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import store
from ingest.build import Report
from ingest.errors import NotesError
from ingest.fresh import Changes
from tests.ingest_fakes import FakeEncoder, write
from ui import cli, index_cli

Told = tuple[int, str, str]


@pytest.fixture
def unitutor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Told]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ingest.embed.load_encoder", lambda _=None: FakeEncoder())
    monkeypatch.setattr(index_cli, "prepared", lambda: False)
    write(
        tmp_path / "notes",
        {"a.md": "# Rocks\n\nGranite is hard.\n\n![alt text](a.png)\n", "b.txt": b"\0\1" * 50},
    )

    def call(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["unitutor", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return call


def test_what_the_cleaner_took_away(unitutor: Callable[..., Told]) -> None:
    status, out, err = unitutor("ingest", "notes", "--index", "ix", "--report")
    assert status == 0 and err.startswith("Left out b.txt: not text")
    assert out.splitlines()[1:] == ["a.md", "  dead image link: ![alt text](a.png)"]
    status, out, _ = unitutor("ingest", "notes", "--index", "ix", "--report", "--json")
    removed = json.loads(out)["removed"]
    assert removed == [{"file": "a.md", "page": None, "text": "![alt text](a.png)", "why": "dead image link"}]


def test_only_some_files_read(unitutor: Callable[..., Told], tmp_path: Path) -> None:
    write(tmp_path / "notes", {"c.md": "# Sand\n\nSand is small."})
    unitutor("ingest", "notes", "--index", "ix")
    write(tmp_path / "notes", {"c.md": "# Sand\n\nSand is dry."})
    assert "2 files, 2 pages, 2 passages, 1 file read in" in unitutor("ingest", "notes", "--index", "ix")[1]


def test_pack_and_unpack(unitutor: Callable[..., Told], tmp_path: Path) -> None:
    unitutor("ingest", "notes", "--index", "ix")
    status, out, err = unitutor("pack", "course.unitutor", "--index", "ix")
    assert (status, err) == (0, "") and out.startswith("course.unitutor: 1 passages of 1 files, made 20")
    status, out, err = unitutor("unpack", "course.unitutor", "--index", "there")
    assert (status, err) == (0, "") and out.startswith("there: 1 passages of 1 files")
    assert store.open_index(tmp_path / "there", FakeEncoder()).passages[0].text == "Granite is hard."
    (tmp_path / "course.unitutor").write_bytes(b"nothing")
    status, out, err = unitutor("unpack", "course.unitutor", "--index", "there")
    assert (status, out) == (1, "") and err.count("\n") == 1
    assert unitutor("pack", "x.unitutor", "--index", "none")[0] == 1


def test_watching_tells_and_ends_with_ctrl_c(
    unitutor: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    def follow(*args: Any) -> None:
        told = args[-1]
        told(Changes(changed=("a.md",)))
        told(Report(3, 4, 5, (), 0.5, False, 1))
        told(NotesError("none of the notes can be read"))
        raise KeyboardInterrupt

    monkeypatch.setattr("ingest.watch.follow", follow)
    status, out, err = unitutor("ingest", "notes", "--index", "ix", "--watch")
    assert status == 0
    assert out.splitlines()[1] == "ix: 3 files, 4 pages, 5 passages, 1 file read in 0.5 s."
    assert err.splitlines()[1:] == [
        "Watching the notes; Ctrl-C ends it.", "a.md was changed", "none of the notes can be read"
    ]  # fmt: skip


def test_a_chat_that_watches_needs_to_know_what(unitutor: Callable[..., Told]) -> None:
    status, _, err = unitutor("chat", "--index", "ix", "--watch")
    assert status == 2 and "--notes" in err
