"""Strategies as words, and the numbers that tell how much texts repeat themselves and differ."""

from __future__ import annotations

import pytest

from ingest.errors import BadRequest
from rag.decoding import Decoding, decoding
from rag.strategies import comparable, spelled, strategy
from rag.variety import Variation, distance, distinct_2, variation


@pytest.mark.parametrize(
    ("spec", "how"),
    [
        ("greedy", decoding("greedy")),
        ("random", decoding("random")),
        ("top-k:40", decoding("top-k", k=40)),
        ("top-k", decoding("top-k", k=40)),
        ("top-p:0.9", decoding("top-p", p=0.9)),
        ("top-p:.9", decoding("top-p", p=0.9)),
        ("min-p:0.1", decoding("min-p", min_p=0.1)),
        ("beam:4", decoding("beam", beams=4)),
        ("temperature:0.7", decoding("random", temperature=0.7)),
        ("random+temperature:0", decoding("random", temperature=0)),
        ("Top-K:40 + temperature:0.7", decoding("top-k", k=40, temperature=0.7)),
        ("top-p:0.9+top-k:5", decoding("top-k", k=5, p=0.9)),
        ("min-p+top-p:0.8+temperature:1.5", decoding("top-p", p=0.8, min_p=0.1, temperature=1.5)),
    ],
)
def test_a_spec_is_read_and_spelled(spec: str, how: Decoding) -> None:
    assert strategy(spec) == how
    assert strategy(spelled(how)) == how


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("", "Unknown strategy ''"),
        ("hottest", "Unknown strategy 'hottest'"),
        ("x" * 5000, "Unknown strategy"),
        ("top-k:0", "k must be between 1 and 1000, not 0"),
        ("top-k:-3", "k must be between"),
        ("top-k:4.5", "takes a whole number, not '4.5'"),
        ("top-k:many", "takes a whole number"),
        ("top-p:1.1", "p must be above 0 and at most 1"),
        ("top-p:0", "p must be above 0"),
        ("top-p:nan", "takes a number, not 'nan'"),
        ("top-p:1e-3", "takes a number"),
        ("top-p:", "needs a value after its colon"),
        ("min-p:2", "min-p must be"),
        ("beam:1", "beams of 2 or more"),
        ("beam:99", "beams must be between"),
        ("temperature:-1", "temperature must be between 0 and 5"),
        ("temperature", "needs a value"),
        ("greedy:3", "takes no value"),
        ("greedy+temperature:2", "Temperature changes nothing in greedy"),
        ("beam:3+temperature:2", "Temperature changes nothing in beam"),
        ("greedy+top-k:3", "greedy does not combine with top-k"),
        ("beam:3+top-p:0.9", "beam does not combine with top-p"),
        ("top-k:3+top-k:4", "names top-k twice"),
    ],
)
def test_a_bad_spec_is_one_clear_line(spec: str, says: str) -> None:
    with pytest.raises(BadRequest, match=says) as error:
        strategy(spec)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 250


def test_a_seed_goes_with_the_spec() -> None:
    assert strategy("top-k:40", 7).seed == 7
    with pytest.raises(BadRequest, match="seed"):
        strategy("random", -1)


@pytest.mark.parametrize(
    ("specs", "says"),
    [
        (["greedy"], "2 to 5 strategies can be compared, not 1"),
        (["greedy", "random", "top-k", "top-p", "min-p", "beam"], "not 6"),
        (["greedy", "top-k:40", "top-k"], "top-k:40 with seed 0 is there twice"),
        (["top-p:0.9+top-k:5", "random", "top-k:5+top-p:.9"], "is there twice"),
        (["greedy", "greedy"], "greedy is there twice"),
    ],
)
def test_what_cannot_be_compared(specs: list[str], says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        comparable([strategy(spec) for spec in specs])


def test_a_strategy_with_another_seed_is_another_one_where_it_draws() -> None:
    assert len(comparable([strategy("random", 1), strategy("random", 2)])) == 2
    with pytest.raises(BadRequest, match="twice"):
        comparable([strategy("greedy", 1), strategy("greedy", 2)])


def test_distinct_2_counts_different_bigrams() -> None:
    assert distinct_2("a b c d") == 1
    assert distinct_2("a b a b a") == 2 / 4  # (a b) (b a) (a b) (b a)
    assert distinct_2("The cat. the CAT, the cat!") == 2 / 5
    assert distinct_2("word") is None
    assert distinct_2("") is None


def test_the_distance_of_two_texts() -> None:
    assert distance("a b c", "A b, c.") == 0
    assert distance("a b c", "d e f") == 1
    assert distance("a b c", "a b d") == pytest.approx(1 - 1 / 3)
    assert (distance("yes", "yes"), distance("yes", "no"), distance("", "")) == (0, 1, 0)


def test_variation_is_0_where_all_are_the_same_and_1_where_nothing_is() -> None:
    assert variation(["a b c"]) is None
    assert variation(["a b c"] * 3) == Variation(3, 0, 0)
    assert variation(["a b", "c d", "e f"]) == Variation(3, 1, 1)
    two = variation(["a b c", "a b c", "a b d"])
    assert two is not None
    assert two.new == 1 / 2
    assert two.distance == pytest.approx((0 + 2 / 3 + 2 / 3) / 3)
