"""Excerpts that were read before: joined where they stand, never trusted where damaged, never in the way."""

import os
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag.engines import modules, weights
from rag.engines.keys import turned
from rag.engines.local import LocalModel
from rag.engines.prompt import excerpt
from tests.tiny_model import prepared, tiny_model

ONE = ("w10 w11 w12", "w13 w14", "w15 w16 w17 w18")
TWO = ("w20 w21", "w22 w23 w24")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tiny_model(), tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def here(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "model"))


def opened(folder: Path) -> LocalModel:
    model, _ = weights.load_int8(folder, kernel="packed")
    return LocalModel(model, tiny_model()._tokenizer, max_new_tokens=24, folder=folder)


def asked(question: str, *excerpts: tuple[Sequence[str], Sequence[int]]) -> list[BaseMessage]:
    parts = [excerpt(lines, shown) for lines, shown in excerpts]
    tail = {"type": "text", "text": f" {question}"}
    return [SystemMessage("w1 w2 w3"), HumanMessage([{"type": "text", "text": "w4 "}, *parts, tail])]


def ahead(model: LocalModel, *texts: Sequence[str], gently: bool = False) -> bool:
    """Whether all of them are read now."""
    halt = threading.Event()
    return all(model.read_ahead(asked("", (text, range(len(text)))), halt, gently) for text in texts)


def layers_of(model: LocalModel, messages: list[BaseMessage]) -> tuple[list[torch.Tensor], torch.Tensor, int]:
    reading, held = model._read(model._tokenize(messages), None)
    return [keys.clone() for keys, _ in reading.cache.pairs()], reading.logits, held


def test_what_was_read_ahead_is_not_read_again(here: Path) -> None:
    model = opened(here)
    whole = asked("w50", (ONE, (0, 1, 2)))
    _, wanted, held = layers_of(model, whole)
    assert held == 0
    assert ahead(opened(here), ONE)
    again = opened(here)  # a new process
    _, logits, held = layers_of(again, whole)
    assert held == 9
    # Behind the fixed start and whole it is exact, but for 8 bits.
    assert torch.allclose(logits, wanted, atol=0.05)
    assert again.invoke(whole).content == model.invoke(whole).content


def test_it_stands_where_the_prompt_has_it(here: Path) -> None:
    """The first layer's keys depend on a token and its place alone, so they tell whether both are right."""
    model = opened(here)
    messages = asked("w50 w51", (TWO, (1,)), (ONE, (0, 2)))
    cold, _, held = layers_of(model, messages)
    assert held == 0
    assert ahead(model, ONE, TWO)
    warm, logits, held = layers_of(opened(here), messages)
    assert held == 3 + 7
    assert torch.allclose(warm[0], cold[0], atol=0.03)
    assert not torch.allclose(warm[1], cold[1], atol=1e-6)  # deeper ones have read their own text only
    assert torch.isfinite(logits).all()


def test_what_is_not_at_hand_is_read(here: Path) -> None:
    model = opened(here)
    assert ahead(model, TWO)
    messages = asked("w50", (ONE, (0, 1)), (TWO, (0, 1)))
    reading, held = model._read(model._tokenize(messages), None)
    assert held >= 5  # TWO, and perhaps the start
    assert reading.ids == model._tokenize(messages).ids
    plain = LocalModel(model._model, model._tokenizer, max_new_tokens=24)  # without a folder nothing is kept
    assert plain._tokenize(messages).ids == reading.ids
    assert not ahead(plain, ONE)


def test_texts_that_part_within_one_join_it_all_the_same(here: Path) -> None:
    model = opened(here)
    alike = ("w10 w11 w12", "w60 w61", "w62 w63 w64 w65 w66")  # begins as ONE does
    assert ahead(model, ONE, alike)
    assert layers_of(model, asked("w50", (ONE, (0, 1, 2))))[2] >= 9
    calls: list[int] = []
    model._model.register_forward_hook(lambda _m, _i, output: calls.append(output.logits.shape[1]))
    layers_of(model, asked("w50", (alike, (0, 1, 2))))
    assert len(calls) == 1  # the question


@pytest.mark.parametrize("damage", ["short", "flipped", "empty", "foreign"])
def test_a_damaged_one_is_read_again(here: Path, damage: str) -> None:
    assert ahead(opened(here), ONE)
    (file,) = (here / "modules").iterdir()
    data = bytearray(file.read_bytes())
    if damage == "flipped":
        data[-20] ^= 0x40
    elif damage == "foreign":
        data = bytearray((here / "int8.safetensors").read_bytes())
    file.write_bytes(data[: {"short": 100, "empty": 0}.get(damage, len(data))])
    assert layers_of(opened(here), asked("w50", (ONE, (0, 1, 2))))[2] == 0


def test_it_may_stand_behind_another_start_than_it_was_read_behind(here: Path) -> None:
    model = opened(here)
    model.warm(asked("", ((), ())))
    assert ahead(model, ONE)
    other = asked("w50", (ONE, (0, 2)))
    other[0] = SystemMessage("w7 w8")
    _, logits, held = layers_of(model, other)
    assert held >= 7  # both lines
    assert len(logits)
    # A model that was not told what all prompts begin with keeps to what each of them begins with.
    assert layers_of(opened(here), other)[2] == 0
    assert layers_of(opened(here), asked("w50", (ONE, (0, 2))))[2] == 7


def test_a_text_is_known_by_all_of_it(here: Path) -> None:
    model = opened(here)
    assert ahead(model, ONE)
    other = (*ONE[:2], "w15 w16 w17 w19")
    assert layers_of(opened(here), asked("w50", (other, (0,))))[2] == 0
    # Another start of the prompt is another text, too.
    messages = [SystemMessage("w9"), *asked("w50", (ONE, (0,)))[1:]]
    assert layers_of(opened(here), messages)[2] == 0


def test_the_templates_own_tokens_are_text_in_an_excerpt(here: Path) -> None:
    model = opened(here)
    spelled = model._tokenize(asked("w50", (("w1 <|im_end|> w2", "\x1e w3"), (0, 1))))
    assert spelled.ids.count(0) == model._tokenize(asked("w50", (("w1", "w3"), (0, 1)))).ids.count(0)
    assert len(spelled.excerpts) == 1


def test_room_is_made_of_what_was_not_used(here: Path) -> None:
    model = opened(here)
    assert ahead(model, ONE, TWO)
    files = sorted((here / "modules").iterdir())
    for file in files:
        os.utime(file, (1e9, 1e9))
    shelf = modules.Shelf(here, [1], "packed")
    assert shelf.make_room(since=0, room=10**9)  # there is room
    assert not shelf.make_room(since=0, room=1)  # there is none, and nothing may go
    assert sorted((here / "modules").iterdir()) == files
    assert ahead(model, ONE)  # used now
    assert not shelf.make_room(since=time.time() - 60, room=1)
    assert len(list((here / "modules").iterdir())) == 1


def test_reading_gently_lets_answers_go_first(here: Path) -> None:
    model, done = opened(here), threading.Event()
    halt = threading.Event()
    with model.answering(threading.Event()):
        reader = threading.Thread(
            target=lambda: (model.read_ahead(asked("", (ONE, (0, 1, 2))), halt, True), done.set())
        )
        reader.start()
        assert not done.wait(0.3)
    assert done.wait(30)
    reader.join()
    assert layers_of(opened(here), asked("w50", (ONE, (0,))))[2] >= 3


def test_it_ends_where_it_is_halted(here: Path) -> None:
    model, halt = opened(here), threading.Event()
    halt.set()
    assert not model.read_ahead(asked("", (ONE, (0, 1, 2))), halt)
    assert not (here / "modules").exists() or not list((here / "modules").iterdir())


def test_what_comes_next_is_read_first_and_lends_its_lines(here: Path) -> None:
    model = opened(here)
    model.folder = None  # nothing on disk: the lines come out of what was read just now
    notes, less = asked("w50 w51", (ONE, (0, 1, 2)), (TWO, (0, 1))), asked("w60", (TWO, (1,)), (ONE, (0,)))
    calls: list[int] = []
    model._model.register_forward_hook(
        lambda _model, _none, settings, _out: calls.append(settings["input_ids"].shape[1]), with_kwargs=True
    )
    _, state = model.next_state(less, ("w5",), 1, notes=notes)
    prompt = model._tokenize(less)
    borrowed = sum(one.count for one in prompt.excerpts)
    assert calls[-1] <= len(prompt.ids) - borrowed - len(prompt.start) + 1
    before, after = len(calls), model._tokenize(notes)
    model.invoke(notes)  # the answer reads its question alone
    assert calls[before] == len(after.ids) - len(after.to_last().ids)
    assert np.isfinite(state).all()
    # Lines that nothing stood before attended to nothing else: then it is what reading gives.
    first = asked("w60", (ONE, (0, 1)))
    fresh = opened(here)
    fresh.folder = None
    logits, state = fresh.next_state(first, ("w5", "w6"), 1, notes=notes)
    plain, wanted = model.next_state(first, ("w5", "w6"), 1)
    assert logits == pytest.approx(plain, abs=1e-3)
    assert np.allclose(state, wanted, atol=1e-3)


def test_lines_that_the_notes_do_not_show_are_read(here: Path) -> None:
    model = opened(here)
    model.folder = None
    notes, other = asked("w50", (ONE, (0,))), asked("w60", (ONE, (0, 1)))
    logits, state = model.next_state(other, ("w5",), 1, notes=notes)
    plain, wanted = opened(here).next_state(other, ("w5",), 1)
    assert logits == pytest.approx(plain, abs=1e-3) and np.allclose(state, wanted, atol=1e-3)
    assert model.next_state(other, ("w5",), 1, notes=asked("w50"))[0] == pytest.approx(plain, abs=1e-3)
    halt = threading.Event()
    halt.set()
    assert opened(here).next_state(other, ("w5",), 1, halt, asked("w70", (ONE, (0,))))[0] == [0.0]


def test_a_claim_is_judged_on_lines_that_the_answer_was_read_with(here: Path) -> None:
    model = opened(here)
    model.folder = None
    calls: list[int] = []
    model._model.register_forward_hook(
        lambda _model, _none, settings, _out: calls.append(settings["input_ids"].shape[1]), with_kwargs=True
    )

    def claim() -> list[BaseMessage]:
        messages = asked("w9", (ONE, (0, 2)), (TWO, (0, 1)), (("w40 w41",), (0,)))
        return [SystemMessage("w7 w8"), messages[1]]

    model.invoke(asked("w50", (ONE, (0, 1, 2)), (TWO, (1,))))
    calls.clear()
    (lent,) = model.judge([claim()], ("w5",), (1,))
    few = sum(calls)
    fresh = opened(here)
    fresh.folder = None
    (whole,) = fresh.judge([claim()], ("w5",), (1,))
    assert lent.states[0].shape == whole.states[0].shape
    one, two, _ = model._tokenize(claim()).excerpts
    assert few <= len(model._tokenize(claim()).ids) - len(one.ids[0]) - len(one.ids[2])
    assert two.shown == (0, 1)  # of which the answer showed one: the other is read


def test_turning_back_undoes_turning() -> None:
    keys = torch.randn(2, 3, 4, 8)
    angles = torch.randn(4, 4).repeat(1, 2)
    there = turned(keys, angles.cos(), angles.sin())
    assert torch.allclose(turned(there, angles.cos(), angles.sin(), back=True), keys, atol=1e-5)
    assert not torch.allclose(there, keys, atol=1e-2)


def test_eight_bits_are_near() -> None:
    keys, values = torch.randn(2, 3, 40, 8) * 5 + 30, torch.randn(2, 3, 40, 8)
    some = torch.tensor([0, 7, 39])
    near = modules.module(keys, values).rows(some)
    assert (near[0] - keys[:, :, some]).abs().max() < 0.1
    assert (near[1] - values[:, :, some]).abs().max() < 0.02
