"""The hidden state of the last token read, after one decoder layer: what a probe is fitted on.

Alain and Bengio 2016 (arXiv 1610.01644) name linear probes; which layer knows what is measured by
who fits one. The model's calls come from several threads in turn, so each thread sees its own.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np


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
