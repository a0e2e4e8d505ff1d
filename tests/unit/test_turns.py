"""Several answers at once: who goes first, who waits, and that none disturbs another."""

import threading
from collections.abc import Callable

import pytest

from ingest.errors import BadRequest, ModelUnusable
from rag.decoding import decoding
from rag.engines.local import LocalModel
from rag.engines.turns import Turns
from tests.tiny_model import asked, tiny_model
from tests.waiting import until

LONG = " ".join(f"w{n % 90}" for n in range(120))  # more than one chunk


@pytest.fixture
def tiny() -> LocalModel:
    return tiny_model()


def in_thread(run: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def texts(model: LocalModel, question: str, seed: int) -> list[str]:
    how = decoding("random", seed=seed)
    return [str(chunk.content) for chunk in model.stream(asked(question), decoding=how)]


@pytest.mark.parametrize("questions", [("w10 w11", "w10 w12"), (LONG, LONG + " w3")])
def test_interleaved_answers_are_the_sequential_ones(tiny: LocalModel, questions: tuple[str, str]) -> None:
    apart = [texts(tiny, question, seed) for seed, question in enumerate(questions)]
    fresh = tiny_model()
    streams = [
        fresh.stream(asked(question), decoding=decoding("random", seed=seed))
        for seed, question in enumerate(questions)
    ]
    together: list[list[str]] = [[], []]
    going = [0, 1]
    while going:
        for number in list(going):
            chunk = next(streams[number], None)
            if chunk is None:
                going.remove(number)
            else:
                together[number].append(str(chunk.content))
    assert together == apart


def test_answers_in_threads_are_the_sequential_ones(tiny: LocalModel) -> None:
    questions = [LONG, "w5 w6", "w5 w7", LONG + " w1", "w80"]
    apart = [texts(tiny_model(), question, seed) for seed, question in enumerate(questions)]
    together: dict[int, list[str]] = {}

    def answer(seed: int) -> None:
        together[seed] = texts(tiny, questions[seed], seed)

    for thread in [in_thread(lambda seed=seed: answer(seed)) for seed in range(len(questions))]:
        thread.join(60)
    assert [together[seed] for seed in range(len(questions))] == apart


def test_the_second_reads_his_first_word_while_the_first_still_writes(tiny: LocalModel) -> None:
    first = tiny.stream(asked("w9"), decoding=decoding("random", seed=5))
    next(first)
    second = tiny.stream(asked("w8"), decoding=decoding("random", seed=6))
    assert next(second).content
    assert next(first).content


def test_first_come_first_served_and_each_sees_his_number() -> None:
    turns = Turns(active=1, queue=3)
    order: list[int] = []
    seen: dict[int, list[int]] = {1: [], 2: [], 3: []}
    go = {number: threading.Event() for number in range(4)}

    def answer(number: int) -> None:
        with turns.place(None, seen.get(number, []).append):
            order.append(number)
            go[number].wait(10)

    threads = []
    for number in range(4):
        threads.append(in_thread(lambda number=number: answer(number)))
        until(lambda number=number: seen[number][-1:] == [number] if number else order == [0])
    with pytest.raises(BadRequest, match="3 students are waiting"), turns.place(None):
        pass
    for number in range(4):
        until(lambda number=number: order == list(range(number + 1)))
        go[number].set()
    for thread in threads:
        thread.join(10)
    assert seen == {1: [1, 0], 2: [2, 1, 0], 3: [3, 2, 1, 0]}


def test_turns_go_round() -> None:
    turns = Turns()
    order: list[str] = []
    with turns.turn():

        def work(name: str) -> None:
            for _ in range(3):
                with turns.turn():
                    order.append(name)
                    until(lambda: len(turns._line) > 1 or len(order) > 4)

        threads = []
        for place, name in enumerate("ab"):
            threads.append(in_thread(lambda name=name: work(name)))
            until(lambda place=place: len(turns._line) == place + 2)
    for thread in threads:
        thread.join(10)
    assert "".join(order) == "ababab"


def test_who_gives_up_while_waiting_frees_his_number(tiny: LocalModel) -> None:
    going = [tiny.stream(asked(f"w{n}"), decoding=decoding("random", seed=5)) for n in (9, 10)]
    for stream in going:
        next(stream)
    numbers: list[int] = []
    halt, written = threading.Event(), []

    def ask() -> None:
        written.extend(tiny.stream(asked("w8"), halt=halt, waiting=numbers.append))

    thread = in_thread(ask)
    until(lambda: numbers == [1])
    halt.set()
    thread.join(5)
    assert not thread.is_alive()
    assert "".join(str(chunk.content) for chunk in written) == ""
    assert len(tiny._turns._answers) == 2


def test_a_stopped_answer_gives_its_place_to_the_next(tiny: LocalModel) -> None:
    halt = threading.Event()
    going = [
        tiny.stream(asked("w9"), decoding=decoding("random", seed=5), halt=halt),
        tiny.stream(asked("w10"), decoding=decoding("random", seed=5)),
    ]
    for stream in going:
        next(stream)
    numbers: list[int] = []
    thread = in_thread(lambda: tiny.invoke(asked("w8"), waiting=numbers.append))
    until(lambda: numbers == [1])
    halt.set()
    list(going[0])
    thread.join(5)
    assert numbers == [1, 0]
    assert not thread.is_alive()


def test_judging_and_answering_are_one_wait(tiny: LocalModel) -> None:
    halt = threading.Event()
    with tiny.answering(halt) as mine:
        assert mine
        other = tiny.stream(asked("w9"), decoding=decoding("random", seed=5))
        next(other)
        assert tiny.next_logits(asked("w8"), ("yes", "no"), halt) != [0.0, 0.0]
        assert tiny.invoke(asked("w8"), halt=halt) is not None  # both places are taken: this is one of them


def test_an_error_in_one_leaves_the_other_as_it_was(
    tiny: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = texts(tiny_model(), LONG, 5)
    other = tiny.stream(asked(LONG), decoding=decoding("random", seed=5))
    written = [str(next(other).content)]
    half = tiny._model.model.layers[0].register_forward_hook(lambda *_: _fail())
    with pytest.raises(ModelUnusable, match="Memory ran out"):
        tiny.invoke(asked(LONG + " w3"))
    half.remove()
    written += [str(chunk.content) for chunk in other]
    assert written == wanted
    assert texts(tiny, LONG, 5) == wanted


def _fail() -> None:
    raise RuntimeError("can't allocate memory")


def test_two_students_do_not_push_each_other_out(tiny: LocalModel) -> None:
    def held(text: str) -> int:
        return int(tiny.invoke(asked(text)).usage_metadata["input_token_details"]["cache_read"])

    one, two = " ".join(f"w{n}" for n in range(80)), " ".join(f"w{n}" for n in range(80, 0, -1))
    held(one), held(two)
    assert held(one) > 70
    assert held(two) > 70
    assert held(one + " w9") > 70
    assert len(tiny._kept._readings) <= 3
