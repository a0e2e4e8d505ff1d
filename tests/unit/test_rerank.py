"""A very small cross-encoder, made here, ranks the first passages; what is none is refused in a line."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from ingest.errors import ModelUnusable
from ingest.split import Splitter
from ingest.store import Manifest, open_index, save, searchable
from ingest.types import Passage
from ingest.vectors import computed
from rag.rerank import load_reranker
from rag.retrieve import RERANKED, Retriever
from tests.ingest_fakes import FakeEncoder

WORDS = [f"w{n}" for n in range(40)]


def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {word: place for place, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )


def written(folder: Path, kind: type = BertForSequenceClassification, labels: int = 1) -> Path:
    """A random model of this kind, the same every time."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=44, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=64, num_labels=labels, initializer_range=0.5,
    )  # fmt: skip
    kind(config).eval().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("cross"))


def test_scores_are_those_of_sentence_transformers(folder: Path) -> None:
    reranker = load_reranker(str(folder))
    texts = ["w1 w2 w3", "w9 w8", " ".join(WORDS * 10)]  # the last is longer than the model reads
    found = reranker.scores("w1 w5", texts)
    own = CrossEncoder(str(folder), local_files_only=True).predict([("w1 w5", text) for text in texts])
    assert found.dtype == np.float32 and found.shape == (3,)
    assert np.allclose(1 / (1 + np.exp(-found)), own, atol=1e-5)
    assert len(set(found.tolist())) == 3
    assert reranker.scores("w1", []).shape == (0,)


def test_the_first_passages_come_in_its_order(folder: Path, tmp_path: Path) -> None:
    encoder = FakeEncoder()
    texts = [f"{WORDS[n]} {WORDS[(7 * n) % 40]} w1" for n in range(RERANKED + 10)]
    passages = [Passage(f"{n:016x}", "a.md", None, (), text, (text,)) for n, text in enumerate(texts)]
    manifest = Manifest(encoder.name, encoder.dimension, Splitter(), {}, {}, 0, len(texts), len(texts), "")
    save(tmp_path, passages, computed(passages, encoder), manifest)
    plain = Retriever(open_index(tmp_path, encoder), encoder)
    reranker = load_reranker(str(folder))
    before = plain.search("w1 w5", len(texts))
    after = replace(plain, reranker=reranker).search("w1 w5", len(texts))
    first = [hit.passage for hit in before[:RERANKED]]
    scores = reranker.scores("w1 w5", [searchable(passage) for passage in first])
    wanted = [first[place] for place in np.argsort(-scores, kind="stable")]
    assert [hit.passage for hit in after] == wanted + [hit.passage for hit in before[RERANKED:]]
    assert wanted != first
    assert all(one.score >= other.score for one, other in pairwise(after))


def test_what_is_no_reranker_is_refused_in_a_line(folder: Path, tmp_path: Path) -> None:
    damaged = written(tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"nothing of the kind")
    empty = tmp_path / "empty"
    empty.mkdir()
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "config.json").write_text(json.dumps(["no", "object"]))
    for where, why in (
        (tmp_path / "nowhere", "no reranker"),
        (empty, "no readable config.json"),
        (odd, "no readable config.json"),
        (written(tmp_path / "plain", BertModel), "is no reranker: it is a BertModel"),
        (written(tmp_path / "three", labels=3), "it gives 3 numbers"),
        (damaged, "cannot be loaded"),
    ):
        with pytest.raises(ModelUnusable) as told:
            load_reranker(str(where))
        assert why in str(told.value) and "\n" not in str(told.value)


def test_a_reranker_that_gives_no_numbers_is_told(folder: Path) -> None:
    reranker = load_reranker(str(folder))
    with torch.no_grad():
        reranker._model.get_submodule("0").get_parameter("model.classifier.bias").fill_(float("nan"))
    with pytest.raises(ModelUnusable, match="gives no number"):
        reranker.scores("w1", ["w2"])
