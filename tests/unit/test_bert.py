"""The pass without padding gives what transformers' own gives, and is kept to models that it is right for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

from ingest.bert import PackedBert, packed

SIZES = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 32,
}


def tiny(**changed: Any) -> BertModel:
    torch.manual_seed(1)
    model = BertModel(BertConfig(**{**SIZES, **changed})).eval()
    for values in model.parameters():
        values.data.normal_(0, 0.4)  # LayerNorms and biases too, which begin as ones and zeros
    return model


def test_same_as_transformers() -> None:
    model = tiny()
    lengths = [17, 9, 9, 9, 5, 2, 2, 1]
    ids = [torch.randint(0, 50, (length,)).tolist() for length in lengths]
    vectors, states = PackedBert(model).encode(ids)
    assert states.shape == (sum(lengths), 24)
    for one, vector, own in zip(ids, vectors, states.split(lengths), strict=True):
        with torch.inference_mode():
            alone = model(torch.tensor([one])).last_hidden_state[0]
        assert torch.allclose(own, torch.nn.functional.normalize(alone, dim=-1), atol=1e-5)
        assert torch.allclose(vector, torch.nn.functional.normalize(alone.mean(0), dim=-1), atol=1e-5)


class Modules(list[Any]):
    """What is looked at of a SentenceTransformer."""

    device = torch.device("cpu")


def modules(bert: Any, mode: str = "mean", kinds: str = "Transformer Pooling Normalize") -> Modules:
    return Modules(type(kind, (), {"auto_model": bert, "pooling_mode": mode})() for kind in kinds.split())


def test_kept_to_what_it_is_right_for() -> None:
    assert packed(modules(tiny())) is not None
    assert packed(modules(tiny(), kinds="Transformer Pooling")) is not None
    assert packed(modules(tiny(), mode="cls")) is None
    assert packed(modules(tiny(), kinds="Transformer Pooling Dense Normalize")) is None
    assert packed(modules(tiny(hidden_act="relu"))) is None
    assert packed(modules(tiny().half())) is None
    assert packed(modules(MPNetModel(MPNetConfig(**SIZES)))) is None
    elsewhere = modules(tiny())
    elsewhere.device = torch.device("meta")
    assert packed(elsewhere) is None


@pytest.mark.parametrize("order", [[3, 7, 3], [7, 3, 3]])
def test_order_does_not_matter(order: list[int]) -> None:
    ids = [list(range(1, length + 1)) for length in order]
    bert = PackedBert(tiny())
    vectors, _ = bert.encode(ids)
    for one, vector in zip(ids, vectors, strict=True):
        assert torch.allclose(vector, bert.encode([one])[0][0], atol=1e-5)
