"""Sentences of the notes beside an answer: which are wanted, over hand-made nearness."""

import numpy as np
import pytest

from ingest.types import Hit, Passage
from rag.complete import left_out, wanting
from rag.select import Choice
from rag.types import Label, Sentence
from tests.ingest_fakes import FakeEncoder

SAID = (
    "A GAN was proposed by Ian Goodfellow in 2014.",
    "Its generator turns random noise into fake pictures.",
    "Training:",
)
PASSAGE = Passage("gan", "a.md", None, ("GANs",), " ".join(SAID), SAID)
CHOICES = [Choice(Hit(PASSAGE, 1.0, 0.5, 0.5, 0), (0, 1, 2))]


def added(answer: str, *cosines: float, question: str = "Who proposed it?") -> list[str]:
    return [one.text for one in left_out(question, answer, CHOICES, [np.array(cosines)])]


def test_the_nearest_sentence_is_added_where_the_answer_does_not_say_it() -> None:
    assert added("Somebody did.", 0.9, 0.2, 0.1) == [SAID[0]]
    assert added("It was Ian Goodfellow, in 2014.", 0.9, 0.2, 0.1) == []


def test_what_is_far_or_no_sentence_is_not_added() -> None:
    assert added("Somebody did.", 0.3, 0.2, 0.1) == []
    assert added("Somebody did.", 0.2, 0.1, 0.9) == []  # a title


def test_what_the_question_says_is_no_news() -> None:
    asked = "Was a GAN proposed by Ian Goodfellow in 2014?"
    assert added("Yes.", 0.9, 0.2, 0.1, question=asked) == []


NEAR, FAR = "who proposed the GAN", "noise becomes pictures"


@pytest.mark.parametrize(
    ("claim", "label", "quote", "helps"),
    [
        (NEAR, "supported", FAR, False),
        (FAR, "supported", NEAR, True),  # supported, but no answer to what was asked
        (NEAR, "partly", FAR, True),
        (NEAR, "contradicted", FAR, True),
        (NEAR, "not-a-claim", FAR, True),
    ],
)
def test_a_supported_answer_wants_only_what_is_nearer_to_the_question(
    claim: str, label: Label, quote: str, helps: bool
) -> None:
    encoder = FakeEncoder(dimension=64)
    quoted = [Sentence(quote, 1.0, "supported", (1,))]
    claims = [Sentence(claim, 0.9, label, (1,))]
    assert wanting(NEAR, claims, quoted, encoder) is helps
    assert not wanting(NEAR, claims, [], encoder)
