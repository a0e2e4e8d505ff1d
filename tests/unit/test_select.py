"""The sentences that go into the prompt."""

import numpy as np

from ingest.types import Hit, Passage
from rag.select import choose, units


def hit(score: float, *sentences: str, key: str = "a") -> Hit:
    return Hit(
        Passage(key, "notes.md", None, ("Topic",), "\n".join(sentences), sentences), score, 0.5, 0.5, 0
    )


def words(text: str) -> int:
    return len(text.split())


def test_the_best_passage_is_whole_and_others_give_what_is_near() -> None:
    first = hit(3.0, "One is near.", "Two is less near.", "Three is far.")
    second = hit(0.0, "Four is near.", "Five is nowhere.", key="b")
    near = [np.array([0.8, 0.4, 0.0]), np.array([0.7, 0.1])]
    chosen = choose([first, second], near, words, budget=100)
    assert [one.places for one in chosen] == [(0, 1, 2), (0,)]


def test_the_budget_holds_and_something_is_always_read() -> None:
    first = hit(1.0, "a b c d", "e f g h", "i j k l")
    near = [np.array([0.9, 0.8, 0.7])]
    assert [one.places for one in choose([first], near, words, budget=1)] == [(0,)]
    assert [one.places for one in choose([first], near, words, budget=18)] == [(0, 1)]


def test_what_is_far_from_the_question_stays_out() -> None:
    first = hit(1.0, "Alpha.", "Beta.", "Gamma.")
    second = hit(0.0, "Delta.", "Epsilon.", "Zeta.", key="b")
    chosen = choose([first, second], [np.ones(3), np.array([0.9, 0.0, 0.9])], words)
    assert [one.places for one in chosen] == [(0, 1, 2), (0, 2)]


def test_nothing_found_nothing_chosen() -> None:
    assert choose([], [], words) == []


def test_what_leads_into_a_sentence_comes_with_it() -> None:
    text = "GANs:\n- Strengths: sharp images.\n- Limits: unstable training."
    sentences = ("GANs:", "Strengths: sharp images.", "Limits: unstable training.")
    listed = Hit(Passage("a", "notes.md", None, ("Topic",), text, sentences), 1.0, 0.5, 0.5, 0)
    chosen = choose([listed], [np.array([0.1, 0.2, 0.9])], words, budget=8)
    assert chosen[0].places == (0, 2)


def test_a_quiz_question_stays_with_its_options_and_answer() -> None:
    quiz = ("Question 1: Which is right?", "a) this", "b) that.", "Answer 1: a) this", "More follows.")
    assert units(hit(1.0, *quiz).passage) == [(0, 1, 2, 3), (4,)]
    assert units(hit(1.0, "One.", "Two.").passage) == [(0,), (1,)]
