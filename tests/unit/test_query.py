"""Typing errors, abbreviations and several questions in one: what is searched for in their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.types import Hit, Passage
from ingest.words import tokens
from rag.query import definitions, one_letter_off, parts, spelled, with_other_forms
from rag.retrieve import in_turn

NOTES = (
    "An autoregressive model predicts the next token. Embeddings of a transformer, and how they are inverted."
)
ENGLISH = frozenset("invented thorough predict".split())


def known(stem: str) -> int:
    return tokens(NOTES).count(stem)


@pytest.mark.parametrize(
    ("asked", "searched"),
    [
        ("what is an autoregresive model", "what is an autoregressive model"),
        ("autoregrressive models", "autoregressive models"),
        ("what are embedings?", "what are embedings?"),  # has their stem
        ("the tranfsormer", "the transformer"),
        ("Transformar?", "transformer?"),
        ("who invented it", "who invented it"),  # 'inverted' is near, but this is English
        ("what is a modle", "what is a model"),
        ("tokns", "tokens"),
        ("tkns", "tkns"),  # short words are near too many
        ("a cat", "a cat"),
        ("photosynthesis", "photosynthesis"),
        ("", ""),
    ],
)
def test_typing_errors_are_put_right_by_the_notes(asked: str, searched: str) -> None:
    assert spelled(asked, known, lambda word: word in ENGLISH) == searched


@given(st.text("abcdefgh", min_size=2, max_size=9), st.data())
def test_one_letter_off_undoes_every_slip_but_of_the_first_letter(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(word) - 1))
    slips = {
        word[:at] + word[at + 1 :],
        word[:at] + "z" + word[at:],
        word[:at] + "z" + word[at + 1 :],
        word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    }
    assert all(word in set(one_letter_off(slip)) for slip in slips)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "What is a VAE and who invented GANs?",
            ("What is a VAE", "who invented GANs"),
        ),
        ("What is dropout? Why do models overfit?", ("What is dropout", "Why do models overfit")),
        ("define entropy; compare top-k to top-p", ("define entropy", "compare top-k to top-p")),
        ("What is a VAE and how does it differ from a GAN?", None),
        ("who invented VAEs and when?", None),
        ("What is dropout and why is it used?", None),
        ("How do GANs and VAEs differ?", None),
        ("How is the output judged, and how that of the other kind?", None),
        ("Which technique and which regulation are named?", None),
        ("Who counted the letters of a novel, and how many?", None),
        ("How do they differ in what they take and what they give?", None),
        (
            "In a VAE, what's the encoder and what happened in 2013?",
            ("In a VAE, what's the encoder", "what happened in 2013"),
        ),
        ("My exam is on GANs. What is a generator?", None),
        ("I study GANs and what is a VAE?", None),
        ("GANs? And what is a VAE?", ("GANs", "what is a VAE")),
        ("Tell me what a GAN is and how a VAE learns", None),
        ("What is AI?", None),
        ("?", None),
        ("", None),
    ],
)
def test_questions_that_stand_by_themselves_are_parted(
    question: str, expected: tuple[str, ...] | None
) -> None:
    assert parts(question) == (expected or (question,))


def hit(name: str, score: float) -> Hit:
    return Hit(Passage(name, "a.md", None, (), name, (name,)), score, 0.5, 0.5, 0)


def test_the_best_of_each_part_comes_first() -> None:
    first, second = [hit("a", 5), hit("b", 4), hit("c", 1)], [hit("d", 9), hit("a", 3)]
    found = in_turn([first, second])
    assert [one.passage.id for one in found] == ["a", "d", "b", "c"]
    assert [one.score for one in found] == [5, 5, 4, 1]
    assert in_turn([first]) is first


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A Generative Adversarial Network (GAN) has two.", [("GAN", "Generative Adversarial Network")]),
        ("the Variational Autoencoders (VAEs)", [("VAE", "Variational Autoencoders")]),
        ("a maximum a posteriori (MAP) estimate", [("MAP", "maximum a posteriori")]),
        ("GPT (Generative Pretrained Transformer)", [("GPT", "Generative Pretrained Transformer")]),
        ("see the figure (GAN)", []),
        ("trained in Europe (EU), in May (US)", []),
        ("models (like GPT), VAEs (see page three)", []),
        ("(GAN)", []),
    ],
)
def test_what_the_notes_say_an_abbreviation_stands_for(text: str, found: list[tuple[str, str]]) -> None:
    assert list(definitions(text)) == found


def test_a_question_is_searched_in_both_forms() -> None:
    forms = [("GAN", "Generative Adversarial Network"), ("PMF", "probability mass function")]
    assert with_other_forms("what is a gan?", forms) == "what is a gan? (Generative Adversarial Network)"
    assert (
        with_other_forms("generative adversarial networks", forms) == "generative adversarial networks (GAN)"
    )
    assert with_other_forms("network of masses", forms) == "network of masses"
    both = "what is a generative adversarial network (GAN)?"
    assert with_other_forms(both, forms) == both
