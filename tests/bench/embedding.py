"""Passages embedded per second, ours beside plain sentence-transformers on the same passages in one run.

    python -m tests.bench.embedding --squad ../shared/eval/squad2_half.json

Two products: the passages' vectors alone, and all that an index needs (vectors of passages, sentences and
word pieces). Plain is `SentenceTransformer.encode` with its own defaults, for word pieces with
output_value='token_embeddings'. Both are timed in turns, the best round counts, by the clock and by the
processor's time, which other programs change less; hit@5 is that of the vectors each has made. Prints a
table and writes it to tests/bench/out/embedding.md.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ingest.clean import clean
from ingest.context import contexts
from ingest.embed import load_encoder
from ingest.read import read
from ingest.sentences import sentences
from ingest.split import split
from ingest.store import searchable
from ingest.types import Passage
from ingest.vectors import computed
from ingest.walk import find
from tests.bench.labelled import OUT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--squad", type=Path, default=Path("../shared/eval/squad2_half.json"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="take every n-th passage")
    options = parser.parse_args()
    passages, asked = collected(options.squad, options.every)
    texts = [searchable(passage) for passage in passages]
    lines = [line for passage in passages for line in contexts(passage)]
    owner = np.repeat(np.arange(len(passages)), [len(contexts(passage)) for passage in passages])
    encoder: Any = load_encoder()
    encoder.encode(["warm"])
    model = plain(encoder._folder)

    def plain_all() -> tuple[np.ndarray, np.ndarray]:
        model.encode(texts, output_value="token_embeddings")
        return model.encode(texts), model.encode(lines)

    def our_all() -> tuple[np.ndarray, np.ndarray]:
        vectors = computed(passages, encoder)
        return vectors.passages, vectors.sentences

    arms: dict[str, Callable[[], Any]] = {
        "plain, passages": lambda: (model.encode(texts), None),
        "ours, passages": lambda: (encoder.encode(texts), None),
        "plain, passages, sentences, word pieces": plain_all,
        "ours, passages, sentences, word pieces": our_all,
    }
    seconds = dict.fromkeys(arms, float("inf"))
    worked = dict.fromkeys(arms, float("inf"))  # seconds of the processor's time
    made: dict[str, tuple[np.ndarray, np.ndarray | None]] = {}
    for _ in range(options.rounds):
        for name, arm in arms.items():
            start, before = time.perf_counter(), time.process_time()
            made[name] = arm()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
            worked[name] = min(worked[name], time.process_time() - before)
    questions = model.encode([question for question, _ in asked], normalize_embeddings=True)
    mine = encoder.encode([question for question, _ in asked])
    right = np.array([row for _, row in asked])
    table = [
        "| arm | passages/s | times plain | times plain, processor | hit@5 | hit@5, best sentence |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, (vectors, said) in made.items():
        of_question = mine if name.startswith("ours") else questions
        base = name.replace("ours", "plain")
        best = "-" if said is None else f"{hits(of_question, said, right, owner):.3f}"
        found = hits(of_question, vectors, right, np.arange(len(passages)))
        table.append(
            f"| {name} | {len(passages) / seconds[name]:.1f} | {seconds[base] / seconds[name]:.2f} |"
            f" {worked[base] / worked[name]:.2f} | {found:.3f} | {best} |"
        )
    words = sum(len(text.split()) for text in texts) // len(texts)
    text = f"{len(passages)} passages of {words} words, {len(asked)} questions\n\n" + "\n".join(table) + "\n"
    OUT.mkdir(exist_ok=True)
    (OUT / "embedding.md").write_text(text, "utf-8")
    print(text)


def plain(folder: Path) -> Any:
    """sentence-transformers as anyone would use it."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), local_files_only=True)


def collected(squad: Path, every: int) -> tuple[list[Passage], list[tuple[str, int]]]:
    """A SQuAD file's paragraphs and our notes' passages, and the file's questions with their paragraph."""
    passages: list[Passage] = []
    asked: list[tuple[str, int]] = []
    if squad.exists():
        for article in json.loads(squad.read_text("utf-8"))["data"]:
            for paragraph in article["paragraphs"][::every]:
                row, text = len(passages), paragraph["context"]
                passages.append(
                    Passage(f"{row:016x}", article["title"], None, (), text, tuple(sentences(text)))
                )
                asked += [(one["question"], row) for one in paragraph["qas"] if not one.get("is_impossible")]
    for note in find([Path("data/notes")], Path("none")):
        passages += split(clean(read(note.path, note.root)))[::every]
    return passages, asked


def hits(asked: np.ndarray, vectors: np.ndarray, right: np.ndarray, owner: np.ndarray) -> float:
    """hit@5 of passages by the best of their vectors."""
    if not len(asked):
        return float("nan")
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = asked @ unit.T
    best = np.full((len(asked), owner.max() + 1), -1, np.float32)
    for row in range(len(asked)):
        np.maximum.at(best[row], owner, cosines[row])
    own = best[np.arange(len(asked)), right][:, None]
    return float(((best > own).sum(axis=1) < 5).mean())


if __name__ == "__main__":
    main()
