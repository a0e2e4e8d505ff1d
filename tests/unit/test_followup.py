"""Which questions lean on the conversation, and what is searched for then."""

import pytest

from rag.followup import content_words, leans, own_words, search_text
from rag.prompts import earlier_turn
from rag.types import Turn

GAN = Turn("What is a GAN?", "A GAN has two parts: the generator and the discriminator. [1]")
LISTED = Turn(
    "which sampling methods are there?", "- greedy decoding [1]\n- top-k sampling [1]\n- nucleus sampling [2]"
)


@pytest.mark.parametrize(
    "question",
    [
        "what are its two parts?",
        "why?",
        "and the other?",
        "give an example",
        "how does the second one work?",
        "Who invented it?",
    ],
)
def test_leaning(question: str) -> None:
    assert leans(question, (GAN,))
    assert not leans(question, ())


def test_the_other_half_of_a_question_leans_on_what_the_first_named() -> None:
    half = "how are the two networks trained"
    assert leans(half, (GAN,), joined=True)
    assert not leans(half, (GAN,))
    assert not leans("what is a VAE", (GAN,), joined=True)
    assert search_text(half, (GAN,), joined=True).startswith(GAN.question)


def test_of_an_answer_in_several_parts_only_the_quotes_go() -> None:
    answer = "It has two. [1]\n\nIn the notes: “A GAN has two.” [1]\n\nIt is trained by turns. [2]"
    assert own_words(answer) == "It has two.\n\nIt is trained by turns."


@pytest.mark.parametrize(
    "question",
    [
        "What is a variational autoencoder?",
        "who won the Turing award for 2018?",
        "list the stages of a generative AI project",
    ],
)
def test_standing_alone(question: str) -> None:
    assert not leans(question, (GAN,))
    assert search_text(question, (GAN,)) == question


def test_the_topic_comes_from_the_question_before() -> None:
    assert "GAN" in search_text("what are its two parts?", (GAN,))


def test_the_topic_reaches_back_over_a_leaning_question() -> None:
    second = Turn("what are its two parts?", "The generator and the discriminator. [1]")
    assert "GAN" in search_text("how do they learn?", (GAN, second))


@pytest.mark.parametrize(
    ("question", "item"),
    [
        ("explain the second one", "top-k"),
        ("and the last?", "nucleus"),
        ("tell me more about the first", "greedy"),
    ],
)
def test_an_ordinal_means_an_item_of_the_last_answer(question: str, item: str) -> None:
    assert item in search_text(question, (LISTED,))


def test_the_latter_of_two_named_in_a_sentence() -> None:
    assert "discriminator" in search_text("what does the latter do?", (GAN,))


def test_content_words_leave_out_the_frame_of_the_question() -> None:
    assert content_words("What is the difference between a GAN and a VAE?") == ["gan", "vae"]


def test_a_quote_beside_the_answer_is_not_what_is_pointed_at() -> None:
    added = "In the notes: “Compare training, quality, cost.” [2]"
    told = f"It trains a generator and a discriminator. [1]\n\n{added}"
    found = search_text("what does the second one do?", (Turn("What does a GAN train?", told),))
    assert found.startswith("a discriminator")
    assert "Compare" not in earlier_turn("What does a GAN train?", told)


def test_a_preposition_before_the_question_word_leans_too() -> None:
    assert leans("in which year?", (Turn("Who proposed GANs?", "Ian Goodfellow."),))
    assert leans("by whom?", (Turn("When were GANs proposed?", "In 2014."),))
