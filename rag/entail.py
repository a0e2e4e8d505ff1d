"""An entailment cross-encoder in the language model's place, for those who have one (`--entailment`).

It reads evidence and claim together and was trained to tell entailment from contradiction (natural
language inference: Bowman et al. 2015, arXiv 1508.05326). None is installed with Unitutor: any of
sentence-transformers' with three labels serves. What is not here: choosing the evidence (rag/evidence.py).
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np

from ingest.errors import ModelUnusable
from rag.crossencoder import line, load_cross_encoder


class Verdict(NamedTuple):
    """Probabilities; what is left is neutral."""

    entailed: float
    contradicted: float


class Entailment:
    """A CrossEncoder with labels for entailment and contradiction. Safe to share by threads."""

    def __init__(self, model: Any, entailment: int, contradiction: int) -> None:
        """The places of the two labels among the model's."""
        self._model, self._places = model, (entailment, contradiction)
        self._lock = threading.Lock()

    def verdict(self, evidence: str, claim: str) -> Verdict:
        """What the evidence makes of the claim. Raises ModelUnusable where the model fails."""
        from torch.nn import Identity

        try:
            with self._lock:
                found = self._model.predict(
                    [(evidence, claim)], show_progress_bar=False, activation_fn=Identity()
                )
        except Exception as err:  # torch and tokenizers each have their own word for a bad model
            raise ModelUnusable(f"the entailment model failed: {line(err)}") from err
        logits = np.asarray(found, np.float64)[0]
        if not np.isfinite(logits).all():
            raise ModelUnusable("the entailment model gives no number for a sentence: choose another")
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        return Verdict(*(float(chances[place]) for place in self._places))


def load_entailment(model: str, offline: bool = True) -> Entailment:
    """The cross-encoder in a local folder, or of a Hugging Face id that was downloaded before.

    Raises ModelUnusable if there is none, it cannot be loaded, or it has no labels of entailment.
    """
    loaded = load_cross_encoder(model, "entailment model", offline)
    labels = {str(name).lower(): place for place, name in loaded.config.id2label.items()}
    places = [
        next((int(place) for name, place in labels.items() if name.startswith(word)), None)
        for word in ("entail", "contradict")
    ]
    if places[0] is None or places[1] is None:
        raise ModelUnusable(
            f"{model!r} is no entailment model: its labels are {', '.join(labels)}, "
            "not entailment, neutral and contradiction"
        )
    return Entailment(loaded, places[0], places[1])
