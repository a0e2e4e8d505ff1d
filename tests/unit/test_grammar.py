"""Text held to a schema: it parses whatever the model would rather say."""

import json
import threading
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from ingest.errors import BadRequest
from rag.decoding import decoding
from rag.engines.local import LocalModel
from tests.tiny_model import TEMPLATE

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "question": {"type": "string", "pattern": "^[A-Z][a-z ]{3,12}\\?$"},
        "level": {"enum": ["easy", "hard"]},
    },
    "required": ["question", "level"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def speller() -> LocalModel:
    """A random model whose tokens are bytes."""
    signs = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {sign: place for place, sign in enumerate(["<|im_end|>", *signs])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    wrapped.chat_template = TEMPLATE.replace("<|im_start|> ", "").replace(" <|im_end|> ", "")
    config = Qwen2Config(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024, eos_token_id=0,
        bos_token_id=0,
    )  # fmt: skip
    return LocalModel(Qwen2ForCausalLM(config).eval(), wrapped, max_new_tokens=200)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_written_is_of_the_schema(speller: LocalModel, seed: int) -> None:
    how = decoding("random", temperature=1.5, seed=seed)
    said = json.loads(str(speller.invoke("Go on", schema=SCHEMA, decoding=how).content))
    assert set(said) == {"question", "level"}
    assert said["question"].endswith("?") and said["level"] in ("easy", "hard")


def test_the_same_seed_writes_the_same(speller: LocalModel) -> None:
    how = decoding("random", temperature=1.5, seed=3)
    first, second = (speller.invoke("Go on", schema=SCHEMA, decoding=how).content for _ in range(2))
    assert first == second
    assert first != speller.invoke("Go on", schema=SCHEMA, decoding=decoding("random", seed=4)).content


def test_stop_is_felt(speller: LocalModel) -> None:
    halt = threading.Event()
    pieces = []
    for piece in speller.stream("Go on", schema=SCHEMA, halt=halt):
        pieces.append(str(piece.content))
        if len(pieces) == 3:
            halt.set()
    assert len("".join(pieces)) < 40


def test_a_schema_that_cannot_be_held_to_is_said(speller: LocalModel) -> None:
    with pytest.raises(BadRequest, match="schema cannot be held to"):
        speller.invoke("Go on", schema={"type": "nothing of the kind"})


def test_likelihoods_are_those_of_the_text_read_whole(speller: LocalModel) -> None:
    short, long = speller.likelihoods([HumanMessage("Go on")], ["yes", "a longer text"])
    assert len(short) == 3 and len(long) == 13
    again = speller.likelihoods([HumanMessage("Go on")], ["a longer text"])[0]
    assert abs(again - long).max() < 1e-4
    assert (long < 0).all()
