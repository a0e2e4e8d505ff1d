"""A cross-encoder that ranks the first passages once more, for those who have one (`--reranker`).

It reads question and passage together (Nogueira and Cho 2019, arXiv 1901.04085), which vectors made
apart cannot, and takes that much longer. None is installed with Unitutor: any of sentence-transformers'
serves. What is not here: which passages it is shown, and where its order counts (rag/retrieve.py).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ingest.errors import ModelUnusable
from rag.crossencoder import line, load_cross_encoder

BATCH = 8  # pairs in one forward pass: what a laptop's cache holds


class Reranker:
    """A sentence-transformers CrossEncoder with one number a pair. Safe to share by threads."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._lock = threading.Lock()

    def scores(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts),): how well each answers the question, higher is better, in no unit.

        Raises ModelUnusable where the model fails or gives no numbers.
        """
        if not texts:
            return np.zeros(0, np.float32)
        from torch.nn import Identity

        try:
            with self._lock:
                found = self._model.predict(
                    [(question, text) for text in texts],
                    batch_size=BATCH,
                    show_progress_bar=False,
                    activation_fn=Identity(),  # a sigmoid makes the best ones alike
                )
        except Exception as err:  # torch and tokenizers each have their own word for a bad model
            raise ModelUnusable(f"the reranker failed: {line(err)}") from err
        scores = np.asarray(found, np.float32)
        if scores.shape != (len(texts),) or not np.isfinite(scores).all():
            raise ModelUnusable("the reranker gives no number for a passage: choose another")
        return scores


def load_reranker(model: str, offline: bool = True) -> Reranker:
    """The cross-encoder in a local folder, or of a Hugging Face id that was downloaded before.

    Unless `offline` is False, nothing is downloaded. Raises ModelUnusable if there is none, it cannot be
    loaded, or it is a model of another kind.
    """
    loaded = load_cross_encoder(model, "reranker", offline)
    labels = loaded.num_labels
    if labels != 1:
        raise ModelUnusable(f"{model!r} is no reranker: it gives {labels} numbers for a pair, not one")
    return Reranker(loaded)
