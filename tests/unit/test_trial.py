"""Long work of pages: it waits for its turn, owners take turns, and one that waits can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.waiting import until
from ui.queueing import Queue, QueueFull
from ui.web.trial import Start, Trials


def held(gate: threading.Event, order: list[str], name: str) -> Start[str]:
    """Work that goes on until `gate` is set, or it is halted."""

    def start(halt: threading.Event, _: object) -> Iterator[str]:
        order.append(name)
        yield "begun"
        while not gate.wait(0.01) and not halt.is_set():
            pass
        yield "done"

    return start


def test_owners_take_turns_and_are_told_their_place() -> None:
    line, gate = Queue(places=1), threading.Event()
    lab, quiz = Trials[str](line), Trials[str](line)
    order: list[str] = []
    assert lab.put("ada:1", held(gate, order, "ada 1"))
    first = lab.get("ada:1")
    assert first is not None
    until(lambda: first.value == "begun")
    for page in ("ada:2", "ada:3"):
        assert lab.put(page, held(gate, order, page))
    until(lambda: all(one and one.waiting for one in (lab.get("ada:2"), lab.get("ada:3"))))
    assert quiz.put("bob:1", held(gate, order, "bob 1"))
    bob = quiz.get("bob:1")
    assert bob is not None
    until(lambda: bool(bob.waiting))
    gate.set()
    until(lambda: not any(one and one.running for one in (first, bob, lab.get("ada:2"), lab.get("ada:3"))))
    assert order == ["ada 1", "ada:2", "bob 1", "ada:3"], "all of one went before one of another"


def test_one_that_waits_is_stopped_and_gives_up_its_place() -> None:
    line, gate, order = Queue(places=1), threading.Event(), list[str]()
    trials = Trials[str](line)
    trials.put("ada:1", held(gate, order, "ada"))
    until(lambda: bool(order))
    trials.put("bob:1", held(gate, order, "bob"))
    bob = trials.get("bob:1")
    assert bob is not None
    until(lambda: bool(bob.waiting))
    trials.stop("bob:1")
    until(lambda: not bob.running)
    assert bob.value is None and not bob.mishap and line.busy() == (1, 0)
    gate.set()


def test_a_full_line_is_told_and_nothing_is_held() -> None:
    line, gate, order = Queue(places=1, waiting=1), threading.Event(), list[str]()
    trials = Trials[str](line)
    trials.put("ada:1", held(gate, order, "ada"))
    until(lambda: bool(order))
    trials.put("bob:1", held(gate, order, "bob"))
    with pytest.raises(QueueFull, match="try again"):
        trials.put("eve:1", held(gate, order, "eve"))
    assert trials.get("eve:1") is None
    gate.set()
