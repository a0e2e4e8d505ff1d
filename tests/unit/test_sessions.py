"""Conversations are kept as they were written, each its owner's, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.errors import BadRequest, UnitutorError
from ingest.types import Place
from rag import retention
from rag.database import stored
from rag.decoding import GREEDY, decoding
from rag.sessions import Sessions, history
from rag.transcript import clean_title, settings, shortened
from rag.types import Answer, Citation, Sentence, Timings

CITED = Citation(
    1, "unit 1/gans.md", 3, "GANs > Training", "Two nets compete.", 0.8, "ab12", "Two nets compete.",
    (Place("recap.pptx", 7, ("Recap",)), Place("all.md", None, ())),
)  # fmt: skip


def answered(question: str, text: str = "Two nets [1].") -> Answer:
    return Answer(
        question,
        GREEDY,
        stage="done",
        answer=text,
        citations=(CITED,),
        sentences=(Sentence("Two nets [1].", 0.9, "supported", (1,)),),
        timings=Timings(total_ms=1200, output_tokens=4),
    )


@pytest.fixture
def kept(where: str | Path) -> Iterator[Sessions]:
    opened = Sessions(where)
    yield opened
    opened.close()


def sql(kept: Sessions, statement: str, **values: object) -> None:
    with kept.database.write() as db:
        db.execute(sa.text(statement), values)


def test_turns_come_back_after_reopening(kept: Sessions, where: str | Path) -> None:
    made = kept.create()
    kept.add(made, answered("What is a GAN?"))
    kept.add(made, answered("Who invented it?"))
    kept.close()
    again = Sessions(where)
    assert again.turns(made) == (answered("What is a GAN?"), answered("Who invented it?"))
    assert [c.title for c in again.list()] == ["What is a GAN?"]


def test_the_conversation_used_last_comes_first(kept: Sessions) -> None:
    first, second = kept.create("one"), kept.create("two")
    assert [c.id for c in kept.list()] == [second, first]
    kept.add(first, answered("again"))
    assert [c.title for c in kept.list()] == ["one", "two"]
    assert len(kept.list(limit=1)) == 1


def test_an_unfinished_turn_is_there_and_says_so(kept: Sessions, where: str | Path) -> None:
    made = kept.create()
    turn = kept.begin(made, "What is a GAN?")
    assert [r.state for r in Sessions(where).records(made)] == ["unfinished"]
    kept.progress(turn, replace(answered("What is a GAN?"), answer="Two"))
    (record,) = Sessions(where).records(made)
    assert (record.state, record.answer.answer) == ("unfinished", "Two")
    kept.finish(turn, answered("What is a GAN?"))
    assert [r.state for r in kept.records(made)] == ["whole"]


def test_begin_can_take_the_place_of_later_turns(kept: Sessions) -> None:
    made = kept.create()
    for question in "abc":
        kept.add(made, answered(question))
    kept.begin(made, "B", keep=1)
    assert [a.question for a in kept.turns(made)] == ["a", "B"]


def test_undo_and_retry(kept: Sessions) -> None:
    made = kept.create()
    for question in "abc":
        kept.add(made, answered(question))
    kept.replace_last(made, answered("C"))
    assert [a.question for a in kept.turns(made)] == ["a", "b", "C"]
    kept.truncate(made, 1)
    kept.truncate(made, 5)
    assert [a.question for a in kept.turns(made)] == ["a"]
    kept.truncate(made, 0)
    kept.replace_last(made, answered("z"))
    assert [a.question for a in kept.turns(made)] == ["z"]


def test_finishing_a_turn_removed_since_does_nothing(kept: Sessions) -> None:
    made = kept.create()
    turn = kept.begin(made, "a")
    kept.truncate(made, 0)
    kept.finish(turn, answered("a"))
    assert kept.turns(made) == ()


def test_a_removed_turns_number_is_no_other_turns(kept: Sessions) -> None:
    made = kept.create()
    turn = kept.begin(made, "a")
    kept.truncate(made, 0)
    assert kept.begin(made, "b") != turn
    kept.finish(turn, answered("a"))
    assert [(r.answer.question, r.state) for r in kept.records(made)] == [("b", "unfinished")]


def test_what_comes_late_takes_nothing_from_a_finished_turn(kept: Sessions) -> None:
    made = kept.create()
    turn = kept.begin(made, "a")
    kept.finish(turn, answered("a"))
    kept.progress(turn, replace(answered("a"), answer="Two"))
    assert [(r.answer.answer, r.state) for r in kept.records(made)] == [("Two nets [1].", "whole")]


def test_another_owners_conversation_does_not_exist(kept: Sessions) -> None:
    mine, other = kept.of("ada"), kept.of("bob")
    made = mine.create("secret")
    turn = mine.begin(made, "What is a GAN?")
    for stranger in (other, kept):
        assert stranger.list() == () == stranger.list(search="secret")
        assert stranger.get(made) is None and stranger.records(made) == () == stranger.turns(made)
        stranger.progress(turn, answered("b", "Overwritten."))
        stranger.finish(turn, answered("b", "Overwritten."))
        stranger.truncate(made, 0)
        for call in (
            lambda who: who.add(made, answered("b")),
            lambda who: who.begin(made, "b"),
            lambda who: who.begin(made, "b", keep=0),
            lambda who: who.replace_last(made, answered("b")),
            lambda who: who.rename(made, "theirs"),
            lambda who: who.pin(made),
            lambda who: who.delete(made),
            lambda who: who.restore(made),
            lambda who: who.export_markdown(made),
        ):
            with pytest.raises(BadRequest, match="no longer exists"):
                call(stranger)
    assert [(c.title, c.pinned) for c in mine.list()] == [("secret", False)]
    assert [(r.answer.question, r.answer.answer, r.state) for r in mine.records(made)] == [
        ("What is a GAN?", "", "unfinished")
    ]


def test_pinned_conversations_come_first(kept: Sessions) -> None:
    first, second, third = (kept.create(name) for name in ("one", "two", "three"))
    kept.pin(first)
    assert [(c.id, c.pinned) for c in kept.list()] == [(first, True), (third, False), (second, False)]
    kept.pin(first, False)
    assert [c.id for c in kept.list()] == [third, second, first]


def test_the_list_in_parts(kept: Sessions) -> None:
    made = [kept.create(str(number)) for number in range(7)][::-1]
    parts = [kept.list(limit=3, offset=at) for at in (0, 3, 6, 9)]
    assert [[c.id for c in part] for part in parts] == [made[:3], made[3:6], made[6:], []]


def test_search_finds_all_words_in_titles_and_texts(kept: Sessions) -> None:
    gans, vaes = kept.create("Übung 50%"), kept.create("Später_x")
    kept.add(gans, answered("What is a GAN?", "Two nets [1] compete."))
    kept.add(gans, answered("And Weiß\nalso?", "Nothing."))
    turn = kept.begin(vaes, "What is a VAE?")

    def found(text: str) -> set[str]:
        return {c.id for c in kept.list(search=text)}

    assert found("gan") == found("NETS compete") == found("übung gan") == found("WEISS also") == {gans}
    assert found("what") == found("  ") == {gans, vaes}
    assert found("50%") == {gans} and found("r_x") == {vaes} and found("_ 5") == found("what%gan") == set()
    assert found("citations") == found("supported") == found("[1]") == found("\\") == set()
    kept.progress(turn, answered("What is a VAE?", "Latent"))
    assert found("latent") == {vaes}
    kept.finish(turn, answered("What is a VAE?", "A space."))
    assert found("latent") == set() and found("a space") == {vaes}
    kept.rename(vaes, "Ganz neu")
    assert found("ganz") == {vaes} and found("später") == set()
    kept.truncate(gans, 0)
    assert found("nets") == set()


def test_deleted_is_restorable_for_a_day(
    kept: Sessions, where: str | Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept.create("gone")
    kept.add(made, answered("a"))
    kept.delete(made)
    assert kept.list() == () and kept.get(made) is None
    Sessions(where).restore(made)
    assert [c.title for c in kept.list()] == ["gone"] and len(kept.turns(made)) == 1
    kept.delete(made)
    now = time.time()
    monkeypatch.setattr(retention.time, "time", lambda: now + retention.DAY + 60)
    assert Sessions(where).turns(made) == ()
    with pytest.raises(BadRequest, match="no longer exists"):
        kept.restore(made)


def test_what_is_not_there_is_one_clear_line(kept: Sessions) -> None:
    for call in (
        lambda: kept.add("nope", answered("a")),
        lambda: kept.begin("nope", "a"),
        lambda: kept.rename("nope", "a"),
        lambda: kept.delete("nope"),
        lambda: kept.export_markdown("nope"),
    ):
        with pytest.raises(BadRequest, match="no longer exists"):
            call()
    assert kept.turns("nope") == () and kept.get("nope") is None


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"question": 1}', '{"decoding": {"name": "x"}}'])
def test_a_damaged_row_is_an_unreadable_turn(kept: Sessions, where: str | Path, damage: str) -> None:
    made = kept.create()
    kept.add(made, answered("a"))
    kept.add(made, answered("b"))
    sql(kept, "UPDATE turn SET answer = :text WHERE question = 'a'", text=damage)
    assert [(r.answer.question, r.state) for r in kept.records(made)] == [("a", "unreadable"), ("b", "whole")]
    assert "damaged" in kept.export_markdown(made)
    assert [t.question for t in history(kept.turns(made))] == ["b"]


def test_wrong_types_in_a_row_are_unreadable(kept: Sessions, where: str | Path) -> None:
    made = kept.create()
    kept.add(made, answered("a"))
    torn = stored(answered("a")).replace('"Two nets [1]."', "5")
    sql(kept, "UPDATE turn SET answer = :text", text=torn)
    assert [r.state for r in kept.records(made)] == ["unreadable"]


def test_history_carries_the_passages(kept: Sessions) -> None:
    (turn,) = history([answered("a"), Answer("b", GREEDY)])
    assert (turn.question, turn.answer, turn.passage_ids) == ("a", "Two nets [1].", ("ab12",))


HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE conversation; --",
    "line\nbreak\x00 and \x1b[31mred \u202eesrever",
    "🧑‍🎓 größe",
    "x" * 50_000,
    "half a pair \ud83d",
    "[a](javascript:alert(1)) ![b](http://example.com/x.png)",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles(kept: Sessions, title: str) -> None:
    made = kept.create()
    kept.add(made, answered(title))
    kept.rename(made, title)
    (found,) = kept.list()
    assert 0 < len(found.title) <= 200
    assert not set(found.title) & set("\n\x00\x1b\u202e")
    assert kept.turns(made)[0].question == title.replace("\ud83d", "?").replace("\x00", "\ufffd")
    text = kept.export_markdown(made)
    assert "<script" not in text.replace(r"\<script", "") and not re.search(r"(?<!\\)!\[|(?<!\\)\]\(", text)


def test_a_title_needs_letters(kept: Sessions) -> None:
    with pytest.raises(BadRequest):
        kept.rename(kept.create("a"), " \n\u202e ")


def test_titles_are_cut_at_words() -> None:
    assert shortened("What is a GAN, and why does it have two parts that compete with each other?") == (
        "What is a GAN, and why does it have two parts that compete…"
    )
    assert shortened("x" * 100, 10) == "x" * 9 + "…"
    assert clean_title("  a\t b ") == "a b"


def test_export_shows_the_evidence(kept: Sessions) -> None:
    made = kept.create()
    how = decoding("top-p", p=0.8, temperature=0.7, seed=3)
    kept.add(made, replace(answered("What is a GAN?"), decoding=how))
    refusal = replace(answered("Who won?", "Not in the notes."), refused=True, citations=(), closest=(CITED,))
    kept.add(made, refusal)
    kept.begin(made, "Cut\nhere")
    text = kept.export_markdown(made)
    assert text.startswith("# What is a GAN?\n")
    assert "**[1]** unit 1/gans.md, p. 3, GANs > Training\n> Two nets compete." in text
    assert "Decoding: top-p, p 0.8, temperature 0.7, seed 3; 1.2 s, 4 tokens." in text
    assert "Closest in the notes:" in text and "*Cut off.*" in text and "> Cut\n> here" in text


def test_settings_in_words() -> None:
    assert settings(GREEDY) == "greedy"
    assert settings(decoding("beam")) == "beam, 4 beams"
    assert settings(decoding("top-k", seed=2)) == "top-k, k 40, temperature 1, seed 2"


def test_a_newer_database_is_refused(kept: Sessions, where: str | Path) -> None:
    sql(kept, "UPDATE schema_version SET version = 99")
    with pytest.raises(UnitutorError, match="newer Unitutor"):
        Sessions(where)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("not a database " * 100)
    with pytest.raises(UnitutorError, match="not a database"):
        Sessions(tmp_path / "x.sqlite")
    (tmp_path / "file").write_text("")
    with pytest.raises(UnitutorError, match="Cannot keep"):
        Sessions(tmp_path / "file" / "deeper" / "x.sqlite")


def test_many_writers_lose_nothing(kept: Sessions) -> None:
    made = kept.create()

    def write(name: int) -> None:
        for number in range(10):
            kept.add(made, answered(f"{name}-{number}"))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({a.question for a in kept.turns(made)}) == 40
