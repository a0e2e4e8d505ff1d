"""The worker that reads files, as the real process it is: what breaks it costs one file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ingest import limits, sandbox
from ingest.build import build
from ingest.errors import NotesError
from ingest.read import reading
from ingest.sandbox import Sandbox
from tests.ingest_fakes import FakeEncoder, write
from tests.samples import samples

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write(tmp_path / "n", {f"s.{kind}": data for kind, data in samples().items()})


def test_the_worker_reads_what_is_read_here(notes: Path) -> None:
    with Sandbox() as box:
        for kind in samples():
            if kind != "zip":
                path = notes / f"s.{kind}"
                assert box.read(path, path.name) == reading(path, path.name)
        assert box.read(notes / "s.zip", "s.zip/page.html", "page.html").pages[0].source == "s.zip/page.html"
        with pytest.raises(NotesError, match=r"^gone\.pdf: it has gone"):
            box.read(notes / "gone.pdf", "gone.pdf")
        worker = box._worker
    assert worker is not None and worker.poll() is not None  # it has ended


def test_names_in_any_script_and_in_none(tmp_path: Path) -> None:
    names = ["Übung 日本語 क्षेत्र.csv", "a\nb.csv"]
    if sys.platform == "linux":
        names.append(os.fsdecode(b"caf\xe9.csv"))  # no Unicode
    with Sandbox() as box:
        for name in names:
            write(tmp_path, {name: samples()["csv"]})
            assert "nucleus" in box.read(tmp_path / name, name).pages[0].text
    report = build([tmp_path], tmp_path / "ix", FakeEncoder())
    assert (report.files, report.skipped) == (len(names), ())


def _pid(box: Sandbox, notes: Path) -> int:
    box.read(notes / "s.csv", "s.csv")
    assert box._worker is not None
    return box._worker.pid


@posix
def test_a_hang_costs_one_file(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as box:
        os.kill(_pid(box, notes), signal.SIGSTOP)
        monkeypatch.setattr(limits, "SECONDS", 0.5)
        with pytest.raises(NotesError, match=r"^s\.html: not read within 0 seconds"):
            box.read(notes / "s.html", "s.html")
        monkeypatch.undo()
        assert box.read(notes / "s.html", "s.html").pages


@posix
def test_a_crash_costs_one_file(notes: Path) -> None:
    with Sandbox() as box:
        pid = _pid(box, notes)
        os.kill(pid, signal.SIGSTOP)
        timer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
        timer.start()
        with pytest.raises(NotesError, match=r"^s\.html: damaged so that its reader crashed"):
            box.read(notes / "s.html", "s.html")
        timer.join()
        assert box.read(notes / "s.html", "s.html").pages


@posix
def test_a_worker_that_ended_between_files_costs_none(notes: Path) -> None:
    with Sandbox() as box:
        os.kill(_pid(box, notes), signal.SIGKILL)
        assert box._worker is not None
        box._worker.wait()
        assert box.read(notes / "s.html", "s.html").pages


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits address space")
def test_memory_costs_one_file(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMORY", 100 << 20)
    row = ",".join(["ab"] * 8) + "\n"
    write(notes, {"large.csv": row * ((5 << 20) // len(row))})
    with Sandbox() as box:
        with pytest.raises(NotesError, match=r"^large\.csv: takes more than"):
            box.read(notes / "large.csv", "large.csv")
        assert box.read(notes / "s.csv", "s.csv").pages


def test_a_worker_is_replaced_after_many_files(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "FILES", 2)
    with Sandbox() as box:
        pids = [_pid(box, notes) for _ in range(5)]
    assert len(set(pids)) == 3


def test_the_worker_is_light_and_ends_with_its_input() -> None:
    code = (
        "import sys, ingest.worker; heavy = {'torch', 'numpy', 'faiss', 'transformers', 'gradio'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    command = [sys.executable, "-m", "ingest.worker", str(limits.MEMORY)]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == {"ready": True}


def test_a_file_of_the_students_is_not_run(
    tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"json.py": "raise SystemExit('run')", "csv.py": "raise SystemExit('run')"})
    monkeypatch.chdir(tmp_path)
    with Sandbox() as box:
        assert box.read(notes / "s.csv", "s.csv").pages


def test_bad_files_leave_the_others_indexed(notes: Path, tmp_path: Path) -> None:
    write(
        notes,
        {
            "bad.pdf": b"%PDF-1.4 nothing\n%%EOF",
            "bad.docx": b"PK\x03\x04",
            "nested.zip": samples()["zip"][:-40],
            "large.txt": b"",
        },
    )
    os.truncate(notes / "large.txt", 500 << 20)  # takes no room
    report = build([notes], tmp_path / "ix", FakeEncoder())
    reasons = {one.file: one.reason for one in report.skipped}
    assert set(reasons) == {"bad.pdf", "bad.docx", "nested.zip", "large.txt"}
    assert "too large (500 MB, at most 20 MB are read)" in reasons["large.txt"]
    assert report.files == len(samples()) - 1 + 3  # the archive's three
    assert report.read >= report.files


def test_a_folder_that_vanishes_while_it_is_read(notes: Path, tmp_path: Path) -> None:
    def vanish(what: str, done: int, total: int) -> None:
        if done == 3:
            shutil.rmtree(notes, ignore_errors=True)

    report = build([notes], tmp_path / "ix", FakeEncoder(), vanish)
    assert report.files == 3
    assert len(report.skipped) > 3
    assert {one.reason for one in report.skipped} == {"it has gone since the folder was listed: run again"}


@posix
def test_pipes_and_links_in_circles_are_no_notes(notes: Path, tmp_path: Path) -> None:
    os.mkfifo(notes / "pipe.csv")
    (notes / "self.md").symlink_to(notes / "self.md")
    (notes / "loop").symlink_to(notes)
    (tmp_path / "secret.md").write_text("# Secret\n\nThis must not be indexed.")
    (notes / "out.md").symlink_to(tmp_path / "secret.md")
    report = build([notes], tmp_path / "ix", FakeEncoder())
    # A pipe would have been waited for for ever.
    assert report.files == len(samples()) - 1 + 3
    assert [one.file for one in report.skipped] in ([], ["self.md"])
