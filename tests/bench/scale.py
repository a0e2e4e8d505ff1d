"""Search as an index grows: milliseconds, memory, disk, time to build, and recall against exact search.

    python -m tests.bench.scale --sizes 1000 10000 100000
    python -m tests.bench.scale --sizes 1000000 --stores faiss

Passages are made of real sentences (a SQuAD file's and our notes'), their vectors lie around the real
ones: each is a real vector, a second one and noise. Questions are real, encoded beforehand, and late
interaction has no token vectors to look at: what is timed is the search. Every index is opened and
searched by a process of its own, whose memory is told. Writes tests/bench/out/scale.md, .json and .png;
sizes measured earlier stay in them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import numpy as np

from ingest import dense
from ingest.clean import clean
from ingest.embed import load_encoder
from ingest.generations import current
from ingest.read import read
from ingest.sentences import sentences
from ingest.split import Splitter, split
from ingest.store import Manifest, Vectors, open_index, save
from ingest.types import Encoder, Passage
from ingest.walk import find
from ingest.where import milvus_uri
from rag.retrieve import Retriever
from tests.bench.labelled import OUT

SQUAD = Path("../shared/eval/squad2_half.json")
SAID = 3  # sentences a passage
ASKED = 200
NEAR, FAR, NOISE = 0.75, 0.35, 0.55  # weights of a real vector, another one and noise
NAMES = "made@1"


class Made(Sequence[Passage]):
    """Passage i is always the same; none is kept, so that a million take no memory."""

    def __init__(self, count: int, said: Sequence[str]) -> None:
        self.count, self.said = count, said

    def __len__(self) -> int:
        return self.count

    @overload
    def __getitem__(self, row: int) -> Passage: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[Passage]: ...

    def __getitem__(self, row: int | slice) -> Passage | Sequence[Passage]:
        if isinstance(row, slice):
            return [self[at] for at in range(*row.indices(self.count))]
        picks = np.random.default_rng(row).integers(len(self.said), size=SAID - 1)
        held = (*(self.said[pick] for pick in picks), f"See case{row % 300_000} for more.")
        return Passage(f"{row:016x}", f"course{row // 5000}.md", None, (), " ".join(held), held)

    def __iter__(self) -> Iterator[Passage]:
        return (self[row] for row in range(self.count))


class Asked:
    """An encoder that knows the questions' vectors and nothing else."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.name, self.dimension, self.vectors = NAMES, vectors.shape[1], vectors

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        numbers = (text.split(" ", 1)[0] for text in texts)  # words by themselves and later parts have none
        return np.stack(
            [self.vectors[int(one) % len(self.vectors) if one.isdecimal() else 0] for one in numbers]
        )

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(np.zeros(0, np.int32), np.zeros((0, self.dimension), np.float32)) for _ in texts]

    def encode_with_tokens(self, texts: Sequence[str]) -> Any:
        return self.encode(texts), self.encode_tokens(texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--stores", nargs="+", choices=["faiss", "milvus"], default=["faiss", "milvus"])
    parser.add_argument("--folder", type=Path, help="where the indexes are made; a temporary folder else")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure, options.measure.parent / "asked.npz")))
        return
    results = {}
    if (OUT / "scale.json").exists():
        results = json.loads((OUT / "scale.json").read_text("utf-8"))
    real, said, questions, vectors = reality(load_encoder())
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        np.savez(Path(folder) / "asked.npz", texts=np.array(questions), vectors=vectors)
        for size in options.sizes:
            for store in options.stores:
                found = one(Path(folder), size, store, real, said, vectors)
                results[f"{store} {size}"] = {"store": store, "size": size, **found}
                report(results)
                print(json.dumps(results[f"{store} {size}"]), file=sys.stderr)
    print((OUT / "scale.md").read_text("utf-8"))


def reality(encoder: Encoder) -> tuple[np.ndarray, list[str], list[str], np.ndarray]:
    """Vectors of real passages, real sentences, real questions and their vectors."""
    texts, said, questions = [], [], []
    if SQUAD.exists():
        for article in json.loads(SQUAD.read_text("utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                texts.append(paragraph["context"])
                said += sentences(paragraph["context"])
                questions += [one["question"] for one in paragraph["qas"]]
    for note in find([Path("data/notes")], Path("none")):
        passages = split(clean(read(note.path, note.root)))
        texts += [passage.text for passage in passages]
        said += [sentence for passage in passages for sentence in passage.sentences]
        questions += [f"What is {passage.heading[-1]}?" for passage in passages if passage.heading]
    step = max(1, len(questions) // ASKED)
    asked = [f"{at} {question}" for at, question in enumerate(questions[::step][:ASKED])]
    return encoder.encode(texts), said, asked, encoder.encode([one.split(" ", 1)[1] for one in asked])


def around(real: np.ndarray, count: int, seed: int, path: Path) -> np.ndarray:
    """float32 (count, dim), mapped from `path`: unit vectors around the real ones."""
    dimension = real.shape[1]
    rows = np.memmap(path, np.float32, "w+", shape=(count, dimension))
    random = np.random.default_rng(seed)
    for at in range(0, count, 20_000):
        some = min(20_000, count - at)
        near, far = (real[random.integers(len(real), size=some)] for _ in range(2))
        noise = random.standard_normal((some, dimension), np.float32) / np.float32(dimension**0.5)
        mixed = NEAR * near + FAR * far + NOISE * noise
        rows[at : at + some] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return rows


def one(
    folder: Path, size: int, store: str, real: np.ndarray, said: list[str], asked: np.ndarray
) -> dict[str, float]:
    """Build an index of `size` passages in `store`, and measure it."""
    place = folder / ("made.db.milvus" if store == "milvus" else "made")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    dimension = real.shape[1]
    rows = around(real, size, 1, folder / "passages.f32")
    lines = around(real, size * SAID, 2, folder / "sentences.f32")
    owner = np.repeat(np.arange(size, dtype=np.int32), SAID)
    vectors = Vectors(
        rows, lines, owner, np.tile(np.arange(SAID, dtype=np.int32), size),
        np.zeros((0, dimension), np.int8), np.zeros(0, np.int32), np.zeros(size + 1, np.int64),
    )  # fmt: skip
    manifest = Manifest(NAMES, dimension, Splitter(), {"made.md": ""}, {}, 0, size, len(owner), "")
    start = time.perf_counter()
    save(place, Made(size, said), vectors, manifest)
    built = time.perf_counter() - start
    exact = nearest(rows, asked)
    np.savez(folder / "exact.npz", rows=exact)
    if store == "milvus":
        from milvus_lite.server_manager import server_manager_instance

        server_manager_instance.release_all()  # the process that measures opens it itself
    command = [sys.executable, "-m", "tests.bench.scale", "--measure", str(place)]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    found.update(build_s=built, disk_mb=disk(place))
    if store == "faiss" and dense.EXACT < size * SAID <= 400_000:
        found["same"] = same(place, rows, lines, folder / "asked.npz")
    shutil.rmtree(place)
    if store == "milvus":
        shutil.rmtree(str(milvus_uri(place)), ignore_errors=True)
    return found


def nearest(rows: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """int64 (questions, 10): the ten nearest rows, by comparing with each."""
    scores = np.full((len(asked), 10), -2, np.float32)
    best = np.zeros((len(asked), 10), np.int64)
    for at in range(0, len(rows), 50_000):
        cosines = asked @ rows[at : at + 50_000].T
        both = np.concatenate([scores, cosines], axis=1)
        names = np.concatenate(
            [best, np.broadcast_to(np.arange(at, at + cosines.shape[1]), cosines.shape)], axis=1
        )
        order = np.argpartition(-both, 9, axis=1)[:, :10]
        scores, best = np.take_along_axis(both, order, 1), np.take_along_axis(names, order, 1)
    return best


def measured(place: Path, asked: Path) -> dict[str, float]:
    """What a process sees that opens the index in `place` and asks all questions, twice the first ten."""
    import psutil

    with np.load(asked) as arrays:
        questions, vectors = list(map(str, arrays["texts"])), arrays["vectors"]
    with np.load(asked.parent / "exact.npz") as arrays:
        exact = arrays["rows"]
    process = psutil.Process()
    before = process.memory_info()
    start = time.perf_counter()
    encoder = Asked(vectors)
    index = open_index(place, encoder)
    opened = time.perf_counter() - start
    retriever = Retriever(index, encoder)
    for question in questions[:10]:
        retriever.search(question)
    dense_ms, whole_ms, found = [], [], 0
    for at, question in enumerate(questions):
        start = time.perf_counter()
        rows = index.passage_vectors.search(vectors[at : at + 1], 10)[1][0]
        dense_ms.append(1000 * (time.perf_counter() - start))
        found += len(set(rows.tolist()) & set(exact[at].tolist()))
        start = time.perf_counter()
        retriever.search(question)
        whole_ms.append(1000 * (time.perf_counter() - start))
    after = process.memory_info()
    return {
        "open_s": opened,
        "dense_p50": float(np.percentile(dense_ms, 50)),
        "dense_p95": float(np.percentile(dense_ms, 95)),
        "whole_p50": float(np.percentile(whole_ms, 50)),
        "whole_p95": float(np.percentile(whole_ms, 95)),
        "recall": found / exact.size,
        # What is mapped from files can be dropped at any time, so it is told apart.
        "own_mb": (after.rss - after.shared - before.rss + before.shared) / 1e6,
        "mapped_mb": (after.shared - before.shared) / 1e6,
    }


def same(place: Path, rows: np.ndarray, lines: np.ndarray, asked: Path) -> float:
    """Share of the first five hits that are those of scoring every passage exactly."""
    with np.load(asked) as arrays:
        questions, encoder = list(map(str, arrays["texts"]))[::4], Asked(arrays["vectors"])
    index = open_index(place, encoder)
    whole = replace(
        index,
        sample=None,
        passage_vectors=dense.made(rows, "Flat"),
        sentence_vectors=dense.made(lines, "Flat"),
    )
    ours, theirs = Retriever(index, encoder), Retriever(whole, encoder)
    shared = 0
    for question in questions:
        pair = ({hit.passage.id for hit in one.search(question, 5)} for one in (ours, theirs))
        shared += len(set.intersection(*pair))
    return shared / (5 * len(questions))


def disk(place: Path) -> float:
    """Megabytes of the index, and of Milvus where it has the vectors."""
    places = [current(place), Path(milvus_uri(place) or place / "none")]
    files = [path for one in places if one and one.exists() for path in one.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files) / 1e6


def report(results: dict[str, dict[str, Any]]) -> None:
    """Write the table, the figures and the plot."""
    rows = sorted(results.values(), key=lambda one: (one["size"], one["store"]))
    lines = [
        "| passages | store | build, s | disk, MB | open, s | memory, MB (+ mapped) | vectors, ms p50 / p95 |"
        " recall@10 | whole search, ms p50 / p95 | first five as exact |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in rows:
        alike = f"{one['same']:.1%}" if "same" in one else "same code" if one["recall"] == 1 else "-"
        lines.append(
            f"| {one['size']:,} | {one['store']} | {one['build_s']:.1f} | {one['disk_mb']:.0f} |"
            f" {one['open_s']:.2f} | {one['own_mb']:.0f} (+{max(0, one['mapped_mb']):.0f}) |"
            f" {one['dense_p50']:.2f} / {one['dense_p95']:.2f} | {one['recall']:.3f} |"
            f" {one['whole_p50']:.1f} / {one['whole_p95']:.1f} | {alike} |"
        )
    OUT.mkdir(exist_ok=True)
    note = f"{SAID} sentences a passage, vectors of 384 numbers made around real ones, {ASKED} questions"
    (OUT / "scale.md").write_text(f"{note}\n\n" + "\n".join(lines) + "\n", "utf-8")
    (OUT / "scale.json").write_text(json.dumps(results, indent=1), "utf-8")
    plot(rows)


def plot(rows: list[dict[str, Any]]) -> None:
    """Four panels over the number of passages, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = {
        "whole_p95": "whole search, ms (p95)",
        "own_mb": "memory, MB",
        "disk_mb": "disk, MB",
        "build_s": "build, s",
    }
    figure, axes = pyplot.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    for axis, (key, label) in zip(axes.flat, panels.items(), strict=True):
        for store, sign in (("faiss", "o-"), ("milvus", "s--")):
            held = [one for one in rows if one["store"] == store]
            axis.plot([one["size"] for one in held], [max(one[key], 0.1) for one in held], sign, label=store)
        axis.set(xscale="log", yscale="log", xlabel="passages", title=label)
        axis.grid(alpha=0.3)
    axes[0, 0].legend()
    figure.savefig(OUT / "scale.png", dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
