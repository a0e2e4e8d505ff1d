"""Several strategies from one prompt: each writes what it writes alone, and tells what it chose from."""

import threading

import pytest

from rag.decoding import Decoding, decoding
from rag.engines.local import LocalModel
from rag.engines.writing import Drawn, beam
from tests.tiny_model import asked, tiny_model

HOWS = [
    decoding("greedy"),
    decoding("random", temperature=1.5, seed=3),
    decoding("top-k", k=5, seed=4),
    decoding("top-p", p=0.5, seed=5),
    decoding("beam", beams=3),
]


@pytest.fixture(scope="module")
def tiny() -> LocalModel:
    return tiny_model()


@pytest.fixture(scope="module")
def drawn(tiny: LocalModel) -> list[Drawn]:
    return list(tiny.compare(asked("w9 w8"), HOWS))


@pytest.mark.parametrize("number", range(len(HOWS)))
def test_each_writes_what_it_writes_alone(tiny: LocalModel, drawn: list[Drawn], number: int) -> None:
    text = "".join(one.piece for one in drawn if one.strategy == number)
    assert text == tiny.invoke(asked("w9 w8"), decoding=HOWS[number]).content
    assert [one.done for one in drawn if one.strategy == number].count(True) == 1


def test_they_go_round_one_token_each(drawn: list[Drawn]) -> None:
    assert [one.strategy for one in drawn[:8]] == [0, 1, 2, 3, 0, 1, 2, 3]
    assert drawn[-1].strategy == 4
    assert drawn[-1].candidates == ()


def test_candidates_tell_what_was_left_in_and_what_was_drawn(drawn: list[Drawn]) -> None:
    for one in drawn:
        if one.strategy == 4:
            continue
        assert [c.token for c in one.candidates if c.drawn] == [one.token]
        assert all(c.kept for c in one.candidates if c.drawn)
        assert len(one.candidates) in (12, 13)
        before = [c.before for c in one.candidates[:12]]
        assert before == sorted(before, reverse=True)
    assert all(sum(c.kept for c in one.candidates) == 1 for one in drawn if one.strategy == 0)
    assert all(sum(c.kept for c in one.candidates) == 5 for one in drawn if one.strategy == 2)
    assert all(one.kept == 5 for one in drawn if one.strategy == 2)
    assert all(one.kept == 100 and one.share == pytest.approx(1) for one in drawn if one.strategy == 1)
    assert all(one.share >= 0.5 for one in drawn if one.strategy == 3)
    hot = next(one for one in drawn if one.strategy == 1)
    assert hot.candidates[0].after < hot.candidates[0].before
    cool = next(one for one in drawn if one.strategy == 0)
    assert cool.candidates[0].after == cool.candidates[0].before


def test_a_temperature_of_zero_is_greedy(tiny: LocalModel) -> None:
    found = list(tiny.compare(asked("w9"), [decoding("greedy"), Decoding("random", temperature=0)]))
    zero, greedy = ([one.token for one in found if one.strategy == n] for n in (1, 0))
    assert zero == greedy


def test_seconds_grow(drawn: list[Drawn]) -> None:
    seconds = [one.seconds for one in drawn if one.strategy == 1]
    assert seconds == sorted(seconds)


def test_it_stops(tiny: LocalModel) -> None:
    halt = threading.Event()
    found = []
    for one in tiny.compare(asked("w9 w8"), HOWS, halt):
        found.append(one)
        if len(found) == 6:
            halt.set()
    assert len(found) == 6
    assert not tiny._turns._answers


def test_beams_are_those_of_transformers(tiny: LocalModel) -> None:
    import torch

    prompt = tiny._tokenize(asked("w9 w8"))
    ids = prompt.ids
    wanted = tiny._model.generate(
        torch.tensor([ids]),
        num_beams=3,
        do_sample=False,
        max_new_tokens=24,
        eos_token_id=[0],
        pad_token_id=0,
    )[0, len(ids) :].tolist()
    reading = tiny._read(prompt, None)[0]
    got = beam(reading, tiny._model, tiny._turns, decoding("beam", beams=3), {0}, 24, None)
    assert got == [token for token in wanted if token != 0]
