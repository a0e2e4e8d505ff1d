"""A check that goes by single words: what a text's sentences are said to be, without a model."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ingest.errors import ModelUnusable
from rag.claims import spans
from rag.types import Label, Quote, Sentence

QUOTE = Quote("A GAN trains two networks against each other.", "unit-1.pdf", 7, "a1", 0.9)
OTHER = Quote("The two play a minimax game.", "slides/training.pptx", 12, "b2", 0.6)
FOUND: tuple[tuple[str, float, Label, tuple[Quote, ...]], ...] = (
    ("two networks", 0.97, "supported", (QUOTE, OTHER)),
    ("game", 0.55, "partly", (OTHER,)),
    ("1995", 0.04, "contradicted", (QUOTE,)),
    ("Hello", 1.0, "not-a-claim", ()),
)
TEXT = (
    "Hello there! A GAN trains two networks. They play a game of chess. It is from 1995. It likes the moon."
)


class Checker:
    """Stands in for rag.grounding.check_text; `asked` is what it was called with."""

    def __init__(self, pause: float = 0.0) -> None:
        """It thinks `pause` seconds over each sentence."""
        self.pause = pause
        self.asked: list[dict[str, Any]] = []

    def __call__(
        self,
        text: str,
        retriever: Any,
        model: Any = None,
        passages: Sequence[str] | None = None,
        question: str = "",
        halt: threading.Event | None = None,
    ) -> Iterator[Sentence]:
        """Each sentence of the text, told by the words of FOUND."""
        self.asked.append({"text": text, "model": model, "passages": passages, "question": question})
        if "interrupt" in text:
            raise KeyboardInterrupt
        for start, end in spans(text):
            if "explode" in text[start:end]:
                raise ModelUnusable("The model\nbroke: do something.")
            time.sleep(self.pause)
            if halt is not None and halt.is_set():
                return
            yield sentence(text[start:end])


def sentence(text: str) -> Sentence:
    """What the checker says of one sentence: unsupported where it has none of the words."""
    for word, support, label, quotes in FOUND:
        if word in text:
            return Sentence(text, support, label, (), quotes)
    return Sentence(text, 0.1, "unsupported", (), (OTHER,))
