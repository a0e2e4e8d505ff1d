"""A study guide: the notes' outline by headings, under each the sentences that tell most, word for word.

Sentences are chosen by centrality, the cosine with the mean of their section's and their file's
vectors (centroids as in MEAD, Radev et al. 2004), and by maximal marginal relevance (Carbonell and
Goldstein 1998), which takes off for what was already said. Nothing is generated. What is not here: tables
and formulas, which no sentence stands for, and how a guide is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.errors import BadRequest
from ingest.sentences import is_row
from ingest.types import Encoder, Passage, Progress, silent
from rag.claims import bare, is_claim
from rag.injection import injected
from rag.items.terms import definitions
from rag.items.types import Evidence
from rag.retrieve import asks, is_option
from rag.study import evidence

RELEVANCE = 0.7  # of MMR: the rest is novelty
DEFINES = 0.15  # added to a sentence that defines a term
SECTION = 0.6  # share of the section's centroid, beside the file's
REPEATS = 0.92  # cosine from which a sentence says again what another section's said
WORDS = (6, 45)  # a shorter sentence says little by itself, a longer one does not tell at a glance
_LEANS = re.compile(
    r"(?i)^(?:it|its|they|their|this|that|these|those|he|she|his|her|here|there|such|each|both|so|but|and|"
    r"then|thus|"
    r"hence|instead|however|for example|for instance|also|otherwise|together|what|who|if|with|in this|"
    r"examples?:|two|three|four|several|mostly|"
    r"the (?:first|second|third|two|other|latter|former|result|next))\b"
)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the notes, and what to know of it."""

    title: str
    depth: int  # 1 for the outermost heading of a file
    lines: tuple[Evidence, ...]  # in the order of the notes; () for a heading that only holds others


@dataclass(frozen=True, slots=True)
class Guide:
    """The outline of one file."""

    source: str
    sections: tuple[Section, ...]


def guides(
    passages: Sequence[Passage], encoder: Encoder, most: int = 3, progress: Progress = silent
) -> tuple[Guide, ...]:
    """A guide for each file of the passages, in their order, with up to `most` sentences a heading.

    Raises BadRequest where no sentence states anything.
    """
    files: dict[str, list[Passage]] = {}
    for passage in passages:
        files.setdefault(passage.source, []).append(passage)
    found = []
    for number, (source, own) in enumerate(files.items()):
        progress("Reading for the guide", number, len(files))
        if sections := _sections(own, encoder, most):
            found.append(Guide(source, sections))
    if not found:
        raise BadRequest("These notes hold no sentences to make a guide of: name others.")
    return tuple(found)


def _sections(passages: Sequence[Passage], encoder: Encoder, most: int) -> tuple[Section, ...]:
    grouped: dict[tuple[str, ...], list[Evidence]] = {}
    for passage in passages:
        grouped.setdefault(passage.heading, []).extend(_candidates(passage))
    lines = [line for group in grouped.values() for line in group]
    if not lines:
        return ()
    vectors = encoder.encode([bare(line.quote) for line in lines])
    defining = {(one.passage.id, one.text) for one in definitions(passages)}
    bonus = np.array([DEFINES * ((line.passage_id, line.quote) in defining) for line in lines], np.float32)
    whole = _unit(vectors.mean(axis=0))
    picked: dict[tuple[str, ...], list[int]] = {}
    at = 0
    said = np.zeros((0, vectors.shape[1]), np.float32)
    for heading, group in grouped.items():
        rows = vectors[at : at + len(group)]
        if len(group):
            score = SECTION * (rows @ _unit(rows.mean(axis=0))) + (1 - SECTION) * (rows @ whole)
            places = _chosen(rows, score + bonus[at : at + len(group)], most, said)
            picked[heading] = places
            said = np.vstack([said, rows[places]])
        at += len(group)
    return _outline(grouped, picked)


def _chosen(rows: np.ndarray, score: np.ndarray, most: int, said: np.ndarray) -> list[int]:
    """Rows by maximal marginal relevance, without those that repeat `said`, in their order."""
    free = list(range(len(rows)))
    if len(said):
        free = [row for row in free if float((said @ rows[row]).max()) < REPEATS]
    taken: list[int] = []
    while free and len(taken) < most:
        near = (rows[taken] @ rows[free].T).max(axis=0) if taken else np.zeros(len(free), np.float32)
        worth = RELEVANCE * score[free] - (1 - RELEVANCE) * near
        best = int(worth.argmax())
        if taken and near[best] >= REPEATS:
            free.pop(best)
            continue
        taken.append(free.pop(best))
    return sorted(taken)


def _outline(
    grouped: dict[tuple[str, ...], list[Evidence]], picked: dict[tuple[str, ...], list[int]]
) -> tuple[Section, ...]:
    """Sections with lines, and the headings above them, each once and in order."""
    found: list[Section] = []
    shown: set[tuple[str, ...]] = set()
    for heading, group in grouped.items():
        places = picked.get(heading, [])
        if not places:
            continue
        for depth in range(1, len(heading)):
            if heading[:depth] not in shown:
                shown.add(heading[:depth])
                found.append(Section(heading[depth - 1], depth, ()))
        shown.add(heading)
        title = heading[-1] if heading else ""
        found.append(Section(title, max(1, len(heading)), tuple(group[place] for place in places)))
    return tuple(found)


def _candidates(passage: Passage) -> list[Evidence]:
    """The sentences that state something by themselves."""
    if asks(passage):
        return []
    out = injected(passage)
    kept = []
    for place, sentence in enumerate(passage.sentences):
        count = len(sentence.split())
        plain = bare(sentence)
        if place in out or is_row(sentence) or is_option(sentence) or not WORDS[0] <= count <= WORDS[1]:
            continue
        if not is_claim(plain) or _LEANS.match(plain) or "$$" in plain or plain[-1:] not in ".!)”\"’'":
            continue
        kept.append(evidence(passage, sentence))
    return kept


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector
