"""Which sentence of an answer is supported by which quote, in milliseconds.

Lexical and embedding evidence only: how much of a claim's wording a passage holds (content stems
and bigrams), how near its token vectors are (late interaction), and whether every number and name
of it stands there. What this file does not know: entailment. A claim that turns a passage's words
round passes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ingest.context import contexts
from ingest.sentences import sentences
from ingest.store import searchable, tokens
from ingest.types import Encoder, Passage
from rag.followup import content_stems, content_words
from rag.types import MARKER, Label, Sentence

SUPPORTED, PARTLY = 0.62, 0.45  # least support for each label; below, unsupported
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"\b[A-Z][A-Za-z]*[A-Z0-9][A-Za-z0-9-]*\b|(?<![.!?:\n•-] )(?<!^)\b[A-Z][a-z]{2,}\b")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage prepared for checking claims against it."""

    marker: int
    passage: Passage
    stems: frozenset[str]
    bigrams: frozenset[tuple[str, str]]
    vectors: np.ndarray  # float32 (tokens, dim), unit


def evidence(marker: int, passage: Passage, encoder: Encoder) -> Evidence:
    """`passage` (its heading counts as its words) as evidence under `marker`."""
    text = searchable(passage)
    words = tokens(text)
    vectors = encoder.encode_tokens([text])[0][1]
    return Evidence(marker, passage, frozenset(words), frozenset(pairwise(words)), vectors)


def check(claim: str, held: Sequence[Evidence], encoder: Encoder, question: str = "") -> Sentence:
    """The claim (one sentence, markers and all) with its support, label and markers.

    Its own markers are kept only where the passage supports it; otherwise the passage that
    supports it best is named. Words of the `question` are no evidence for numbers.
    """
    bare = _BULLET.sub("", MARKER.sub("", claim)).strip()
    if not is_claim(bare):
        return Sentence(bare, 1.0, "not-a-claim", ())
    ids, asked = encoder.encode_tokens([bare])[0]
    words = tokens(bare)
    stems = content_stems(bare) or set(words)
    pairs = list(pairwise(words))
    scores: list[float] = []
    for one in held:
        coverage = len(stems & one.stems) / len(stems)
        copied = sum(pair in one.bigrams for pair in pairs) / len(pairs) if pairs else coverage
        near = float((asked @ one.vectors.T).max(axis=1).mean()) if len(ids) and len(one.vectors) else 0.0
        scores.append(0.45 * coverage + 0.2 * copied + 0.35 * near)
    if not scores:
        return Sentence(bare, 0.0, "unsupported", ())
    invented = new_facts(bare, [one.passage for one in held], question)
    best = int(np.argmax(scores))
    support = scores[best] * (0.4 if invented else 1.0)
    label: Label = "supported" if support >= SUPPORTED else "partly" if support >= PARTLY else "unsupported"
    markers: tuple[int, ...] = ()
    if label != "unsupported":
        own = {int(number) for group in MARKER.findall(claim) for number in group.split(",")}
        close = [place for place, score in enumerate(scores) if score >= scores[best] - 0.05]
        kept = [held[place].marker for place in close if held[place].marker in own]
        markers = tuple(kept) or (held[best].marker,)
    return Sentence(bare, round(min(support, 1.0), 3), label, markers)


def is_claim(text: str) -> bool:
    """Whether a sentence states something: not a greeting, a heading or a line that leads into a list."""
    if not content_words(text) or text.rstrip().endswith((":", "?")):
        return False
    return not re.match(r"(?i)(sure|certainly|of course|here (is|are)|i hope|let me know)\b", text)


def new_facts(claim: str, held: Sequence[Passage], question: str = "") -> list[str]:
    """The numbers and names of `claim` that the passages `held` do not back.

    A number must stand in a sentence that shares a word with the claim, so that the year of one
    thing is not taken for another's; a name must stand anywhere, or in the question.
    """
    found: list[str] = []
    words = set(content_words(claim))
    for number in NUMBER.findall(claim):
        with_it = (
            line
            for passage in held
            for line, sentence in zip(contexts(passage), passage.sentences, strict=True)
            if holds_number(sentence, number) and words & (set(content_words(line)) - {number})
        )
        if next(with_it, None) is None:
            found.append(number)
    lowered = "\n".join(map(searchable, held)).lower()
    asked = question.lower()
    for name in _NAME.findall(claim):
        word = name.lower()
        known = word in lowered or word.rstrip("s") in lowered or word in asked
        if not known and not _abbreviates(name, claim):
            found.append(name)
    return found


def _abbreviates(name: str, claim: str) -> bool:
    """Whether `name` is the initials of words that stand in the claim, as in 'deep belief network (DBN)'."""
    letters = name.rstrip("s").lower()
    initials = "".join(word[0] for word in re.findall(r"[^\W\d_][\w]*", claim)).lower()
    return name.rstrip("s").isupper() and len(letters) > 1 and letters in initials


def holds_number(notes: str, number: str) -> bool:
    """Whether `number` stands in `notes` as a number of its own, not inside another."""
    return re.search(rf"(?<![\d.]){re.escape(number.rstrip('.,'))}(?![\d]|\.\d)", notes) is not None


def best_quote(claim: str, passage: Passage, encoder: Encoder) -> str:
    """The sentence of `passage` that is nearest to `claim`, verbatim."""
    if not passage.sentences:
        return passage.text
    vectors = encoder.encode([claim, *passage.sentences])
    return passage.sentences[int(np.argmax(vectors[1:] @ vectors[0]))]


def spans(text: str) -> list[tuple[int, int]]:
    """Where each sentence or list item of `text` starts and ends."""
    found: list[tuple[int, int]] = []
    cursor = 0
    for sentence in sentences(text):
        start = text.find(sentence, cursor)
        if start >= 0:
            cursor = start + len(sentence)
            found.append((start, cursor))
    return found
