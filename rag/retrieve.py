"""Find the passages for a question: dense vectors, BM25 and late interaction, their scores added.

Passage vectors, the best sentence vector and BM25 (Robertson and Zaragoza 2009) rank everything. Each
score is standardised over the passages searched, per question, before it is added: what counts is how
far a passage stands out, not the unit of its score. The first are then looked at closely and ranked
again by all their scores, with fitted weights (rag/closely.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import PrivateAttr

from ingest.duplicates import seen_from
from ingest.errors import BadRequest
from ingest.passages import StoredPassages
from ingest.store import Index, searchable, tokens
from ingest.types import Encoder, Hit, Passage
from rag.closely import FEATURES, closely, features, weighed
from rag.filters import Filter, filters, inside, stands_inside
from rag.query import parts
from rag.rerank import Reranker
from rag.score import first, standardised
from rag.wording import in_other_forms, read_as, well_spelled

LOOKED_AT = 120  # of the passages that a large index points at, those that can be among the hits
CLOSELY = 50  # passages that are looked at closely
ENCODED = 20  # the same where the index left out the token vectors, so that they are made now
RERANKED = 20  # passages that a reranker reads
# Review questions are near every question and answer none, so they come after what explains.
QUIZ_PENALTY = 3.0  # of a reranker's standardised score
_OPTION = re.compile(r"\s*(?:[-*•] )?(?:[a-h][).]|(?P<answer>Answer)\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Retriever:
    """Searches one open index with the encoder that made it."""

    index: Index
    encoder: Encoder
    reranker: Reranker | None = None

    @cached_property
    def rarity(self) -> np.ndarray:
        """float32 (highest token id + 2,): log(1 + N / (1 + df)) over passages; the last for unseen ids."""
        if self.index.sample is not None:
            counted = np.append(self.index.sample.seen, 0)
            return np.log1p(len(self.index.passages) / (1.0 + counted)).astype(np.float32)
        ids, start = self.index.token_ids, self.index.token_start
        seen = np.zeros(int(ids.max(initial=0)) + 2, np.int64)
        for row in range(len(self.index.passages)):
            seen[np.unique(ids[start[row] : start[row + 1]])] += 1
        return np.log1p(len(self.index.passages) / (1.0 + seen)).astype(np.float32)

    @cached_property
    def quizzes(self) -> np.ndarray:
        """bool (passages,): those that ask more than they say."""
        return np.array([asks(passage) for passage in self.index.passages], bool)

    def _asking(self, rows: np.ndarray) -> np.ndarray:
        if isinstance(self.index.passages, StoredPassages):
            return np.array([asks(self.index.passages[row]) for row in rows], bool)
        return self.quizzes[rows]

    def read_as(self, question: str) -> str:
        """The question as these notes would spell it: 'Al' for 'AI' where they speak of AI."""
        return read_as(self.index, question)

    def searched_as(self, question: str) -> tuple[str, ...]:
        """What is searched for in its place: every question in it, typing errors put right,
        abbreviations beside what they mean."""
        asked = parts(well_spelled(self.index, self.encoder, self.read_as(question)))
        return tuple(in_other_forms(self.index, part) for part in asked)

    @cached_property
    def places(self) -> dict[str, int]:
        """Row of each passage by its content id."""
        return {passage.id: row for row, passage in enumerate(self.index.passages)}

    def row(self, passage: Passage) -> int:
        """Where in the index the passage stands."""
        passages = self.index.passages
        return passages.row(passage.id) if isinstance(passages, StoredPassages) else self.places[passage.id]

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The files in the index, sorted."""
        if isinstance(self.index.passages, StoredPassages):
            return self.index.passages.sources()
        found = {passage.source for passage in self.index.passages}
        found |= {place.source for passage in self.index.passages for place in passage.also}
        return tuple(sorted(found))

    def search(self, question: str, k: int = 5, sources: tuple[str, ...] = ()) -> list[Hit]:
        """The k best passages, best first; only from `sources` (rag/filters.py) unless that is empty.

        Raises BadRequest where a source is not in the index.
        """
        chosen = filters(sources, self.sources) if sources else ()
        rows = self._rows(chosen)
        if not len(rows) or k < 1:
            return []
        found = [self._best(part, rows, chosen, k) for part in self.searched_as(question)]
        return in_turn(found)[:k]

    def _best(self, question: str, rows: np.ndarray, chosen: tuple[Filter, ...], k: int) -> list[Hit]:
        scores = self.scores(question, rows)
        order = np.argsort(-scores.total, kind="stable")[:k]
        return [
            Hit(
                passage=seen_from(self.index.passages[scores.rows[place]], lambda at: inside(at, chosen)),
                score=float(scores.total[place]),
                dense=float(max(scores.passage[place], scores.sentence[place])),
                late=float(scores.late[place]),
                sentence=int(scores.best[place]),
            )
            for place in order
        ]

    def scores(self, question: str, rows: np.ndarray) -> Scores:
        """Every score of every passage in `rows` (int, ascending, at least one) for the question.

        Of a large index only those of the passages that may be among the best.
        """
        vector = self.encoder.encode([question])
        words = [word for word in tokens(question) if word in self.index.bm25.vocab_dict]
        found = first(self.index, vector, words, rows)
        best = np.argsort(-found.total, kind="stable")
        if self.index.sample is not None:
            found = found.only(best[:LOOKED_AT])
            best = np.arange(len(found.rows))
        looked_at = best[: CLOSELY if len(self.index.token_vectors) else ENCODED]
        seen = found.rows[looked_at]
        close = closely(self.index, self.encoder, self.rarity, question, seen)
        known = np.zeros((len(found.rows), len(FEATURES)), np.float32)
        known[looked_at] = features(found.z[looked_at], close, self._asking(seen))
        ranked = weighed(known[looked_at])
        # What was not looked at keeps its place behind what was.
        total = found.total - found.total[looked_at].min() + ranked.min()
        total[looked_at] = ranked
        if self.reranker:
            reranked = np.argsort(-total, kind="stable")[:RERANKED]
            chosen = found.rows[reranked]
            texts = [searchable(self.index.passages[row]) for row in chosen]
            read = standardised(self.reranker.scores(question, texts))
            read -= QUIZ_PENALTY * self._asking(chosen)
            total[reranked] = read - read.min() + total.max() + 1  # all of them before all others
        return Scores(total, found.passage, found.sentence, found.lexical, found.best, found.rows, known)

    def sentence_cosines(self, question: str, passages: Sequence[Passage]) -> list[np.ndarray]:
        """Per passage float32 (its sentences,): cosine of each with the question, or its nearest part."""
        vectors = self.encoder.encode(parts(question))
        owner = self.index.sentence_owner  # ascending: sentences were added passage by passage
        found = []
        for passage in passages:
            row = self.row(passage)
            start, end = np.searchsorted(owner, [row, row + 1])
            held = self.index.sentence_vectors.reconstruct_batch(np.arange(start, end))
            cosines = np.zeros(len(passage.sentences), np.float32)
            cosines[self.index.sentence_place[start:end]] = (held @ vectors.T).max(axis=1)
            found.append(cosines)
        return found

    def _rows(self, chosen: tuple[Filter, ...]) -> np.ndarray:
        passages = self.index.passages
        if not chosen:
            return np.arange(len(passages))
        found: set[int] = set()
        for one in chosen:
            rows: Iterable[int] = range(len(passages))
            if isinstance(passages, StoredPassages):
                rows = passages.rows(tuple(one.files)).tolist()
            if one.pages or not isinstance(passages, StoredPassages):
                rows = [row for row in rows if stands_inside(passages[row], (one,))]
            if not rows:
                raise BadRequest(f"Nothing in the index stands on '{one.said}': are these pages of the file?")
            found.update(rows)
        return np.array(sorted(found), np.int64)


@dataclass(frozen=True, slots=True)
class Scores:
    """Per passage scored, all float32 (n,) but `best`, int32 (n,), `rows`, int (n,), and `features`."""

    total: np.ndarray
    passage: np.ndarray  # cosine
    sentence: np.ndarray  # cosine of the best sentence
    lexical: np.ndarray  # BM25
    best: np.ndarray  # the place of its best sentence
    rows: np.ndarray  # its row in the index
    features: np.ndarray  # float32 (n, len(FEATURES)): what is weighed; 0 for those not looked at closely

    @property
    def late(self) -> np.ndarray:
        """Late interaction over the whole passage; 0 for those not looked at closely."""
        return self.features[:, FEATURES.index("late")]


def in_turn(found: Sequence[list[Hit]]) -> list[Hit]:
    """The hits of several questions as one list: the best of each, then the next of each; none twice."""
    if len(found) == 1:
        return found[0]
    hits: dict[str, Hit] = {}
    lowest = float("inf")
    for some in zip_longest(*found):
        for hit in some:
            if hit is not None and hit.passage.id not in hits:
                lowest = min(lowest, hit.score)  # what comes later is never said to be better
                hits[hit.passage.id] = replace(hit, score=lowest)
    return list(hits.values())


def asks(passage: Passage) -> bool:
    """Whether a passage asks more than it says: review questions, a quiz."""
    asking = sum(one.rstrip().endswith("?") or is_option(one) for one in passage.sentences)
    return asking * 2 >= len(passage.sentences) > 0


def is_option(sentence: str) -> bool:
    """Whether the line is an option of a multiple-choice question, or its answer."""
    return _OPTION.match(sentence) is not None


def offered(passage: Passage) -> frozenset[int]:
    """Places of what multiple-choice questions offer: options that follow a question, and a stem that they
    complete. The notes do not say so: most options are wrong."""
    found: set[int] = set()
    stem = -1
    for place, sentence in enumerate(passage.sentences):
        line = sentence.rstrip()
        option = _OPTION.match(line)
        if option is None or option["answer"]:
            stem = place if line.endswith(("?", "...", "…", "__")) else -1
        elif stem >= 0:
            found.add(place)
            if not passage.sentences[stem].rstrip().endswith("?"):
                found.add(stem)
    return frozenset(found)


def neighbours(retriever: Retriever, hits: list[Hit], sources: tuple[str, ...] = ()) -> list[Hit]:
    """`hits` with what follows the first one in the same section put right behind it.

    A list or a table that is longer than a passage goes on in the next one. What is outside `sources`,
    those of the search, stays out.
    """
    if not hits:
        return hits
    best = hits[0].passage
    row = retriever.row(best) + 1
    if row >= len(retriever.index.passages):
        return hits
    after = retriever.index.passages[row]
    if after.source != best.source or after.heading != best.heading or not best.heading:
        return hits
    if sources and not inside(after, filters(sources, retriever.sources)):
        return hits
    rest = [hit for hit in hits[1:] if hit.passage.id != after.id]
    return [hits[0], replace(hits[0], passage=after, sentence=0), *rest]


class NotesRetriever(BaseRetriever):
    """The same search as a LangChain retriever, for chains that are not ours."""

    k: int = 5
    _retriever: Retriever = PrivateAttr()

    def __init__(self, retriever: Retriever, k: int = 5) -> None:
        super().__init__(k=k)  # type: ignore[call-arg]  # pydantic fills in the fields
        self._retriever = retriever

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [_document(hit.passage, hit.score) for hit in self._retriever.search(query, self.k)]


def _document(passage: Passage, score: float) -> Document:
    return Document(
        page_content=passage.text,
        id=passage.id,
        metadata={
            "source": passage.source,
            "page": passage.page,
            "heading": passage.title,
            "score": score,
        },
    )
