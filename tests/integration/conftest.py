"""The real models and an index of our own notes, opened once for all tests that only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.build import build
from ingest.embed import load_encoder
from ingest.store import open_index
from ingest.types import Encoder
from rag.engines.local import LocalModel, load_model
from rag.retrieve import Retriever

NOTES = Path(__file__).parents[2] / "data" / "notes"


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="session")
def model() -> LocalModel:
    return load_model()


@pytest.fixture(scope="session")
def own_index(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    build([NOTES], folder, encoder)
    return folder


@pytest.fixture(scope="session")
def own(own_index: Path, encoder: Encoder) -> Retriever:
    return Retriever(open_index(own_index, encoder), encoder)
