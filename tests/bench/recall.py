"""How well questions about earlier questions, and repeated questions, are recognised.

python -m tests.bench.recall            # dev: data/eval/recall_questions.jsonl and repeats.jsonl
python -m tests.bench.recall --split test
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ingest.embed import load_encoder
from rag import repeats
from rag.followup import content_stems
from rag.recall import recall

EVAL = Path(__file__).parents[2] / "data/eval"
OUT = Path(__file__).parent / "out"
TODAY = date(2026, 11, 18)  # the Wednesday on which the labelled questions were asked


def lines(name: str, split: str) -> list[dict[str, Any]]:
    """The lines of one half of a file of data/eval."""
    every = (json.loads(line) for line in (EVAL / name).read_text("utf-8").splitlines())
    return [line for line in every if line["split"] == split]


def counted(pairs: Iterable[tuple[bool, bool]]) -> str:
    """Precision and recall of (found, label) pairs, as two cells of a table."""
    every = list(pairs)
    hit = sum(found and label for found, label in every)
    said, there = sum(found for found, _ in every), sum(label for _, label in every)
    return f"{hit}/{said} | {hit}/{there}"


def recalled(split: str) -> list[str]:
    """Questions about earlier questions: recognised, and of those recognised the topic and the days."""
    every = [(line, recall(line["question"], TODAY)) for line in lines("recall_questions.jsonl", split)]
    both = [(line, found) for line, found in every if line["recall"] and found]
    topics = sum(content_stems(found.topic) == content_stems(line["topic"]) for line, found in both)
    days = sum(
        [day and day.isoformat() for day in (found.days.since, found.days.until)]
        == [line["since"], line["until"]]
        for line, found in both
    )
    found = counted((bool(found), line["recall"]) for line, found in every)
    return [
        f"| asks about earlier questions | {found} |",
        f"| of those found, the right topic | | {topics}/{len(both)} |",
        f"| of those found, the right days | | {days}/{len(both)} |",
    ]


def repeated(split: str) -> list[str]:
    """Pairs of questions: the same or not, by nearness alone and as the chat decides."""
    encoder = load_encoder()
    pairs = lines("repeats.jsonl", split)
    vectors = [encoder.encode([one["earlier"], one["question"]]) for one in pairs]
    cosines = np.array([float(two[0] @ two[1]) for two in vectors])
    labels = [one["same"] for one in pairs]
    rows = []
    for least in (0.8, 0.9, 0.95):
        found = (bool(cosine >= least) for cosine in cosines)
        rows.append(
            f"| the same question, by a cosine of {least} | {counted(zip(found, labels, strict=True))} |"
        )
    ours = (
        bool(cosine >= repeats.NEAR) and repeats.same_question(one["earlier"], one["question"])
        for cosine, one in zip(cosines, pairs, strict=True)
    )
    rows.append(f"| the same question, as the chat decides | {counted(zip(ours, labels, strict=True))} |")
    return rows


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    split = parser.parse_args().split
    table = [f"recall-{split}", "", "| | precision | recall |", "| --- | --- | --- |"]
    table += [*recalled(split), *repeated(split)]
    OUT.mkdir(exist_ok=True)
    (OUT / f"recall-{split}.md").write_text("\n".join(table) + "\n", "utf-8")
    print("\n".join(table))


if __name__ == "__main__":
    main()
