"""Keys and values that grow in place: a token is written at the end of a buffer, nothing is copied.

transformers' own growing cache copies all keys and values for every token; its static one has one
length for all texts and attends to what is not there. What this file does not know: tokens.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

Pairs = tuple[torch.Tensor, torch.Tensor]  # keys and values, (layers, heads, tokens, size) each

STEP = 256  # tokens a buffer is longer than it must be, at most


class GrowingLayer(DynamicLayer):
    """One layer's keys and values, each (1, heads, tokens, size): views of the start of a buffer.

    Twins share a buffer. Only the one that made it writes to it, and only after what its twins see.
    """

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self._buffer: torch.Tensor | None = None  # (2, 1, heads, room, size); None where another's
        self._seen = 0  # tokens that a twin may see

    def twin(self) -> GrowingLayer:
        """An independent layer with the same keys and values."""
        self._seen = max(self._seen, self.get_seq_length())
        other = copy(self)
        other._buffer = None
        return other

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append keys and values (1, heads, new, size); all of them, the new ones last."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if self._buffer is None or end > self._buffer.shape[-2]:
            batch, heads, _length, size = key_states.shape
            room = (end // STEP + 1) * STEP
            buffer = key_states.new_empty((2, batch, heads, room, size))
            if start:
                assert self.keys is not None and self.values is not None
                buffer[0, :, :, :start] = self.keys
                buffer[1, :, :, :start] = self.values
            self._buffer, self._seen = buffer, 0
        self._buffer[0, :, :, start:end] = key_states
        self._buffer[1, :, :, start:end] = value_states
        self.keys, self.values = self._buffer[0, :, :, :end], self._buffer[1, :, :, :end]
        return self.keys, self.values

    def crop(self, tokens_to_remove: int) -> None:
        """Forget the last tokens, given as a negative number."""
        super().crop(tokens_to_remove)
        if self.get_seq_length() < self._seen:
            self._buffer = None  # what would be overwritten is a twin's


class GrowingCache(Cache):
    """The keys and values of one text, layer by layer."""

    def __init__(self) -> None:
        super().__init__(layer_class_to_replicate=GrowingLayer)

    def twin(self) -> GrowingCache:
        """An independent copy; what there is so far is shared."""
        other = GrowingCache()
        other.layers = [layer.twin() for layer in self._growing]
        return other

    def pairs(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Keys and values, each (1, heads, tokens, size), of each layer that has any."""
        return [
            (layer.keys, layer.values)
            for layer in self._growing
            if layer.keys is not None and layer.values is not None
        ]

    def join(self, pairs: Pairs) -> None:
        """Append keys and values of so many tokens, all layers."""
        for layer, (keys, values) in enumerate(zip(*pairs, strict=True)):
            self.update(keys[None], values[None], layer)

    def rows(self, start: int) -> Pairs:
        """A copy of the keys and values from token `start` on."""
        keys, values = zip(*self.pairs(), strict=True)
        return torch.cat(keys)[:, :, start:].clone(), torch.cat(values)[:, :, start:].clone()

    def plain(self) -> DynamicCache:
        """A copy as transformers' own generate wants it."""
        return DynamicCache(self.pairs())

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values."""
        return sum(keys.nbytes + values.nbytes for keys, values in self.pairs())

    @property
    def _growing(self) -> list[GrowingLayer]:
        return self.layers  # type: ignore[return-value]  # they are made by layer_class_to_replicate


def turned(keys: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, back: bool = False) -> torch.Tensor:
    """Keys (layers, heads, tokens, size) rotated to the positions of `cos` and `sin` (tokens, size).

    `back` undoes it. Rotary position embedding (Su et al. 2021, arXiv 2104.09864) with a vector's
    halves as the pairs' two sides, as transformers lays them out.
    """
    one, other = keys.chunk(2, dim=-1)
    across = torch.cat((-other, one), dim=-1)
    return keys * cos + across * (-sin if back else sin)
