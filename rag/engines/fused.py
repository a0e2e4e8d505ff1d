"""Qwen2 with fewer, larger steps: for one row of input, what lies between the Linears is most of the calls.

Queries, keys and values come from one Linear and the MLP's two inputs from another, so that 4
Linears do a layer's work and not 7. Query heads that share a key head are rows of one attention
(grouped-query attention, Ainslie et al. 2023, arXiv 2305.13245), so that keys and values are not
repeated. The results are those of transformers' own layers but for the order of float sums.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.models.qwen2.modeling_qwen2 import apply_rotary_pos_emb

FEW = 8  # rows read one by one: drafted tokens then give what they would give alone, to the bit


class FusedAttention(nn.Module):
    """In the place of Qwen2Attention. Takes and gives what that does; attention weights are not given."""

    def __init__(self, attention: Any, inward: nn.Module, outward: nn.Module) -> None:
        """`inward`: hidden -> queries, keys, values side by side; `outward`: all heads -> hidden."""
        super().__init__()
        self.inward, self.outward = inward, outward
        self.layer_idx, self.scaling, self.size = attention.layer_idx, attention.scaling, attention.head_dim
        self.heads: int = attention.config.num_attention_heads
        self.key_heads: int = attention.config.num_key_value_heads

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor],
        attention_mask: torch.Tensor | None = None,
        past_key_values: Any = None,
        **_: Any,
    ) -> tuple[torch.Tensor, None]:
        # Texts of one batch are of one length here, so that up to FEW rows need no mask.
        batch, length, _width = hidden_states.shape
        heads = self.inward(hidden_states).view(batch, length, -1, self.size).transpose(1, 2)
        turned, keys = heads[:, : -self.key_heads], heads[:, self.heads : -self.key_heads]
        cos, sin = position_embeddings
        turned, _ = apply_rotary_pos_emb(turned, keys[:, :0], cos, sin)  # queries and keys at once
        queries, keys = turned[:, : self.heads], turned[:, self.heads :]
        values = heads[:, -self.key_heads :]
        if past_key_values is not None:
            keys, values = past_key_values.update(keys, values, self.layer_idx)
        if length <= FEW:
            before = keys.shape[-2] - length
            rows = [self._row(queries, keys, values, before, row) for row in range(length)]
            mixed = rows[0] if length == 1 else torch.cat(rows, dim=1)
        else:
            mixed = functional.scaled_dot_product_attention(
                queries,
                keys,
                values,
                attn_mask=attention_mask,
                is_causal=attention_mask is None,
                scale=self.scaling,
                enable_gqa=True,
            ).transpose(1, 2)
        return self.outward(mixed.reshape(batch, length, -1)), None

    def _row(
        self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, before: int, row: int
    ) -> torch.Tensor:
        """Attention of one row to itself and all before it: (batch, 1, heads x size)."""
        batch, until = len(queries), before + row + 1
        grouped = queries[:, :, row].reshape(batch, self.key_heads, -1, self.size)
        mixed = functional.scaled_dot_product_attention(
            grouped, keys[:, :, :until], values[:, :, :until], scale=self.scaling
        )
        return mixed.reshape(batch, 1, -1)


class FusedMLP(nn.Module):
    """In the place of Qwen2MLP (SwiGLU, Shazeer 2020, arXiv 2002.05202)."""

    def __init__(self, inward: nn.Module, outward: nn.Module) -> None:
        """`inward`: hidden -> gate and value side by side; `outward`: intermediate -> hidden."""
        super().__init__()
        self.inward, self.outward = inward, outward

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, value = self.inward(x).chunk(2, dim=-1)
        out: torch.Tensor = self.outward(functional.silu(gate) * value)
        return out


class FusedNorm(nn.Module):
    """In the place of Qwen2RMSNorm."""

    def __init__(self, weight: torch.Tensor, epsilon: float) -> None:
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(weight, requires_grad=False), epsilon

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)
