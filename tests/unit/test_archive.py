"""Conversations as a file: nothing is lost on the way out and in again, and nothing else gets in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.errors import BadRequest
from rag import archive
from rag.archive import archive_json, archived, parsed, read_in
from rag.decoding import decoding
from rag.feedback import Feedback
from rag.sessions import Sessions
from rag.types import Answer, Quote
from tests.unit.test_sessions import CITED, answered
from ui.web.conversation_page import conversation_html

HOSTILE = '<script>alert(1)</script> [a](javascript:x) "quoted" \x00 ünï 🧑‍🎓 $x^2$'


def filled(kept: Sessions) -> str:
    made = kept.create("Die Übung")
    quote = Quote("Two nets.", "gans.md", 3, "ab12", 0.5)
    whole = answered("What is a GAN?")
    sentence = replace(whole.sentences[0], quotes=(quote,))
    kept.add(made, replace(whole, sentences=(sentence,), decoding=decoding("top-p", p=0.8, seed=3)))
    kept.add(made, replace(answered(HOSTILE, HOSTILE), refused=True, citations=(), closest=(CITED,)))
    kept.add(made, answered("torn"))
    with kept.database.write() as db:
        db.execute(sa.text("UPDATE turn SET answer = '{' WHERE question = 'torn'"))
    turn = kept.begin(made, "Cut")
    kept.progress(turn, replace(answered("Cut"), answer="Tw"))
    kept.pin(made)
    Feedback(kept.database, kept.owner).set(made, 0, "down", "unclear", "Hm.")
    return made


def test_there_and_back_nothing_is_lost(where: str | Path) -> None:
    ada, bob = Sessions(where, "ada"), Sessions(where, "bob")
    made = filled(ada)
    second = ada.create("empty")
    text = archive_json(ada, [made, second])
    new = read_in(bob, text.encode())
    assert len(set(new) | {made, second}) == 4 and len(bob.list()) == 2
    assert [(r.answer, r.state, r.created) for r in bob.records(new[0])] == [
        (r.answer, r.state, r.created) for r in ada.records(made)
    ]
    assert [r.state for r in bob.records(new[0])] == ["whole", "whole", "unreadable", "unfinished"]
    assert Feedback(bob.database, "bob").get(new[0]) == Feedback(ada.database, "ada").get(made)
    assert json.loads(archive_json(bob, new)) == json.loads(text)
    assert [c.id for c in bob.list(search="übung")] == [new[0]] == [c.id for c in bob.list(search="tw")]
    assert archived(ada)["conversations"][0]["title"] == "Die Übung"  # pinned
    turn = bob.begin(new[0], "And on?")
    assert bob.records(new[0])[-1].id == turn


def test_only_ones_own_goes_out(where: str | Path) -> None:
    ada = Sessions(where, "ada")
    made = filled(ada)
    for call in (lambda: archived(ada.of("bob"), [made]), lambda: archived(ada, [made], deleted=True)):
        with pytest.raises(BadRequest, match="no longer exists"):
            call()
    assert archived(ada.of("bob"))["conversations"] == ()
    ada.delete(made)
    assert archived(ada)["conversations"] == ()
    assert len(archived(ada, deleted=True)["conversations"]) == 1


def changed(**at: Any) -> bytes:
    values: Any = {
        "format": "unitutor-conversations",
        "version": 1,
        "conversations": [
            {
                "title": "t",
                "created": 1.0,
                "updated": 2.0,
                "pinned": False,
                "turns": [
                    {"question": "q", "state": "whole", "created": 1.5, "answer": None, "verdict": None}
                ],
            }
        ],
    }
    answer = json.loads(json.dumps(archive.asdict(answered("q"))))
    values["conversations"][0]["turns"][0]["answer"] = answer
    for path, value in at.items():
        node = values
        *steps, last = [int(step) if step.isdecimal() else step for step in path.split("__")]
        for step in steps:
            node = node[step]
        node[last] = value
    return json.dumps(values).encode()


UP = {"verdict": "up", "reason": "", "comment": "", "when": 1.0}
TURN = "conversations__0__turns__0__"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no file of conversations"),
        (b'{"format": "else"}', "no file of conversations"),
        (changed(version=2), "newer Unitutor"),
        (changed(version="1"), "damaged: version"),
        (changed(conversations={}), "damaged: conversations"),
        (changed(conversations__0__title=5), "damaged: conversations.1.title"),
        (changed(conversations__0__pinned=1), "pinned"),
        (changed(conversations__0__created=-1.0), "a time that cannot be"),
        (changed(conversations__0__updated=1e300), "a time that cannot be"),
        (changed(**{TURN + "created": float("nan")}), "not JSON"),
        (changed(**{TURN + "state": "else"}), "conversations.1.turns.1.state"),
        (changed(**{TURN + "state": "unreadable"}), "a text too many"),
        (changed(**{TURN + "answer": None}), "an answer without a text"),
        (changed(**{TURN + "answer__answer": None}), "turns.1.answer.answer"),
        (changed(**{TURN + "answer__sentences__0__support": "high"}), "support"),
        (changed(**{TURN + "answer__sentences__0__label": "sure"}), "label"),
        (changed(**{TURN + "answer__citations__0__page": "3"}), "page"),
        (changed(**{TURN + "answer__citations__0__also": [["a", 1]]}), "also"),
        (changed(**{TURN + "answer__decoding__name": "x"}), "damaged"),
        (changed(**{TURN + "question": "half \ud83d"}), "damaged"),
        (changed(**{TURN + "verdict": {**UP, "reason": "no such"}}), "a verdict that cannot be"),
        (changed(**{TURN + "verdict": {**UP, "comment": "x" * 3000}}), "a verdict that cannot be"),
        (changed(**{TURN + "verdict": {**UP, "verdict": "meh"}}), "verdict.verdict"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_one_line_and_leaves_nothing(
    tmp_path: Path, content: bytes, says: str
) -> None:
    kept = Sessions(tmp_path / "x.sqlite")
    with pytest.raises(BadRequest, match=says) as refused:
        read_in(kept, content)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300
    assert kept.list() == ()


def test_the_unchanged_one_is_read(tmp_path: Path) -> None:
    (made,) = read_in(Sessions(tmp_path / "x.sqlite"), b"\xef\xbb\xbf" + changed())
    assert Sessions(tmp_path / "x.sqlite").turns(made) == (answered("q"),)


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MOST_BYTES", 100), ("MOST", 0), ("LONGEST_TALK", 0)):
        with monkeypatch.context() as patch:
            patch.setattr(archive, name, most)
            with pytest.raises(BadRequest, match="may h"):
                parsed(changed())
    with pytest.raises(BadRequest, match="Cannot read"):
        archive.content_of(tmp_path / "none.json")


def test_as_a_page_it_does_nothing_and_fetches_nothing(tmp_path: Path) -> None:
    kept = Sessions(tmp_path / "x.sqlite")
    made = filled(kept)
    kept.rename(made, HOSTILE)
    talk = kept.get(made)
    assert talk is not None
    page = conversation_html(talk, kept.records(made))
    assert not any(part in page for part in ("<script", "src=", "href=", "url("))
    named = page.replace("http://www.w3.org/1998/Math/MathML", "")  # that is MathML's name
    assert "http:" not in named and "https:" not in named
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "default-src 'none'" in page
    for told in (
        "What is a GAN?",
        "Two nets compete.",
        "unit 1/gans.md, p. 3, GANs &gt; Training",
        "Decoding: top-p, p 0.8, temperature 1, seed 3",
        "This answer is damaged",
        "Cut off.",
        "Closest in the notes:",
        "<math",
    ):
        assert told in page, told


def test_an_empty_answer_is_kept_too(tmp_path: Path) -> None:
    kept = Sessions(tmp_path / "x.sqlite")
    made = kept.create("t")
    kept.add(made, Answer("q", decoding("beam")))
    (new,) = read_in(kept, archive_json(kept).encode())
    assert kept.turns(new) == kept.turns(made)
