"""An index is opened whole or refused with the command that makes it again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest import store
from ingest.build import build
from ingest.errors import IndexUnusable
from ingest.split import Splitter
from ingest.words import tokens
from tests.ingest_fakes import FakeEncoder, write

ROCKS = "# Rocks\n\nGranite is a hard rock. It cools slowly.\n\n## Sand\n\n- Sand is small.\n- Sand is dry."


@pytest.fixture
def index(tmp_path: Path) -> Path:
    write(tmp_path / "notes", {"rocks.md": ROCKS})
    build([tmp_path / "notes"], tmp_path / "an index", FakeEncoder())
    return tmp_path / "an index"


def refusal(folder: Path, encoder: FakeEncoder | None = None, splitter: Splitter | None = None) -> str:
    with pytest.raises(IndexUnusable) as caught:
        store.open_index(folder, encoder or FakeEncoder(), splitter)
    message = str(caught.value)
    assert "\n" not in message
    assert "unitutor ingest NOTES --index " in message
    return message


def generation(folder: Path) -> Path:
    return folder / (folder / "current").read_text().strip()


def test_missing(tmp_path: Path) -> None:
    assert "no index" in refusal(tmp_path / "nothing")
    assert "'" in refusal(tmp_path / "a space")  # quoted for the shell


def test_made_otherwise(index: Path) -> None:
    assert "fake@2" in refusal(index, FakeEncoder("fake@2"))
    assert "8" in refusal(index, FakeEncoder(dimension=8))
    assert "settings" in refusal(index, splitter=Splitter(target=50))


def test_other_format(index: Path) -> None:
    path = generation(index) / "manifest.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "format": 999, "splitter": {"from": "the future"}}))
    assert "format 999" in refusal(index)


def parts() -> list[str]:
    return [
        "manifest.json", "passages.sqlite", "passages.faiss", "sentences.faiss", "sentence_owner.npy",
        "sentence_place.npy", "tokens.npy", "token_ids.npy", "token_start.npy", "bm25/vocab.index.json",
        "bm25/data.csc.index.npy",
    ]  # fmt: skip


@pytest.mark.parametrize("part", parts())
@pytest.mark.parametrize("how", ["gone", "short", "flipped", "empty"])
def test_damage(index: Path, part: str, how: str) -> None:
    path = generation(index) / part
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "flipped":
        path.write_bytes(
            data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 255]) + data[len(data) // 2 + 1 :]
        )
    else:
        path.write_bytes(b"" if how == "empty" else data[: len(data) * 2 // 3])
    if part == "manifest.json" and how == "flipped":
        path.write_bytes(b"{" + data)
    assert "damaged" in refusal(index)
    # And the next build makes it again, though no note has changed.
    assert not build([index.parent / "notes"], index, FakeEncoder()).unchanged
    store.open_index(index, FakeEncoder())


@pytest.mark.parametrize("name", ["", "../../etc", "gen-", "gen-0123456789ab\n", "gen-" + "f" * 12, "\0\xff"])
def test_current_that_names_nothing(index: Path, name: str) -> None:
    (index / "current").write_text(name, "latin-1")
    refusal(index)


def test_left_over_generations_go(index: Path) -> None:
    write(index / "gen-000000000000", {"passages.faiss": "half"})
    write(index, {"current.gen-000000000000": "gen-0000"})
    build([index.parent / "notes"], index, FakeEncoder(), force=True)
    assert [path.name for path in index.glob("gen-*")] == [generation(index).name]
    assert not list(index.glob("current.*"))


def test_a_reader_keeps_what_it_opened(index: Path) -> None:
    old = store.open_index(index, FakeEncoder())
    write(index.parent / "notes", {"more.md": "# More\n\nChalk is white."})
    build([index.parent / "notes"], index, FakeEncoder())
    assert old.token_vectors[:].sum() == old.token_vectors[:].sum()
    assert len(store.open_index(index, FakeEncoder()).passages) == len(old.passages) + 1


def test_frozen(index: Path) -> None:
    opened = store.open_index(index, FakeEncoder())
    with pytest.raises(AttributeError):
        opened.passages = ()  # type: ignore[misc]
    assert opened.token_vectors.flags.writeable is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Generative models", ["generat", "model"]),
        ("Top-k, GPT-4", ["top-k", "top", "k", "gpt-4", "gpt", "4"]),
        ("0.95 of 1,000", ["0.95", "of", "1", "000"]),
        ("the model's C++ and C#", ["the", "model", "c++", "and", "c#"]),
        ("naïve Über", ["naïv", "über"]),
        ("机器 learning", ["机", "器", "learn"]),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected
