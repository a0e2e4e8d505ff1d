"""Retrieval on labelled questions: hit@1, hit@5, nDCG@10 and MRR of each ranking by itself and together.

    python -m tests.bench.retrieval --index data/index --split test
    python -m tests.bench.retrieval --squad ../shared/eval/squad2_half.json

A hit is a passage of a place (file, and page where one is given) that holds the answer, and that
holds one of the answer's facts. With --squad every paragraph of a SQuAD file is a passage.
Prints a table and writes it to tests/bench/out/.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ingest.build import vectors_of
from ingest.embed import load_encoder
from ingest.sentences import sentences
from ingest.split import Splitter
from ingest.store import Index, Manifest, open_index, save
from ingest.types import Encoder, Passage, silent
from rag.followup import search_text
from rag.retrieve import Retriever, Scores, standardised
from rag.types import Turn
from tests.bench.labelled import OUT, facts_found, own

RANKINGS = (
    "dense",
    "best sentence",
    "BM25",
    "dense + BM25, rank fusion",
    "summed",
    "summed, late interaction",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--squad", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th question")
    options = parser.parse_args()
    encoder = load_encoder()
    if options.squad:
        index, asked = squad(options.squad, encoder)
        name = f"retrieval-{options.squad.stem}"
    else:
        index = open_index(options.index, encoder)
        asked = list(labelled(index, options.split))
        name = f"retrieval-{options.split}"
    asked = asked[:: options.every]
    retriever = Retriever(index, encoder)
    every = np.arange(len(index.passages))
    places: dict[str, list[int]] = {ranking: [] for ranking in RANKINGS}
    started = time.perf_counter()
    for question, right in asked:
        for ranking, order in orders(retriever.scores(question, every)).items():
            ranks = np.flatnonzero(np.isin(order, list(right)))
            places[ranking].append(int(ranks[0]) if len(ranks) else len(order))
    milliseconds = (time.perf_counter() - started) * 1000 / len(asked)
    lines = ["| ranking | hit@1 | hit@5 | nDCG@10 | MRR |", "| --- | --- | --- | --- | --- |"]
    for ranking, found in places.items():
        rank = np.array(found)
        # One right passage counts: the first found, whose gain is 1 / log2(rank + 1).
        gain = np.where(rank < 10, 1 / np.log2(rank + 2), 0)
        figures = ((rank < 1).mean(), (rank < 5).mean(), gain.mean(), (1 / (rank + 1)).mean())
        lines.append(f"| {ranking} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    table = "\n".join(lines)
    size = f"{len(asked)} questions, {len(index.passages)} passages"
    text = f"{name}: {size}, {milliseconds:.0f} ms a question\n\n{table}\n"
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.md").write_text(text, "utf-8")
    print(text)


def orders(scores: Scores) -> dict[str, np.ndarray]:
    """Rows best first, by each ranking; the last is the one that ships."""

    def rank(values: np.ndarray) -> np.ndarray:
        return np.argsort(-values, kind="stable")

    fused = np.zeros(len(scores.total))
    for values in (scores.passage, scores.lexical):
        fused[rank(values)] += 1 / (60 + np.arange(1, len(fused) + 1))
    summed = standardised(scores.passage) + standardised(scores.sentence) + standardised(scores.lexical)
    values = (scores.passage, scores.sentence, scores.lexical, fused, summed, scores.total)
    return {name: rank(value) for name, value in zip(RANKINGS, values, strict=True)}


def labelled(index: Index, split: str) -> Iterator[tuple[str, set[int]]]:
    """Our own questions, follow-ups as they are searched for, each with the rows of right passages."""
    for one in own(split):
        right = {
            row
            for row, passage in enumerate(index.passages)
            if any(source == passage.source and page in (None, passage.page) for source, page in one.sources)
            and facts_found(one, f"{passage.title} {passage.text}")
        }
        if right:
            history = [Turn(question, "") for question in one.turns[:-1]]
            yield search_text(one.turns[-1], history), right


def squad(path: Path, encoder: Encoder) -> tuple[Index, list[tuple[str, set[int]]]]:
    """A SQuAD file's paragraphs as passages, and its answerable questions."""
    passages, asked = [], []
    for article in json.loads(path.read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            row, text = len(passages), paragraph["context"]
            passages.append(Passage(f"{row:016x}", article["title"], None, (), text, tuple(sentences(text))))
            asked += [(one["question"], {row}) for one in paragraph["qas"] if not one.get("is_impossible")]
    vectors = vectors_of(passages, encoder, silent)
    with tempfile.TemporaryDirectory() as folder:
        count = sum(len(passage.sentences) for passage in passages)
        manifest = Manifest(encoder.name, encoder.dimension, Splitter(), {}, {}, 0, len(passages), count, "")
        save(Path(folder), passages, vectors, manifest)
        index = open_index(Path(folder), encoder)
    return index, asked


if __name__ == "__main__":
    main()
