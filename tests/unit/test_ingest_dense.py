"""Vectors that are not all compared: found again as if they were, and read from disk only where needed."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest import dense, passages, store
from ingest.errors import IndexUnusable
from ingest.passages import StoredPassages
from ingest.sample import sampled
from ingest.split import Splitter
from ingest.types import Passage, Place
from ingest.vectors import computed
from rag import retrieve, score
from rag.retrieve import Retriever
from tests.ingest_fakes import FakeEncoder

WORDS = [f"{first}{last}" for first in "bdfgklmnprst" for last in ("ark", "elt", "ino", "osk", "upa", "yve")]


def unit(count: int, dimension: int = 32, seed: int = 0) -> np.ndarray:
    """Rows around a few centres, as the vectors of texts on a few subjects are."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(40, dimension))
    rows = centres[random.integers(40, size=count)] + 0.7 * random.normal(size=(count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_the_kind_of_index_follows_the_number_of_vectors() -> None:
    assert [dense.factory(count) for count in (0, 1, dense.EXACT)] == ["Flat"] * 3
    assert dense.factory(dense.EXACT + 1) == "IVF1024,SQ8"
    assert dense.factory(1_000_000) == "IVF4096,SQ8"


def test_few_vectors_are_compared_one_by_one(tmp_path: Path) -> None:
    rows = unit(300)
    dense.write(dense.made(rows), tmp_path / "few")
    index = dense.read(tmp_path / "few")
    scores, found = index.search(rows[:5], 300)
    assert np.array_equal(np.sort(found), np.tile(np.arange(300), (5, 1)))
    assert np.allclose(scores, np.take_along_axis(rows[:5] @ rows.T, found, 1), atol=1e-6)
    assert np.array_equal(index.reconstruct_batch(np.array([7, 3])), rows[[7, 3]])


def test_many_vectors_are_found_through_a_mapped_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "EXACT", 1000)
    monkeypatch.setattr(dense, "READ", 1000)
    monkeypatch.setattr(dense, "CHUNK", 1500)  # more are added than at once
    rows, asked = unit(5000), unit(60, seed=1)
    made = dense.made(rows)
    assert dense.factory(len(rows)) == "IVF256,SQ8"
    dense.write(made, tmp_path / "many")
    index = dense.read(tmp_path / "many")
    scores, found = index.search(asked, 10)
    exact = np.argsort(-asked @ rows.T, axis=1)[:, :10]
    assert np.mean([len(set(a) & set(b)) for a, b in zip(found, exact, strict=True)]) > 9.5
    assert np.allclose(scores[:, 0], np.sum(asked * rows[found[:, 0]], axis=1), atol=0.02)
    assert np.allclose(index.reconstruct_batch(np.array([4999, 0, 17])), rows[[4999, 0, 17]], atol=0.02)
    again = dense.made(rows)  # the same notes give the same index
    assert np.array_equal(again.search(asked, 10)[1], found)


def test_a_full_disk_is_told_by_its_number() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    with pytest.raises(OSError) as caught:
        dense.write(dense.made(unit(5000)), Path("/dev/full"))
    assert caught.value.errno == errno.ENOSPC


def texts(count: int) -> list[Passage]:
    random = np.random.default_rng(5)
    made = []
    for row in range(count):
        about = WORDS[row % len(WORDS)]
        said = tuple(
            f"The {about} {' '.join(WORDS[at] for at in random.integers(len(WORDS), size=5))} case{row}{n}."
            for n in range(3)
        )
        also = (Place("twice.md", 2, ()),) if row % 50 == 0 else ()
        made.append(Passage(f"{row:016x}", f"unit{row // 500}.md", row, (about,), " ".join(said), said, also))
    return made


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Retriever, Retriever]]:
    """The same 1,500 passages as an index that scores each, and as one that is taken for large."""
    made, encoder = texts(1500), FakeEncoder(dimension=32)
    vectors = computed(made, encoder)
    count = len(vectors.sentence_owner)
    files = {passage.source: "0" for passage in made}
    manifest = store.Manifest("fake@1", 32, Splitter(), files, {}, 0, len(made), count, "")
    folder = tmp_path_factory.mktemp("large")
    for name in ("small", "large"):
        (folder / name).mkdir()
    store.save(folder / "small", made, vectors, manifest)
    small = store.open_index(folder / "small", encoder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "EXACT", 1000)
        patch.setattr(dense, "READ", 1000)
        patch.setattr(store, "CHECKED", 1000)
        patch.setattr(passages, "LAZY", 1000)
        patch.setattr(score, "FEW", 100)
        store.save(folder / "large", made, vectors, manifest)
        yield Retriever(small, encoder), Retriever(store.open_index(folder / "large", encoder), encoder)


def test_a_large_index_is_not_read_whole(both: tuple[Retriever, Retriever]) -> None:
    small, large = (retriever.index for retriever in both)
    assert small.sample is None and isinstance(small.passages, tuple)
    assert large.sample is not None and isinstance(large.passages, StoredPassages)
    assert isinstance(large.token_ids, np.memmap) and isinstance(large.bm25.scores["data"], np.memmap)
    assert len(large.sample.rows) == 1500  # fewer than a sample takes: it is all of them
    assert tuple(large.passages) == small.passages
    assert large.passages[-1] == small.passages[-1] and large.passages[3:9] == small.passages[3:9]
    assert both[1].row(small.passages[77]) == 77
    with pytest.raises(IndexError):
        large.passages[1500]
    with pytest.raises(KeyError):
        large.passages.row("none")
    assert both[1].sources == both[0].sources == ("twice.md", "unit0.md", "unit1.md", "unit2.md")
    assert np.array_equal(both[1].rarity, both[0].rarity)


@pytest.mark.parametrize("sources", [(), ("unit1.md",), ("twice.md",)], ids=["all", "a file", "few"])
def test_a_large_index_ranks_as_a_small_one(
    both: tuple[Retriever, Retriever], sources: tuple[str, ...]
) -> None:
    small, large = both
    shared, firsts, asked = 0, 0, WORDS[:60:2]
    for number, word in enumerate(asked):
        question = f"What does the {word} {WORDS[number]} say of case{number * 7}1?"
        exact, found = (one.search(question, 5, sources) for one in (small, large))
        assert len(found) == 5
        shared += len({hit.passage.id for hit in exact} & {hit.passage.id for hit in found})
        firsts += exact[0].passage == found[0].passage
        assert found[0].score == pytest.approx(exact[0].score, rel=0.1)
        if exact[0].passage == found[0].passage:
            assert found[0].dense == pytest.approx(exact[0].dense, abs=0.02)
            assert found[0].late == pytest.approx(exact[0].late, abs=1e-5)
    assert firsts >= 0.95 * len(asked)
    assert shared >= 0.9 * 5 * len(asked)


def test_sentences_of_a_large_index_are_compared(both: tuple[Retriever, Retriever]) -> None:
    some = [both[0].index.passages[row] for row in (0, 700, 1499)]
    ours, theirs = (retriever.sentence_cosines("What of the bark?", some) for retriever in both)
    for one, other in zip(ours, theirs, strict=True):
        assert np.allclose(one, other, atol=0.02)


def test_a_smaller_sample_tells_nearly_the_same(both: tuple[Retriever, Retriever]) -> None:
    large = both[1]
    index, vectors = large.index, computed(texts(1500), FakeEncoder(dimension=32))
    some = sampled(
        vectors.passages,
        vectors.sentences,
        vectors.sentence_owner,
        vectors.token_ids,
        vectors.token_start,
        400,
    )
    assert len(some.rows) == 400 and np.array_equal(some.seen, index.sample.seen)  # type: ignore[union-attr]
    guessed = Retriever(replace(index, sample=some), large.encoder)
    for word in WORDS[:20]:
        exact, found = (one.search(f"What does the {word} say?", 5) for one in (large, guessed))
        assert len({hit.passage.id for hit in exact} & {hit.passage.id for hit in found}) >= 4


def test_token_vectors_left_out_are_made_when_needed(
    both: tuple[Retriever, Retriever], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = both[0]
    monkeypatch.setattr(retrieve, "CLOSELY", retrieve.ENCODED)  # as few as are made
    index = replace(small.index, token_vectors=small.index.token_vectors[:0])
    lean = Retriever(index, small.encoder)
    for exact, found in zip(small.search("the bark", 5), lean.search("the bark", 5), strict=True):
        assert exact.passage == found.passage
        assert found.late == pytest.approx(exact.late, abs=0.01)


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("gen-0123456789ab")
    (tmp_path / "gen-0123456789ab").mkdir()
    with pytest.raises(IndexUnusable, match="damaged"):
        store.open_index(tmp_path, FakeEncoder())
