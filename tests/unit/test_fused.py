"""Fewer, larger steps give what transformers' own give; rows don't depend on their neighbours."""

import pytest
import torch
from transformers import DynamicCache

from rag.engines import weights
from rag.engines.int8 import KERNELS, Int8Linear, Kernel, quantize
from rag.engines.keys import GrowingCache, GrowingLayer
from rag.engines.local import LocalModel
from rag.engines.prompt import Prompt
from tests.tiny_model import asked, prepared, tiny_model


@pytest.fixture(scope="module", params=KERNELS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = prepared(tiny_model(), tmp_path_factory.mktemp("prepared"))
    model, _ = weights.load_int8(folder, kernel=request.param)
    return LocalModel(model, tiny_model()._tokenizer, max_new_tokens=24)


def test_loaded_and_fused_is_near_transformers_own(loaded: LocalModel) -> None:
    ids = torch.tensor([[3, 10, 11, 12, 40, 41, 9, 8, 7, 60, 61]])
    with torch.inference_mode():
        wanted = tiny_model()._model(ids).logits
        got = loaded._model(ids).logits
    assert float((got - wanted).norm() / wanted.norm()) < 0.05
    assert loaded.invoke(asked("w9")).content is not None


@pytest.mark.parametrize("beside", [2, 5, 7, 8])
def test_rows_read_together_are_those_read_one_by_one(loaded: LocalModel, beside: int) -> None:
    if not loaded._model.rows_agree:
        pytest.skip("float32 sums depend on the shape")
    prompt = Prompt([3, *range(10, 40), 4, 9], ())
    one, many = (loaded._read(prompt, None)[0] for _ in range(2))
    tokens = list(range(50, 50 + beside))
    together = many.step_ahead(tokens)
    for place, token in enumerate(tokens):
        one.step(token)
        assert torch.equal(one.logits, together[place])
    for ours, theirs in zip(one.cache.layers, many.cache.layers, strict=True):
        assert torch.equal(ours.keys, theirs.keys)
        assert torch.equal(ours.values, theirs.values)


@pytest.mark.parametrize("kernel", ["packed", "plain"])
def test_a_row_of_an_int8_linear_does_not_depend_on_the_others(kernel: Kernel) -> None:
    torch.manual_seed(2)
    layer = Int8Linear(*quantize(torch.randn(48, 64)), None, kernel)
    x = torch.randn(9, 64) * torch.logspace(-3, 3, 9)[:, None]
    together = layer(x)
    for row in range(len(x)):
        assert torch.equal(layer(x[row : row + 1])[0], together[row])


def filled(cache: GrowingCache | DynamicCache, lengths: list[int], seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    for length in lengths:
        for layer in range(2):
            cache.update(torch.randn(1, 2, length, 4), torch.randn(1, 2, length, 4), layer)
    return cache.layers[1].values


def test_a_growing_cache_holds_what_transformers_own_holds() -> None:
    ours, theirs = GrowingCache(), DynamicCache()
    assert torch.equal(filled(ours, [5, 1, 300, 1]), filled(theirs, [5, 1, 300, 1]))
    ours.crop(-20)
    theirs.crop(-20)
    assert torch.equal(filled(ours, [1, 400], 1), filled(theirs, [1, 400], 1))
    assert ours.get_seq_length() == 307 - 20 + 401
    assert torch.equal(ours.plain().layers[0].keys, theirs.layers[0].keys)


def test_twins_do_not_see_each_other() -> None:
    first = GrowingCache()
    filled(first, [10])
    second = first.twin()
    before = second.layers[0].keys.clone()
    filled(first, [3], 1)
    assert torch.equal(second.layers[0].keys, before)
    mine = first.layers[0].keys.clone()
    filled(second, [3], 2)
    assert torch.equal(first.layers[0].keys, mine)
    first.crop(-6)  # below what the twin was given
    filled(first, [6], 3)
    assert torch.equal(second.layers[0].keys[:, :, :10], before)


def test_a_token_is_written_in_place() -> None:
    layer = GrowingLayer()
    layer.update(torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4))
    place = layer.keys.data_ptr()
    layer.update(torch.ones(1, 2, 1, 4), torch.ones(1, 2, 1, 4))
    layer.crop(-1)
    layer.update(torch.ones(1, 2, 1, 4), torch.ones(1, 2, 1, 4))
    assert layer.keys.data_ptr() == place
