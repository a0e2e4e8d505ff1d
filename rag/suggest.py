"""A question that the notes do answer, near one that they don't, made without the language model.

Terms that a sentence near the question explains ('A latent space is …', 'Mode collapse: the …') and
headings that one defines become questions; the nearest that a search of the notes answers is suggested.
What is not here: any proof that the model will answer it well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.sentences import is_row
from ingest.types import Hit, Passage
from rag import gate
from rag.followup import content_stems
from rag.injection import trusted
from rag.retrieve import Retriever, asks
from rag.starters import FURNITURE, LONGEST, defines, mid_sentence, starters, topics

TRIED = 6  # candidates that are searched for
BEGINNING = 500  # passages that a question to begin with is taken from
FURTHER = 24  # passages looked at where the nearest explain nothing
_IS = re.compile(
    r"^(?P<term>(?:(?:An?|The)\s+)?[A-Za-z][\w\-/ ]{1,48}?)(?:\s\((?P<short>[^()]{2,20})\))?,?\s+"
    r"(?P<verb>is|are)\s+(?:also called |called )?(?:an?|the|any|one)\s"
)
_COLON = re.compile(r"^(?P<term>[A-Z][\w\-/ ]{2,40}?)(?: \([^()]{2,20}\))?: (?:an?|the|one)\s")
_EMPTY = re.compile(
    r"(?i)^(?:(?:an?|the)\s+)?(?:it|its?|they|this|that|these|those|there|here|what|which|who|when|where|why|how|if|"
    r"each|every|both|all|one|two|three|some|another|other|first|second|third|last|next|result|reason|idea|"
    r"question|answer|step|stage|task|goal|aim|limit|best|main|most|output|price|same|in|at|for|with|on|of|"
    r"usual|common|typical|real|simple|used|example|difference|problem|picture)\b"
)
_SENTENCE = re.compile(
    r"(?i)\b(?:that|which|who|is|are|was|were|can|may|has|have|not|than|then|and|or|but)\b"
)


def suggestion(
    question: str, hits: Sequence[Hit], retriever: Retriever, sources: tuple[str, ...] = ()
) -> str:
    """A question near `question` that the notes answer, or one to begin with; '' where there is none.

    `hits`: what was found for it. `sources`: what was searched, see rag/filters.py.
    """
    asked = content_stems(question)
    seen: set[str] = set()
    for count in (len(hits), FURTHER):
        if not hits:
            return ""
        near = hits if count == len(hits) else retriever.search(question, FURTHER, sources)
        found = [
            one
            for one in candidates([hit.passage for hit in near])
            if one not in seen and content_stems(one) != asked
        ]
        seen.update(found)
        for one in _nearest(question, found, retriever)[:TRIED]:
            if answered(one, retriever, sources):
                return one
    if sources:
        return ""
    # Nothing near is sure: what the notes begin with, short questions first: a small model answers them best.
    begun = sorted(starters(retriever.index.passages[:BEGINNING]), key=lambda one: len(one.split()))
    return next((one for one in begun if content_stems(one) != asked and answered(one, retriever)), "")


def candidates(passages: Sequence[Passage]) -> list[str]:
    """A question for each thing that the passages explain, each once."""
    found: dict[str, str] = {}
    bare = [trusted(passage) for passage in passages if not asks(passage)]
    words = {word for passage in bare for word in re.findall(r"[a-z]+", passage.text)}
    for passage in bare:
        for sentence in passage.sentences:
            for term, one in _explained(sentence, words):
                found.setdefault(term.lower(), one)
    lines = [sentence for passage in bare for sentence in passage.sentences]
    for topic in topics(bare):
        if any(defines(line, topic) for line in lines):
            found.setdefault(topic.lower(), f"What is meant by {topic}?")
    return [one for one in found.values() if len(one) <= LONGEST]


def _explained(sentence: str, words: set[str]) -> Iterator[tuple[str, str]]:
    """The thing that a sentence explains, and the question for it."""
    if is_row(sentence):
        return
    found = _IS.match(sentence) or _COLON.match(sentence)
    if not found:
        return
    term = found["term"].strip()
    bare = re.sub(r"(?i)^(?:an?|the)\s+", "", term)
    if _EMPTY.match(term) or _SENTENCE.search(bare) or FURNITURE.search(bare) or len(bare.split()) > 4:
        return
    if len(bare) < 3 and not bare.isupper():
        return
    article = term[: len(term) - len(bare)].lower()
    name = bare if bare.isupper() else mid_sentence(bare, words)
    verb = found.groupdict().get("verb")
    yield name, f"What {verb} {article}{name}?" if verb else f"What is meant by {name}?"


def _nearest(question: str, found: Sequence[str], retriever: Retriever) -> list[str]:
    if not found:
        return []
    vectors = retriever.encoder.encode([question, *found])
    near = vectors[1:] @ vectors[0]
    return [found[place] for place in sorted(range(len(found)), key=lambda at: -float(near[at]))]


def answered(question: str, retriever: Retriever, sources: tuple[str, ...] = ()) -> bool:
    """Whether what is found for the question says by itself, beyond doubt, that the notes answer it."""
    hits = retriever.search(question, 3, sources)
    return bool(hits) and not asks(hits[0].passage) and gate.sure(gate.signals(hits))
