"""Which sentences are chosen as evidence, on vectors made by hand."""

import numpy as np
import pytest

from rag.evidence import choose

A, B, C, D = np.eye(4, dtype=np.float32)
EVEN = np.ones(3)


def test_the_sentence_that_covers_most_comes_first_then_what_it_lacks() -> None:
    claim = np.array([A, B, C])
    held = [np.array([C]), np.array([A, B]), np.array([D])]
    found = choose(claim, EVEN, held, [3, 3, 3], [-1, -1, -1])
    assert found.best == (1, 0)
    assert found.coverage == pytest.approx(1.0)
    assert found.first == pytest.approx(2 / 3)  # two of three tokens at cosine 1, one at 0
    assert found.weakest == pytest.approx(1.0)


def test_a_rare_token_counts_for_more() -> None:
    claim = np.array([A, B])
    held = [np.array([A]), np.array([B])]
    assert choose(claim, np.array([1.0, 3.0]), held, [1, 1], [-1, -1]).best[0] == 1


def test_what_leads_into_a_sentence_is_read_with_it() -> None:
    claim = np.array([A])
    found = choose(claim, np.ones(1), [np.array([D]), np.array([A])], [4, 4], [-1, 0])
    assert (found.best, found.read) == ((1,), (0, 1))


def test_no_more_words_than_asked_for_but_always_one_sentence() -> None:
    claim = np.array([A, B, C])
    held = [np.array([A]), np.array([B]), np.array([C])]
    found = choose(claim, EVEN, held, [900, 5, 5], [-1, -1, -1], most=10)
    assert found.best == (0,)
    assert len(choose(claim, EVEN, held, [5, 5, 5], [-1, -1, -1], most=10).best) == 2


def test_sentences_that_add_nothing_are_left() -> None:
    claim = np.array([A, B])
    held = [np.array([A, B]), np.array([A]), np.array([B])]
    assert choose(claim, np.ones(2), held, [2, 2, 2], [-1, -1, -1]).best == (0,)


def test_what_adds_a_little_is_read() -> None:
    claim = np.array([A])
    held = [np.array([A * 0.98 + B * 0.199]), np.array([A])]
    found = choose(np.array([A, B]), np.array([1.0, 0.2]), held, [2, 2], [-1, -1])
    assert found.best == (0, 1) and found.read == (0, 1)
    assert choose(claim, np.ones(1), held, [2, 2], [-1, -1]).best == (1,)


def test_no_claim_and_no_evidence_cover_nothing() -> None:
    none = np.zeros((0, 4), np.float32)
    assert choose(none, np.zeros(0), [np.array([A])], [1], [-1]).best == ()
    assert choose(np.array([A]), np.ones(1), [], [], []).coverage == 0.0
    assert choose(np.array([A]), np.ones(1), [none, np.array([A])], [0, 1], [-1, -1]).best == (1,)
