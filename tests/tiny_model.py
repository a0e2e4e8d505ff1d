"""A very small random language model, the same every time, behind the local engine."""

from __future__ import annotations

from pathlib import Path

import torch
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from rag.engines.int8 import quantize
from rag.engines.local import LocalModel

TEMPLATE = (
    "{% for m in messages %}<|im_start|> {{ m.role }} {{ m.content }} <|im_end|> {% endfor %}"
    "<|im_start|> assistant "
)
VOCABULARY = ["<|im_end|>", "<|im_start|>", "[UNK]", "system", "user", "assistant", "yes", "no"]


def tiny_model() -> LocalModel:
    """The same weights every time; words w0 … w91."""
    vocabulary = {word: place for place, word in enumerate(VOCABULARY + [f"w{n}" for n in range(92)])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    wrapped.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    wrapped.chat_template = TEMPLATE
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, eos_token_id=0, bos_token_id=0,
    )  # fmt: skip
    return LocalModel(Qwen2ForCausalLM(config).eval(), wrapped, max_new_tokens=24)


def asked(text: str) -> list[BaseMessage]:
    """The messages of a question."""
    return [SystemMessage("w1 w2 w3"), HumanMessage(text)]


def prepared(model: LocalModel, folder: Path) -> Path:
    """The model as rag/engines/prepare.py would write it."""
    stored: dict[str, torch.Tensor] = {}
    for name, values in model._model.state_dict().items():
        if name == "model.embed_tokens.weight":
            stored[name] = values.bfloat16()
        elif values.ndim == 2:
            stored[name], stored[name.removesuffix("weight") + "scale"] = quantize(values)
        else:
            stored[name] = values
    model._tokenizer.save_pretrained(folder)
    model._model.config.save_pretrained(folder)
    save_file({name: values.contiguous() for name, values in stored.items()}, folder / "int8.safetensors")
    sizes = f'{{"int8.safetensors": {(folder / "int8.safetensors").stat().st_size}}}'
    (folder / "manifest.json").write_text(f'{{"sizes": {sizes}}}')
    return folder
