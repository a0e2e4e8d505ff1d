"""The line in front of the engine: fair to each owner, bounded, and nobody who has left stays in it."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from ui.queueing import PATIENCE, Queue, QueueFull


class Piece:
    """Work that is over when it is told so."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.started = self.seen = time.monotonic()
        self.running, self.working = True, False

    def start(self) -> None:
        self.working = True

    def end(self) -> None:
        self.running = self.working = False


def served(queue: Queue, pieces: list[Piece]) -> list[str]:
    """The owners in the order in which their pieces are begun, one place at a time."""
    order = []
    while left := [one for one in pieces if one.running]:
        for one in left:
            one.seen = time.monotonic()
        numbers = {id(one): queue.number(one) for one in left if len(left) < 20}
        assert sorted(numbers.values()) == list(range(len(numbers))), "numbers are places in one line"
        for one in random.sample(left, min(20, len(left))):  # whoever asks first has no advantage
            queue.turn(one)
        if not any(one.working for one in left):
            for one in left:
                queue.turn(one)
        (now,) = [one for one in left if one.working]
        assert not numbers.get(id(now))
        order.append(now.owner)
        now.end()
    return order


def entered(queue: Queue, owners: str) -> list[Piece]:
    pieces = [Piece(owner) for owner in owners]
    for one in pieces:
        queue.enter(one)
    return pieces


def test_ten_of_one_do_not_hold_up_one_of_another() -> None:
    queue = Queue(places=1, waiting=100)
    order = served(queue, entered(queue, "a" * 10 + "b" + "cc"))
    assert "".join(order) == "abcac" + "a" * 8


def test_owners_take_turns_and_each_ones_own_keep_their_order() -> None:
    queue = Queue(places=1, waiting=100)
    pieces = entered(queue, "aaabbbccc")
    assert "".join(served(queue, pieces)) == "abcabcabc"


def test_a_newcomer_waits_for_a_round_and_starves_nobody() -> None:
    queue = Queue(places=1, waiting=1000, each=1000)
    old = entered(queue, "a" * 3)
    order = []
    for number in range(12):  # somebody new comes before every turn
        old += entered(queue, "xyzuvwmnopqr"[number])
        for one in [one for one in old if one.running]:
            queue.turn(one)
        (now,) = [one for one in old if one.working]
        order.append(now.owner)
        now.end()
    assert order.count("a") == 3


def test_as_many_at_once_as_there_are_places() -> None:
    queue = Queue(places=2)
    pieces = entered(queue, "aabb")
    assert [queue.turn(one) for one in pieces] == [0, 1, 0, 2]
    assert queue.busy() == (2, 2)
    pieces[0].end()
    assert queue.turn(pieces[3]) == 1 and queue.turn(pieces[1]) == 0


def test_the_line_is_bounded_in_all_and_for_each() -> None:
    queue = Queue(places=1, waiting=4, each=2)
    pieces = entered(queue, "a")
    queue.turn(pieces[0])
    pieces += entered(queue, "aa")
    with pytest.raises(QueueFull, match="2 of your questions"):
        queue.enter(Piece("a"))
    entered(queue, "bc")
    with pytest.raises(QueueFull, match="Too many"):
        queue.enter(Piece("d"))
    assert queue.busy() == (1, 4)
    pieces[1].end()
    queue.enter(Piece("d"))


def test_who_no_longer_asks_holds_up_nobody() -> None:
    queue = Queue(places=1)
    first, second = entered(queue, "ab")
    first.seen -= PATIENCE + 1
    assert queue.turn(second) == 0
    assert queue.turn(first) == 1, "it comes back where it asks again"
    second.end()
    assert queue.turn(first) == 0


def test_fair_among_twelve_of_unlike_hunger() -> None:
    """Whoever still waits has had as many turns as any other, give or take one."""
    queue = Queue(places=1, waiting=500, each=20)
    draw = random.Random(7)
    owners = [f"s{number}" for number in range(12) for _ in range(3 + number % 3)]
    draw.shuffle(owners)
    pieces = [Piece(owner) for owner in owners]
    for one in pieces:
        queue.enter(one)
    order = served(queue, pieces)
    for cut in (12, 24, 36):
        had = Counter(order[:cut])
        assert max(had.values()) - min(had.get(f"s{n}", 0) for n in range(12)) <= 1
