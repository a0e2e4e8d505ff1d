"""A study guide of our own notes with the real encoder: their own words, centred on what is defined."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.clean import clean
from ingest.embed import load_encoder
from ingest.errors import ModelUnusable
from ingest.read import read
from ingest.split import split
from rag.study_guide import guides

NOTES = Path(__file__).parents[2] / "data" / "notes"


@pytest.mark.real
def test_a_guide_of_our_notes_picks_what_defines() -> None:
    try:
        encoder = load_encoder()
    except ModelUnusable as error:
        pytest.skip(str(error))
    every = split(clean(read(NOTES / "01-what-generative-ai-is.md", NOTES)))
    (found,) = guides(every, encoder, 2)
    texts = {one.id: one.text for one in every}
    lines = {section.title: [line.quote for line in section.lines] for section in found.sections}
    assert all(line.quote in texts[line.passage_id] for one in found.sections for line in one.lines)
    assert lines["Definition"][0].startswith("Generative AI is the part of artificial intelligence")
    assert any("a latent space: a space of few dimensions" in line for line in lines["Latent space"])
    assert any(line.startswith("A prompt is the input") for line in lines["Tokens, prompts and parameters"])
