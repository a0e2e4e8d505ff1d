"""The hidden state of the last token read, after one decoder layer: what a probe is fitted on.

Alain and Bengio 2016 (arXiv 1610.01644) name linear probes; which layer knows what is measured by
who fits one. The model's calls come from several threads in turn, so each thread sees its own.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from rag.engines.reading import Reading


class Judgement(NamedTuple):
    """What a model makes of a claim after its evidence."""

    logits: list[float]  # of the words asked for, as what it would say next
    likelihood: np.ndarray  # float32 (tokens of the claim,): log-probability of each, natural
    states: list[np.ndarray]  # float32 (width,), of the last token, after each layer asked for


class LastState:
    """Keeps the state (width,) float32 that the last call of the model left, per thread."""

    def __init__(self, model: Any, layer: int) -> None:
        """`layer` counts the model's decoder layers from 0. Raises IndexError where there is none such."""
        self._own = threading.local()
        model.get_decoder().layers[layer].register_forward_hook(self._keep)

    def _keep(self, _module: Any, _inputs: Any, output: Any) -> None:
        hidden = output[0] if isinstance(output, tuple) else output  # (1, tokens, width)
        self._own.state = hidden[0, -1].detach().float().cpu().numpy()

    def take(self) -> np.ndarray:
        """The state of this thread's last call; (0,) if there was none since the last take."""
        state: np.ndarray = getattr(self._own, "state", np.zeros(0, np.float32))
        self._own.state = np.zeros(0, np.float32)
        return state


def judgements(
    evidence: Reading,
    claims: Sequence[tuple[list[int], list[int]]],
    words: list[int],
    lasts: list[LastState],
    halt: threading.Event | None = None,
) -> list[Judgement]:
    """What the model makes of each claim after `evidence`, and says after what follows it.

    `claims` are the tokens of each and of what follows (not empty); `words` those whose logits are wanted.
    `evidence` is read on and taken back. Empty where halted before the end.
    """
    before = evidence.logits
    found = []
    for claim, rest in claims:
        after = evidence.step_ahead([*claim, *rest], halt) if len(before) else before
        if not len(after):
            return []
        said = torch.cat([before[None], after[: len(claim) - 1]])[: len(claim)].float().log_softmax(-1)
        each = said.gather(1, torch.tensor(claim, device=said.device)[:, None])[:, 0]
        logits = [float(after[-1][word]) for word in words]
        found.append(Judgement(logits, each.cpu().numpy(), [last.take() for last in lasts]))
        evidence.drop(len(claim) + len(rest))
    return found


def likelihoods(
    before: Reading, texts: list[list[int]], halt: threading.Event | None = None
) -> list[np.ndarray]:
    """Per text float32 (its tokens,): the log-probability (natural) of each token after `before`.

    Empty where halted before the end.
    """
    first = before.logits
    found = []
    for tokens in texts:
        after = before.step_ahead(tokens, halt) if len(first) else first
        if not len(after):
            return []
        said = torch.cat([first[None], after[:-1]]).float().log_softmax(-1)
        found.append(said.gather(1, torch.tensor(tokens, device=said.device)[:, None])[:, 0].cpu().numpy())
        before.drop(len(tokens))
    return found
