"""What gives a claim away that says nearly what the notes say."""

import pytest

from rag.signals import CHEAP, denies, lexical
from rag.support import AS_COPIED, doubted, label, probability, probes

NOTE = ["The generator makes images from noise.", "It was proposed by Ian Goodfellow in 2014."]


def test_a_copied_sentence_has_all_there_is() -> None:
    found = lexical("The generator makes images from noise.", NOTE)
    assert (found["stems"], found["bigrams"], found["span"]) == (1.0, 1.0, 1.0)
    assert (found["numbers"], found["names"], found["negation"], found["order"]) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("claim", "whole"),
    [
        ("The generator makes images from noise.", 1.0),
        ("The discriminator makes images from noise.", 0.0),  # another subject
        ("The generator was proposed by Ian Goodfellow in 2014.", 0.0),  # of two sentences
        ("The generator makes images from noise since 2014.", 0.0),
    ],
)
def test_only_what_one_sentence_says_counts_as_whole(claim: str, whole: float) -> None:
    assert lexical(claim, NOTE)["whole"] == whole


@pytest.mark.parametrize(
    ("claim", "signal"),
    [
        ("It was proposed by Ian Goodfellow in 2015.", "numbers"),
        ("It was proposed by Geoffrey Hinton in 2014.", "names"),
        ("The generator never makes images from noise.", "negation"),
        ("The images make noise.", "order"),
    ],
)
def test_one_wrong_word_shows(claim: str, signal: str) -> None:
    assert lexical(claim, NOTE)[signal] > 0


def test_two_denials_are_none() -> None:
    assert denies("It does not converge.")
    assert not denies("It does not fail to converge.")
    assert not denies("It converges.")


def test_a_name_of_the_question_is_no_news() -> None:
    assert lexical("It is called MuseNet.", NOTE, "What is MuseNet?")["names"] == 0


def test_nothing_against_nothing() -> None:
    found = lexical("Anything.", [])
    assert (found["stems"], found["negation"]) == (0, 0)


def test_the_weights_are_whole_and_their_labels_fall_with_support() -> None:
    low = dict.fromkeys((*CHEAP, "whole"), 0.0)
    high = {
        **low,
        **dict.fromkeys(("coverage", "first", "weakest", "stems", "bigrams", "span", "copied", "whole"), 1.0),
    }
    assert 0 < probability(low, "fast") < doubted(1.0, "fast") < probability(high, "fast") < 1
    assert label(probability(high, "fast"), high, "fast") == "supported"
    assert label(0.0, low, "fast") == "unsupported"
    assert label(0.0, {**low, "negation": 1.0, "first": 0.9}, "fast") == "contradicted"
    assert label(doubted(1.0, "fast"), low, "fast") == "unsupported"
    with pytest.raises(KeyError):
        probability(low, "judged")


def test_doubt_and_copying_leave_the_order_as_it_is() -> None:
    chances = [0.05, 0.5, 0.98, 0.99, 0.999]
    low = [doubted(one, "full") for one in chances]
    assert low == sorted(set(low)) and label(low[-1], dict.fromkeys(CHEAP, 0.0), "full") == "unsupported"
    signals = dict.fromkeys((*CHEAP, "whole"), 0.9)
    found = [probability({**signals, "first": first}, "fast") for first in (0.9, 1.2, 1.5)]
    assert found == sorted(set(found)) and found[0] > AS_COPIED and found[-1] < 1


def test_probes_serve_only_the_model_they_were_fitted_on() -> None:
    assert probes("another model") == {}
    ours = probes("Qwen2.5-Coder-1.5B-Instruct")
    assert set(ours) == {"support", "denial"}
    assert all(len(one.weights) == 1536 for one in ours.values())
