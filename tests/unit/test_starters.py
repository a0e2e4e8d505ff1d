"""Starters are the notes' own questions, then their headings, and never change from run to run."""

from ingest.types import Passage
from rag.starters import starters


def passage(heading: tuple[str, ...], *sentences: str) -> Passage:
    return Passage("0" * 16, "unit.md", None, heading, "\n".join(sentences), sentences)


def test_review_questions_come_first_without_their_numbers() -> None:
    found = starters(
        [
            passage(("Unit 1", "Diffusion models"), "They remove noise step by step."),
            passage(
                ("Unit 1", "Review questions"),
                "1. What is the latent space of a VAE?",
                "- Q2: How does top-p differ from top-k?",
            ),
        ]
    )
    assert found[:2] == ("What is the latent space of a VAE?", "How does top-p differ from top-k?")
    assert found[2:] == ("What are Diffusion models?",)


def test_multiple_choice_questions_are_left_out() -> None:
    found = starters(
        [
            passage(("MCQs",), "Which model invented itself in a day?", "a) GPT", "b) none"),
            passage(("Review questions",), "Which of these is a flow model?", "a) Glow", "b) GPT"),
        ]
    )
    assert found == ()


def test_rhetorical_questions_elsewhere_are_no_starters() -> None:
    assert starters([passage(("Copyright",), "Who owns what a machine makes?")]) == ("What is Copyright?",)


def test_headings_by_weight_without_furniture() -> None:
    found = starters(
        [
            passage(("Introduction",), "Words " * 50),
            passage(("2. Flow-based models",), "Short."),
            passage(("Summary & Key Takeaways",), "Words " * 90),
            passage(("Probability",), "Words " * 20),
            passage(("What is an API?",), "Words " * 90),
            passage(("Statistics",), "Words " * 10),
        ]
    )
    assert found == ("What is Probability?", "What is Statistics?", "What are Flow-based models?")


def test_many_questions_are_spread_over_the_unit() -> None:
    asked = [f"What does part number {n} say?" for n in range(10)]
    found = starters([passage(("Review questions",), *asked)])
    assert found == (asked[0], asked[3], asked[6], asked[9])


def test_same_input_same_output_and_no_repeats() -> None:
    notes = [
        passage(("Review",), "What is a GAN made of?", "What is a GAN made of?"),
        passage(("GANs",), "x"),
    ]
    assert starters(notes) == starters(notes) == ("What is a GAN made of?", "What are GANs?")


def test_nothing_from_nothing() -> None:
    assert starters([]) == ()
    assert starters([passage((), "text")]) == ()


def test_a_question_that_goes_on_from_another_is_left_out() -> None:
    found = starters(
        [passage(("Review",), "1. Why does a flow have an exact likelihood?", "Which of the two is learned?")]
    )
    assert found == ("Why does a flow have an exact likelihood?",)


def test_what_a_sentence_defines_comes_before_what_has_more_text() -> None:
    found = starters(
        [
            passage(("Fair use in class",), "Words " * 90),
            passage(
                ("7.1 API Keys",),
                "An API key is a password for a program.",
                "Keep each of the API keys safe.",
            ),
            passage(("Temperature",), "Temperature is a divisor of the logits: low temperature is safe."),
        ]
    )
    assert found == ("What are API Keys?", "What is temperature?", "What is Fair use in class?")
