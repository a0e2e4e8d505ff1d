"""Earlier questions are recognised and told, repeats found; two tabs lose nothing, temporary chats all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import BadRequest
from rag.decoding import GREEDY
from rag.memory import Memory
from rag.recall import recall, remembered
from rag.repeats import repeated, same_question, stands
from rag.sessions import Conversation, Sessions
from rag.types import Answer, Citation, Turn
from rag.when import Days, span
from tests.ingest_fakes import FakeEncoder
from ui.recalled import told
from ui.web.listing import SHOWN, listing, results
from ui.web.temporary import TEMPORARY, Passing

EVAL = Path(__file__).parents[2] / "data/eval"
TODAY = date(2026, 11, 18)  # a Wednesday
CITED = Citation(1, "unit.md", 3, "GANs", "Two nets compete.", 0.8, "ab12", "Two nets compete.")
QUESTION = "How does a GAN train?"


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EVAL / name).read_text("utf-8").splitlines()]


def answered(question: str, **changed: Any) -> Answer:
    made = Answer(question, GREEDY, stage="done", answer="Two nets [1].", citations=(CITED,))
    return replace(made, **changed)


@pytest.fixture
def kept(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path / "kept.sqlite")


def asked(kept: Sessions, *answers: Answer) -> str:
    made = kept.create()
    for answer in answers:
        kept.add(made, answer)
    return made


def test_labelled_questions_about_earlier_questions() -> None:
    every = [(one, recall(one["question"], TODAY)) for one in lines("recall_questions.jsonl")]
    assert [one["id"] for one, found in every if found and not one["recall"]] == []
    missed = [one["id"] for one, found in every if one["recall"] and not found]
    assert len(missed) <= 1, missed
    wrong = [
        one["id"]
        for one, found in every
        if found
        and [day and day.isoformat() for day in (found.days.since, found.days.until)]
        != [one["since"], one["until"]]
    ]
    assert wrong == []


def test_no_other_question_is_taken_for_one_about_earlier_questions() -> None:
    names = ("answerable", "unanswerable", "more_answerable", "more_unanswerable", "premises", "shared_notes")
    asked = [one for name in names for one in lines(f"{name}.jsonl") if one.get("question")]
    assert [one["id"] for one in asked if recall(one["question"], TODAY)] == []
    assert len(asked) > 300


def test_labelled_repeats_hold_no_other_question() -> None:
    pairs = lines("repeats.jsonl")
    taken = [one for one in pairs if same_question(one["earlier"], one["question"])]
    assert [one["id"] for one in taken if not one["same"]] == []
    assert len(taken) >= 30
    assert all(same_question(one["earlier"], one["earlier"]) for one in pairs)


@pytest.mark.parametrize(
    ("text", "since", "until", "rest"),
    [
        ("asked today", "2026-11-18", "2026-11-19", "asked"),
        ("the day before yesterday", "2026-11-16", "2026-11-17", ""),
        ("on Wednesday", "2026-11-11", "2026-11-12", ""),
        ("on Monday last week", "2026-11-09", "2026-11-10", ""),
        ("on 31 December", "2025-12-31", "2026-01-01", ""),
        ("in December", "2025-12-01", "2026-01-01", ""),
        ("on February 29", "2024-02-29", "2024-03-01", ""),
        ("in the last 3 days", "2026-11-15", None, ""),
        ("a month ago", "2026-10-01", "2026-11-01", ""),
        ("since October 2025", "2025-10-01", None, ""),
        ("before 2026-11-03", None, "2026-11-03", ""),
        ("from Monday to Tuesday", "2026-11-16", "2026-11-18", ""),
        ("on the 3rd", "2026-11-03", "2026-11-04", ""),
        ("on 31 June", "2026-06-01", "2026-07-01", "on 31"),  # there is no such day: June is left
        ("999 years ago", "1027-01-01", "1028-01-01", ""),
        ("nothing of that kind", None, None, "nothing of that kind"),
    ],
)  # fmt: skip
def test_days_as_they_are_written(text: str, since: str | None, until: str | None, rest: str) -> None:
    days, left = span(text, TODAY)
    assert [day and day.isoformat() for day in (days.since, days.until)] == [since, until]
    assert left == rest
    assert span("", TODAY) == (Days(), "")


def test_remembered_by_topic_and_by_days(kept: Sessions) -> None:
    asked(kept, answered("What is granite?"), answered("How do owls hunt?", answer="Granite owls [1]."))
    asked(kept.of("b" * 32), answered("What is granite to Ben?"))
    memory = Memory(kept.database, FakeEncoder())
    everything, granite, tulips = (
        recall(f"What did I ask{about}?", TODAY) for about in ("", " about granite", " about red tulips")
    )
    assert everything and granite and tulips
    assert len(remembered(memory, "", everything)) == 2
    assert {one.answer.question for one in remembered(memory, "", granite)} >= {"What is granite?"}
    assert told(everything, remembered(memory, "", everything)) == "You asked 2 questions:"
    assert "nothing about red tulips" in told(tulips, ())
    yesterday = recall("what did I ask in 2020?", TODAY)
    assert yesterday and remembered(memory, "", yesterday) == ()


def test_an_answer_is_offered_while_the_notes_behind_it_stand(kept: Sessions) -> None:
    notes = {"ab12": CITED.text}
    memory = Memory(kept.database, FakeEncoder())

    def offered(question: str = QUESTION, owner: str = "", **settings: Any) -> bool:
        return repeated(memory, owner, question, current=lambda id: notes.get(id, ""), **settings) is not None

    asked(kept, answered(QUESTION))
    assert offered() and not offered(owner="b" * 32)
    assert not offered("How does a VAE train?") and not offered("Why does a GAN train?")
    assert not offered("And it?", history=(Turn(QUESTION, "So."),))
    assert offered(sources=["unit.md"]) and not offered(sources=["other.md"])
    notes["ab12"] = "Three nets compete."
    assert not offered(), "the notes say something else now"
    notes.clear()
    assert not offered(), "the passage is gone"


@pytest.mark.parametrize("changed", [{"refused": True}, {"stopped": True}, {"citations": ()}, {"answer": ""}])
def test_what_is_no_answer_is_not_offered(changed: dict[str, Any]) -> None:
    assert stands(answered(QUESTION), lambda _id: CITED.text)
    assert not stands(answered(QUESTION, **changed), lambda _id: CITED.text)


def test_a_question_that_leaned_on_others_is_not_the_same_alone(kept: Sessions) -> None:
    asked(kept, answered("What is a VAE?"), answered("and the generator?"))
    assert (
        repeated(Memory(kept.database, FakeEncoder()), "", "and the generator?", current=lambda _: CITED.text)
        is None
    )


def test_a_tab_that_has_not_seen_the_newest_turn_removes_nothing(kept: Sessions) -> None:
    made = asked(kept, answered("one"))
    (seen,) = kept.records(made)
    kept.add(made, answered("two"))
    with pytest.raises(BadRequest, match="another tab"):
        kept.begin(made, "one again", keep=0, seen=seen.created)
    with pytest.raises(BadRequest, match="another tab"):
        kept.truncate(made, 0, seen=seen.created)
    assert [answer.question for answer in kept.turns(made)] == ["one", "two"]
    kept.begin(made, "two again", keep=1, seen=kept.records(made)[-1].created)
    kept.begin(made, "three")
    assert [answer.question for answer in kept.turns(made)] == ["one", "two again", "three"]


def test_a_temporary_chat_is_one_tabs_and_no_rows(kept: Sessions) -> None:
    passing = Passing()
    passing.start("tab")
    mine = passing.over(kept, "tab")
    turn = mine.begin(TEMPORARY, "one")
    mine.progress(turn, answered("one", answer="Two"))
    assert [record.state for record in mine.records(TEMPORARY)] == ["unfinished"]
    mine.finish(turn, answered("one"))
    mine.begin(TEMPORARY, "two")
    assert [a.question for a in mine.turns(TEMPORARY)] == ["one", "two"] and mine.list() == ()
    mine.truncate(TEMPORARY, 1)
    assert passing.over(kept, "tab").turns(TEMPORARY) == (answered("one"),)
    assert passing.over(kept, "other").get(TEMPORARY) is None is kept.get(TEMPORARY)
    passing.end("tab")
    assert passing.over(kept, "tab").records(TEMPORARY) == ()
    made = mine.create()
    mine.add(made, answered("kept"))
    assert len(kept.turns(made)) == 1


def test_lists_are_escaped_and_say_when_there_is_more() -> None:
    kept = [Conversation(f"{n:032x}", f"<b>{n}", 1.0, 1.0, pinned=n == 0) for n in range(SHOWN + 1)]
    whole = listing(kept, "", TODAY)
    assert "<b>" not in whole and whole.count('data-act="open"') == SHOWN and 'data-act="more"' in whole
    assert whole.index("<h3>Pinned</h3>") < whole.index("<h3>Earlier</h3>")
    assert 'data-act="more"' not in listing(kept, "", TODAY, count=SHOWN + 1)
    assert "&lt;i&gt;" in results("<i>", (), ()) and "<i>" not in results("<i>", (), (), "<i>")
