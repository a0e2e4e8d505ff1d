"""The real encoder on real notes: our own unit, and the notes beside the repository where there are any."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ingest.build import build
from ingest.clean import clean
from ingest.embed import load_encoder
from ingest.errors import IndexUnusable, ModelUnusable
from ingest.read import SUFFIXES, read
from ingest.removed import Removed, words
from ingest.split import split
from ingest.store import Index, open_index, save, searchable
from ingest.types import Encoder, Passage
from ingest.vectors import taken
from ingest.where import located, milvus_uri
from rag.retrieve import Retriever
from tests.ingest_fakes import FakeEncoder, write

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "data" / "notes"
SHARED = ROOT.parent / "shared" / "notes"
LIMIT = 256  # word pieces that all-MiniLM-L6-v2 reads

real = pytest.mark.real


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    try:
        return load_encoder()
    except ModelUnusable as err:
        pytest.skip(str(err))


@pytest.fixture(scope="module")
def index(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("index")
    report = build([OWN], folder, encoder)
    assert report.skipped == ()
    assert build([OWN], folder, encoder).unchanged
    with pytest.raises(IndexUnusable, match="MiniLM"):
        open_index(folder, FakeEncoder())
    return open_index(folder, encoder)


def passages(folder: Path) -> list[Passage]:
    files = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    return [passage for path in files for passage in split(clean(read(path, folder)))]


@real
def test_encoder(encoder: Encoder) -> None:
    texts = ["A GAN has two networks.", "", "Der Hund schläft. " * 200]
    vectors = encoder.encode(texts)
    assert (vectors.shape, vectors.dtype) == ((3, encoder.dimension), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    for ids, rows in encoder.encode_tokens(texts):
        assert len(ids) == len(rows) <= LIMIT - 2
        assert (ids.dtype, rows.dtype) == (np.int32, np.float32)
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert len(encoder.encode_tokens([""])[0][0]) == 0
    assert encoder.encode([]).shape == (0, encoder.dimension)
    alone = encoder.encode_tokens(texts[:1])[0][1]
    assert np.allclose(alone, encoder.encode_tokens(texts)[0][1], atol=1e-4)
    assert encoder.name.startswith("all-MiniLM-L6-v2@")


@real
def test_encoder_waits_with_the_weights() -> None:
    encoder = load_encoder()
    assert encoder.dimension == 384
    assert encoder._model is None  # type: ignore[attr-defined]


def test_encoder_that_is_not_there(tmp_path: Path) -> None:
    for model in (str(tmp_path), "nobody/has-this-model"):
        with pytest.raises(ModelUnusable) as caught:
            load_encoder(model)
        assert "\n" not in str(caught.value)


@real
def test_damaged_encoder(tmp_path: Path) -> None:
    write(tmp_path, {"model.safetensors": b"not weights", "config.json": "{}"})
    with pytest.raises(ModelUnusable, match="cannot be loaded"):
        load_encoder(str(tmp_path)).encode(["words"])


@real
@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("What is the reparameterization trick?", ".pdf"),
        ("How does top-p sampling choose words?", ".md"),
        ("What did Gender Shades find about bias?", ".pptx"),
        ("Which stage comes after deploying the model?", ".txt"),
    ],
)
def test_our_notes_are_found(index: Index, encoder: Encoder, question: str, source: str) -> None:
    _, rows = index.passage_vectors.search(encoder.encode([question]), 3)
    assert any(index.passages[row].source.endswith(source) for row in rows[0])


@pytest.mark.parametrize("folder", [OWN, SHARED], ids=["own", "shared"])
def test_passages_fit_the_encoder(folder: Path, encoder: Encoder) -> None:
    if not folder.is_dir():
        pytest.skip("no such notes here")
    found = passages(folder)
    lengths = [len(ids) for ids, _ in encoder.encode_tokens([searchable(p) for p in found])]
    assert max(lengths) < LIMIT - 2  # none was cut
    for passage in found:
        assert passage.sentences
        assert all(sentence in passage.text for sentence in passage.sentences)


@pytest.mark.parametrize("folder", [OWN, SHARED], ids=["own", "shared"])
def test_no_noise_is_left(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("no such notes here")
    for passage in passages(folder):
        text = searchable(passage)
        assert not re.search(r"(?m)^\s*MS\s*$", text), text
        assert "![" not in text
        assert not re.search(r"\bAl\b|[a-z]Al\b", text), text
        assert not re.search(r"Â|â€|Ã.|\*\*|</?[bu]>|\$\\circ\$|\t", text), text
        assert not re.search(r"(?m)^\s*(?:o|-|•)\s*$", text), text
        assert not re.search(r"(?mi)^page \d+ of \d+$", text), text


@pytest.mark.parametrize("folder", [OWN, SHARED], ids=["own", "shared"])
def test_no_word_of_the_notes_is_lost(folder: Path) -> None:
    """Apart from what is noise by name: image links, watermarks and page numbers."""
    if not folder.is_dir():
        pytest.skip("no such notes here")
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".md", ".txt"):
            continue
        said = re.sub(r"!\[alt text\]\([^)]*\)|<[bu]>|</[bu]>", " ", path.read_text("utf-8"))
        words = set(re.findall(r"[a-z]{4,}", said.lower()))
        kept = " ".join(searchable(p) for p in split(clean(read(path, folder)))).lower()
        lost = {word for word in words if word not in kept}
        assert lost <= {"openal", "circ", "rightarrow"}, (path.name, lost)


@pytest.mark.parametrize("folder", [OWN, SHARED], ids=["own", "shared"])
def test_every_word_is_in_a_passage_or_named_by_the_cleaner(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("no such notes here")
    for path in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES):
        pages, told = read(path, folder), list[Removed]()
        kept = words(" ".join(searchable(p) for p in split(clean(pages, told))))
        said = words(" ".join(page.text for page in pages))
        named = words(" ".join(one.text for one in told))
        assert not {word for word in said if word not in kept and word not in named}, path.name
        assert not named - said, path.name


@pytest.mark.parametrize("folder", [OWN, SHARED], ids=["own", "shared"])
def test_no_line_is_filler(folder: Path) -> None:
    """No page number, image link or stamp; no title as a line of its own text; no line on page after page."""
    if not folder.is_dir():
        pytest.skip("no such notes here")
    lines: dict[str, Counter[str]] = {}
    for passage in passages(folder):
        own = [line.strip() for line in passage.text.split("\n")]
        for line in own:
            assert not re.fullmatch(r"(?i)\W*(?:page|slide|p\.)?\s*\d+\s*(?:(?:of|/)\s*\d+)?\W*", line), (
                passage
            )
            assert not re.search(r"!\[|\S\.(?:png|jpe?g|gif|svg)\b", line), passage
            assert not re.match(r"(?i)\W*(?:(?:draft|confidential)\W*$|all rights reserved|©)", line), passage
        assert not (passage.heading and own[0].rstrip(":") == passage.heading[-1]), passage
        lines.setdefault(passage.source, Counter()).update(set(own))
    for source, counted in lines.items():
        count = sum(p.source == source for p in passages(folder))
        running = {line for line, times in counted.items() if times > max(3, 0.3 * count)}
        assert not running - {"Examples:", "Example:", "Notes:", ""}, source


@real
def test_milvus_gives_the_same_answers(index: Index, encoder: Encoder, tmp_path: Path) -> None:
    """Milvus Lite, on the questions of data/eval."""
    pytest.importorskip("langchain_milvus")
    from milvus_lite.server_manager import server_manager_instance

    folder = located(Path(f"milvus:{tmp_path}/eval.db"))
    folder.mkdir()
    save(folder, index.passages, taken(index, np.arange(len(index.passages))), index.manifest)
    faiss, milvus = (Retriever(held, encoder) for held in (index, open_index(folder, encoder)))
    assert milvus.index.passage_vectors.ntotal == len(index.passages)
    lines = (ROOT / "data" / "eval" / "answerable.jsonl").read_text("utf-8").splitlines()
    for line in lines[::3]:
        question = json.loads(line)["question"]
        ours, theirs = faiss.search(question), milvus.search(question)
        assert [hit.passage for hit in ours] == [hit.passage for hit in theirs]
        assert [hit.sentence for hit in ours] == [hit.sentence for hit in theirs]
        assert np.allclose(
            [hit.score for hit in ours], [hit.score for hit in theirs], atol=5e-3
        )  # it keeps them in 16 bits
    server_manager_instance.release_server(str(milvus_uri(folder)))


@real
def test_one_pass_gives_what_two_give(encoder: Encoder) -> None:
    texts = ["A GAN has two networks.", "", "word " * 400, "Sampling " * 20]
    vectors, pairs = encoder.encode_with_tokens(texts)
    assert np.allclose(vectors, encoder.encode(texts), atol=1e-5)
    for (ids, rows), (again, other) in zip(pairs, encoder.encode_tokens(texts), strict=True):
        assert np.array_equal(ids, again) and np.allclose(rows, other, atol=1e-5)
    model = encoder._model  # type: ignore[attr-defined]  # sentence-transformers by itself
    plain = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    assert np.allclose(vectors, plain, atol=1e-5)
