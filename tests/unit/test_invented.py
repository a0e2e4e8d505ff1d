"""Numbers and names that the notes do not back, or say of something else."""

import pytest

from ingest.types import Passage
from rag.invented import new_facts


def passage(*sentences: str, heading: tuple[str, ...] = ()) -> Passage:
    text = " ".join(sentences)
    return Passage(text, "notes.md", None, heading, text, sentences)


def test_a_number_from_the_question_is_no_evidence() -> None:
    assert new_facts("It was invented in 1995.", [passage("It was invented.")], "Why 1995?") == ["1995"]
    assert new_facts("It is called MuseNet.", [passage("It is called so.")], "what is MuseNet?") == []


def test_a_number_inside_another_is_another_number() -> None:
    assert new_facts("It has 12 layers.", [passage("It has 128 layers and costs 3.12.")]) == ["12"]
    assert new_facts("It has 12 layers.", [passage("It has 12 layers.")]) == []


def test_the_year_of_one_thing_is_not_anothers() -> None:
    timeline = passage("Siri shipped in 2011.", "AlexNet won in 2012.")
    assert new_facts("Siri came out in 2012.", [timeline]) == ["2012"]
    assert new_facts("Siri came out in 2011.", [timeline]) == []


def test_initials_are_not_an_invented_name() -> None:
    nets = [passage("A deep belief network stacks machines.")]
    assert new_facts("A deep belief network (DBN) stacks machines.", nets) == []
    assert new_facts("A deep belief network (XYZ) stacks machines.", nets) == ["XYZ"]


STACKS = (
    passage("The first transformer stacks six layers.", "Each has two parts."),
    passage("WaveNet makes speech sample by sample.", "It is slow."),
    passage("Tero Karras is first author of the paper.", heading=("Models", "Progressive GAN")),
)


@pytest.mark.parametrize(
    ("question", "claim", "elsewhere"),
    [
        ("how many layers does WaveNet stack?", "WaveNet stacks six layers.", ["six"]),
        ("who wrote the WaveNet paper?", "Tero Karras wrote the WaveNet paper.", ["Karras"]),
        ("who wrote the Progressive GAN paper?", "The Progressive GAN paper is by Tero Karras.", []),
        ("how many layers?", "The first one stacks six layers.", []),  # the question names nothing
        ("what is WaveNet?", "WaveNet makes speech.", []),
    ],
)
def test_what_is_said_of_one_thing_is_not_said_of_another(
    question: str, claim: str, elsewhere: list[str]
) -> None:
    assert new_facts(claim, STACKS, question) == elsewhere


def test_a_few_sentences_away_is_near() -> None:
    told = passage("BigGAN came from DeepMind.", "It was large.", "It had 512 cores to train on.")
    assert new_facts("BigGAN had 512 cores to train on.", [told], "what did BigGAN have?") == []
    others = ("It was large.", "Others were small.", "They came later.", "They were fast.")
    far = passage("BigGAN came from DeepMind.", *others, "One of them had 512 cores.")
    assert new_facts("BigGAN had 512 cores.", [far], "what did BigGAN have?") == ["512"]


def test_a_number_is_the_same_however_it_is_set() -> None:
    told = passage("The prior is Beta(2, 2), and the sentence has a probability of 0.12.")
    assert new_facts("With Beta(2,2) the sentence has .12 of probability.", [told]) == []
    assert new_facts("With Beta(2,3) the sentence has .13 of probability.", [told]) == ["3", ".13"]
    assert new_facts("It cost 1,000,000.", [passage("It cost 1,000 a day.")]) == ["1,000,000"]
    apart = passage("It cost 5, 000 at a rate of 1. 3 in 1, 2000 places.")
    assert new_facts("It cost 5,000 at 1.3.", [apart]) == []
    assert new_facts("It cost 1,200.", [apart]) == ["1,200"]


def test_what_a_short_name_stands_for_is_that_name() -> None:
    told = passage("The variational autoencoder was introduced by Max Welling.", "It has two parts.")
    assert new_facts("VAEs were introduced by Max Welling.", [told], "who introduced VAEs?") == []
    others = ("It was large.", "Others were small.", "They came later.", "They were fast.")
    far = passage("A VAE came first.", *others, "The vector of an image is by Max Welling.")
    assert new_facts("VAEs are by Max Welling.", [far], "who introduced VAEs?") == ["Max", "Welling"]
