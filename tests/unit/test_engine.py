"""The local engine on a very small random model; tests/integration/test_answer.py runs the real one."""

import threading
from pathlib import Path

import pytest
import torch

from ingest.errors import BadRequest, ModelUnusable
from rag.decoding import decoding
from rag.engines.int8 import Int8Linear, fastest_kernel, quantize
from rag.engines.local import LocalModel, load_model
from rag.engines.prompt import Prompt
from tests.tiny_model import asked, tiny_model


@pytest.fixture(scope="module")
def tiny() -> LocalModel:
    return tiny_model()


def usage(model: LocalModel, text: str) -> dict:
    return model.invoke(asked(text)).usage_metadata


def test_what_was_read_before_changes_nothing(tiny: LocalModel) -> None:
    fresh = tiny.invoke(asked("w10 w11 w12")).content
    tiny.invoke(asked("w10 w11 w40"))
    tiny.invoke(asked("w50"))
    again = tiny.invoke(asked("w10 w11 w12"))
    assert again.content == fresh
    assert again.usage_metadata["input_token_details"]["cache_read"] >= 5


def test_the_shared_start_is_not_read_again(tiny: LocalModel) -> None:
    tiny.invoke(asked("w60 w61 w62 w63 w64"))
    first = usage(tiny, "w60 w61 w62 w63 w70")
    assert (
        first["input_token_details"]["cache_read"] == first["input_tokens"] - 4
    )  # w70 <|im_end|> <|im_start|> assistant


def test_judging_then_answering_reads_the_notes_once(tiny: LocalModel) -> None:
    said, denied = tiny.next_logits(asked("w20 w21 w22 w5"), ("yes", "no"))
    assert said != denied
    assert usage(tiny, "w20 w21 w22 w6")["input_token_details"]["cache_read"] > 5


def test_the_same_seed_writes_the_same(tiny: LocalModel) -> None:
    def write(seed: int) -> str:
        return str(tiny.invoke(asked("w9"), decoding=decoding("random", seed=seed)).content)

    assert write(1) == write(1)
    assert len({write(seed) for seed in range(4)}) > 1


def test_stop_is_felt_within_a_token(tiny: LocalModel) -> None:
    halt = threading.Event()
    pieces = []
    for chunk in tiny.stream(asked("w9"), decoding=decoding("random", seed=5), halt=halt):
        pieces.append(chunk.content)
        if len(pieces) == 3:
            halt.set()
    assert len([piece for piece in pieces if piece]) == 3
    assert tiny.invoke(asked("w9")).content is not None


def test_stop_is_felt_while_the_prompt_is_read(tiny: LocalModel) -> None:
    halt = threading.Event()
    halt.set()
    assert tiny.next_logits(asked("w77 w78"), ("yes", "no"), halt) == [0.0, 0.0]
    assert tiny.next_logits(asked("w77 w78"), ("yes", "no"), threading.Event()) != [0.0, 0.0]


def test_a_stream_that_is_dropped_frees_the_engine(tiny: LocalModel) -> None:
    stream = tiny.stream(asked("w9"), decoding=decoding("random", seed=5))
    next(stream)
    stream.close()
    assert tiny.invoke(asked("w9")).content is not None


def test_one_waits_while_another_writes_and_may_give_up(tiny: LocalModel) -> None:
    first = tiny.stream(asked("w9"), decoding=decoding("random", seed=5))
    next(first)
    halt = threading.Event()
    halt.set()
    waiting = [chunk.content for chunk in tiny.stream(asked("w8"), halt=halt)]
    assert "".join(waiting) == ""
    assert "".join(str(chunk.content) for chunk in first)


def test_beams_do_not_stream_and_do_finish(tiny: LocalModel) -> None:
    with pytest.raises(BadRequest, match="cannot stream"):
        list(tiny.stream(asked("w9"), decoding=decoding("beam", beams=3)))
    one = tiny.invoke(asked("w9"), decoding=decoding("beam", beams=3)).content
    assert one == tiny.invoke(asked("w9"), decoding=decoding("beam", beams=3)).content


def test_a_prompt_too_long_is_one_line_and_the_engine_lives(tiny: LocalModel) -> None:
    with pytest.raises(BadRequest, match="reads at most"):
        tiny.invoke(asked("w9 " * 300))
    assert tiny.invoke(asked("w9")).content is not None


def test_out_of_memory_is_one_line_and_the_engine_lives(
    tiny: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tiny.invoke(asked("w9 w8")).content

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr(tiny._model, "forward", full)
        with pytest.raises(ModelUnusable, match="Memory ran out"):
            tiny.invoke(asked("w33"))
    assert tiny.invoke(asked("w9 w8")).content == before


def test_the_templates_own_tokens_in_a_text_stay_text(tiny: LocalModel) -> None:
    spelled = tiny._tokenize(asked("w1 <|im_end|> w2"))
    ends = [place for place, token in enumerate(spelled.ids) if token == 0]
    assert len(ends) == 2  # one a message, none from the text


@pytest.mark.parametrize("kernel", ["packed", "plain", "float"])
@pytest.mark.parametrize("rows", [1, 5, 40])
def test_int8_is_near_float(kernel: str, rows: int) -> None:
    torch.manual_seed(1)
    weight, bias = torch.randn(48, 64), torch.randn(48)
    x = torch.randn(2, rows, 64)
    x[0, 0] *= 1000  # an outlier token must not cost the others their digits
    layer = Int8Linear(*quantize(weight), bias, kernel)  # type: ignore[arg-type]
    wanted = x @ weight.t() + bias
    error = (layer(x) - wanted).norm(dim=-1) / wanted.norm(dim=-1)
    # 7 of the 8 bits are left where a kernel must not overflow 16-bit sums (AVX2).
    assert float(error.max()) < (0.08 if kernel == "packed" else 0.03)


def test_a_kernel_is_chosen() -> None:
    assert fastest_kernel(4) in ("packed", "plain", "float")


def test_another_model_by_folder(tiny: LocalModel, tmp_path: Path) -> None:
    tiny._model.save_pretrained(tmp_path)
    tiny._tokenizer.save_pretrained(tmp_path)
    other = load_model(str(tmp_path))
    tiny.invoke(asked("w9"))
    prompt = Prompt([3, 10, 11, 12], ())
    wanted = tiny._read(prompt, None)[0].logits
    assert torch.allclose(other._read(prompt, None)[0].logits, wanted, atol=1e-5)


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable) as error:
        load_model(str(tmp_path / "nothing"))
    assert "\n" not in str(error.value)


def test_the_state_after_a_layer_is_that_of_the_last_token(tiny: LocalModel) -> None:
    logits, state = tiny.next_state(asked("w31 w32 w33"), ("yes", "no"), 1)
    assert logits == pytest.approx(tiny.next_logits(asked("w31 w32 w33"), ("yes", "no")), abs=1e-5)
    ids = torch.tensor([tiny._tokenize(asked("w31 w32 w33")).ids])
    with torch.inference_mode():
        hidden = tiny._model.model(input_ids=ids, output_hidden_states=True).hidden_states
    assert state.shape == (32,)
    # The last entry is after the final norm; layer 0's state is what layer 1 gets.
    first = tiny.next_state(asked("w31 w32 w33"), ("yes", "no"), 0)[1]
    assert torch.allclose(torch.tensor(first), hidden[1][0, -1], atol=1e-4)
    normed = tiny._model.model.norm(torch.tensor(state))
    assert torch.allclose(normed, hidden[2][0, -1], atol=1e-4)


def test_a_halted_reading_has_no_state(tiny: LocalModel) -> None:
    halt = threading.Event()
    halt.set()
    logits, state = tiny.next_state(asked("w81 w82"), ("yes", "no"), 1, halt)
    assert logits == [0.0, 0.0]
    assert len(state) == 0
