"""Items for the tests of quizzes: what tells a key from the other options is spelled out in each."""

from __future__ import annotations

from rag.items.types import BLANK, Evidence, Item, Kind, Option, new_id

QUOTE = "The discriminator learns to tell them from the training data."


def choice(number: int = 0, key: int = 1, topic: str = "GANs", stem: str = "", page: int = 7) -> Item:
    """A multiple-choice item; a KEYWORD stands in all that may only be shown after the answer."""
    stem = stem or f"What tells samples from data, case {number}?"
    return Item(
        id=new_id("multiple-choice", stem, str(number)),
        kind="multiple-choice",
        stem=stem,
        options=tuple(
            Option(f"The {word} of case {number}", f"KEYWORD feedback {place} of {number}")
            for place, word in enumerate(("generator", "discriminator", "encoder", "sampler"))
        ),
        key=key,
        explanation=f"KEYWORD explanation {number}.",
        evidence=Evidence(
            f"KEYWORD quote {number}.", "unit-1-generative-ai.pdf", page, "KEYWORD heading", "a1"
        ),
        topic=topic,
        difficulty="medium",
        bloom="understand",
    )


def written(kind: Kind = "short-answer", number: int = 0, topic: str = "Years") -> Item:
    """An item whose answer is written."""
    stem = f"In {BLANK} GANs were described." if kind == "fill-in" else "When were GANs described?"
    return Item(
        id=new_id(kind, stem, str(number)),
        kind=kind,
        stem=stem,
        options=(Option("2014", "KEYWORD feedback"), Option("in 2014", "")),
        key=0,
        explanation="KEYWORD explanation.",
        evidence=Evidence("Ian Goodfellow described GANs in 2014.", "people.txt", None, "", "c3"),
        topic=topic,
        difficulty="easy",
        bloom="remember",
    )


def truth(number: int = 0, key: int = 0) -> Item:
    """A true-false item."""
    stem = f"A GAN trains two networks, case {number}."
    return Item(
        id=new_id("true-false", stem, str(number)),
        kind="true-false",
        stem=stem,
        options=(Option("True", "KEYWORD feedback"), Option("False", "KEYWORD feedback")),
        key=key,
        explanation="KEYWORD explanation.",
        evidence=Evidence("A GAN trains two networks.", "slides/training.pptx", 12, "Training", "b2"),
        topic="GANs",
        difficulty="easy",
        bloom="remember",
    )
