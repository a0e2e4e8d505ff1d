"""BERT's forward pass on the CPU without padding: the same numbers as transformers', sooner.

The word pieces of all texts lie one behind the other, so that every Linear sees one matrix without a row
that is thrown away; attention goes by runs of texts of one length, which need no mask (packing as in
ByteTransformer, Zhai et al. 2022, arXiv 2210.03052). Query, key and value are one Linear.
What is not here: tokenizing, and which texts go together (ingest/embed.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch.nn.functional import gelu, layer_norm, linear, normalize, scaled_dot_product_attention


class _Affine(NamedTuple):
    """A matrix (out, in) and a bias (out,), or a LayerNorm's two vectors (width,)."""

    weight: torch.Tensor
    bias: torch.Tensor


class _Layer(NamedTuple):
    inputs: _Affine  # query, key and value, one below the other
    mixed: _Affine
    after_mixed: _Affine  # LayerNorm
    wide: _Affine
    narrow: _Affine
    after_narrow: _Affine  # LayerNorm


class PackedBert:
    """The layers of a transformers BertModel in float32, sharing its weights but for query, key and value."""

    def __init__(self, model: Any) -> None:
        """`model`: a BertModel on the CPU, with gelu."""
        embeddings = model.embeddings
        self._words = embeddings.word_embeddings.weight.detach()
        kind = embeddings.token_type_embeddings.weight[0]  # one text, and not the second of a pair
        self._places = (embeddings.position_embeddings.weight + kind).detach()
        self._first = _taken(embeddings.LayerNorm)
        self._heads = model.config.num_attention_heads
        self._epsilon = model.config.layer_norm_eps
        self._layers = [_layer(one) for one in model.encoder.layer]

    def encode(self, ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Unit vectors of the texts, by the mean over their word pieces, and of all their word pieces.

        `ids`: the word pieces of each text, [CLS] and [SEP] with them; texts of one length side by side.
        float32 (texts, width), and (pieces, width) in the order of `ids`.
        """
        lengths = [len(one) for one in ids]
        with torch.inference_mode():
            states = self._states(ids, list(_runs(lengths)))
            vectors = torch.stack([one.mean(0) for one in states.split(lengths)])
            return normalize(vectors, dim=-1), normalize(states, dim=-1)

    def _states(self, ids: Sequence[Sequence[int]], runs: Sequence[tuple[int, int, int]]) -> torch.Tensor:
        pieces = torch.tensor([piece for one in ids for piece in one])
        places = torch.tensor([place for one in ids for place in range(len(one))])
        states = self._normed(self._words[pieces] + self._places[places], self._first)
        for layer in self._layers:
            mixed = linear(self._attended(linear(states, *layer.inputs), runs), *layer.mixed)
            states = self._normed(mixed.add_(states), layer.after_mixed)
            narrow = linear(gelu(linear(states, *layer.wide)), *layer.narrow)
            states = self._normed(narrow.add_(states), layer.after_narrow)
        return states

    def _attended(self, inputs: torch.Tensor, runs: Sequence[tuple[int, int, int]]) -> torch.Tensor:
        """Attention within each text: (pieces, 3 x width) to (pieces, width)."""
        found = inputs.new_empty(len(inputs), inputs.shape[1] // 3)
        for start, count, length in runs:
            some = slice(start, start + count * length)
            # Each (texts, heads, pieces, width of a head).
            query, key, value = inputs[some].view(count, length, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
            mixed = scaled_dot_product_attention(query, key, value)
            found[some].view(count, length, self._heads, -1).copy_(mixed.transpose(1, 2))
        return found

    def _normed(self, states: torch.Tensor, norm: _Affine) -> torch.Tensor:
        return layer_norm(states, states.shape[-1:], *norm, self._epsilon)


def _runs(lengths: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Where each run of texts of one length begins, in pieces, how many texts it has, and their length."""
    start = 0
    for length, run in groupby(lengths):
        count = len(list(run))
        yield start, count, length
        start += count * length


def _layer(layer: Any) -> _Layer:
    own, mixed = layer.attention.self, layer.attention.output
    asked = [_taken(one) for one in (own.query, own.key, own.value)]
    return _Layer(
        _Affine(torch.cat([one.weight for one in asked]), torch.cat([one.bias for one in asked])),
        _taken(mixed.dense),
        _taken(mixed.LayerNorm),
        _taken(layer.intermediate.dense),
        _taken(layer.output.dense),
        _taken(layer.output.LayerNorm),
    )


def _taken(module: Any) -> _Affine:
    return _Affine(module.weight.detach(), module.bias.detach())


def packed(model: Any) -> PackedBert | None:
    """The fast pass for a SentenceTransformer; None where it is anything but BERT, averaged, on the CPU."""
    from transformers import BertModel

    kinds = [type(module).__name__ for module in model]
    if kinds not in (["Transformer", "Pooling", "Normalize"], ["Transformer", "Pooling"]):
        return None
    bert, pooling = model[0].auto_model, model[1]
    plain = type(bert) is BertModel and bert.config.hidden_act == "gelu" and not bert.config.is_decoder
    if (
        not plain
        or bert.dtype != torch.float32
        or model.device.type != "cpu"
        or pooling.pooling_mode != "mean"
    ):
        return None
    return PackedBert(bert)
