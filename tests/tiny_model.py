"""A very small random language model, the same every time, behind the local engine."""

from __future__ import annotations

import torch
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

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
