"""What a question claims with one of its options, as a sentence."""

import pytest

from rag.items.statements import claimed


@pytest.mark.parametrize(
    ("stem", "option", "claim"),
    [
        ("What is the term for a civil wrong?", "Tort", "The term for a civil wrong is Tort."),
        ("What is a civil wrong called?", "Breach of duty", "A civil wrong is called breach of duty."),
        ("Which of these carries oxygen?", "Red cells", "Red cells carries oxygen."),
        ("In which of these does one weigh the yield?", "Titration", "Titration: weigh the yield."),
        ("Which of these is described as “led the court”?", "John Marshall", "John Marshall: led the court."),
        ("What is meant by a writ?", "A written order", "A writ is a written order."),
        ("What does the stomach do?", "Digests food", "The stomach digests food."),
        ("What is the capital of Kenya?", "Nairobi", "The capital of Kenya is Nairobi."),
        ("Who described the code?", "Rosalind Franklin", "Rosalind Franklin described the code."),
        ("In which year was the act passed?", "1833", "The act passed: 1833."),
        ("To which year does this belong: “the act is passed”?", "1833", "1833: the act is passed."),
        ("How does blood clot?", "By platelets", "How does blood clot? By platelets."),
    ],
)
def test_a_stem_and_an_option_become_a_statement(stem: str, option: str, claim: str) -> None:
    assert claimed(stem, option) == claim
