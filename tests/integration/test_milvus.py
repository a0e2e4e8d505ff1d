"""Milvus in faiss's place: Milvus Lite, the real thing, embedded; a server that is away; none installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ingest import milvus, store
from ingest.build import build
from ingest.errors import IndexUnusable
from ingest.where import located, milvus_uri
from rag.retrieve import Retriever
from tests.ingest_fakes import FakeEncoder, write

NOTES = {
    "rocks.md": "# Rocks\n\nGranite is a hard rock. It cools slowly.\n\n## Sand\n\n- Sand is small and dry.",
    "birds.md": "# Birds\n\nA robin sings at dawn. An owl hunts at night.",
}


def released(folder: Path) -> None:
    """Milvus Lite holds its files until the process ends; a test may not wait."""
    from milvus_lite.server_manager import server_manager_instance

    server_manager_instance.release_server(str(milvus_uri(folder)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("langchain_milvus")
    write(tmp_path / "notes", NOTES)
    return located(Path(f"milvus:{tmp_path}/own notes.db"))


@pytest.mark.parametrize(
    ("named", "lies", "uri"),
    [
        ("milvus:./file.db", "file.db.milvus", "file.db"),
        ("milvus:/a/b c.db", "/a/b c.db.milvus", "/a/b c.db"),
        ("milvus:http://host:19530", "data/http-host-19530.milvus", "http://host:19530"),
        (
            "milvus:https://m.example.org:443/",
            "data/https-m.example.org-443.milvus",
            "https://m.example.org:443",
        ),
        ("data/index", "data/index", None),
        ("index.db", "index.db", None),
        ("notes.milvus", "notes.milvus", None),
    ],
)
def test_where_an_index_lies(named: str, lies: str, uri: str | None) -> None:
    assert located(Path(named)) == Path(lies)
    assert milvus_uri(Path(lies)) == uri


@pytest.mark.parametrize("named", ["milvus:", "milvus:notes", "milvus:http://host", "milvus:ftp://host:1/"])
def test_no_place_in_milvus(named: str) -> None:
    with pytest.raises(IndexUnusable, match=r"milvus:\./NAME\.db"):
        located(Path(named))


def test_built_refreshed_and_searched(folder: Path) -> None:
    notes, encoder = folder.parent / "notes", FakeEncoder()
    report = build([notes], folder, encoder)
    assert build([notes], folder, encoder).unchanged
    index = store.open_index(folder, encoder)
    assert isinstance(index.passage_vectors, milvus.MilvusVectors)
    assert index.passage_vectors.ntotal == report.passages == len(index.passages)
    assert not list(folder.rglob("*.faiss"))
    build([notes], folder.parent / "faiss", encoder)
    plain = store.open_index(folder.parent / "faiss", encoder)
    rows = np.arange(plain.sentence_vectors.ntotal)[::-1]
    ours, theirs = (one.sentence_vectors.reconstruct_batch(rows) for one in (index, plain))
    assert np.allclose(ours, theirs, atol=5e-4)  # it keeps them in 16 bits
    scores, found = index.passage_vectors.search(encoder.encode(["granite", "owl"]), 2)
    right, same = plain.passage_vectors.search(encoder.encode(["granite", "owl"]), 2)
    assert np.allclose(scores, right, atol=1e-5) and np.array_equal(found, same)
    for question in ("What is granite?", "Who sings at dawn?", "small sand"):
        one, other = (Retriever(held, encoder).search(question) for held in (index, plain))
        assert [hit.passage for hit in one] == [hit.passage for hit in other]
        assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other], abs=5e-3)
    # A build while it is read: the reader keeps what it opened, until the build after the next.
    write(notes, {"more.md": "# Chalk\n\nChalk is white."})
    assert not build([notes], folder, encoder).unchanged
    assert Retriever(index, encoder).search("What is granite?")
    assert len(store.open_index(folder, encoder).passages) == report.passages + 1
    assert len(list(folder.glob("gen-*"))) == 2
    build([notes], folder, encoder, force=True)
    names = milvus.connected(folder).list_collections()
    assert len(names) == 4 and all(name.startswith("unitutor_") for name in names)
    with pytest.raises(IndexUnusable, match="Milvus"):
        Retriever(index, encoder).search("What is granite?")
    released(folder)


def test_a_build_that_fails_leaves_no_collection(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, encoder = folder.parent / "notes", FakeEncoder()
    made = build([notes], folder, encoder)
    with monkeypatch.context() as patch:
        patch.setattr("ingest.generations._point", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(IndexUnusable, match="disk is full"):
            build([notes], folder, encoder, force=True)
    assert len(milvus.connected(folder).list_collections()) == 2
    assert len(store.open_index(folder, encoder).passages) == made.passages
    whole = folder / str(store.current(folder))
    manifest = json.loads((whole / "manifest.json").read_text("utf-8"))
    del manifest["parts"]["passages.npy"]  # as an older Unitutor left it
    (whole / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (whole / "passages.npy").rename(whole / "kept.npy")
    with pytest.raises(IndexUnusable, match="--force"):
        store.open_index(folder, encoder)
    (whole / "kept.npy").rename(whole / "passages.npy")
    assert len(store.open_index(folder, encoder).passages) == made.passages
    milvus.connected(folder).drop_collection(f"unitutor_{store.current(folder)[4:]}_passages")
    with pytest.raises(IndexUnusable, match="--force"):
        store.open_index(folder, encoder)
    released(folder)


def test_one_program_at_a_time(folder: Path) -> None:
    build([folder.parent / "notes"], folder, FakeEncoder())  # this process holds it now
    code = (
        "import sys; from pathlib import Path; from ingest import store\n"
        "from tests.ingest_fakes import FakeEncoder\n"
        "try: store.open_index(Path(sys.argv[1]), FakeEncoder())\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout.startswith("IndexUnusable Milvus at ") and "another program" in ran.stdout
    assert ran.stdout.count("\n") == 1 and "Traceback" not in ran.stderr
    released(folder)


def test_a_server_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("langchain_milvus")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(milvus, "PATIENCE", 1.0)
    write(tmp_path / "notes", NOTES)
    folder = located(Path("milvus:http://127.0.0.1:9"))
    with pytest.raises(IndexUnusable, match=r"http://127\.0\.0\.1:9 cannot be used: is it running") as caught:
        build([tmp_path / "notes"], folder, FakeEncoder())
    assert "\n" not in str(caught.value)
    assert store.peek(folder) is None


def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "notes", NOTES)
    monkeypatch.setitem(sys.modules, "langchain_milvus", None)
    with pytest.raises(IndexUnusable, match="run pip install langchain-milvus") as caught:
        build([tmp_path / "notes"], tmp_path / "x.db.milvus", FakeEncoder())
    assert "\n" not in str(caught.value)


def test_the_command_line_names_it() -> None:
    from ui.cli import app

    found = CliRunner().invoke(app, ["search", "granite", "--index", "milvus:nowhere"])
    assert isinstance(found.exception, IndexUnusable)
    assert os.linesep not in str(found.exception)
