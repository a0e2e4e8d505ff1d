"""Labelled questions of data/eval, and what counts as a right answer to one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rag.regression import cites, places, plain
from rag.types import Answer

EVAL = Path(__file__).parents[2] / "data" / "eval"
OUT = Path(__file__).parent / "out"


@dataclass(frozen=True)
class Labelled:
    """One question; `facts` is empty where the notes do not answer it."""

    id: str
    kind: str  # answerable, followup, or why the notes do not answer it
    turns: tuple[str, ...]  # the last is the question, the others come before it
    facts: tuple[tuple[str, ...], ...]  # each fact as its alternative wordings, lower-case
    sources: tuple[tuple[str, int | None], ...]  # every place that holds the answer
    group: str = ""  # the id of the question that this one is the twin of, or its own

    @property
    def answerable(self) -> bool:
        return bool(self.facts)


def load(path: Path, split: str | None = None) -> list[Labelled]:
    """The questions of one JSONL file, of one half ('dev' or 'test') or all of it."""
    kinds = {"answerable.jsonl": "answerable", "followups.jsonl": "followup"}
    found = []
    for line in path.read_text("utf-8").splitlines():
        one = json.loads(line)
        if split and one.get("split", split) != split:
            continue
        places = [
            tuple(place) if isinstance(place, list) else (place, None) for place in one.get("sources", [])
        ]
        found.append(
            Labelled(
                one["id"],
                one.get("kind") or kinds[path.name],
                tuple(one.get("turns") or [one["question"]]),
                tuple(tuple(fact) for fact in one.get("facts", [])),
                tuple(places),
                one.get("twin", one["id"]),
            )
        )
    return found


def own(split: str) -> list[Labelled]:
    """All questions on our own unit, of one half."""
    kinds = ("answerable", "unanswerable", "followups")
    names = [f"{more}{kind}.jsonl" for more in ("", "more_") for kind in kinds]  # more_*: dev only
    return [one for name in [*names, "premises.jsonl", "twins.jsonl"] for one in load(EVAL / name, split)]


def facts_found(one: Labelled, answer: str) -> int:
    """How many of the question's facts the answer states; spaces and dashes do not matter."""
    text = plain(answer)
    return sum(any(plain(wording) in text for wording in fact) for fact in one.facts)


def right_source(one: Labelled, answer: Answer) -> bool:
    """Whether a cited place is among those that hold the answer; the page counts where one is given."""
    return cites(one.sources, places(answer))


def wrong_sources(one: Labelled, answer: Answer) -> int:
    """How many citations name a place that is not among those that hold the answer."""
    pages = set(one.sources)
    files = {source for source, page in one.sources if page is None}
    return sum(
        citation.source not in files and (citation.source, citation.page) not in pages
        for citation in answer.citations
    )
