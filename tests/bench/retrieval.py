"""Retrieval on labelled questions: what each ranking finds by itself and together, and each step on top.

    python -m tests.bench.retrieval --index data/index --split test
    python -m tests.bench.retrieval --squad ../shared/eval/squad2_half.json
    python -m tests.bench.retrieval --index lectures-index --asked questions.jsonl

A hit is a passage of a place (file, and page where one is given) that holds the answer, and that holds
one of the answer's facts. With --squad every paragraph of a SQuAD file is a passage; with --asked each
line has a `question` and the ids of its right `passages`. Prints tables and writes them to
tests/bench/out/. Where the questions come from: tests/bench/questions.py.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ingest.embed import load_encoder
from ingest.store import open_index
from ingest.types import Encoder
from rag.query import parts
from rag.rerank import load_reranker
from rag.retrieve import Retriever, Scores, in_turn
from rag.score import standardised
from rag.wording import in_other_forms, well_spelled
from tests.bench.labelled import OUT
from tests.bench.questions import Asked, bare, collected, labelled, mistyped, reworded, squad, twofold

RANKINGS = (
    "dense",
    "best sentence",
    "BM25",
    "dense + BM25, rank fusion",
    "summed",
    "weighed, late interaction",
)
HEAD = ("| | hit@1 | hit@5 | nDCG@10 | MRR |", "| --- | --- | --- | --- | --- |")
DEEP = 10  # places that a ranking of several questions in one is looked at
LAMBDA = 0.7  # of maximal marginal relevance: what the question counts, and not other passages
TIMED = 20  # questions whose time is taken


@dataclass(frozen=True)
class Remembering:
    """An encoder that encodes each question once; what it is asked for the rest it passes on."""

    encoder: Encoder
    vectors: dict[str, np.ndarray]
    tokens: dict[str, tuple[np.ndarray, np.ndarray]]

    @property
    def name(self) -> str:
        return self.encoder.name

    @property
    def dimension(self) -> int:
        return self.encoder.dimension

    def learn(self, texts: Sequence[str]) -> None:
        """Encode these together, which is quicker than one by one."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        rows, pairs = self.encoder.encode_with_tokens(fresh)
        self.vectors.update(zip(fresh, rows, strict=True))
        self.tokens.update(zip(fresh, pairs, strict=True))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.learn(texts)
        return np.stack([self.vectors[text] for text in texts])

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        self.learn(texts)
        return [self.tokens[text] for text in texts]

    def encode_with_tokens(
        self, texts: Sequence[str]
    ) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        return self.encode(texts), self.encode_tokens(texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--squad", type=Path)
    parser.add_argument("--asked", type=Path, help="JSON lines {question, passages: [ids]} on --index")
    parser.add_argument("--every", type=int, default=1, help="take every n-th question")
    parser.add_argument("--headings", action="store_true", help="compare with an index without headings")
    parser.add_argument("--reranker", help="a cross-encoder to compare with")
    options = parser.parse_args()
    encoder = load_encoder()
    if options.squad:
        index, asked = squad(options.squad, encoder)
        name = f"retrieval-{options.squad.stem}"
    else:
        index = open_index(options.index, encoder)
        asked = collected(index, options.asked) if options.asked else list(labelled(index, options.split))
        name = f"retrieval-{options.asked.stem if options.asked else options.split}"
    asked = asked[:: options.every]
    remembering = Remembering(encoder, {}, {})
    remembering.learn([one.question for one in asked])
    retriever = Retriever(index, remembering)
    lines = [
        f"{name}: {len(asked)} questions, {len(index.passages)} passages,"
        f" {milliseconds(Retriever(index, encoder), asked):.0f} ms a search",
        "",
        *rankings(retriever, asked),
    ]
    if options.headings:
        without = Retriever(bare(index, encoder), remembering)
        lines.append(row("the same without headings", ranks(plain(without), asked)))
    if options.reranker:
        read = replace(retriever, reranker=load_reranker(options.reranker))
        lines.append(row(f"the same, {Path(options.reranker).name}", ranks(plain(read), asked)))
    lines += ["", *steps(retriever, asked)]
    text = "\n".join(lines) + "\n"
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.md").write_text(text, "utf-8")
    print(text)


Search = Callable[[str], np.ndarray]  # a question to rows, best first


def rankings(retriever: Retriever, asked: Sequence[Asked]) -> list[str]:
    """The table of what each ranking finds by itself, and together."""
    every = np.arange(len(retriever.index.passages))
    places: dict[str, list[int]] = {ranking: [] for ranking in RANKINGS}
    for one in asked:
        for ranking, order in orders(retriever.scores(one.question, every)).items():
            places[ranking].append(rank(order, one.right))
    return [*HEAD, *(row(ranking, np.array(found)) for ranking, found in places.items())]


def steps(retriever: Retriever, asked: Sequence[Asked]) -> list[str]:
    """The table of what each step changes, on these questions and on those that the step is for."""
    index, encoder = retriever.index, retriever.encoder
    simple = plain(retriever)

    def spelling(question: str) -> np.ndarray:
        return simple(well_spelled(index, encoder, question))

    def forms(question: str) -> np.ndarray:
        return simple(in_other_forms(index, question))

    def apart(question: str) -> np.ndarray:
        return parted(retriever, question)

    def diverse(question: str) -> np.ndarray:
        return varied(retriever, question)

    def shipped(question: str) -> np.ndarray:
        return np.array([retriever.row(hit.passage) for hit in retriever.search(question, DEEP)])

    wrong, other, double = mistyped(asked), reworded(index, asked), twofold(asked)
    lines = [
        "| questions | step | changed | hit@1 | hit@5 | nDCG@10 | MRR |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, questions, step, search in (
        ("as they are", asked, "spelling", spelling),
        ("as they are", asked, "abbreviations", forms),
        ("as they are", asked, "parts", apart),
        ("as they are", asked, "all that ship", shipped),
        ("as they are", asked, "MMR, which does not", diverse),
        ("a letter mistyped", wrong, "spelling", spelling),
        ("abbreviations and names exchanged", other, "abbreviations", forms),
    ):
        if not questions:
            continue
        before, after = ranks(simple, questions), ranks(search, questions)
        first = f"{name} ({len(questions)})"
        if lines[-1].split(" | ")[0] != f"| {first}":
            lines.append(f"| {first} | none | |{row('', before).removeprefix('|  |')}")
        lines.append(f"| {first} | {step} | {(before != after).sum()} |{row('', after).removeprefix('|  |')}")
    lines += [
        "",
        "| questions | step | both parts in the first five | all facts in the first five |",
        "| --- | --- | --- | --- |",
    ]
    for name, questions in (("two in one", double), ("as they are", [one for one in asked if one.facts])):
        for step, search in (("none", simple), ("parts", apart), ("MMR", diverse)):
            if not questions:
                continue
            found = [search(one.question)[:5] for one in questions]
            both = np.mean(
                [
                    all(np.isin(f, list(right)).any() for right in one.parts or (one.right,))
                    for f, one in zip(found, questions, strict=True)
                ]
            )
            facts = [one.holds(index, f) for f, one in zip(found, questions, strict=True) if one.facts]
            said = f"{np.mean(facts):.3f}" if facts else ""
            lines.append(f"| {name} ({len(questions)}) | {step} | {both:.3f} | {said} |")
    return lines


def plain(retriever: Retriever) -> Search:
    """The search without any step on top."""
    every = np.arange(len(retriever.index.passages))

    def search(question: str) -> np.ndarray:
        scores = retriever.scores(question, every)
        return scores.rows[np.argsort(-scores.total, kind="stable")]

    return search


def parted(retriever: Retriever, question: str) -> np.ndarray:
    """The search with every question in a question searched for by itself."""
    asked = parts(question)
    if len(asked) == 1:
        return plain(retriever)(question)
    hits = in_turn([retriever.search(part, DEEP) for part in asked])
    return np.array([retriever.row(hit.passage) for hit in hits])


def varied(retriever: Retriever, question: str) -> np.ndarray:
    """The first ten by maximal marginal relevance (Carbonell and Goldstein 1998) of the first twenty."""
    scores = retriever.scores(question, np.arange(len(retriever.index.passages)))
    order = np.argsort(-scores.total, kind="stable")
    left = list(order[: 2 * DEEP])
    vectors = retriever.index.passage_vectors.reconstruct_batch(np.array(scores.rows[left]))
    alike = dict(zip(left, vectors, strict=True))
    least, most = scores.total[left].min(), scores.total[left].max()
    worth = {place: float(scores.total[place] - least) / max(float(most - least), 1e-9) for place in left}
    taken: list[int] = []
    while left and len(taken) < DEEP:
        best = max(
            left,
            key=lambda place: (
                LAMBDA * worth[place]
                - (1 - LAMBDA) * max((float(alike[place] @ alike[one]) for one in taken), default=0.0)
            ),
        )
        left.remove(best)
        taken.append(best)
    rest = [place for place in order if place not in set(taken)]
    return np.asarray(scores.rows[[*taken, *rest]])


def ranks(search: Search, asked: Sequence[Asked]) -> np.ndarray:
    """int (questions,): the place of the first right passage, 0 for the best."""
    return np.array([rank(search(one.question), one.right) for one in asked])


def rank(order: np.ndarray, right: frozenset[int]) -> int:
    """The place of the first right row; behind all where none is there."""
    found = np.flatnonzero(np.isin(order, list(right)))
    return int(found[0]) if len(found) else 10**6


def row(name: str, found: np.ndarray) -> str:
    """A line of a table. One right passage counts: the first found, whose gain is 1 / log2(rank + 1)."""
    gain = np.where(found < 10, 1 / np.log2(found + 2), 0)
    figures = ((found < 1).mean(), (found < 5).mean(), gain.mean(), (1 / (found + 1)).mean())
    return f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |"


def milliseconds(retriever: Retriever, asked: Sequence[Asked]) -> float:
    """Of one search, the median of some; the first, which loads the encoder, is not among them."""
    took = []
    for one in asked[: TIMED + 1]:
        started = time.perf_counter()
        retriever.search(one.question)
        took.append(time.perf_counter() - started)
    return float(np.median(took[1:] or took)) * 1000


def orders(scores: Scores) -> dict[str, np.ndarray]:
    """Rows best first, by each ranking; the last is the one that ships."""

    def best_first(values: np.ndarray) -> np.ndarray:
        return np.argsort(-values, kind="stable")

    fused = np.zeros(len(scores.total))
    for values in (scores.passage, scores.lexical):
        fused[best_first(values)] += 1 / (60 + np.arange(1, len(fused) + 1))
    summed = standardised(scores.passage) + standardised(scores.sentence) + standardised(scores.lexical)
    values = (scores.passage, scores.sentence, scores.lexical, fused, summed, scores.total)
    return {name: scores.rows[best_first(value)] for name, value in zip(RANKINGS, values, strict=True)}


if __name__ == "__main__":
    main()
