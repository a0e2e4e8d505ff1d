"""Load a language model: the prepared int8 one, or any other Hugging Face folder or id as it is."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
    try:
        config = AutoConfig.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        with safe_open(folder / "int8.safetensors", framework="pt") as tensors:
            names = set(tensors.keys())
            linears = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]

            def layer(name: str) -> Int8Linear:
                bias = tensors.get_tensor(f"{name}.bias") if f"{name}.bias" in names else None
                weight, scale = tensors.get_tensor(f"{name}.weight"), tensors.get_tensor(f"{name}.scale")
                return Int8Linear(weight, scale, bias, kernel)

            # Packing takes most of the time, on one core a layer.
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                for number, (name, made) in enumerate(zip(linears, pool.map(layer, linears), strict=True), 1):
                    model.set_submodule(name, made)
                    progress("Loading the language model", number, len(linears))
            rest = {name: tensors.get_tensor(name) for name in names if name.rsplit(".", 1)[0] not in linears}
        model.load_state_dict(rest, strict=False, assign=True)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelUnusable(
            f"The prepared model in {folder} is damaged: delete that folder and run again."
        ) from error
    # The embedding stays bf16 to save memory; everything after it is float32.
    model.get_input_embeddings().register_forward_hook(lambda _module, _inputs, output: output.float())
    # Its frequencies are computed, not stored, so they are still on the meta device.
    model.model.rotary_emb = Qwen2RotaryEmbedding(config)
    gc.collect()
    return model.eval(), tokenizer


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
