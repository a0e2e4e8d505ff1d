"""The question bank: nothing is lost, every change can be undone, only what is approved is shared."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import BadRequest, UnitutorError
from rag.items.bank import LONGEST, MOST, REASONS, Bank, GateRefused
from rag.items.types import Option
from tests.quiz_items import choice, truth, written


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture
def bank(path: Path) -> Bank:
    made = Bank(path)
    assert made.add([choice(0), choice(1), written()], course="AI") == 3
    return made


def test_items_come_back_as_they_were_and_in_order(bank: Bank, path: Path) -> None:
    bank.close()
    held = Bank(path).list("proposed")
    assert [one.item for one in held] == [choice(0), choice(1), written()]
    assert {(one.version, one.course, one.reason) for one in held} == {(1, "AI", "")}
    assert bank.list(course="other") == () and bank.get("0" * 16) is None


def test_an_item_is_added_once(bank: Bank) -> None:
    bank.approve(choice(0).id)
    assert bank.add([choice(0), truth()]) == 1
    assert bank.get(choice(0).id).state == "approved"  # type: ignore[union-attr]


def test_only_what_is_approved_is_shared(bank: Bank) -> None:
    one, other, third = (held.item.id for held in bank.list())
    bank.approve(one)
    bank.approve(other)
    bank.reject(other, f"{REASONS[0]}:  the notes\nsay otherwise ")
    assert bank.shared() == (choice(0),)
    assert bank.get(other).reason == f"{REASONS[0]}: the notes say otherwise"  # type: ignore[union-attr]
    assert bank.counts() == {"proposed": 1, "approved": 1, "rejected": 1}
    bank.delete(one)
    assert bank.shared() == () and bank.counts()["approved"] == 0
    assert bank.get(third).state == "proposed"  # type: ignore[union-attr]


def test_everything_is_undone_step_by_step(bank: Bank) -> None:
    id = choice(0).id
    bank.approve(id)
    bank.approve(id)  # no second step to undo
    bank.edit(id, replace(choice(0), stem="Better?"))
    bank.reject(id, "unclear")
    bank.delete(id)
    assert bank.undo(id).state == "rejected"
    assert (bank.undo(id).state, bank.get(id).item.stem) == ("approved", "Better?")  # type: ignore[union-attr]
    assert (bank.undo(id).item, bank.get(id).version) == (choice(0), 1)  # type: ignore[union-attr]
    assert bank.undo(id).state == "proposed"
    with pytest.raises(BadRequest, match="nothing to undo"):
        bank.undo(id)


def test_an_edit_passes_the_gate_or_is_marked_by_hand(bank: Bank) -> None:
    id = choice(0).id
    seen = []
    better = replace(choice(0), id="f" * 16, stem="Better?")

    def refuses(item: object) -> str:
        seen.append(item)
        return "longest option is the key"

    with pytest.raises(GateRefused, match="longest option is the key"):
        bank.edit(id, better, refuses)
    assert bank.get(id).item == choice(0) and len(seen) == 1  # type: ignore[union-attr]
    passed = bank.edit(id, better, lambda item: "")
    assert (passed.item.id, passed.item.by_hand, passed.version) == (id, False, 2)
    by_hand = bank.edit(id, replace(better, stem="Mine?"))
    assert (by_hand.item.id, by_hand.item.by_hand, by_hand.version) == (id, True, 3)
    assert bank.edit(id, better, lambda item: "").item.by_hand is False


def test_one_distractor_is_replaced_but_not_the_key(bank: Bank) -> None:
    id, option = choice(0).id, Option("The decoder", "No.")
    held = bank.replace_option(id, 3, option, lambda item: "")
    assert held.item.options == (*choice(0).options[:3], option)
    for place in (choice(0).key, 4, -1):
        with pytest.raises(BadRequest, match="wrong option"):
            bank.replace_option(id, place, option)
    with pytest.raises(BadRequest):
        bank.replace_option(written().id, 1, option)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stem": " "}, "needs a text"),
        ({"options": (Option("a", ""), Option(" ", ""))}, "Every option"),
        ({"options": (Option("A b", ""), Option("a  B", "")), "key": 0}, "are the same"),
        ({"options": ()}, "Every option"),
        ({"key": 4}, "one option that is right"),
        ({"stem": "x" * (MOST + 1)}, "may have"),
        ({"kind": "essay"}, "damaged"),
    ],
)
def test_what_is_no_item_is_one_line(bank: Bank, change: dict[str, object], says: str) -> None:
    with pytest.raises(BadRequest, match=says) as said:
        bank.edit(choice(0).id, replace(choice(0), **change))  # type: ignore[arg-type]
    assert "\n" not in str(said.value)
    assert bank.get(choice(0).id).item == choice(0)  # type: ignore[union-attr]


@pytest.mark.parametrize("reason", ["", " \n", "x" * (LONGEST + 1)])
def test_a_rejection_needs_a_reason(bank: Bank, reason: str) -> None:
    with pytest.raises(BadRequest):
        bank.reject(choice(0).id, reason)
    assert bank.get(choice(0).id).state == "proposed"  # type: ignore[union-attr]


def test_what_is_gone_is_told(bank: Bank) -> None:
    bank.delete(choice(0).id)
    for act in (bank.approve, bank.delete, lambda id: bank.edit(id, choice(0))):
        for id in (choice(0).id, "'; DROP TABLE item; --"):
            with pytest.raises(BadRequest, match="not in the bank"):
                act(id)


def test_a_quiz_keeps_its_order_and_does_without_what_was_rejected(bank: Bank) -> None:
    items = [written(), choice(1), choice(0)]
    made = bank.keep_quiz(items, " My\nquiz ", 2**40, "ann")
    kept, found = bank.quiz(made, "ann")
    assert list(found) == items and kept.items == tuple(item.id for item in items)
    assert (kept.title, bank.quizzes("ann"), bank.quizzes()) == ("My quiz", (kept,), ())
    bank.reject(choice(1).id, "unclear")
    assert list(bank.quiz(made, "ann")[1]) == [written(), choice(0)]
    with pytest.raises(BadRequest, match="not there"):
        bank.quiz(made, "bob")
    bank.delete(written().id)
    bank.delete(choice(0).id)
    with pytest.raises(BadRequest, match="deleted or rejected"):
        bank.quiz(made, "ann")
    with pytest.raises(BadRequest):
        bank.keep_quiz([])


def test_a_damaged_item_is_left_out(bank: Bank, path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE item SET content = 'torn' WHERE number = 1")
        db.execute(
            "UPDATE item SET content = replace(content, '\"key\": 1', '\"key\": true') WHERE number = 2"
        )
    assert [held.item for held in bank.list()] == [written()]
    assert bank.get(choice(0).id) is None


def test_any_character_is_kept(bank: Bank) -> None:
    stem = "<script>x</script> $\\frac{a}{b}$ ~ = # { } : & \x07 \ud800 ?"
    held = bank.edit(choice(0).id, replace(choice(0), stem=stem))
    assert held.item.stem == stem.replace("\ud800", "?")


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(UnitutorError, match="cannot be"):
        Bank(tmp_path / "x.db")


def test_threads_and_a_second_opener_lose_nothing(bank: Bank, path: Path) -> None:
    openers = (bank, Bank(path))
    items = [truth(number) for number in range(12)]
    threads = [threading.Thread(target=openers[n % 2].add, args=(items[n // 2 : n + 1],)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {held.item.id for held in bank.list()} >= {item.id for item in items}
    assert len(bank.list()) == 15
