"""What the log and the verdicts add up to, and that what a stranger asked does nothing where it is shown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from rag.decoding import GREEDY
from rag.feedback import Rated, Verdict
from rag.followup import content_words
from rag.gaps import Gaps, Topic, gaps, ranges, since
from rag.journal import Entry, Journal
from rag.types import Answer
from tests.browser.scripted import HOSTILE
from ui.check_text import gaps_json, gaps_text, log_text, uncited
from ui.web.gaps_view import page_html, report

MONDAY = datetime(2026, 11, 9, 12).timestamp()
WEEK = 7 * 24 * 3600.0
PLACES = {("slides.pptx", page) for page in range(1, 11)} | {("notes.md", None), ("all.pdf", 1)}


def asked(
    question: str,
    when: float = MONDAY,
    refused: bool = False,
    support: float = 0.9,
    pages: tuple[tuple[str, int | None], ...] = (("slides.pptx", 1),),
) -> Entry:
    held = () if refused else (0.99, support)
    labels = tuple("supported" if one > 0.5 else "unsupported" for one in held)
    words = tuple(dict.fromkeys(content_words(question)))
    return Entry(when, question, refused, False, held, labels, pages, words, 40, 1000, 2000)  # type: ignore[arg-type]


def rated(verdict: str, reason: str = "", when: float = MONDAY, comment: str = "") -> Rated:
    said = Verdict(verdict, reason, comment, when)  # type: ignore[arg-type]
    return Rated(said, "c", Answer("What is a GAN?", GREEDY, stage="done", answer="Two nets."))


def made() -> Gaps:
    entries = [
        asked("When is the exam?", refused=True, pages=(("slides.pptx", 9),)),
        asked("when is the exam", MONDAY + WEEK, refused=True),
        asked("What is on the exam?", MONDAY + 1, refused=True),
        asked("What is a GAN?", MONDAY + 3 * WEEK),
        asked("How do GANs learn?", MONDAY + 3 * WEEK, support=0.2, pages=(("notes.md", None),)),
        asked("Why does a GAN collapse?", MONDAY + 3 * WEEK, support=0.1),
    ]
    verdicts = [rated("up"), rated("down", "wrong", MONDAY + WEEK), rated("down", "wrong"), rated("down")]
    return gaps(entries, verdicts, PLACES)


def test_the_same_question_is_counted_once_the_most_frequent_first() -> None:
    found = made()
    assert [(one.question, one.times) for one in found.refused] == [
        ("when is the exam", 2),
        ("What is on the exam?", 1),
    ]
    assert found.refused[0].last == MONDAY + WEEK


def test_low_support_is_the_worst_first_and_no_refusal() -> None:
    found = made()
    assert [(one.question, one.support) for one in found.weak] == [
        ("Why does a GAN collapse?", 0.1),
        ("How do GANs learn?", 0.2),
    ]


def test_weeks_begin_on_mondays_and_leave_none_out() -> None:
    weeks = made().weeks
    assert [week.start for week in weeks] == [date(2026, 11, day) for day in (9, 16, 23, 30)]
    assert [week.asked for week in weeks] == [2, 1, 0, 3]
    assert [(week.refused, week.weak, week.up, week.down) for week in weeks] == [
        (2, 0, 1, 2),
        (1, 0, 0, 1),
        (0, 0, 0, 0),
        (0, 2, 0, 0),
    ]


def test_questions_that_share_a_stem_are_a_topic() -> None:
    exam, gan = sorted(made().topics, key=lambda one: one.name)
    assert exam == Topic("exam", 3, 3, 0, ("When is the exam?", "when is the exam", "What is on the exam?"))
    assert (gan.asked, gan.weak, gan.name) == (3, 2, "gan")


def test_a_word_of_nearly_every_question_is_no_topic() -> None:
    words = ("loss", "loss", "noise", "noise", "noise", "layer", "layer", "image", "image", "image", "image")
    found = gaps([asked(f"model {word}") for word in words], (), ())
    assert [(one.name, one.asked) for one in found.topics] == [
        ("image", 4),
        ("noise", 3),
        ("layer", 2),
        ("loss", 2),
    ]


def test_pages_near_a_refusal_are_not_cited() -> None:
    files = {one.source: one for one in made().files}
    assert files["slides.pptx"].uncited == tuple(range(2, 11)) and files["notes.md"].uncited == ()
    assert uncited(files["slides.pptx"]) == "slide 2–10" and uncited(files["all.pdf"]) == "all of it"
    assert next(one.source for one in made().files) == "all.pdf"
    assert ranges([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]


def test_thumbs_are_counted_by_reason() -> None:
    found = made()
    assert (found.up, found.reasons) == (1, {"wrong": 2, "": 1})
    assert found.down[0].verdict.when == MONDAY + WEEK


def test_weeks_are_counted_from_a_monday() -> None:
    assert since(1, MONDAY + 2 * 86400) == datetime(2026, 11, 9).timestamp()
    assert since(4, MONDAY) == datetime(2026, 10, 19).timestamp()


def test_nothing_logged_is_said() -> None:
    empty = gaps((), (), PLACES)
    assert "Nothing was logged" in report(empty) and "slides.pptx" in report(empty)
    assert gaps_text(empty, 1).startswith("0 questions in this week") and gaps((), (), ()).files == ()


def test_the_text_and_the_json_hold_what_matters() -> None:
    text = gaps_text(made(), 4)
    assert "6 questions in the last 4 weeks: 3 refused, 2 answered with low support" in text
    assert "2x when is the exam" in text and "10% Why does a GAN collapse?" in text
    assert "slides.pptx: slide 2–10" in text and "2x wrong" in text and "1x no reason given" in text
    values = json.loads(json.dumps(gaps_json(made())))
    assert values["weeks"][3]["asked"] == 3 and values["down"][0]["reason"] == "wrong"


def test_the_log_in_a_terminal_says_what_it_keeps(tmp_path: Path) -> None:
    text = log_text(Journal(tmp_path), (asked("\x1b[31mred?"), asked("When?", refused=True)))
    assert "the question" in text and "refused" in text and "\x1b" not in text and "log.jsonl" in text


def test_what_a_stranger_asked_is_shown_as_typed() -> None:
    entries = [
        asked(HOSTILE, refused=True, pages=((HOSTILE[:60], 3),)),
        asked(HOSTILE, support=0.1),
        asked(HOSTILE, MONDAY + WEEK),
    ]
    bad = rated("down", HOSTILE[:40], comment=HOSTILE)
    bad = replace(bad, answer=replace(bad.answer, question=HOSTILE, answer=HOSTILE))
    found = gaps(entries, [bad], {(HOSTILE, 1)})
    ours = (
        r"</?(?:div|p|span|small|svg|defs|pattern|rect|circle|line|g|text|title|section|h2|figure|figcaption"
        r"|dl|dt|dd|table|caption|thead|tbody|tr|th|td|details|summary|ul|li|b|br)"
        r"(?: (?!on)[a-zA-Z0-9-]+=\"[^\"<>]*\")*/?>"
    )
    shown = re.sub(ours, "", report(found))
    assert "<" not in shown and ">" not in shown and "${" not in shown and "{{" not in shown
    assert "window" in shown and "evil.invalid" in shown
    assert not re.search(r"<(script|iframe|img|link|a)\b", page_html(found, 4))


def test_the_file_needs_nothing_else() -> None:
    page = page_html(made(), 4)
    assert "default-src 'none'" in page and "http" not in re.sub(r"http-equiv", "", page)
    assert " style=" not in page, "the page's own policy would refuse it"
