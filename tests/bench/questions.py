"""Questions for tests/bench/retrieval.py: labelled ones, SQuAD's, and those made of them for one step."""

from __future__ import annotations

import json
import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ingest.build import vectors_of
from ingest.sentences import sentences
from ingest.split import Splitter
from ingest.store import Index, Manifest, open_index, save
from ingest.types import Encoder, Passage, silent
from ingest.words import tokens
from rag.followup import content_words, search_text
from rag.query import LETTERS, definitions
from rag.types import Turn
from tests.bench.labelled import Labelled, facts_found, own


@dataclass(frozen=True)
class Asked:
    """A question and the rows of its right passages."""

    question: str
    right: frozenset[int]
    parts: tuple[frozenset[int], ...] = ()  # of several questions in one: the right rows of each
    facts: Labelled | None = None

    def holds(self, index: Index, rows: np.ndarray) -> float:
        """The share of the answer's facts that these passages hold together, where they are right ones."""
        if self.facts is None:
            return 0.0
        texts = [index.passages[row] for row in rows if int(row) in self.right]
        said = " ".join(f"{passage.title} {passage.text}" for passage in texts)
        return facts_found(self.facts, said) / len(self.facts.facts)


def labelled(index: Index, split: str) -> Iterator[Asked]:
    """Our own questions, follow-ups as they are searched for."""
    for one in own(split):
        right = frozenset(
            row
            for row, passage in enumerate(index.passages)
            if any(
                source == place.source and page in (None, place.page)
                for source, page in one.sources
                for place in (passage, *passage.also)
            )
            and facts_found(one, f"{passage.title} {passage.text}")
        )
        if right:
            history = [Turn(question, "") for question in one.turns[:-1]]
            yield Asked(search_text(one.turns[-1], history), right, facts=one)


def collected(index: Index, path: Path) -> list[Asked]:
    """The lines {question, passages: [ids]} of a JSONL file, on an index that has these passages.

    Raises ValueError for a line that names a passage that is not in the index.
    """
    rows = {passage.id: row for row, passage in enumerate(index.passages)}
    asked = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        one = json.loads(line)
        if missing := [key for key in one["passages"] if key not in rows]:
            raise ValueError(f"line {number} of {path}: no passage {missing[0]} in the index")
        asked.append(Asked(one["question"], frozenset(rows[key] for key in one["passages"])))
    return asked


def squad(path: Path, encoder: Encoder) -> tuple[Index, list[Asked]]:
    """A SQuAD file's paragraphs as passages, and its answerable questions."""
    passages, asked = [], []
    for article in json.loads(path.read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            row, text = len(passages), paragraph["context"]
            passages.append(Passage(f"{row:016x}", article["title"], None, (), text, tuple(sentences(text))))
            asked += [
                Asked(one["question"].strip(), frozenset((row,)))
                for one in paragraph["qas"]
                if not one.get("is_impossible")
            ]
    return indexed(passages, encoder), asked


def bare(index: Index, encoder: Encoder) -> Index:
    """The same passages without the headings they stand under."""
    return indexed([replace(passage, heading=()) for passage in index.passages], encoder)


def indexed(passages: Sequence[Passage], encoder: Encoder) -> Index:
    """An index of these passages, as they are."""
    vectors = vectors_of(passages, encoder, silent)
    count = sum(len(passage.sentences) for passage in passages)
    manifest = Manifest(encoder.name, encoder.dimension, Splitter(), {}, {}, 0, len(passages), count, "")
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder), passages, vectors, manifest)
        return open_index(Path(folder), encoder)


def mistyped(asked: Sequence[Asked]) -> list[Asked]:
    """The questions with one letter of their longest word lost, doubled, changed or swapped with the next."""
    chance = random.Random(1)
    found = []
    for one in asked:
        words = re.findall(r"[a-z]{6,}", one.question)
        if not words:
            continue
        word = max(words, key=len)
        at = chance.randrange(1, len(word) - 1)
        slip = chance.choice(
            [
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + chance.choice(LETTERS) + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
        if slip != word:
            found.append(replace(one, question=one.question.replace(word, slip, 1)))
    return found


def reworded(index: Index, asked: Sequence[Asked]) -> list[Asked]:
    """The questions with an abbreviation that the notes define in the place of its long form, and back."""
    forms = {short: long for passage in index.passages for short, long in definitions(passage.text)}
    found = []
    for one in asked:
        for short, long in forms.items():
            words = r"\W+".join(map(re.escape, long.split()))
            for pattern, other in (
                (rf"\b{re.escape(short)}(?=s?\b)", long.lower()),
                (rf"\b{words}(?=s?\b)", short),
            ):
                changed = re.sub(pattern, other, one.question, flags=re.IGNORECASE)
                if changed != one.question and tokens(changed) != tokens(one.question):
                    found.append(replace(one, question=changed))
                    break
    return found


def twofold(asked: Sequence[Asked], most: int = 200) -> list[Asked]:
    """Each of the questions and another one of them, as one question."""
    whole = [one for one in asked if re.match(r"(?i)(what|who|how|why|when|where|which)\b", one.question)]
    whole = [one for one in whole if len(content_words(one.question)) > 1]
    chance = random.Random(1)
    others = whole[:]
    chance.shuffle(others)
    found = []
    for first, second in list(zip(whole, others, strict=True))[:most]:
        if not first.right & second.right:
            start = second.question[0].lower() + second.question[1:]
            question = f"{first.question.rstrip(' ?.')} and {start}"
            found.append(Asked(question, first.right | second.right, (first.right, second.right)))
    return found
