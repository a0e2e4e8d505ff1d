"""A very small entailment model, made here, in the language model's place; what is none is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from langchain_core.language_models import FakeListChatModel
from sentence_transformers import CrossEncoder
from transformers import BertConfig, BertForSequenceClassification

from ingest.errors import ModelUnusable
from rag.entail import Entailment, Verdict, load_entailment
from rag.grounding import check, confirm
from tests.tiny_model import tiny_model
from tests.unit.test_grounding import ENCODER, HELD
from tests.unit.test_rerank import tokenizer, written
from ui.checking import judge_of
from ui.tutor import Tutor

LABELS = {0: "CONTRADICTION", 1: "entailment", 2: "neutral"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("entail")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=44, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=64, initializer_range=0.5, id2label=LABELS,
        label2id={name: place for place, name in LABELS.items()},
    )  # fmt: skip
    BertForSequenceClassification(config).eval().save_pretrained(made)
    tokenizer().save_pretrained(made)
    return made


def test_the_labels_are_found_by_name_and_the_numbers_are_the_models(folder: Path) -> None:
    found = load_entailment(str(folder)).verdict("w1 w2 w3", "w1 w5")
    own = CrossEncoder(str(folder), local_files_only=True).predict(
        [("w1 w2 w3", "w1 w5")], apply_softmax=True
    )
    assert found.entailed == pytest.approx(float(own[0][1]), abs=1e-5)
    assert found.contradicted == pytest.approx(float(own[0][0]), abs=1e-5)


def test_a_model_without_such_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="no entailment model: its labels are"):
        load_entailment(str(written(tmp_path, labels=3)))
    with pytest.raises(ModelUnusable, match="entailment model"):
        load_entailment(str(tmp_path / "nowhere"))


class Told(Entailment):
    """Says what it is told to."""

    def __init__(self, entailed: float, contradicted: float) -> None:
        self.said = Verdict(entailed, contradicted)

    def verdict(self, evidence: str, claim: str) -> Verdict:
        assert "Goodfellow" in evidence
        return self.said


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ((0.9, 0.0), "supported"),
        ((0.3, 0.1), "partly"),
        ((0.1, 0.1), "unsupported"),
        ((0.05, 0.9), "contradicted"),
    ],
)
def test_its_word_decides(said: tuple[float, float], label: str) -> None:
    claim = check("A GAN was proposed by Ian Goodfellow in 2014.", HELD, ENCODER)
    assert confirm(claim, HELD, ENCODER, Told(*said)).label == label


def test_it_judges_pasted_texts_as_well(folder: Path) -> None:
    entailment, model = load_entailment(str(folder)), tiny_model()
    held: Any = {"chain": None, "retriever": None, "sources": (), "starters": (), "folder": folder}
    assert judge_of(Tutor(model=model, entailment=entailment, **held)) is entailment
    assert judge_of(Tutor(model=model, **held)) is model
    assert judge_of(Tutor(model=FakeListChatModel(responses=["yes"]), **held)) is None
