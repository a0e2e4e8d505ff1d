"""Which of a key's rivals become distractors."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ingest.types import Passage
from rag.items.fact import Fact, Rival
from rag.items.rivals import distractors
from tests.ingest_fakes import FakeEncoder


class Meaning(FakeEncoder):
    """Gives texts the same vector where they hold the same one of some words, and all but what speaks of
    sport something in common."""

    WORDS = ("killing", "taking", "breaking", "burning", "lying")

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = np.zeros((len(texts), len(self.WORDS) + len(texts) + 1), np.float32)
        for row, text in enumerate(texts):
            place = next((at for at, word in enumerate(self.WORDS) if word in text), None)
            found[row, len(self.WORDS) + row if place is None else place] = 1.0
            found[row, -1] = 0.0 if "sport" in text else 0.7
        return found / np.linalg.norm(found, axis=1, keepdims=True)


CRIMES = {
    "Manslaughter": "killing without a plan to do so",
    "Theft": "taking what is another's, to keep it",
    "Burglary": "breaking into a house to steal there",
    "Arson": "burning down what is another's",
    "Perjury": "lying to a court under oath",
}


def murder(names: Sequence[str]) -> Fact:
    passage = Passage("a", "law.md", None, (), "", ("Murder: the killing of a person on purpose.",))
    rivals = tuple(Rival(name, f"{name}: {CRIMES[name]}.", beside=True) for name in names)
    return Fact("term", passage, 0, "", "Murder", ": the killing of a person on purpose.", "Murder", rivals)


def test_what_is_told_in_the_same_words_is_no_distractor() -> None:
    every = murder(tuple(CRIMES))
    plain, chosen = distractors(every, 0), distractors(every, 0, Meaning().encode)
    assert plain is not None and chosen is not None
    assert "Manslaughter" in {one.text for one in plain}
    assert {one.text for one in chosen} == {"Theft", "Burglary", "Arson"}
    assert distractors(murder(("Manslaughter", "Theft", "Arson")), 0, Meaning().encode) is None


def test_what_the_notes_speak_of_in_another_connection_is_no_distractor() -> None:
    crimes = murder(("Theft", "Burglary", "Arson"))
    bowling = Rival("Bowling", "Bowling: a sport with ten pins.", beside=True)
    assert distractors(replace(crimes, rivals=(*crimes.rivals[:2], bowling)), 0, Meaning().encode) is None
    chosen = distractors(replace(crimes, rivals=(bowling, *crimes.rivals)), 0, Meaning().encode)
    assert chosen is not None and bowling not in chosen
    cell = replace(crimes, kind="cell", rivals=(*crimes.rivals[:2], bowling))
    assert distractors(cell, 0, Meaning().encode) is not None


def test_what_another_section_names_comes_after_and_must_be_nearer() -> None:
    crimes = murder(tuple(CRIMES))
    first, *others = crimes.rivals
    assert first.text == "Manslaughter"  # it means the same
    elsewhere = [replace(one, beside=one.text == "Perjury") for one in others]
    far = replace(crimes, rivals=tuple(elsewhere))
    assert distractors(far, 0, Meaning().encode, (0.4, 0.9, 0.45)) is None
    assert distractors(far, 0, Meaning().encode, (0.4, 0.5, 0.45)) is not None
    of_meanings = replace(crimes, kind="meaning", key="to kill", rivals=tuple(elsewhere))
    chosen = distractors(of_meanings, 0, Meaning().encode)
    assert chosen is not None and chosen[0].text == "Perjury"


def test_the_key_is_not_the_longest_option_where_a_longer_rival_is_there() -> None:
    rivals = tuple(Rival(name) for name in ("Tin", "Iron", "Zinc", "Lead", "Potassium"))
    passage = Passage("a", "a.md", None, (), "", ("Calcium: hardens bones.",))
    chosen = distractors(Fact("term", passage, 0, "", "Calcium", ": hardens bones.", "Calcium", rivals), 0)
    assert chosen is not None and "Potassium" in {one.text for one in chosen}
