"""Written answers: what a teacher would let pass passes, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.items.marking import LONGEST, right, same
from tests.quiz_items import choice, truth, written


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("The  Discriminator", "discriminator"),
        ("a GAN", "GAN"),
        ("GANs", "gan"),
        ("self-attention", "Self Attention"),
        ("self attention.", "self‐attention"),
        ("1,000", "1000"),
        ("1000.0", "1,000"),
        ("0.50", "0.5"),
        ("two", "2"),
        ("50 %", "50 percent"),
        ("−5", "-5"),
        ("GPT 3", "GPT-3"),
        ("minimax", "“minimax”"),
        ("biases", "bias"),
        ("boundary", "boundaries"),
        ("$x$", "x"),
        ("the king of hill", "king of the hill"),
        ("vitamin A", "Vitamin a"),
        ("ﬁne tuning", "fine-tuning"),
        ("$5", "$5"),
        ("+", "+"),
        ("the", "The"),
    ],
)
def test_the_same_in_other_clothes(given: str, wanted: str) -> None:
    assert same(given, wanted) and same(wanted, given)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", "GAN"),
        (" \n", " "),
        ("generator", "discriminator"),
        ("generator", "generation"),
        ("5", "-5"),
        ("5", "50"),
        ("1.000", "1000"),
        ("C", "C++"),
        ("C#", "C"),
        ("not a GAN", "GAN"),
        ("GAN or VAE", "GAN"),
        ("vitamin", "vitamin a"),
        ("loss", "los"),
        ("50", "50%"),
        ("1990s", "1990"),
        ("2013", "2014"),
        ("x > 5", "x < 5"),
        ("a" * (LONGEST + 1), "a" * (LONGEST + 1)),
    ],
)
def test_another_answer_is_another(given: str, wanted: str) -> None:
    assert not same(given, wanted) and not same(wanted, given)


@given(st.text(min_size=1, max_size=LONGEST).filter(str.strip))
def test_every_answer_is_the_same_as_itself_and_as_itself_shouted(text: str) -> None:
    assert same(text, text) and same(f"  {text}\n"[: LONGEST + 1].strip(), text.strip())


def test_options_are_right_by_their_place() -> None:
    assert right(choice(key=2), 2) and not right(choice(key=2), 1) and not right(choice(), None)
    assert right(truth(key=1), 1) and not right(truth(key=1), 0)


def test_any_of_the_written_answers_counts() -> None:
    assert right(written(), None, "In 2014.") and right(written("fill-in"), None, "2,014")
    assert not right(written(), 0, "2015") and not right(written(), 0, "")
