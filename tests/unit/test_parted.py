"""Questions asked one by one, over a scripted chain; the real one: tests/integration/test_answer.py."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.runnables import Runnable, RunnableGenerator

from rag.parted import LONGEST, in_turn, joined
from rag.prompts import REFUSAL
from rag.types import MARKER, Answer, Ask, Citation, Sentence, Timings, Turn


def cited(marker: int, passage: str) -> Citation:
    return Citation(marker, f"{passage}.md", None, passage, f"words of {passage}", 0.5, passage, passage)


def answer(question: str, *said: tuple[str, str]) -> Answer:
    """Each sentence with the passage that supports it; passages are numbered as they come."""
    order = list(dict.fromkeys(passage for _, passage in said))
    return Answer(
        question,
        Ask(question).decoding,
        "done",
        " ".join(f"{text} [{order.index(passage) + 1}]" for text, passage in said),
        citations=tuple(cited(at, passage) for at, passage in enumerate(order, 1)),
        sentences=tuple(
            Sentence(text, 0.9, "supported", (order.index(passage) + 1,)) for text, passage in said
        ),
        timings=Timings(5.0, 10.0, 20.0, 100, 90, 7, 25.0),
    )


def refusal(question: str, near: str = "d") -> Answer:
    return Answer(
        question,
        Ask(question).decoding,
        "done",
        REFUSAL,
        refused=True,
        closest=(cited(1, near),),
        suggestion="What is a token?",
        sentences=(Sentence(REFUSAL, 1.0, "not-a-claim", ()),),
    )


def scripted(answers: dict[str, Answer], asked: list[Ask]) -> Runnable[Ask, Answer]:
    def said(asks: Iterator[Ask]) -> Iterator[Answer]:
        for ask in asks:
            asked.append(ask)
            whole = answers[ask.question.rstrip("?")]
            if not whole.refused:
                yield replace(whole, stage="reading", answer="", sentences=())
                yield replace(whole, stage="writing", answer=whole.answer[:5], sentences=())
                yield replace(whole, stage="checking")
            yield whole

    return RunnableGenerator(said)


GAN = answer("Who made it", ("Ian Goodfellow did.", "a"), ("In 2014.", "b"))
VAE = answer("what is a VAE", ("A VAE has two networks.", "c"), ("So has a GAN.", "b"))
ASK = Ask("Who made it, and what is a VAE?", (Turn("What is a GAN?", "Two networks."),))
PARTS = ("Who made it", "what is a VAE")


def test_each_is_asked_with_the_one_before_it_as_the_last_turn() -> None:
    asked: list[Ask] = []
    last = list(in_turn(scripted({GAN.question: GAN, VAE.question: VAE}, asked), ASK, PARTS))[-1]
    assert [ask.question for ask in asked] == [f"{part}?" for part in PARTS]
    assert [ask.joined for ask in asked] == [False, True]
    assert asked[0].history == ASK.history
    assert asked[1].history == (*ASK.history, Turn(GAN.question, GAN.answer))
    assert (last.question, last.stage) == (ASK.question, "done")


def test_a_passage_has_one_marker_in_the_whole() -> None:
    whole = joined(ASK, [GAN, VAE])
    assert whole.answer == (
        "Ian Goodfellow did. [1] In 2014. [2]\n\nA VAE has two networks. [3] So has a GAN. [2]"
    )
    assert [(one.marker, one.passage_id) for one in whole.citations] == [(1, "a"), (2, "b"), (3, "c")]
    assert [one.markers for one in whole.sentences] == [(1,), (2,), (3,), (2,)]
    timings = whole.timings
    assert (timings.first_word_ms, timings.output_tokens, timings.retrieve_ms) == (10.0, 14, 10.0)


def test_the_answer_grows_and_is_done_once() -> None:
    grown = list(in_turn(scripted({GAN.question: GAN, VAE.question: VAE}, []), ASK, PARTS))
    assert all(later.answer.startswith(earlier.answer) for earlier, later in pairwise(grown))
    assert [one.stage for one in grown].count("done") == 1
    assert grown[-1].stage == "done"
    for one in grown:
        named = {int(number) for found in MARKER.finditer(one.answer) for number in found[1].split(",")}
        assert named <= {citation.marker for citation in one.citations}


def test_what_the_notes_lack_is_told_beside_the_answer() -> None:
    for answers in ([GAN, refusal(PARTS[1])], [refusal(PARTS[0]), VAE]):
        known = {one.question: one for one in answers}
        grown = list(in_turn(scripted(known, []), ASK, PARTS))
        whole, given = grown[-1], next(one for one in answers if not one.refused)
        lacking = next(one for one in answers if one.refused)
        assert not whole.refused
        assert given.answer in whole.answer
        assert f"The notes do not answer “{lacking.question}?”" in whole.answer
        assert [one.label for one in whole.sentences].count("not-a-claim") == 1
        assert not whole.closest
        assert all(REFUSAL not in one.answer for one in grown)


def test_only_where_none_is_answered_it_is_refused() -> None:
    known = {part: refusal(part, near) for part, near in zip(PARTS, "de", strict=True)}
    grown = list(in_turn(scripted(known, []), ASK, PARTS))
    assert (grown[-1].refused, grown[-1].answer, grown[-1].question) == (True, REFUSAL, ASK.question)
    assert [(one.marker, one.passage_id) for one in grown[-1].closest] == [(1, "d"), (2, "e")]
    assert grown[-1].suggestion
    assert all(one.answer in ("", REFUSAL) for one in grown)


def test_only_the_last_is_told_to_be_checked_since_then_all_text_is_there() -> None:
    grown = list(in_turn(scripted({GAN.question: GAN, VAE.question: VAE}, []), ASK, PARTS))
    checking = [one for one in grown if one.stage == "checking"]
    assert checking
    assert all(VAE.sentences[-1].text in one.answer for one in checking)


def test_a_stop_leaves_out_what_was_not_yet_asked() -> None:
    asked: list[Ask] = []
    ask = replace(ASK, stop=threading.Event())
    grown = []
    for one in in_turn(scripted({GAN.question: GAN, VAE.question: VAE}, asked), ask, PARTS):
        grown.append(one)
        if one.answer == GAN.answer:
            ask.stop.set()
    last = grown[-1]
    assert len(asked) == 1
    assert (last.stopped, last.stage, last.answer) == (True, "done", GAN.answer)


def test_what_is_quoted_keeps_its_brackets() -> None:
    quoting = replace(VAE, answer="A VAE has two networks. [1]\n\nIn the notes: “See [1] and [2].” [2]")
    assert joined(ASK, [GAN, quoting]).answer.endswith(
        "A VAE has two networks. [3]\n\nIn the notes: “See [1] and [2].” [2]"
    )


@given(st.text(max_size=400))
def test_a_question_told_back_is_one_short_line_without_markers(question: str) -> None:
    told = joined(ASK, [GAN, refusal(question)]).sentences[-1].text
    assert len(told.splitlines()) == 1
    assert len(told) < LONGEST + 40
    assert not MARKER.search(told)
    assert told.count("“") == told.count("”") == 1
