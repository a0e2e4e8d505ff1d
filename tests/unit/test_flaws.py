"""The rules on wording: each finds its flaw in plain cases and lets good questions near it pass."""

from __future__ import annotations

import pytest

from rag.items.flaws import RULES, alike, flaws
from rag.items.forms import number_value, shape
from rag.items.types import Evidence, Item, Kind, Option
from tests.bench.flaws import clean, counts, told


def item(stem: str, *options: str, key: int = 0, kind: Kind = "multiple-choice") -> Item:
    evidence = Evidence("", "notes.md", None, "", "")
    return Item(
        "0" * 16,
        kind,
        stem,
        tuple(Option(text, "") for text in options),
        key,
        "",
        evidence,
        "",
        "easy",
        "remember",
    )


def found(*parts: str, key: int = 0, kind: Kind = "multiple-choice") -> set[str]:
    return {flaw.name for flaw in flaws(item(*parts, key=key, kind=kind))}


# Good questions that stand close to a flaw.
GOOD = [
    ("Why can a GAN not state the likelihood of an image?", "It has no explicit density",
     "It needs paired images",
     "It is trained on noise", "It drops its encoder"),
    ("What is a word that is not in the vocabulary cut into?", "Subwords", "Pixels", "Frames", "Layers"),
    ("At least how many points fix a straight line?", "1", "2", "3", "4"),
    ("Which method minimizes the sum of least squares residuals?", "Linear regression",
     "Principal components",
     "Nearest neighbours", "Naive Bayes"),
    ("Which month follows April?", "March", "May", "June", "July"),
    ("A beam of width 1 is the same as", "greedy decoding", "random sampling", "top-p sampling",
     "min-p sampling"),
    ("Name the enzyme that unwinds DNA.", "Helicase", "Ligase", "Polymerase", "Primase"),
    ("What does pruning remove from a network?", "Weights", "Labels", "Epochs", "Tokens"),
    ("Which parts are trained?", "Encoder only", "Decoder only", "Prior only", "Encoder and decoder"),
    ("Which temperature gives the flattest distribution?", "0.2", "0.7", "1.0", "1.5"),
    ("When did the Second World War end in Europe?", "8 May 1945", "6 June 1944", "1 September 1939",
     "11 November 1918"),
    ("Which running time does merge sort have?", "O(n)", "O(n log n)", "O(n^2)", "O(2^n)"),
    ("Which vitamin is made in the skin?", "Vitamin A", "Vitamin B12", "Vitamin C", "Vitamin D"),
    ("Which model has 1.5 billion parameters?", "GPT", "GPT-2", "GPT-3", "GPT-4"),
    ("Which of these planets has rings that can be seen with a small telescope?", "Mars", "Mercury", "Saturn",
     "Venus"),
]  # fmt: skip
FLAWED = [  # the flaw, and a question that has it
    ("ambiguous information", ("According to the text, who won?", "Rome", "Carthage", "Sparta", "Athens")),
    ("ambiguous information", ("Why is it important?", "Speed", "Cost", "Size", "Heat")),
    ("none of the above", ("Which is a noble gas?", "Iron", "Lead", "Tin", "None of these")),
    ("all of the above", ("Which is an alloy?", "Steel", "Brass", "Bronze", "All of the above.")),
    ("complex or K-type", ("Which are primes?", "2", "3", "Both A and B", "4")),
    ("complex or K-type", ("Which of I. iron II. tin III. wood bend?", "I only", "I and II", "III",
     "II, III")),
    ("absolute terms", ("Why use a seed?", "It repeats draws", "It never fails", "It adds speed",
     "It costs more")),
    ("vague terms", ("How do cats sleep?", "They often nap", "They sleep at night", "They sleep upside down",
                     "They sleep in water")),
    ("lost sequence", ("How many bits has a byte?", "8", "4", "16", "2")),
    ("negatively worded", ("Which of these isn't a metal?", "Sulfur", "Iron", "Tin", "Lead")),
    ("negatively worded", ("Which statement about cells is false?", "X", "Y", "Z", "W")),
    ("true/false question", ("Is water a compound?", "Yes", "No", "Yes, when frozen", "No, when hot")),
    ("fill-in-the-blank", ("The ____ pumps blood.", "heart", "liver", "lung", "spleen")),
    ("unfocused stem", ("Choose the correct statement.", "X is red", "X is blue", "X is green", "X is pink")),
    ("unfocused stem", ("Mitochondria", "make ATP", "make bile", "make DNA", "make bone")),
    ("unfocused stem", ("Which of the following is correct about RNA?", "One strand", "Two", "Three",
     "Four")),
    ("grammatical cues", ("A baby frog is called a", "tadpole", "egg", "imago", "adult")),
    ("grammatical cues", ("Why do leaves fall?", "To save water", "It rains", "Cold nights", "Short days")),
    ("more than one correct", ("What moves water?", "Osmosis", "The osmosis", "Lysis", "Mitosis")),
    ("word repeats", ("What is vector quantization?", "Mapping vectors to codes", "Adding noise to pixels",
                      "Cutting off gradients", "Sorting tokens by length")),
    ("implausible distractors", ("What is ink made of?", "Pigment", "lol", "Water", "Steel")),
]  # fmt: skip


@pytest.mark.parametrize("parts", GOOD, ids=lambda parts: parts[0])
def test_a_good_question_passes(parts: tuple[str, ...]) -> None:
    assert [flaw for flaw in flaws(item(*parts)) if flaw.name != "longest option correct"] == []


@pytest.mark.parametrize(("name", "parts"), FLAWED, ids=lambda value: str(value)[:40])
def test_a_flaw_is_named_with_source_and_words(name: str, parts: tuple[str, ...]) -> None:
    one = next(flaw for flaw in flaws(item(*parts)) if flaw.name == name)
    assert "20" in one.source
    assert "\n" not in one.what and len(one.what) > 10


def test_longest_option_counts_only_for_the_key() -> None:
    long = "Several civil wars and the growing power of generals"
    assert "longest option correct" in found("Why did it fall in 27 BC?", long, "Plague", "Fire", "Flood")
    assert "longest option correct" not in found(
        "Why did it fall in 27 BC?", long, "Plague", "Fire", "Flood", key=1
    )
    assert "longest option correct" not in found(
        "Who wrote it in 1925?", "Electroencephalography", "MRI", "CT", "PET"
    )


def test_convergence_needs_parts_that_come_up_most_often_in_the_key() -> None:
    stem = "Which drugs are given in 1985?"
    assert "convergence cues" in found(
        stem, "Iron and zinc", "Iron and lead", "Tin and zinc", "Iron and gold"
    )
    assert "convergence cues" not in found(
        stem, "Iron and zinc", "Iron and lead", "Tin and zinc", "Tin and lead"
    )


def test_opposites_are_a_cue_only_where_the_rest_is_unlike_them() -> None:
    stem = "What does heat do to a gas?"
    assert "logical cues" in found(
        stem, "Its volume increases", "Its volume decreases", "Salt forms", "The lid melts away"
    )
    assert "logical cues" not in found(
        stem, "Its volume increases", "Its volume decreases", "Its volume stays", "Its volume doubles"
    )


def test_a_word_of_the_same_family_is_a_cue_as_well() -> None:
    stem = "Which of these keeps a service in step as its load scales?"
    assert "word repeats" in found(stem, "Scalability", "Monitoring", "Validation", "Retirement")
    assert "word repeats" not in found(stem, "Elasticity", "Monitoring", "Validation", "Retirement")
    stem = "Which models rest on Bayes' theorem?"
    assert "word repeats" in found(
        stem, "Bayesian models", "Diffusion models", "Flow models", "Energy models"
    )
    assert "word repeats" not in found("What runs a model?", "A modern bus", "A disk", "A fan", "A desk")


def test_padding_is_told_from_a_case() -> None:
    case = (
        "A coin is tossed 12 times. It shows 3 heads. The next day it is tossed 8 more times and shows 5. "
        "What is the maximum likelihood estimate from all tosses taken together?"
    )
    assert "gratuitous information" not in found(case, "0.25", "0.40", "0.50", "0.63", key=1)
    assert "gratuitous information" in found(
        " ".join(["very"] * 60) + " what is red?", "A rose", "Sky", "Sea", "Sun"
    )


def test_other_kinds_are_held_to_what_concerns_them() -> None:
    assert found("Osmosis moves water through a membrane.", "True", "False", kind="true-false") == set()
    assert found("Osmosis does not move water.", "True", "False", key=1, kind="true-false") == {
        "negatively worded"
    }
    assert found("All gases always glow.", "True", "False", key=1, kind="true-false") == {"absolute terms"}
    assert found("What moves through a membrane in osmosis?", "water", kind="short-answer") == set()
    assert found("In osmosis _____ moves through a membrane.", "water", kind="fill-in") == set()
    assert found("In _____ water moves through a _____.", "osmosis", kind="fill-in") == {"fill-in-the-blank"}
    assert found("Water _____ is called hard water.", "hard", kind="fill-in") == {"word repeats"}


def test_all_nineteen_criteria_are_there_once() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) == 19


def test_the_labelled_halves_are_met() -> None:
    for split, precision, recall in (("dev", 0.95, 0.95), ("test", 0.9, 0.9)):
        right, false, missed = counts(split)[""]
        assert right / (right + false) >= precision
        assert right / (right + missed) >= recall
        passed, good = clean(split)
        assert passed >= 0.9 * good
        stopped, bad = told(split)
        assert stopped >= 0.9 * bad


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5 billion", 1.5e9), ("117 million", 117e6), ("80 %", 80), ("14th century", 14), ("9.8 m/s²", 9.8),
        ("1,024", 1024), ("$0.5$", 0.5), ("-3", -3), ("about 40", 40), ("GPT-3", None), ("Vitamin B12", None),
        ("O(1)", None), ("Mars", None), ("30 November 2022", 2022.113),
    ],
)  # fmt: skip
def test_numbers_are_read_from_options(text: str, value: float | None) -> None:
    assert number_value(text) == (value if value is None else pytest.approx(value))


def test_shapes_are_named_only_where_they_are_sure() -> None:
    assert shape("To store glucose") == "an infinitive"
    assert shape("Because it is hot") == "a reason"
    assert shape("It removes noise") == "a sentence"
    assert shape("Attention heads are merged") == ""


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("Paris", "Rome", "paris", "Bonn"), "the same"),
        (("46", "23", "many", "92"), "numbers and others"),
        (("To add order", "To drop noise", "It sorts words", "To save time"), "different form"),
        (("a cell", "a virus", "organs", "a tissue"), "number"),
        (("A map", "A key", "A very long option that goes on about many things at once", "A lock"), "longer"),
        (("Paris", "", "Rome", "Bonn"), "empty"),
    ],
)
def test_options_that_are_unlike_are_told(options: tuple[str, ...], part: str) -> None:
    assert part in alike(options)


@pytest.mark.parametrize("parts", GOOD, ids=lambda parts: parts[0])
def test_options_of_good_questions_are_alike(parts: tuple[str, ...]) -> None:
    assert alike(parts[1:]) == ""
