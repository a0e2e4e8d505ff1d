"""A question in the words of an index: what its vocabulary and its definitions make of one.

What is not here: the rules themselves (rag/query.py), and searching (rag/retrieve.py).
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from ingest.repair import ai_for_al
from ingest.store import Index
from ingest.types import Encoder
from rag.followup import content_stems
from rag.query import definitions, spelled, with_other_forms

LOOKED_UP = 200  # passages in which a question's abbreviations are looked up


def read_as(index: Index, question: str) -> str:
    """The question as these notes would spell it: 'Al' for 'AI' where they speak of AI."""
    return ai_for_al(question) if "ai" in index.bm25.vocab_dict else question


def well_spelled(index: Index, encoder: Encoder, question: str) -> str:
    """The question with typing errors put right by the index's vocabulary.

    A word that the encoder knows as one word piece is English, and left as it is.
    """
    return spelled(
        question,
        lambda stem: len(_rows(index, stem)),
        lambda word: len(encoder.encode_tokens([word])[0][0]) == 1,
    )


def in_other_forms(index: Index, question: str) -> str:
    """The question with what the notes say its abbreviations stand for, and the other way round."""
    rarest = sorted(content_stems(question), key=lambda stem: (len(_rows(index, stem)), stem))
    rows = dict.fromkeys(int(row) for stem in rarest for row in _rows(index, stem)[:LOOKED_UP])
    texts = (index.passages[row].text for row in islice(rows, LOOKED_UP))
    return with_other_forms(question, (pair for text in texts for pair in definitions(text)))


def _rows(index: Index, stem: str) -> np.ndarray:
    """int (n,), ascending: the passages in which the stem stands."""
    word = index.bm25.vocab_dict.get(stem)
    if word is None:
        return np.zeros(0, np.int32)
    scores: Any = index.bm25.scores
    return np.asarray(scores["indices"][scores["indptr"][word] : scores["indptr"][word + 1]])
