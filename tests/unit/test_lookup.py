"""Guessing from the prompt: what is guessed, when it pauses, and that the text stays the same."""

import threading

import pytest

from rag.decoding import GREEDY, decoding
from rag.engines import weights
from rag.engines.local import LocalModel
from rag.engines.lookup import MISSES, PAUSE, Pace, guess
from tests.tiny_model import asked, prepared, tiny_model


def test_what_followed_the_last_time_is_guessed() -> None:
    assert guess([1, 2, 3, 4, 5, 6, 1, 2, 3], 2) == [4, 5]
    assert guess([1, 2, 3, 4, 9, 2, 3, 7, 2, 3], 3) == [7, 2, 3]  # latest first
    assert guess([9, 2, 3, 4, 8, 2, 3, 7, 9, 2, 3], 1) == [4]  # the longer match first
    assert guess([1, 2, 3], 4) == []
    assert guess([1], 4) == []
    assert guess([5, 5, 5], 4) == [5]
    assert guess([1, 2, 3, 1, 2], 0) == []


def test_wrong_guesses_bring_a_pause_that_grows_and_a_right_one_ends_it() -> None:
    pace = Pace()
    for number in range(MISSES):
        assert pace.resume == 0
        pace = pace.learned(0, number + 1)
    assert pace.resume == MISSES + PAUSE[0]
    again = pace.learned(0, 30)
    assert again.resume == 30 + 2 * PAUSE[0]
    for number in range(10):
        again = again.learned(0, 100 * number)
    assert again.pause == PAUSE[1]
    assert again.learned(2, 2000) == Pace(size=5)


@pytest.fixture(scope="module", params=["packed", "plain"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = prepared(tiny_model(), tmp_path_factory.mktemp("prepared"))
    model, _ = weights.load_int8(folder, kernel=request.param)
    return LocalModel(model, tiny_model()._tokenizer, max_new_tokens=60, lookup=True)


@pytest.mark.parametrize("number", range(20))
def test_the_text_is_the_same_with_and_without(loaded: LocalModel, number: int) -> None:
    question = asked(" ".join(f"w{(number * 7 + place * (number + 1)) % 30}" for place in range(40)))
    with_it = loaded.invoke(question, decoding=GREEDY)
    without = loaded.model_copy(update={"lookup": False}).invoke(question, decoding=GREEDY)
    assert with_it.content == without.content
    assert with_it.usage_metadata["output_tokens"] == without.usage_metadata["output_tokens"]


def test_fewer_calls_where_the_text_repeats(loaded: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {True: 0, False: 0}
    for lookup in calls:
        model = loaded.model_copy(update={"lookup": lookup})

        def count(*_: object, lookup: bool = lookup) -> None:
            calls[lookup] += 1

        hook = model._model.model.register_forward_hook(count)
        model.invoke(asked("w1 w2 " * 20))
        hook.remove()
    assert calls[True] < calls[False]


def test_stop_is_felt_within_a_guess(loaded: LocalModel) -> None:
    halt, pieces = threading.Event(), []
    for chunk in loaded.stream(asked("w1 w2 " * 20), halt=halt):
        pieces.append(chunk.content)
        if len(pieces) == 2:
            halt.set()
    assert len([piece for piece in pieces if piece]) == 2


def test_sampling_does_not_guess(loaded: LocalModel) -> None:
    how = decoding("random", seed=3)
    plain = loaded.model_copy(update={"lookup": False})
    question = asked("w1 w2 " * 20)
    assert loaded.invoke(question, decoding=how).content == plain.invoke(question, decoding=how).content
