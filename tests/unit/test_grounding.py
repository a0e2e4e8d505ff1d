"""Citing and checking, with a small encoder in place of the real one.

tests/integration/test_answer.py runs the same check with the real encoder and model.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from ingest.types import Passage
from rag.claims import clauses, is_claim, spans
from rag.engines.state import Judgement
from rag.grounding import LONG, check, evidence, judged, look
from rag.retrieve import offered


class Words:
    """One fixed random direction a word: the same word is the same vector, others are far."""

    name, dimension = "words", 64

    def _vector(self, word: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(word.lower().strip(".,").encode()).digest()[:4], "big")
        vector = np.random.default_rng(seed).normal(size=64).astype(np.float32)
        return vector / np.linalg.norm(vector)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.array([np.sum([self._vector(word) for word in text.split()], axis=0) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [
            (np.arange(len(text.split()), dtype=np.int32), np.array([self._vector(w) for w in text.split()]))
            for text in texts
        ]


def passage(text: str, key: str = "p") -> Passage:
    return Passage(key, "notes.md", None, ("Topic",), text, tuple(text.split(". ")))


ENCODER = Words()
HELD = [
    evidence(1, passage("A GAN was proposed by Ian Goodfellow in 2014 and trains two networks"), ENCODER),
    evidence(2, passage("The encoder compresses an image into a latent vector of 128 numbers"), ENCODER),
]


def test_a_copied_sentence_is_supported_and_cites_its_passage() -> None:
    one = check("A GAN was proposed by Ian Goodfellow in 2014.", HELD, ENCODER)
    assert (one.label, one.markers) == ("supported", (1,))


def test_an_invented_marker_goes_and_the_right_one_comes() -> None:
    one = check("The encoder compresses an image into a latent vector [7].", HELD, ENCODER)
    assert one.markers == (2,)
    assert "[" not in one.text


def test_a_marker_on_the_wrong_passage_is_put_right() -> None:
    one = check("The encoder compresses an image into a latent vector [1].", HELD, ENCODER)
    assert one.markers == (2,)


@pytest.mark.parametrize(
    "claim",
    [
        "A GAN was proposed by Ian Goodfellow in 1995.",
        "A GAN was proposed by Geoffrey Hinton in 2014.",
        "The encoder compresses an image into a latent vector of 12 numbers.",
        "Bananas grow best in wet tropical lowland soil.",
    ],
)
def test_a_changed_number_or_name_or_topic_is_not_supported(claim: str) -> None:
    one = check(claim, HELD, ENCODER)
    assert one.label in ("partly", "unsupported")
    assert one.support < 0.62


@pytest.mark.parametrize(
    "text", ["Sure!", "The parts are:", "Here are the notes.", "", "Would you like more?"]
)
def test_what_claims_nothing(text: str) -> None:
    assert not is_claim(text)


def test_spans_cover_list_items() -> None:
    text = "Two parts:\n- the generator\n- the critic\n\nDone. Good."
    assert [text[a:b] for a, b in spans(text)] == [
        "Two parts:",
        "the generator",
        "the critic",
        "Done.",
        "Good.",
    ]


@pytest.mark.parametrize(
    ("claim", "parts"),
    [
        ("A VAE has two parts.", []),
        ("The generator makes images from noise, and the critic scores them one by one.", []),
        ("In 2014, he left, and came back in 2015.", []),  # too short for three
        (
            "Ian Goodfellow, who was a student, proposed it in Montreal, where it became known at once.",
            [
                "Ian Goodfellow, who was a student.",
                "Proposed it in Montreal.",
                "Where it became known at once.",
            ],
        ),
    ],
)
def test_a_long_claim_has_clauses(claim: str, parts: list[str]) -> None:
    assert clauses(claim) == parts


def test_clauses_are_not_without_number() -> None:
    assert len(clauses(", ".join(["one more thing is said here"] * 9))) == 6


def test_a_long_claim_is_as_good_as_its_worst_clause() -> None:
    said = [Judgement([yes, 0.0], np.full(4, -1.0, np.float32), []) for yes in (3.0, 2.0, -1.0, 4.0)]
    assert judged(said)["yes"] == -1.0
    assert judged(said[:1])["yes"] == 3.0


def test_what_a_claim_adds_counts_against_a_long_text_by_itself() -> None:
    claim = "The generator was trained by Ann on 512 cores."
    texts = [". ".join(["The generator was trained on cores"] * count) for count in (3, LONG + 1)]
    few, many = (look(claim, [evidence(1, passage(text), ENCODER)], ENCODER) for text in texts)
    assert (few.signals["missing"], few.signals["facts"]) == (0, 2)
    assert (many.signals["numbers"], many.signals["names"], many.signals["facts"]) == (1, 1, 2)
    assert many.signals["missing"] == 4


QUIZ = (
    "A low temperature makes the distribution sharper.",
    "Question 4: A low temperature makes the distribution ...",
    "a) flatter than before it was set",
    "Answer 4: b) sharper than before it was set",
    "Which of these draws the boundary between two classes?",
    "a) A generative model draws the boundary between two classes",
    "Three kinds are told apart:",
    "a) one kind draws the boundary between two classes",
)


def test_what_a_question_only_offers_is_no_evidence() -> None:
    quiz = Passage("q", "notes.md", None, ("Topic",), "\n".join(QUIZ), QUIZ)
    assert offered(quiz) == {1, 2, 5}
    held = [evidence(1, quiz, ENCODER)]
    found = [check(claim, held, ENCODER) for claim in (QUIZ[0], QUIZ[5][3:] + ".")]
    assert found[0].label == "supported" and found[0].quotes[0].text == QUIZ[0]
    assert all(quote.text not in (QUIZ[1], QUIZ[2], QUIZ[5]) for one in found for quote in one.quotes)


def test_no_evidence_no_support() -> None:
    assert check("Anything at all is so.", [], ENCODER).label == "unsupported"
