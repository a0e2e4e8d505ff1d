"""Linear layers with int8 weights, one scale an output channel, and int8 activations, one scale a token.

Why per token: the inputs of Qwen's down_proj hold outliers thousands of times the usual value in
the first tokens of a text; with one scale for the whole input everything else rounds to zero.
(LLM.int8(), Dettmers et al. 2022, arXiv 2208.07339, names the outliers; per-token scales are those
of ZeroQuant, Yao et al. 2022, arXiv 2206.01861.)

Which kernel is quickest depends on the processor far more than on the code: with VNNI plain int8
matrices are fine, without it they are many times slower than float32. So `fastest_kernel`
times the candidates once, on one layer's shape, instead of guessing from a name.
"""

from __future__ import annotations

import time
import warnings
from functools import cache
from typing import Any, Literal, get_args

import torch
from torch import nn

Kernel = Literal["packed", "plain", "float"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)


def quantize(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """int8 (out, in) and float32 scales (out,) such that int8 * scale is nearest to `weight`.

    Symmetric, -127..127, so that a product of two values never leaves int16.
    """
    scale = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
    return (weight / scale[:, None]).round().clamp(-127, 127).to(torch.int8), scale.float()


class Int8Linear(nn.Module):
    """y = x W^T + b with W in int8. Inputs (…, in) float32, outputs (…, out) float32.

    With an int8 kernel a row's result is the same to the bit, whatever rows are beside it.
    """

    def __init__(
        self, weight: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None, kernel: Kernel
    ) -> None:
        """`weight` int8 (out, in), `scale` float32 (out,), `bias` float32 (out,) or None."""
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.kernel = kernel
        self.bias = nn.Parameter(bias, requires_grad=False) if bias is not None else None
        self.packed: Any = None
        self.weight: Any = None
        self.scale: Any = None
        if kernel == "packed":
            self.packed = _pack(weight, scale)
        elif kernel == "plain":
            self.weight, self.scale = weight.t(), scale
        else:
            self.weight = (weight.float() * scale[:, None]).t()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.reshape(-1, self.in_features)
        if self.kernel == "float":
            y = rows @ self.weight
        elif self.kernel == "packed":
            largest = rows.abs().amax(dim=1, keepdim=True).clamp_min(1e-12)
            # The kernel takes one scale from the least and the largest of its input. A last row
            # that holds -1 and 1 fixes it, so that no row's result depends on its neighbours.
            scaled = rows.new_zeros(len(rows) + 1, self.in_features)
            torch.div(rows, largest, out=scaled[:-1])
            scaled[-1, 0], scaled[-1, 1] = -1, 1
            y = torch.ops.quantized.linear_dynamic(scaled, self.packed, False)[:-1] * largest
        else:
            step = rows.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127
            whole = torch._int_mm((rows / step).round().to(torch.int8), self.weight)
            y = whole * step * self.scale
        if self.bias is not None:
            y = y + self.bias
        return y.reshape(*x.shape[:-1], self.out_features)


@cache
def _overflows() -> bool:
    """Whether the packed kernel here loses what does not fit 16 bits, as AVX2's does without VNNI."""
    largest = torch.full((1, 64), 127, dtype=torch.int8)
    with_zero = torch.tensor([[0.0] + [1.0] * 63])
    exact = 63 * 127.0
    got = torch.ops.quantized.linear_dynamic(with_zero, _packed(largest, torch.ones(1)), False)
    return abs(float(got) - exact) > 64


def _pack(weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    if _overflows():
        # With weights of 7 bits two products always fit. The other way out, activations of 7 bits, costs
        # likelihood; this did not measurably.
        weight, scale = (weight >> 1).add_(weight & 1), scale * 2
    return _packed(weight, scale)


def _packed(weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    with warnings.catch_warnings():
        # PyTorch means to retire these tensors (pytorch issue 184982); torch is pinned meanwhile,
        # and the plain kernel takes their place where it is quicker.
        warnings.simplefilter("ignore")
        zero = torch.zeros(len(scale), dtype=torch.long)
        qint8 = torch._make_per_channel_quantized_tensor(weight, scale.double(), zero, 0)
        return torch.ops.quantized.linear_prepack(qint8, None)


def fastest_kernel(rows: int = 32) -> Kernel:
    """The kernel to use for prompts of about `rows` tokens here; takes a tenth of a second.

    float32 needs four times the memory and reads it all for every token, so it is taken only where
    int8 has no real kernel: there int8 is ten times slower and more, which a busy machine cannot
    make of a good one.
    """
    weight, scale = quantize(torch.randn(1536, 1536))
    x = torch.randn(rows, 1536)
    seconds: dict[Kernel, float] = {}
    threads = torch.get_num_threads()
    # Other programs' work must not decide: one thread waits for no other, and the best of several
    # rounds counts. A kernel that is far behind gets no second try.
    torch.set_num_threads(1)
    try:
        layers = {}
        for kernel in KERNELS:
            try:
                layers[kernel] = Int8Linear(weight, scale, None, kernel)
                layers[kernel](x)
                seconds[kernel] = _time(layers[kernel], x)
            except (RuntimeError, NotImplementedError):
                continue  # this build of PyTorch lacks that kernel on this processor
        best = min(seconds.values())
        for _ in range(6):
            for kernel in [kernel for kernel in seconds if seconds[kernel] < 4 * best]:
                seconds[kernel] = min(seconds[kernel], _time(layers[kernel], x))
    finally:
        torch.set_num_threads(threads)
    return min(seconds, key=lambda kernel: seconds[kernel] * (5 if kernel == "float" else 1))


def _time(layer: Int8Linear, x: torch.Tensor) -> float:
    start = time.perf_counter()
    layer(x)
    return time.perf_counter() - start
