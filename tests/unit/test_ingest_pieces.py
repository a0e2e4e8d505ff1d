"""How long a text is to the encoder, and how much of it fits, over any text."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.pieces import fitting, pieces

TEXTS = st.text("ab AZ09.-|ü \n", max_size=300)


@given(TEXTS, st.integers(1, 60))
def test_what_fits_is_all_that_fits_in_whole_words(text: str, room: int) -> None:
    end = fitting(text, room)
    assert pieces(text[:end]) <= room
    assert (end == len(text)) == (pieces(text) <= room)
    assert end or not text or text[:1].isspace()


def test_of_a_word_that_is_too_long_a_part_fits() -> None:
    assert 0 < fitting("x" * 10_000, 10) < 100
    assert fitting("", 10) == 0
