"""Load a language model: the prepared int8 one, or any other Hugging Face folder or id as it is."""

from __future__ import annotations

import ctypes
import gc
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.qwen2.modeling_qwen2 import Qwen2RotaryEmbedding

from ingest.errors import ModelUnusable
from ingest.types import Progress, silent
from rag.engines.fused import FusedAttention, FusedMLP, FusedNorm
from rag.engines.int8 import Int8Linear, Kernel, fastest_kernel
from rag.engines.prepare import check_prepared


def load_int8(
    folder: Path, progress: Progress = silent, kernel: Kernel | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model that rag/engines/prepare.py wrote in `folder`, on the CPU, int8 where that is quick.

    Raises ModelUnusable where a file is missing, cut short or not what it should be.
    """
    check_prepared(folder)
    kernel = kernel or fastest_kernel()
    file = folder / "int8.safetensors"
    try:
        config = AutoConfig.from_pretrained(folder)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        places = range(config.num_hidden_layers)
        # Packing takes most of the time: one core each, and the largest first.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            head = pool.submit(_linear, file, kernel, "lm_head")
            layers = pool.map(partial(_fuse, file, kernel, config.rms_norm_eps), model.model.layers, places)
            tokenizer = AutoTokenizer.from_pretrained(folder)  # meanwhile
            for number, _done in enumerate(layers, 1):
                progress("Loading the language model", number, len(places) + 1)
            model.lm_head = head.result()
            progress("Loading the language model", len(places) + 1, len(places) + 1)
        # The embedding stays in the file, in bf16: of its 450 MB only the rows that are used are read.
        with safe_open(file, framework="pt") as tensors:
            embedding = nn.Embedding.from_pretrained(tensors.get_tensor("model.embed_tokens.weight"))
        model.model.embed_tokens = embedding
        with safe_open(file, framework="pt") as tensors:
            model.model.norm = FusedNorm(tensors.get_tensor("model.norm.weight").clone(), config.rms_norm_eps)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelUnusable(
            f"The prepared model in {folder} is damaged: delete that folder and run again."
        ) from error
    # Everything after the embedding is float32.
    embedding.register_forward_hook(lambda _module, _inputs, output: output.float())
    # Its frequencies are computed, not stored, so they are still on the meta device.
    model.model.rotary_emb = Qwen2RotaryEmbedding(config)
    model.kernel, model.rows_agree = kernel, kernel != "float"
    gc.collect()
    _give_back()
    return model.eval(), tokenizer


def _linear(file: Path, kernel: Kernel, *names: str) -> Int8Linear:
    """The Linears called `names` as one, their outputs side by side."""
    # Opened for each anew: what is read stays in memory as long as any tensor of one opening lives.
    with safe_open(file, framework="pt") as tensors:
        stored = set(tensors.keys())

        def joined(kind: str) -> torch.Tensor:
            parts = [tensors.get_tensor(f"{name}.{kind}") for name in names]
            return torch.cat(parts) if len(parts) > 1 else parts[0]

        bias = joined("bias").clone() if f"{names[0]}.bias" in stored else None
        return Int8Linear(joined("weight"), joined("scale"), bias, kernel)


def _fuse(file: Path, kernel: Kernel, epsilon: float, layer: Any, place: int) -> None:
    """Put the stored weights of one layer in its place, in the form of rag/engines/fused.py."""
    name = f"model.layers.{place}"
    linear = partial(_linear, file, kernel)
    attention, mlp = f"{name}.self_attn", f"{name}.mlp"
    layer.self_attn = FusedAttention(
        layer.self_attn,
        linear(f"{attention}.q_proj", f"{attention}.k_proj", f"{attention}.v_proj"),
        linear(f"{attention}.o_proj"),
    )
    layer.mlp = FusedMLP(linear(f"{mlp}.gate_proj", f"{mlp}.up_proj"), linear(f"{mlp}.down_proj"))
    with safe_open(file, framework="pt") as tensors:
        for norm in ("input_layernorm", "post_attention_layernorm"):
            setattr(layer, norm, FusedNorm(tensors.get_tensor(f"{name}.{norm}.weight").clone(), epsilon))
    _give_back()


def _give_back() -> None:
    """Return freed memory to the system. glibc keeps it otherwise, here more than a gigabyte."""
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def load_plain(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Any causal language model by Hugging Face id or local folder: bf16 on CUDA or MPS, else float32.

    Raises ModelUnusable where it cannot be found or does not fit in memory.
    """
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(
            name, dtype=torch.float32 if device == "cpu" else torch.bfloat16
        )
        return model.to(device).eval(), tokenizer  # type: ignore[arg-type]  # transformers' own stub
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ModelUnusable(
            f"The language model '{name}' could not be loaded ({reason}): give a local folder with its files."
        ) from error
    except (MemoryError, RuntimeError) as error:
        raise ModelUnusable(
            f"The language model '{name}' does not fit in memory: choose a smaller one with --model."
        ) from error
