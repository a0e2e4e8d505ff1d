"""Attempts: answers are kept one by one, nothing is told before its time, what was missed comes back."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import BadRequest
from rag.items.attempts import Attempt, Attempts
from rag.items.bank import Bank
from rag.items.memory import reviewed
from rag.items.results import Result, results, scores, to_csv, to_json
from rag.items.types import Item, Option
from tests.quiz_items import choice, truth, written

DAY = 86_400.0
ITEMS = (choice(0), written(), truth(), choice(1, topic="Losses"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture
def kept(path: Path) -> Attempts:
    Bank(path).add(ITEMS)
    return Attempts(path)


def test_answers_are_there_after_reopening(kept: Attempts, path: Path) -> None:
    made = kept.begin(ITEMS, "My quiz", student="ann")
    kept.answer(made.id, 0, ITEMS[0].key, seconds=3.5, student="ann")
    kept.answer(made.id, 1, text="  in\n2014 ", student="ann")
    kept.close()
    found = Attempts(path).get(made.id, "ann")
    assert found.items == ITEMS and found.title == "My quiz" and found.ended is None
    assert [(r.chosen, r.text, r.right, r.seconds) for r in found.responses.values()] == [
        (1, "", True, 3.5), (None, "in 2014", True, 0.0),
    ]  # fmt: skip
    assert found.next == 2 and [found.told(place) for place in range(4)] == [True, True, False, False]
    with pytest.raises(BadRequest, match="not there"):
        kept.get(made.id, "bob")
    assert kept.list("bob") == () and kept.list("ann") == (found,)


def test_told_at_once_the_first_answer_counts(kept: Attempts) -> None:
    made = kept.begin(ITEMS)
    kept.answer(made.id, 0, 0)
    after = kept.answer(made.id, 0, ITEMS[0].key)
    assert after.responses[0].chosen == 0 and not after.responses[0].right


def test_told_at_the_end_the_last_answer_counts_until_then(kept: Attempts) -> None:
    made = kept.begin(ITEMS, at_the_end=True)
    kept.answer(made.id, 0, 0, seconds=2)
    after = kept.answer(made.id, 0, ITEMS[0].key, seconds=3)
    assert not after.told(0) and after.responses[0].seconds == 5
    assert results([after]) == () and scores([after])[0].asked == 0
    assert kept.due(now=after.started + 900 * DAY) == ()  # that too would tell
    over = kept.finish(made.id)
    assert all(over.told(place) for place in range(4)) and over.responses[0].right
    assert kept.finish(made.id) == over
    with pytest.raises(BadRequest, match="is over"):
        kept.answer(made.id, 1, text="2014")


@pytest.mark.parametrize(
    ("place", "chosen", "text"),
    [
        (0, None, "discriminator"),
        (0, 4, ""),
        (0, -1, ""),
        (1, 0, " "),
        (1, None, "x" * 400),
        (4, 0, ""),
        (-1, 0, ""),
    ],
)
def test_what_is_no_answer_is_one_line(kept: Attempts, place: int, chosen: int | None, text: str) -> None:
    made = kept.begin(ITEMS)
    with pytest.raises(BadRequest) as said:
        kept.answer(made.id, place, chosen, text)
    assert "\n" not in str(said.value) and kept.get(made.id).responses == {}
    with pytest.raises(BadRequest):
        kept.begin([])


def test_each_attempt_has_an_order_of_its_own(kept: Attempts) -> None:
    orders = [kept.begin(ITEMS).orders for _ in range(24)]
    assert {order[2] for order in orders} == {(0, 1)}  # True stands before False
    assert all(sorted(order[0]) == [0, 1, 2, 3] for order in orders)
    assert len({order[0].index(ITEMS[0].key) for order in orders}) == 4
    assert len({order[:1] + order[3:] for order in orders}) > 12


def test_numbers_stay_in_order(kept: Attempts) -> None:
    numbers = replace(choice(5), options=tuple(Option(text, "") for text in ("0.5", "2", "1,000", "2000")))
    mixed = replace(numbers, options=(*numbers.options[:3], Option("many", "")))
    found = [kept.begin([numbers, mixed]).orders for _ in range(8)]
    assert {one[0] for one in found} == {(0, 1, 2, 3)} and len({one[1] for one in found}) > 1


def test_an_attempt_is_marked_by_what_was_asked(kept: Attempts, path: Path) -> None:
    made = kept.begin(ITEMS)
    Bank(path).delete(ITEMS[0].id)
    Bank(path).edit(ITEMS[3].id, choice(1, key=3))
    assert kept.answer(made.id, 0, 1).responses[0].right
    assert kept.answer(made.id, 3, 1).responses[3].right


def test_scores_by_topic_count_what_was_left_out(kept: Attempts) -> None:
    made = kept.begin(ITEMS)
    kept.answer(made.id, 0, ITEMS[0].key, seconds=4)
    kept.answer(made.id, 1, text="1999")
    whole, topics = scores([kept.get(made.id)])
    assert (whole.right, whole.asked, whole.share) == (1, 2, 0.5)
    whole, topics = scores([kept.finish(made.id)])
    assert (whole.right, whole.asked, whole.seconds) == (1, 4, 4)
    assert [(one.topic, one.right, one.asked) for one in topics] == [
        ("Losses", 0, 1), ("Years", 0, 1), ("GANs", 1, 2),
    ]  # fmt: skip
    assert scores([])[0].share == 0


def test_results_leave_as_csv_and_json(kept: Attempts) -> None:
    nasty = choice(9, stem='=HYPERLINK("http://evil.invalid"), "quoted"; new')
    made = kept.begin([nasty, written()], "Quiz", student="ann")
    kept.answer(made.id, 0, 0, seconds=1.26, student="ann")
    found = results([kept.finish(made.id, "ann")], "ann")
    assert [(one.number, one.right, one.answered, one.page) for one in found] == [
        (1, False, nasty.options[0].text, 7), (2, False, "", None),
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert rows[0]["question"] == "'" + nasty.stem and rows[0]["seconds"] == "1.3" and rows[1]["page"] == ""
    assert [Result(**one) for one in json.loads(to_json(found))] == list(found)


def due(kept: Attempts, days: float, start: float) -> list[Item]:
    return list(kept.due(now=start + days * DAY))


def test_what_was_missed_comes_back_first_and_again(kept: Attempts, path: Path) -> None:
    made = kept.begin(ITEMS)
    kept.answer(made.id, 0, ITEMS[0].key)
    kept.answer(made.id, 1, text="1999")
    start = made.started
    assert due(kept, 0, start) == []
    assert due(kept, 1.1, start) == [ITEMS[1]]
    assert due(kept, 30, start) == [ITEMS[1], ITEMS[0]]
    Bank(path).reject(ITEMS[1].id, "unclear")
    assert due(kept, 30, start) == [ITEMS[0]]
    assert kept.due("ann", start + 30 * DAY) == ()


def test_what_is_known_comes_back_later_each_time_and_a_miss_brings_it_near() -> None:
    card, when, gaps = None, 1.7e9, []
    for _ in range(4):
        card, due = reviewed(card, True, when)
        gaps.append((due - when) / DAY)
        when = due
    assert gaps == sorted(gaps) and 1 <= gaps[0] < gaps[-1] / 3
    _, near = reviewed(card, False, when)
    assert DAY <= near - when < gaps[-1] * DAY / 2
    assert reviewed("torn", True, when)[1] == reviewed(None, True, when)[1]
    assert reviewed(card, True, 0.0)[1] > when - gaps[-1] * DAY  # the clock was set back


def test_a_damaged_attempt_is_one_line(kept: Attempts, path: Path) -> None:
    made = kept.begin(ITEMS)
    with sqlite3.connect(path) as db:
        db.execute("""UPDATE attempt SET items = '["torn"]'""")
    with pytest.raises(BadRequest, match="not there"):
        kept.get(made.id)


def test_answers_at_the_same_moment_are_all_kept(kept: Attempts, path: Path) -> None:
    items = [truth(number) for number in range(12)]
    made = kept.begin(items)
    openers = (kept, Attempts(path))
    threads = [
        threading.Thread(target=openers[n % 2].answer, args=(made.id, n // 2, n % 2)) for n in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found: Attempt = kept.get(made.id)
    assert sorted(found.responses) == list(range(12))
