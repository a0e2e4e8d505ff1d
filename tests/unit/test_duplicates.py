"""What repeats is one passage with all its places; what only looks alike stays apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.duplicates import drafts_of, merged, seen_from
from ingest.sentences import sentences
from ingest.types import Passage, Place

LONG = (
    "A generative model learns how data are distributed and draws new samples from what it has learned."
    " A discriminative model learns only the border between classes, and so it cannot draw anything new."
)


def passage(
    text: str, source: str = "a.md", page: int | None = 1, heading: tuple[str, ...] = ("Models",)
) -> Passage:
    key = f"{abs(hash((text, source, page, heading))):016x}"[:16]
    return Passage(key, source, page, heading, text, tuple(sentences(text)))


def count(*texts: str, heading: tuple[str, ...] = ("Models",)) -> int:
    drafts = [passage(text, page=page, heading=heading) for page, text in enumerate(texts, 1)]
    kept, copies = merged(drafts)
    assert drafts_of(kept, copies) == drafts
    return len(kept)


def test_one_slide_shown_six_times() -> None:
    drafts = [passage(LONG, "deck.pptx", page) for page in (3, 9, 12)]
    drafts += [passage(LONG, "recap.pdf", page) for page in (1, 2)]
    drafts += [passage("Something else is said here.", "recap.pdf", 2), passage(LONG, "z.md", None)]
    kept, copies = merged(drafts)
    assert [p.text for p in kept] == [LONG, "Something else is said here."]
    one = kept[0]
    assert (one.source, one.page) == ("deck.pptx", 3)
    assert [(place.source, place.page) for place in one.also] == [
        ("deck.pptx", 9), ("deck.pptx", 12), ("recap.pdf", 1), ("recap.pdf", 2), ("z.md", None)
    ]  # fmt: skip
    assert kept[1].also == ()
    assert drafts_of(kept, copies) == drafts


@pytest.mark.parametrize(
    "other",
    [
        LONG.replace("A generative", "The generative"),
        LONG.replace(". ", ".\n"),
        LONG.replace("learned.", "learned!"),
        "- " + LONG.replace(". ", ".\n- "),
        LONG.replace("distributed and draws", "distributed, and so draws"),
        LONG.replace("new samples", "new plain samples"),
    ],
)
def test_small_differences_are_none(other: str) -> None:
    assert count(LONG, other) == count(other, LONG) == 1


def test_the_one_that_says_more_stays() -> None:
    more = LONG.replace("new samples", "new plain samples")
    kept, _ = merged([passage(LONG, page=1), passage(more, page=2)])
    assert [(p.text, p.page, p.also) for p in kept] == [(more, 2, (Place("a.md", 1, ("Models",)),))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The model saw 300 billion tokens in 2020.", "The model saw 400 billion tokens in 2020."),
        ("Set the rate to 0.1 and wait.", "Set the rate to 0.01 and wait."),
        ("Top-p keeps the likeliest words of all.", "Top-k keeps the likeliest words of all."),
        ("GANs were described by Goodfellow and others.", "GANs were described by Kingma and others."),
        ("The loss does fall when the rate is small.", "The loss does not fall when the rate is small."),
        ("The loss falls when the rate is small.", "The loss only falls when the rate is small."),
        ("Sampling can help.", "Sampling can't help."),
        ("Patients with hypertension need less salt.", "Patients with hypotension need less salt."),
        ("The encoder feeds the decoder.", "The decoder feeds the encoder."),
        ("The US has a rule on it.", "Let us has a rule on it."),
        ("It holds that $a + b = c$.", "It holds that $a - b = c$."),
        ("if x > 0: y = 1", "if x < 0: y = 1"),
        ("Two models are compared here.", "Three models are compared here."),
        ("Training and sampling are slow.", "Training or sampling are slow."),
    ],
)  # fmt: skip
def test_what_must_stay_apart(one: str, other: str) -> None:
    assert count(one, other) == 2
    # And within a long passage, where it is a small share.
    assert count(f"{LONG} {one} {LONG[:90]}", f"{LONG} {other} {LONG[:90]}") == 2


def test_a_name_or_number_more_is_no_small_difference() -> None:
    assert count(LONG, LONG.replace("new samples", "new samples of MNIST")) == 2
    assert count(LONG, LONG.replace("new samples", "7 new samples")) == 2
    assert count(LONG, LONG.replace("anything new", "nearly anything new")) == 2


def test_much_more_is_another_passage() -> None:
    assert count(LONG, f"{LONG} And then there is much more to be said about all of them and their kin.") == 2


def test_few_words_belong_to_their_titles() -> None:
    short = "- easy to train\n- fast"
    one = passage(short, heading=("GANs", "Strengths"))
    other = passage(short, page=2, heading=("Diffusion", "Strengths"))
    assert len(merged([one, other])[0]) == 2
    one = passage(LONG, heading=("Week 1", "Models"))
    other = passage(LONG, page=2, heading=("Recap", "Models"))
    assert len(merged([one, other])[0]) == 1
    assert count(LONG, LONG) == 1
    assert len(merged([passage(LONG), passage(LONG, page=2, heading=("Another title",))])[0]) == 2


def test_seen_from_a_file() -> None:
    kept, _ = merged([passage(LONG, "a.md", 1), passage(LONG, "b.md", 4, ("Recap", "Models"))])
    (one,) = kept
    there = seen_from(one, lambda place: place.source == "b.md")
    assert (there.source, there.page, there.heading, there.id) == ("b.md", 4, ("Recap", "Models"), one.id)
    assert there.also == (Place("a.md", 1, ("Models",)),)
    assert seen_from(one, lambda place: True) is one and seen_from(one, lambda place: False) is one


WORDS = "cells divide slowly when it gets cold and the not 7 Mendel = more".split()
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(TEXT, st.integers(1, 3), st.sampled_from(["a.md", "b.md"])), max_size=12))
def test_nothing_is_lost(parts: list[tuple[str, int, str]]) -> None:
    drafts = [passage(text, source, page) for text, page, source in dict.fromkeys(parts)]
    kept, copies = merged(drafts)
    assert drafts_of(kept, copies) == drafts
    assert len(kept) + len(copies) == len(drafts)
    assert sum(1 + len(p.also) for p in kept) == len(drafts)
    for copy in copies:
        place = Place(copy.passage.source, copy.passage.page, copy.passage.heading)
        (stands,) = [p for p in kept if place in p.also and _all_of(copy.passage.text, p.text)][:1]
        assert stands


def _all_of(text: str, longer: str) -> bool:
    rest = iter(longer.replace("the ", " ").split())
    return all(word in rest for word in text.split() if word != "the")
