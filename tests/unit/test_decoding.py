"""The course's own example through the code that decodes real text."""

import math

import pytest
import torch

from ingest.errors import BadRequest
from rag.decoding import GREEDY, Decoding, choose, decoding, distribution, kept

WORDS = ["happy", "tired", "hungry", "lucky"]
PROBABILITIES = torch.tensor([0.4, 0.3, 0.2, 0.1])
LOGITS = PROBABILITIES.log()


def keeps(how: Decoding) -> set[str]:
    return {word for word, stays in zip(WORDS, kept(PROBABILITIES, how), strict=True) if stays}


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (GREEDY, {"happy"}),
        (decoding("random"), set(WORDS)),
        (decoding("random", temperature=0), {"happy"}),
        (decoding("top-k", k=1), {"happy"}),
        (decoding("top-k", k=2), {"happy", "tired"}),
        (decoding("top-k", k=1000), set(WORDS)),
        (decoding("top-p", p=0.8), {"happy", "tired", "hungry"}),
        (decoding("top-p", p=0.7), {"happy", "tired"}),  # .4 + .3 reaches .7
        (decoding("top-p", p=0.9), {"happy", "tired", "hungry"}),
        (decoding("top-p", p=1.0), set(WORDS)),
        (decoding("top-p", p=0.01), {"happy"}),
        (decoding("min-p", min_p=0.5), {"happy", "tired", "hungry"}),  # half of .4 is .2
        (decoding("min-p", min_p=0.6), {"happy", "tired"}),
        (decoding("top-p", p=0.8, k=2), {"happy", "tired"}),
    ],
)
def test_what_each_strategy_keeps(how: Decoding, words: set[str]) -> None:
    assert keeps(how) == words


def test_ties_keep_exactly_k() -> None:
    assert kept(torch.full((4,), 0.25), decoding("top-k", k=2)).sum() == 2


def test_the_kept_are_scaled_to_one() -> None:
    drawn = distribution(LOGITS, decoding("top-k", k=2))
    assert drawn.tolist() == pytest.approx([4 / 7, 3 / 7, 0, 0])


def test_temperature_divides_the_logits() -> None:
    cold = distribution(LOGITS, decoding("random", temperature=0.5))
    squares = [0.16, 0.09, 0.04, 0.01]
    assert cold.tolist() == pytest.approx([one / sum(squares) for one in squares])
    hot = distribution(LOGITS, decoding("random", temperature=5))
    assert hot[3] > 0.1
    assert hot[0] < 0.4


def test_draws_follow_the_distribution() -> None:
    draw = torch.Generator().manual_seed(7)
    how = decoding("top-p", p=0.8)
    drawn = [choose(LOGITS, how, draw) for _ in range(3000)]
    assert set(drawn) == {0, 1, 2}
    share = drawn.count(0) / len(drawn)
    assert abs(share - 4 / 9) < 5 * math.sqrt(4 / 9 * 5 / 9 / 3000)


def test_the_same_seed_draws_the_same() -> None:
    how = decoding("random", seed=3)

    def ten(seed: int) -> list[int]:
        draw = torch.Generator().manual_seed(seed)
        return [choose(LOGITS, how, draw) for _ in range(10)]

    assert ten(3) == ten(3)
    assert len({tuple(ten(seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "hottest"},
        {"name": "top-k", "k": 0},
        {"name": "top-p", "p": 1.1},
        {"name": "top-p", "p": 0.0},
        {"name": "min-p", "min_p": 2.0},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"name": "beam", "beams": 1},
        {"name": "greedy", "beams": 3},
        {"name": "beam", "beams": 99},
        {"seed": -1},
    ],
)
def test_bad_values_are_one_clear_line(settings: dict) -> None:
    with pytest.raises(BadRequest) as error:
        decoding(**settings)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) > 10
