"""Files, folders, globs and pages to search in, and what is none of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import BadRequest
from ingest.passages import StoredPassages, write_passages
from ingest.split import Splitter
from ingest.store import Manifest, open_index, save
from ingest.types import Hit, Passage, Place
from ingest.vectors import computed
from rag.filters import filters, stands_inside
from rag.retrieve import Retriever, neighbours
from tests.ingest_fakes import FakeEncoder

FILES = ("slides.pdf", "week1/a.md", "week1/more/b.pdf", "week2/a.md", "odd:3-4.pdf", "talk.srt", "x[1].md")


def passage(number: int, source: str, page: int | None, *also: Place) -> Passage:
    text = f"Cells of kind {number} divide in {source}."
    return Passage(f"{number:016x}", source, page, ("Cells",), text, (text,), also)


PASSAGES = (
    passage(0, "slides.pdf", 1),
    passage(1, "slides.pdf", 3),
    passage(2, "slides.pdf", 9, Place("week1/more/b.pdf", 2, ("Recap",))),
    passage(3, "slides.pdf", 10),
    passage(4, "week1/a.md", None),
    passage(5, "week2/a.md", None, Place("slides.pdf", 4, ("Again",))),
    passage(6, "talk.srt", 725),
    passage(7, "x[1].md", None),
    passage(8, "odd:3-4.pdf", 1),
)


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    folder, encoder = tmp_path_factory.mktemp("index"), FakeEncoder()
    manifest = Manifest(
        encoder.name, encoder.dimension, Splitter(), {}, {}, 0, len(PASSAGES), len(PASSAGES), ""
    )
    save(folder, PASSAGES, computed(PASSAGES, encoder), manifest)
    return Retriever(open_index(folder, encoder), encoder)


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("slides.pdf", {0, 1, 2, 3, 5}),
        ("slides.pdf:3-9", {1, 2, 5}),
        ("slides.pdf:10", {3}),
        ("slides.pdf:9-", {2, 3}),
        ("week1", {2, 4}),
        ("week1/", {2, 4}),
        ("week1/*", {2, 4}),
        ("*.md", {4, 5, 7}),
        ("week?/a.md", {4, 5}),
        ("week1/*:2", {2}),
        ("odd:3-4.pdf", {8}),
        ("odd:3-4.pdf:1", {8}),
        ("x[1].md", {7}),
        ("talk.srt:12:00-12:30", {6}),
        ("talk.srt:0:12:05", {6}),
    ],
)
def test_what_a_filter_holds(retriever: Retriever, said: str, numbers: set[int]) -> None:
    chosen = filters([said], FILES)
    assert {n for n, one in enumerate(PASSAGES) if stands_inside(one, chosen)} == numbers
    hits = retriever.search("cells divide", 20, (said,))
    assert {int(hit.passage.id, 16) for hit in hits} == numbers
    # Each is shown where it stands inside, and its other places beside it.
    assert all(chosen[0].holds(hit.passage) for hit in hits)
    assert all(len(hit.passage.also) == len(PASSAGES[int(hit.passage.id, 16)].also) for hit in hits)


def test_several_filters_together(retriever: Retriever) -> None:
    hits = retriever.search("cells divide", 20, ("week1", "slides.pdf:10"))
    assert {int(hit.passage.id, 16) for hit in hits} == {2, 3, 4}


def test_stored_passages_are_filtered_alike(retriever: Retriever, tmp_path: Path) -> None:
    write_passages(tmp_path / "passages.sqlite", PASSAGES)
    stored = StoredPassages(tmp_path / "passages.sqlite")
    other = Retriever(replace(retriever.index, passages=stored), retriever.encoder)
    for said in ("slides.pdf", "slides.pdf:3-9", "week1/*"):
        assert other.search("cells divide", 20, (said,)) == retriever.search("cells divide", 20, (said,))
    stored.close()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("nothing.md", "No file 'nothing.md' in the index"),
        ("week9/*", "No file 'week9/*' in the index"),
        ("nothing.md:3-4", "No file 'nothing.md' in the index"),
        ("slides.pdf:9-3", "ends before it begins"),
        ("slides.pdf:three", "names no pages: write 'slides.pdf:3-10'"),
        ("slides.pdf:-3", "names no pages"),
        ("slides.pdf:", "names no pages"),
        ("", "No file ''"),
        ("../week1", "No file"),
    ],
)
def test_what_is_no_filter_is_one_line(said: str, why: str) -> None:
    with pytest.raises(BadRequest) as told:
        filters([said], FILES)
    assert why in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("said", ["slides.pdf:50-60", "week1/a.md:1", "slides.pdf:0"])
def test_pages_without_a_passage_are_one_line(retriever: Retriever, said: str) -> None:
    with pytest.raises(BadRequest, match=f"Nothing in the index stands on '{said}'"):
        retriever.search("cells", 5, ("slides.pdf:1", said))


def test_what_follows_a_hit_stays_inside(retriever: Retriever) -> None:
    hits = [Hit(PASSAGES[2], 1.0, 1.0, 1.0, 0)]
    assert [hit.passage for hit in neighbours(retriever, hits)] == [PASSAGES[2], PASSAGES[3]]
    assert neighbours(retriever, hits, ("slides.pdf:3-9",)) == hits
